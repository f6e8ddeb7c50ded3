"""What is below the product's stack, and that each check notices when a part of it is missing or open."""

import copy
import inspect
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from cfnlint.api import ManualArgs, lint_file
from moto import mock_aws

from chalicelib.backing import settings
from infra.deploy.cloud import __main__ as cloud_main
from infra.deploy.cloud import checks, database_proxy, foundation_checks
from infra.deploy.cloud import operations as operating
from infra.deploy.cloud.foundation import SOURCE, document
from infra.deploy.cloud.foundation_checks import most_at_once, problems
from infra.deploy.cloud.sizes import SIZES
from infra.deploy.cloud.template import merge_template
from infra.deploy.packaging import operations
from migrations import __main__ as migrations_main

REGION = "eu-central-1"
Template = dict[str, Any]
Damage = Callable[[Template], object]
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS:UserWarning")  # moto's, of what it leaves out


class TestSource:
    def test_leaves_cfn_lint_nothing_to_say(self) -> None:
        assert _lint(SOURCE) == []

    def test_keeps_what_commands_hand_over_for_a_week(self) -> None:
        rules = document("prod")["Resources"]["ArtifactsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        assert [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == f"{operating.MADE}/"] == [7]

    def test_lets_the_proxy_in_as_the_application_that_functions_connect_as(self) -> None:
        secret = document("prod")["Resources"]["ApplicationSecret"]["Properties"]["GenerateSecretString"]
        assert json.loads(secret["SecretStringTemplate"]) == {"username": database_proxy.APPLICATION}
        user, _ = document("prod")["Outputs"]["DatabaseUser"]["Value"]["Fn::Sub"]
        assert user.endswith(f"/{database_proxy.APPLICATION}")
        assert document("prod")["Resources"]["Database"]["Properties"]["Port"] == database_proxy.PORT


def _lint(template: Path) -> list[str]:
    return [f"{match.rule.id} {match.message}" for match in lint_file(template, config=ManualArgs(regions=[REGION]))]


@pytest.mark.parametrize("stage", SIZES)
class TestFoundation:
    def test_has_nothing_wrong(self, stage: str) -> None:
        assert problems(document(stage), stage) == []

    def test_exports_what_the_product_imports_and_nothing_else(self, stage: str) -> None:
        assert foundation_checks.between(merge_template(stage), document(stage)) == []

    def test_leaves_cfn_lint_nothing_to_say(self, stage: str, tmp_path: Path) -> None:
        (tmp_path / "foundation.json").write_text(json.dumps(document(stage)))
        assert _lint(tmp_path / "foundation.json") == []

    def test_is_resolved_from_a_file_without_anything_left_of_it(self, stage: str) -> None:
        resolved = document(stage)
        assert set(resolved) == {"AWSTemplateFormatVersion", "Description", "Parameters", "Resources", "Outputs"}
        assert not re.search(r'"Ref": "Stage"|\$\{Stage\}|Fn::If|Fn::FindInMap|AWS::NoValue', json.dumps(resolved))

    def test_asks_for_a_mailbox_and_the_product_for_a_domain(self, stage: str) -> None:
        for template, asked in ((document(stage), {"AlarmMail"}), (merge_template(stage), {"MailDomain"})):
            assert {name for name, one in template["Parameters"].items() if "Default" not in one} == asked

    def test_has_connections_for_every_function_that_may_run(self, stage: str) -> None:
        # max_connections of 8 ACU: 16 GiB less a tenth are 15,461,882,265 bytes; / 9,531,392 = 1,622; 90 % are 1,459
        assert database_proxy.connections(SIZES[stage]) == {"dev": 1459, "prod": 4500}[stage]
        assert most_at_once() < database_proxy.AT_ONCE <= database_proxy.connections(SIZES[stage])

    def test_is_short_enough_to_be_sent_before_there_is_a_bucket(self, stage: str) -> None:
        assert len(json.dumps(document(stage))) < 51_200  # bytes that CloudFormation takes in a call

    def test_is_named_for_its_stage_alone(self, stage: str) -> None:
        other = {"dev": "prod", "prod": "dev"}[stage]
        assert f"wagebook-{other}" not in json.dumps(document(stage))


class TestEngine:
    def test_is_of_the_major_version_that_the_tests_run_on(self, server: str) -> None:
        version = document("prod")["Parameters"]["EngineVersion"]["Default"]
        with psycopg.connect(server) as connection:
            assert connection.info.server_version // 10_000 == int(version.partition(".")[0])
        assert document("prod")["Resources"]["DatabaseSettings"]["Properties"]["Family"] == "aurora-postgresql18"

    def test_may_be_said_otherwise_but_not_older_than_our_schema_needs(self) -> None:
        pattern = document("prod")["Parameters"]["EngineVersion"]["AllowedPattern"]
        assert [bool(re.fullmatch(pattern, one)) for one in ("18.6", "17.9", "18")] == [True, False, False]


class TestFunctions:
    def test_get_no_password(self) -> None:
        variables = merge_template("prod")["Globals"]["Function"]["Environment"]["Variables"]
        assert variables["DATABASE_PROXY"] == "true"
        url, names = variables["APPLICATION_DATABASE_URL"]["Fn::Sub"]
        assert url.replace("${Host}", "proxy.example") == (
            "postgresql://wagebook_app@proxy.example:5432/wagebook"
            "?sslmode=verify-full&sslrootcert=/etc/pki/tls/certs/ca-bundle.crt"
        )
        assert names == {"Host": {"Fn::ImportValue": "wagebook-prod-proxy-endpoint"}}
        assert "secretsmanager" not in json.dumps(merge_template("prod")), "only migrations and the proxy read secrets"

    def test_get_what_the_product_reads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in merge_template("dev")["Globals"]["Function"]["Environment"]["Variables"].items():
            monkeypatch.setenv(name, value if isinstance(value, str) else "resolved")
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "wagebook-dev-api")
        assert settings.settings.__wrapped__().database_is_a_proxy


class TestProjects:
    def test_run_what_is_in_the_zip_by_the_python_that_it_is_made_for(self, whole: Template) -> None:
        runtimes = {one["Runtime"] for one in checks.of_type(whole, checks.FUNCTION).values()}
        assert runtimes == {f"python{operating.PYTHON}"}
        assert _commands(document("dev"), "Migrate")[-1] == "python3.11 -m migrations $ARGUMENTS"
        assert 'eval "python3.11 -m chalicelib.cli $COMMAND"' in _commands(whole, "Operate")
        assert {"migrations", "chalicelib.cli"} == set(operations.COMMANDS)
        assert operating.SOURCE == operations.NAME

    def test_hand_over_what_a_command_made_and_take_quoted_words(self, whole: Template, tmp_path: Path) -> None:
        for name, body in (
            ("aws", "echo aws $*"),
            ("python3.11", 'for word in "$@"; do echo "<$word>"; done; touch made/it'),
        ):
            (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
            (tmp_path / name).chmod(0o755)
        environment = {
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "MADE": "artifacts/made",
            "COMMAND": "tenants suspend --reason 'The March invoice is open.'",
        }
        ran = subprocess.run(
            ["/bin/sh", "-ec", "\n".join(_commands(whole, "Operate"))],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout.split("\n")[2:6] == ["<tenants>", "<suspend>", "<--reason>", "<The March invoice is open.>"]
        assert "aws s3 cp --recursive --only-show-errors made s3://artifacts/made" in ran.stdout
        assert (tmp_path / "made" / "it").exists()
        [policy] = whole["Resources"]["OperateRole"]["Properties"]["Policies"]
        [may] = [one for one in policy["PolicyDocument"]["Statement"] if one["Sid"] == "HandOver"]
        assert (may["Action"], "made/*" in json.dumps(may["Resource"])) == (["s3:PutObject"], True)

    def test_give_migrations_what_they_read(self) -> None:
        variables = {
            one["Name"]: one for one in _project(document("dev"), "Migrate")["Environment"]["EnvironmentVariables"]
        }
        read = set(re.findall(r'_password\("(\w+)"\)', inspect.getsource(migrations_main)))
        assert read == {"APPLICATION_PASSWORD", "MIGRATOR_PASSWORD"}
        for name in {*read, "PGUSER", "PGPASSWORD"}:
            assert variables[name]["Type"] == "SECRETS_MANAGER", "a value would be readable in the project"
        assert variables["PGHOST"]["Value"] == {"Fn::GetAtt": ["Database", "Endpoint.Address"]}, (
            "the proxy would pin it"
        )

    def test_operate_with_the_environment_of_functions(self, whole: Template) -> None:
        variables = {
            one["Name"]: one["Value"] for one in _project(whole, "Operate")["Environment"]["EnvironmentVariables"]
        }
        assert variables.pop("COMMAND") == "--help"
        assert "/made" in json.dumps(variables.pop("MADE"))
        assert variables == whole["Globals"]["Function"]["Environment"]["Variables"]


def _commands(template: Template, name: str) -> list[str]:
    build_spec = json.loads(_project(template, name)["Source"]["BuildSpec"])
    return list(build_spec["phases"]["build"]["commands"])


class TestCommand:
    def test_prints_either_document(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        for asked, expected in ((["dev"], merge_template("dev")), (["prod", "--foundation"], document("prod"))):
            monkeypatch.setattr("sys.argv", ["infra.deploy.cloud", *asked])
            cloud_main.main()
            assert json.loads(capsys.readouterr().out) == expected


def _project(template: Template, name: str) -> Template:
    return dict(template["Resources"][name]["Properties"])


def _without(name: str) -> Damage:
    return lambda template: template["Resources"].pop(name)


def _less(name: str, *path: str) -> Damage:
    def take(template: Template) -> object:
        properties = template["Resources"][name]["Properties"]
        for word in path[:-1]:
            properties = properties[word]
        return properties.pop(path[-1])

    return take


def _with(name: str, **properties: Any) -> Damage:
    return lambda template: template["Resources"][name]["Properties"].update(properties)


def _named(kind: str) -> list[str]:
    return [name for name, one in document("prod")["Resources"].items() if one["Type"] == kind]


def _gone_with_the_stack(template: Template) -> object:
    return template["Resources"]["Database"].pop("DeletionPolicy")


def _password(template: Template) -> object:
    return template["Resources"]["Proxy"]["Properties"]["Auth"][0].update(IAMAuth="DISABLED")


def _as_master(template: Template) -> object:
    return template["Resources"]["Proxy"]["Properties"]["Auth"][0].update(SecretArn={"Ref": "MigratorSecret"})


def _anybody_publishes(template: Template) -> object:
    statement = template["Resources"]["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    return statement.pop("Condition")


def _wildcard(template: Template) -> object:
    [policy] = template["Resources"]["ProxyRole"]["Properties"]["Policies"]
    return policy["PolicyDocument"]["Statement"][0].update(Resource="*")


OPEN = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
DAMAGES: dict[str, tuple[Damage, str]] = {
    **{f"{word} of {name}": (_less(name, word), what)
       for kind, words in foundation_checks.MUST.items() for word, (value, what) in words.items()
       for name in _named(kind) if value is not False},
    **{f"{word} of {name}": (_with(name, **{word: True}), what)
       for kind, words in foundation_checks.MUST.items() for word, (value, what) in words.items()
       for name in _named(kind) if value is False},
    **{f"settings {word}": (_less("DatabaseSettings", "Parameters", word), f"is not told {word}")
       for word in foundation_checks.CLOSED},
    **{f"an ingress in {name}": (_with(name, SecurityGroupIngress=[OPEN]), "lets in other")
       for name in _named("AWS::EC2::SecurityGroup")},
    **{f"anybody instead of {name}": (_with(name, **OPEN), "lets in other")
       for name in _named("AWS::EC2::SecurityGroupIngress")},
    **{f"alarm {name}": (_without(name), "has no alarm of") for name in _named("AWS::CloudWatch::Alarm")},
    **{f"topic of {name}": (_less(name, "AlarmActions"), "tells nobody") for name in _named("AWS::CloudWatch::Alarm")},
    "the database in a subnet with a way out": (
        _with("DatabaseSubnets", SubnetIds=[{"Ref": "FunctionsSubnet1"}, {"Ref": "DatabaseSubnet2"}]), "a way out"),
    "migrations in a public subnet": (
        _with("Migrate", VpcConfig={"Subnets": [{"Ref": "PublicSubnet1"}]}), "in a public subnet"),
    "backups": (_with("Database", BackupRetentionPeriod=7), "keeps backups for less than 35 days"),
    "protection": (_with("Database", DeletionProtection=False), "deleted by mistake"),
    "the last snapshot": (_gone_with_the_stack, "gone with the stack"),
    "the database's logs": (_without("DatabaseLogGroup"), "logs that are kept for ever"),
    "the second instance": (_without("DatabaseInstance2"), "less than 2 instances"),
    "tokens": (_password, "takes a password"),
    "who the proxy is": (_as_master, "as other than the application"),
    "on whose behalf is published": (_anybody_publishes, "on anybody's behalf"),
    "the mailbox": (_without("AlarmMailbox"), "is read by nobody"),
    "the bucket's public block": (_less("ArtifactsBucket", "PublicAccessBlockConfiguration"), "may become public"),
    "the bucket's encryption": (_less("ArtifactsBucket", "BucketEncryption"), "no BucketEncryption"),
    "a role's resource": (_wildcard, "on everything"),
    "the wait for a connection": (
        _less("ProxyTargets", "ConnectionPoolConfigurationInfo", "ConnectionBorrowTimeout"), "for minutes"),
    "the largest size": (
        _with("Database", ServerlessV2ScalingConfiguration={"MinCapacity": 2, "MaxCapacity": 4}), "are reckoned for"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_notices_what_was_taken_out(damage: str) -> None:
    damaged = copy.deepcopy(document("prod"))
    remove, message = DAMAGES[damage]
    remove(damaged)
    assert any(message in one for one in problems(damaged, "prod")), problems(damaged, "prod")


@pytest.mark.parametrize("name", [name for name, one in document("dev")["Outputs"].items() if "Export" in one])
def test_notices_an_export_that_is_missing(name: str) -> None:
    damaged = copy.deepcopy(document("dev"))
    exported = damaged["Outputs"].pop(name)["Export"]["Name"]
    assert foundation_checks.between(merge_template("dev"), damaged) == [f"{exported}: is imported and not exported"]


def test_notices_an_export_that_nothing_imports() -> None:
    damaged = copy.deepcopy(document("dev"))
    damaged["Outputs"]["Spare"] = {"Value": "x", "Export": {"Name": "wagebook-dev-spare"}}
    [problem] = foundation_checks.between(merge_template("dev"), damaged)
    assert problem.startswith("wagebook-dev-spare: is exported and not imported")


def test_notices_more_consumers_than_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foundation_checks, "AT_ONCE", 100)  # eight consumers name no bound of their own
    assert any("leaves a quarter or less for the API" in one for one in problems(document("prod"), "prod"))


@pytest.fixture(scope="module", name="created")
def _created(below_in_moto: Template) -> Iterator[None]:
    """Create what moto can: not cluster and proxy nor what refers to them, no secrets, no subscriptions."""
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket="templates", Key="foundation", Body=json.dumps(below_in_moto))
        client = boto3.client("cloudformation", region_name=REGION)
        client.create_stack(
            StackName="wagebook-dev-foundation",
            TemplateURL="https://s3.amazonaws.com/templates/foundation",
            Parameters=[{"ParameterKey": "AlarmMail", "ParameterValue": "alarms@wagebook.example"}],
        )
        [stack] = client.describe_stacks(StackName="wagebook-dev-foundation")["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
        yield


@pytest.mark.usefixtures("created")
class TestCreated:
    def test_lets_one_group_into_the_next_and_nobody_else(self) -> None:
        groups = boto3.client("ec2", region_name=REGION).describe_security_groups()["SecurityGroups"]
        known = {one["GroupId"]: one["Description"].partition(",")[0] for one in groups}
        let_in = {
            (known[pair["GroupId"]], known[one["GroupId"]], rule["FromPort"])
            for one in groups
            for rule in one["IpPermissions"]
            for pair in rule["UserIdGroupPairs"]
            if one["GroupName"] != "default"
        }
        assert let_in == {
            ("Functions and operators", "The proxy of the database", 5432),
            ("The proxy of the database", "The database", 5432),
            ("Migrations", "The database", 5432),
        }
        assert [one for one in groups for rule in one["IpPermissions"] if rule["IpRanges"]] == []

    def test_leaves_the_database_no_way_out(self) -> None:
        ec2 = boto3.client("ec2", region_name=REGION)
        ours = {"Name": "tag:aws:cloudformation:logical-id", "Values": ["DatabaseRoutes*"]}
        tables = ec2.describe_route_tables(Filters=[ours])
        routes = [route["DestinationCidrBlock"] for one in tables["RouteTables"] for route in one["Routes"]]
        assert routes == ["10.0.0.0/16", "10.0.0.0/16"]
