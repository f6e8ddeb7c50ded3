"""The template as cfn-lint, AWS's own SAM translator and, as far as it goes, moto see it."""

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
PARAMETERS = {  # all that a deployment must name; the rest has defaults
    "MailDomain": "wagebook.example",
}
FOUNDATION_PARAMETERS = {"AlarmMail": "alarms@wagebook.example"}
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
    defaults = {name: one["Default"] for name, one in whole["Parameters"].items() if "Default" in one}
    return dict(transform(uploaded, defaults | PARAMETERS, _NoManagedPolicies()))


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
        for word, response in api["Body"]["x-amazon-apigateway-gateway-responses"].items():
            assert response["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
            body = json.loads(response["responseTemplates"]["application/json"])
            assert body["type"].startswith("urn:wagebook:problem:"), word
            assert str(body.get("status", "")) == response.get("statusCode", ""), word


@pytest.fixture(scope="module", name="created")
def _created(translated: Template, below_in_moto: Template) -> Iterator[Template]:
    """Create all that moto can, the foundation first: no API from a Swagger body, no rules of a bucket."""
    template = copy.deepcopy(translated)
    template["Resources"] = {
        name: one
        for name, one in template["Resources"].items()
        if not one["Type"].startswith("AWS::ApiGateway::") and name != "APIHandlerInvokePermission"
    }
    template.pop("Outputs")
    for one in template["Resources"].values():
        if one["Type"] == "AWS::Lambda::Function":
            one["Properties"]["Code"] = {"ZipFile": "nothing = None"}
    logging.getLogger("moto").setLevel(logging.ERROR)
    with mock_aws():
        _create("wagebook-dev-foundation", below_in_moto, FOUNDATION_PARAMETERS)
        _create("wagebook-dev", template, PARAMETERS)
        yield template


def _create(stack: str, template: Template, parameters: dict[str, str]) -> None:
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket=stack, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=stack, Key="template", Body=json.dumps(template))
    client = boto3.client("cloudformation", region_name=REGION)
    client.create_stack(
        StackName=stack,
        TemplateURL=f"https://s3.amazonaws.com/{stack}/template",
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    [described] = client.describe_stacks(StackName=stack)["Stacks"]
    assert described["StackStatus"] == "CREATE_COMPLETE", described.get("StackStatusReason")


class TestCreated:
    def test_has_functions_in_the_foundations_private_network(self, created: Template) -> None:
        ec2 = boto3.client("ec2", region_name=REGION)
        [group] = ec2.describe_security_groups(Filters=[{"Name": "description", "Values": ["Functions*"]}])[
            "SecurityGroups"
        ]
        subnets = ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["wagebook-dev-functions-*"]}])[
            "Subnets"
        ]
        configuration = boto3.client("lambda", region_name=REGION).get_function(FunctionName="wagebook-dev-api")[
            "Configuration"
        ]
        assert configuration["VpcConfig"]["SecurityGroupIds"] == [group["GroupId"]]
        assert set(configuration["VpcConfig"]["SubnetIds"]) == {one["SubnetId"] for one in subnets}
        assert "postgresql://wagebook_app@" in configuration["Environment"]["Variables"]["APPLICATION_DATABASE_URL"]

    def test_has_every_queue_with_its_redrive(self, created: Template) -> None:
        sqs = boto3.client("sqs", region_name=REGION)
        urls = sqs.list_queues(QueueNamePrefix="wagebook-dev-")["QueueUrls"]
        assert len(urls) == len(_of_type(created, "AWS::SQS::Queue"))
        arns = {_attributes(sqs, url)["QueueArn"]: url for url in urls}
        for url in arns.values():
            attributes = _attributes(sqs, url)
            if not url.endswith("-dead"):
                assert (
                    json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"] == f"{attributes['QueueArn']}-dead"
                )

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
