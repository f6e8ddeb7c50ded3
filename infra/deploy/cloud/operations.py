"""What people run in AWS: migrations and the operators' command line, in the network, each by a role of its own.

Both are projects of CodeBuild that take `operations.zip` from the artifacts' bucket. Nobody logs in anywhere; what was
run, by whom, and what it said, is in CodeBuild's history and logs.
"""

from __future__ import annotations

import json
from typing import Any

from infra.deploy.cloud import Resources, database_proxy
from infra.deploy.cloud.artifacts import ARTIFACTS, MADE
from infra.deploy.cloud.database import CLUSTER, KEY
from infra.deploy.cloud.egress import MIGRATOR, POSTGRESQL, member_of
from infra.deploy.cloud.functions import Function, imported_by
from infra.deploy.cloud.naming import arn, arn_of, imported, physical, ref, sub
from infra.deploy.cloud.network import VPC, subnets
from infra.deploy.cloud.permissions import BUILDING, Statement, allow, operators_statements, policy

SOURCE = "operations.zip"
LOGS_KEPT = 365  # days: what was done by hand
LONGEST = 480  # minutes: validating or indexing a large table takes hours
PYTHON = "3.11"
BUNDLE = "/tmp/rds.pem"  # noqa: S108 - public, and of a container that one build has for itself
BUNDLE_FROM = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
# It acts for whoever operates, so it may what its commands import: all that functions do, and dead letters.
OPERATOR = Function("Operate", "operate", imported_by("chalicelib.cli"))


def migrate(stage: str) -> Resources:
    """Make the project that prepares the database and brings its schema up to date, past the proxy."""
    master = {"Fn::GetAtt": [CLUSTER, "MasterUserSecret.SecretArn"]}
    secrets = [master, *map(ref, database_proxy.LOGINS)]
    by_secrets = {"kms:ViaService": sub("secretsmanager.${AWS::Region}.amazonaws.com")}
    network = {"VpcId": ref(VPC), "Subnets": subnets("Functions"), "SecurityGroupIds": [member_of(MIGRATOR)]}
    said = {
        "PGHOST": {"Fn::GetAtt": [CLUSTER, "Endpoint.Address"]},
        "PGPORT": str(POSTGRESQL),
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": BUNDLE,
        "ARGUMENTS": "",
    }
    kept = {
        "PGUSER": _part(master, "username"),
        "PGPASSWORD": _part(master, "password"),
        "APPLICATION_PASSWORD": _part(ref("ApplicationSecret"), "password"),
        "MIGRATOR_PASSWORD": _part(ref("MigratorSecret"), "password"),
    }
    may = [
        allow("Passwords", ["secretsmanager:GetSecretValue"], secrets),
        allow("OpenPasswords", ["kms:Decrypt"], [arn(KEY)], StringEquals=by_secrets),
    ]
    commands = [
        f"curl --fail --silent --show-error --output {BUNDLE} {BUNDLE_FROM}",
        f"python{PYTHON} -m migrations $ARGUMENTS",
    ]
    return _project(stage, "Migrate", commands, network, said, kept, may, arn(ARTIFACTS))


def operate(stage: str, environment: dict[str, Any]) -> Resources:
    """Make the project that runs one command of the command line, with the environment of functions."""
    network = {
        "VpcId": imported(stage, "network"),
        "Subnets": [imported(stage, f"functions-subnet-{zone}") for zone in (1, 2)],
        "SecurityGroupIds": [imported(stage, "functions-group")],
    }
    # Words may be quoted, as in a shell: whoever may start a build may do all that its role may anyhow.
    commands = [
        f"mkdir {MADE}",
        f'eval "python{PYTHON} -m chalicelib.cli $COMMAND"',
        f"aws s3 cp --recursive --only-show-errors {MADE} s3://$MADE",
    ]
    bucket = imported(stage, "artifacts")
    said = environment | {"COMMAND": "--help", "MADE": _in_bucket(bucket, MADE)}
    made = {"Fn::Sub": [f"${{Bucket}}/{MADE}/*", {"Bucket": bucket}]}
    may = [*operators_statements(stage, OPERATOR), allow("HandOver", ["s3:PutObject"], [made])]
    return _project(stage, "Operate", commands, network, said, {}, may, bucket)


def _project(
    stage: str,
    name: str,
    commands: list[str],
    network: dict[str, Any],
    said: dict[str, Any],
    kept: dict[str, Any],
    may: list[Statement],
    bucket: dict[str, Any],
) -> Resources:
    """Make a project, its role and its logs; `kept` are variables that come out of secrets."""
    group, own = f"{name}LogGroup", physical(stage, name.lower())
    phases = {"install": {"runtime-versions": {"python": PYTHON}}, "build": {"commands": commands}}
    source = {"Fn::Sub": [f"${{Bucket}}/{SOURCE}", {"Bucket": bucket}]}
    statements = [
        allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [arn(group)]),
        allow("Source", ["s3:GetObject", "s3:GetObjectVersion"], [source]),
        allow("Bucket", ["s3:GetBucketAcl", "s3:GetBucketLocation"], [bucket]),
        allow("Network", BUILDING, "*"),
        allow(
            "OnlyInOurNetwork",
            ["ec2:CreateNetworkInterfacePermission"],
            [arn_of("ec2", "network-interface/*")],
            StringEquals={
                "ec2:AuthorizedService": "codebuild.amazonaws.com",
                "ec2:Subnet": [_subnet(one) for one in network["Subnets"]],
            },
        ),
        *may,
    ]
    return {
        group: {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": f"/aws/codebuild/{own}", "RetentionInDays": LOGS_KEPT},
        },
        f"{name}Role": policy("codebuild.amazonaws.com", own, statements),
        name: {
            "Type": "AWS::CodeBuild::Project",
            "Properties": {
                "Name": own,
                "ServiceRole": arn(f"{name}Role"),
                "ConcurrentBuildLimit": 1,
                "TimeoutInMinutes": LONGEST,
                "Artifacts": {"Type": "NO_ARTIFACTS"},
                "Source": {
                    "Type": "S3",
                    "Location": _in_bucket(bucket, SOURCE),
                    "BuildSpec": json.dumps({"version": 0.2, "phases": phases}, indent=1),
                },
                "Environment": {
                    "Type": "LINUX_CONTAINER",
                    "ComputeType": "BUILD_GENERAL1_SMALL",
                    "Image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
                    "PrivilegedMode": False,
                    "EnvironmentVariables": [
                        *({"Name": one, "Type": "PLAINTEXT", "Value": value} for one, value in said.items()),
                        *({"Name": one, "Type": "SECRETS_MANAGER", "Value": value} for one, value in kept.items()),
                    ],
                },
                "VpcConfig": network,
                "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED", "GroupName": ref(group)}},
            },
        },
    }


def _in_bucket(bucket: dict[str, Any], key: str) -> dict[str, Any]:
    """Write where something is as CodeBuild takes it, `bucket/key`, of the bucket's ARN."""
    name = {"Fn::Select": [5, {"Fn::Split": [":", bucket]}]}
    return {"Fn::Sub": [f"${{Name}}/{key}", {"Name": name}]}


def _part(secret: dict[str, Any], key: str) -> dict[str, Any]:
    return {"Fn::Sub": [f"${{Secret}}:{key}", {"Secret": secret}]}


def _subnet(subnet: dict[str, Any]) -> dict[str, Any]:
    said = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:subnet/${Subnet}"
    return {"Fn::Sub": [said, {"Subnet": subnet}]}
