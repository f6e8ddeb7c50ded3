"""The proxy between functions and database, and the passwords that only the proxy and migrations read.

Functions show the proxy a token of their role; the proxy shows the database the password of the application. So a
function knows no password, and a thousand of them share the connections that the database has.
"""

from __future__ import annotations

from typing import Any

from infra.deploy.cloud import Resources
from infra.deploy.cloud.database import CLUSTER, KEY
from infra.deploy.cloud.egress import POSTGRESQL, member_of
from infra.deploy.cloud.egress import PROXY as GROUP
from infra.deploy.cloud.naming import arn, physical, ref, sub
from infra.deploy.cloud.network import subnets
from infra.deploy.cloud.sizes import Size

PROXY = "Proxy"
LOGINS = {"ApplicationSecret": "wagebook_app", "MigratorSecret": "wagebook_migrator"}
APPLICATION = LOGINS["ApplicationSecret"]
DATABASE = "wagebook"
CA = "/etc/pki/tls/certs/ca-bundle.crt"  # where Lambda and CodeBuild keep it; the proxy's certificate is Amazon's own
SHARE = 90  # percent of the database's connections; the rest is for migrations and people
WAITS = 10  # seconds for a free connection, then an error that the caller can act on
LOGS_KEPT = 90  # days
AT_ONCE = 1000  # functions that Lambda runs at once for an account, unless AWS was asked for more


def resources(stage: str) -> Resources:
    """Make the secrets, the proxy and its role."""
    made: Resources = {name: _secret(stage, login) for name, login in LOGINS.items()}
    made[f"{PROXY}LogGroup"] = {  # made before the proxy, which would make one without an end
        "Type": "AWS::Logs::LogGroup",
        "Properties": {"LogGroupName": f"/aws/rds/proxy/{physical(stage, 'proxy')}", "RetentionInDays": LOGS_KEPT},
    }
    made[f"{PROXY}Role"] = _role()
    made[PROXY] = {
        "Type": "AWS::RDS::DBProxy",
        "DependsOn": [f"{PROXY}LogGroup"],
        "Properties": {
            "DBProxyName": physical(stage, "proxy"),
            "EngineFamily": "POSTGRESQL",
            "RequireTLS": True,
            "RoleArn": arn(f"{PROXY}Role"),
            "Auth": [{"AuthScheme": "SECRETS", "SecretArn": ref("ApplicationSecret"), "IAMAuth": "REQUIRED"}],
            "VpcSubnetIds": subnets("Database"),
            "VpcSecurityGroupIds": [member_of(GROUP)],
            "IdleClientTimeout": 1800,
            "DebugLogging": False,  # it would write statements
        },
    }
    made[f"{PROXY}Targets"] = {
        "Type": "AWS::RDS::DBProxyTargetGroup",
        "DependsOn": [f"{CLUSTER}Instance1"],
        "Properties": {
            "DBProxyName": ref(PROXY),
            "TargetGroupName": "default",  # the only name that AWS takes
            "DBClusterIdentifiers": [ref(CLUSTER)],
            "ConnectionPoolConfigurationInfo": {
                "MaxConnectionsPercent": SHARE,
                "MaxIdleConnectionsPercent": 50,
                "ConnectionBorrowTimeout": WAITS,
            },
        },
    }
    return made


def endpoint() -> dict[str, Any]:
    """Return the proxy's host."""
    return {"Fn::GetAtt": [PROXY, "Endpoint"]}


def database_user() -> dict[str, Any]:
    """Return the ARN of logging in at the proxy as the application, which names the proxy by its own id."""
    proxy_id = {"Fn::Select": [6, {"Fn::Split": [":", {"Fn::GetAtt": [PROXY, "DBProxyArn"]}]}]}
    said = "arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}:dbuser:${ProxyId}/" + APPLICATION
    return {"Fn::Sub": [said, {"ProxyId": proxy_id}]}


def url(host: dict[str, Any]) -> dict[str, Any]:
    """Return the application's URL without a password, its server known by its certificate."""
    said = f"postgresql://{APPLICATION}@${{Host}}:{POSTGRESQL}/{DATABASE}?sslmode=verify-full&sslrootcert={CA}"
    return {"Fn::Sub": [said, {"Host": host}]}


def connections(size: Size) -> int:
    """Reckon how many connections the proxy can open in a database as large as it may become.

    Aurora's `max_connections` is LEAST({DBInstanceClassMemory/9531392},5000); an ACU has 2 GiB, of which the engine
    itself takes a part, here a tenth; with less than 1 ACU at the least it is 2,000 at most.
    """
    memory = size.most_capacity * 2 * 1024**3 * 0.9
    most = min(int(memory / 9_531_392), 5000 if size.least_capacity >= 1 else 2000)
    return most * SHARE // 100


def _secret(stage: str, login: str) -> dict[str, Any]:
    return {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {
            "Name": f"{physical(stage, 'database')}/{login}",
            "Description": "Set in the database by the next run of migrations",
            "KmsKeyId": arn(KEY),
            "GenerateSecretString": {
                "SecretStringTemplate": f'{{"username": "{login}"}}',
                "GenerateStringKey": "password",
                "PasswordLength": 48,
                "ExcludePunctuation": True,  # it becomes part of a URL
            },
        },
    }


def _role() -> dict[str, Any]:
    by_secrets = {"StringEquals": {"kms:ViaService": sub("secretsmanager.${AWS::Region}.amazonaws.com")}}
    statements = [
        {
            "Effect": "Allow",
            "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            "Resource": [ref("ApplicationSecret")],
        },
        {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [arn(KEY)], "Condition": by_secrets},
    ]
    trusted = {"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]},
            "Policies": [
                {"PolicyName": "secret", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}},
            ],
        },
    }
