"""What others say of the template: cfn-lint, AWS's own translator of SAM, and moto as far as it goes."""

import copy
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cfnlint.api import ManualArgs, lint_file
from moto import mock_aws
from samtranslator.translator.transform import transform

REGION = "eu-central-1"
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS:UserWarning")  # moto's, of what it leaves out
SAID = {
    "AlarmTopic": f"arn:aws:sns:{REGION}:123456789012:alarms",
    "DatabaseSecret": "database",
    "MailDomain": "wagebook.example",
    "PublicUrl": "https://api.wagebook.example",
    "WebOrigins": "https://wagebook.example",
    "Subnets": "subnet-00000001,subnet-00000002",
    "SecurityGroups": "sg-00000001",
    "MonthlyBudget": "500",
    "PayoutsEnabled": "true",
}
Template = dict[str, Any]


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="module", name="translated")
def _translated(whole: Template) -> Template:
    uploaded = copy.deepcopy(whole)
    for one in uploaded["Resources"].values():
        if one["Type"] == "AWS::Serverless::Function":
            one["Properties"]["CodeUri"] = "s3://wagebook-code/deployment.zip"  # as `cloudformation package` writes it
    return dict(transform(uploaded, SAID, _NoManagedPolicies()))


def _lint(template: Template, at: Path) -> list[str]:
    at.write_text(json.dumps(template))
    return [f"{one.rule.id} {one.message}" for one in lint_file(at, config=ManualArgs(regions=[REGION]))]


class TestLint:
    def test_has_nothing_to_say_of_the_template(self, whole: Template, tmp_path: Path) -> None:
        assert _lint(whole, tmp_path / "sam.json") == []

    def test_has_nothing_to_say_of_what_it_becomes(self, translated: Template, tmp_path: Path) -> None:
        assert _lint(translated, tmp_path / "cloudformation.json") == []

    def test_notices_a_word_that_aws_does_not_know(self, tmp_path: Path) -> None:
        wrong = {"Resources": {"Files": {"Type": "AWS::S3::Bucket", "Properties": {"Encrypted": True}}}}
        assert any("Encrypted" in one for one in _lint(wrong, tmp_path / "sam.json"))


class TestTranslation:
    def test_makes_a_mapping_of_every_queue_that_tells_of_single_messages(self, translated: Template) -> None:
        mappings = _of_type(translated, "AWS::Lambda::EventSourceMapping")
        assert mappings
        assert all(one["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for one in mappings)

    def test_makes_no_role_and_no_queue_of_its_own(self, whole: Template, translated: Template) -> None:
        for kind in ("AWS::IAM::Role", "AWS::SQS::Queue"):
            assert len(_of_type(translated, kind)) == len(_of_type(whole, kind))

    def test_fits_into_what_cloudformation_takes(self, translated: Template) -> None:
        assert len(translated["Resources"]) <= 500
        assert len(json.dumps(translated)) < 1_000_000

    def test_has_the_gateways_refusals_as_problem_documents(self, translated: Template) -> None:
        [api] = _of_type(translated, "AWS::ApiGateway::RestApi")
        for word, said in api["Body"]["x-amazon-apigateway-gateway-responses"].items():
            assert said["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
            body = json.loads(said["responseTemplates"]["application/json"])
            assert body["type"].startswith("urn:wagebook:problem:"), word
            assert str(body.get("status", "")) == said.get("statusCode", ""), word


@pytest.fixture(scope="module", name="created")
def _created(translated: Template) -> Iterator[Template]:
    """This will create all that moto can: no API from a Swagger body, no alarms, no Cognito, no rules of a bucket."""
    made = copy.deepcopy(translated)
    made["Resources"] = {
        name: one
        for name, one in made["Resources"].items()
        if not one["Type"].startswith("AWS::ApiGateway::") and name != "APIHandlerInvokePermission"
    }
    made.pop("Outputs")
    for one in made["Resources"].values():
        if one["Type"] == "AWS::Lambda::Function":
            one["Properties"]["Code"] = {"ZipFile": "nothing = None"}
    logging.getLogger("moto").setLevel(logging.ERROR)
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket="templates", Key="wagebook", Body=json.dumps(made))
        secret = json.dumps({"application": "postgresql://nobody@localhost/none"})
        boto3.client("secretsmanager", region_name=REGION).create_secret(Name="database", SecretString=secret)
        client = boto3.client("cloudformation", region_name=REGION)
        parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in SAID.items()]
        client.create_stack(
            StackName="wagebook-dev", TemplateURL="https://s3.amazonaws.com/templates/wagebook", Parameters=parameters
        )
        [stack] = client.describe_stacks(StackName="wagebook-dev")["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
        yield made


class TestCreated:
    def test_has_every_queue_with_its_redrive(self, created: Template) -> None:
        sqs = boto3.client("sqs", region_name=REGION)
        urls = sqs.list_queues(QueueNamePrefix="wagebook-dev-")["QueueUrls"]
        assert len(urls) == len(_of_type(created, "AWS::SQS::Queue"))
        arns = {_attributes(sqs, url)["QueueArn"]: url for url in urls}
        for url in arns.values():
            said = _attributes(sqs, url)
            if not url.endswith("-dead"):
                assert json.loads(said["RedrivePolicy"])["deadLetterTargetArn"] == f"{said['QueueArn']}-dead"

    def test_has_every_function_called_by_its_queue(self, created: Template) -> None:
        client = boto3.client("lambda", region_name=REGION)
        functions = [one for page in client.get_paginator("list_functions").paginate() for one in page["Functions"]]
        assert len(functions) == len(_of_type(created, "AWS::Lambda::Function"))
        mappings = client.list_event_source_mappings()["EventSourceMappings"]
        assert len(mappings) == len(_of_type(created, "AWS::Lambda::EventSourceMapping"))

    def test_has_a_bucket_that_encrypts(self, created: Template) -> None:
        s3 = boto3.client("s3", region_name=REGION)
        bucket = "wagebook-dev-files-123456789012"
        [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


def _attributes(sqs: Any, url: str) -> dict[str, str]:
    return dict(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])


def _of_type(template: Template, kind: str) -> list[Template]:
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]
