"""The operators' command line in AWS: a CodeBuild project in the network, with an IAM role of its own.

It takes `operations.zip` from the artifacts' bucket. Nobody logs in anywhere; what was run, by whom, and its output are
in CodeBuild's history and logs. Migrations run by a project of the same form, which is in foundation.yaml.
"""

from __future__ import annotations

import json
from typing import Any

from infra.deploy.cloud import Resources
from infra.deploy.cloud.foundation import ZONES
from infra.deploy.cloud.functions import Function, imported_by
from infra.deploy.cloud.naming import arn, arn_of, imported, physical, ref
from infra.deploy.cloud.permissions import BUILDING, Statement, allow, operators_statements, policy

NAME = "Operate"
SOURCE = "operations.zip"
MADE = "made"  # the folder that commands write exports into, handed over by way of the bucket
LOGS_KEPT = 365  # days: what was done by hand
LONGEST = 480  # minutes
PYTHON = "3.11"
# Its commands do all that functions do, and read dead-letter queues.
OPERATOR = Function("Operate", "operate", imported_by("chalicelib.cli"), uses=("files", "vault"))


def operate(stage: str, environment: dict[str, Any]) -> Resources:
    """Return the project that runs one command of the command line, with the environment of functions."""
    bucket = imported(stage, "artifacts")
    variables = environment | {"COMMAND": "--help", "MADE": _in_bucket(bucket, MADE)}
    group, own = f"{NAME}LogGroup", physical(stage, NAME.lower())
    return {
        group: {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": f"/aws/codebuild/{own}", "RetentionInDays": LOGS_KEPT},
        },
        f"{NAME}Role": policy("codebuild.amazonaws.com", own, _statements(stage, bucket, group)),
        NAME: {
            "Type": "AWS::CodeBuild::Project",
            "Properties": {
                "Name": own,
                "ServiceRole": arn(f"{NAME}Role"),
                "ConcurrentBuildLimit": 1,
                "TimeoutInMinutes": LONGEST,
                "Artifacts": {"Type": "NO_ARTIFACTS"},
                "Source": {
                    "Type": "S3",
                    "Location": _in_bucket(bucket, SOURCE),
                    "BuildSpec": _build_spec(),
                },
                "Environment": {
                    "Type": "LINUX_CONTAINER",
                    "ComputeType": "BUILD_GENERAL1_SMALL",
                    "Image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
                    "PrivilegedMode": False,
                    "EnvironmentVariables": [
                        {"Name": name, "Type": "PLAINTEXT", "Value": value} for name, value in variables.items()
                    ],
                },
                "VpcConfig": {
                    "VpcId": imported(stage, "network"),
                    "Subnets": _subnets(stage),
                    "SecurityGroupIds": [imported(stage, "functions-group")],
                },
                "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED", "GroupName": ref(group)}},
            },
        },
    }


def _build_spec() -> str:
    """Write CodeBuild's commands. Words may be quoted as in a shell: who may start a build may do all of it anyhow."""
    commands = [
        f"mkdir {MADE}",
        f'eval "python{PYTHON} -m chalicelib.cli $COMMAND"',
        f"aws s3 cp --recursive --only-show-errors {MADE} s3://$MADE",
    ]
    phases = {"install": {"runtime-versions": {"python": PYTHON}}, "build": {"commands": commands}}
    return json.dumps({"version": 0.2, "phases": phases}, indent=1)


def _statements(stage: str, bucket: dict[str, Any], log_group: str) -> list[Statement]:
    """List what the project may do: run as a build in our network, what commands do, and hand over exports."""
    source = {"Fn::Sub": [f"${{Bucket}}/{SOURCE}", {"Bucket": bucket}]}
    exports = {"Fn::Sub": [f"${{Bucket}}/{MADE}/*", {"Bucket": bucket}]}
    return [
        allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [arn(log_group)]),
        allow("Source", ["s3:GetObject", "s3:GetObjectVersion"], [source]),
        allow("Bucket", ["s3:GetBucketAcl", "s3:GetBucketLocation"], [bucket]),
        allow("Network", BUILDING, "*"),
        allow(
            "OnlyInOurNetwork",
            ["ec2:CreateNetworkInterfacePermission"],
            [arn_of("ec2", "network-interface/*")],
            StringEquals={
                "ec2:AuthorizedService": "codebuild.amazonaws.com",
                "ec2:Subnet": [_subnet_arn(subnet) for subnet in _subnets(stage)],
            },
        ),
        *operators_statements(stage, OPERATOR),
        allow("HandOver", ["s3:PutObject"], [exports]),
    ]


def _subnets(stage: str) -> list[dict[str, Any]]:
    return [imported(stage, f"functions-subnet-{zone}") for zone in range(1, ZONES + 1)]


def _in_bucket(bucket: dict[str, Any], key: str) -> dict[str, Any]:
    """Return `bucket/key`, the form that CodeBuild takes, from the bucket's ARN."""
    name = {"Fn::Select": [5, {"Fn::Split": [":", bucket]}]}
    return {"Fn::Sub": [f"${{Name}}/{key}", {"Name": name}]}


def _subnet_arn(subnet: dict[str, Any]) -> dict[str, Any]:
    template = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:subnet/${Subnet}"
    return {"Fn::Sub": [template, {"Subnet": subnet}]}
