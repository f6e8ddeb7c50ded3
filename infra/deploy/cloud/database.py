"""The database: Aurora PostgreSQL that grows and shrinks by itself, in subnets without a way out, and what watches it.

The product needs PostgreSQL 18 (`uuidv7()`). Nobody but migrations and the proxy can reach the cluster, and nobody
knows its master password: RDS makes it, keeps it and changes it every week.
"""

from __future__ import annotations

from typing import Any

from infra.deploy.cloud import Resources
from infra.deploy.cloud.alarms import alarm
from infra.deploy.cloud.egress import CLUSTER as GROUP
from infra.deploy.cloud.egress import POSTGRESQL, member_of
from infra.deploy.cloud.naming import arn, physical, ref
from infra.deploy.cloud.network import gateways, subnets
from infra.deploy.cloud.sizes import SIZES
from infra.deploy.cloud.storage import STAYS, key_of_account

KEY = "DatabaseKey"
CLUSTER = "Database"
MASTER = "wagebook_master"
FAMILY = "aurora-postgresql18"
ENGINE_VERSION = "18.4"  # what the embedded server is, so what the tests run on; minor versions follow by themselves
LOGS_KEPT = 90  # days
SLOW = 1000  # milliseconds from which a statement is told of
IDLE = 300_000  # milliseconds in a transaction without a word: whoever began it is gone, and its locks must go
MANY = 50  # connections that are somebody's for good; a transaction's own are given back with it
NEAR_THE_END = 1_000_000_000  # transaction ids in use, of two thousand million; PostgreSQL stops writing at the end

# PostgreSQL's own words, for the log. Values of pay travel as parameters, which are told as DETAIL, as are the values
# of rows that break a constraint. Terse leaves DETAIL out, so that a slow or a failed statement shows its text alone.
SETTINGS = {
    "rds.force_ssl": "1",
    "log_statement": "none",
    "log_min_duration_statement": str(SLOW),
    "log_error_verbosity": "terse",
    "idle_in_transaction_session_timeout": str(IDLE),
}


def resources(stage: str) -> Resources:
    """Make the key, the cluster with its instances, and their alarms."""
    size = SIZES[stage]
    name = physical(stage, "database")
    made: Resources = {
        KEY: {"Type": "AWS::KMS::Key", **STAYS, "Properties": _key()},
        f"{CLUSTER}Subnets": {
            "Type": "AWS::RDS::DBSubnetGroup",
            "Properties": {"DBSubnetGroupDescription": f"No way out, {stage}", "SubnetIds": subnets("Database")},
        },
        f"{CLUSTER}Settings": {
            "Type": "AWS::RDS::DBClusterParameterGroup",
            "Properties": {"Family": FAMILY, "Description": f"Wagebook, {stage}", "Parameters": SETTINGS},
        },
        f"{CLUSTER}LogGroup": {  # made before the cluster, which would make one without an end
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": f"/aws/rds/cluster/{name}/postgresql", "RetentionInDays": LOGS_KEPT},
        },
        CLUSTER: {
            "Type": "AWS::RDS::DBCluster",
            "DeletionPolicy": "Snapshot",
            "UpdateReplacePolicy": "Snapshot",
            "DependsOn": [f"{CLUSTER}LogGroup"],
            "Properties": {
                "DBClusterIdentifier": name,
                "Engine": "aurora-postgresql",
                "EngineVersion": ref("EngineVersion"),
                "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
                "Port": POSTGRESQL,
                "MasterUsername": MASTER,
                "ManageMasterUserPassword": True,
                "MasterUserSecret": {"KmsKeyId": arn(KEY)},
                "ServerlessV2ScalingConfiguration": {
                    "MinCapacity": size.least_capacity,
                    "MaxCapacity": size.most_capacity,
                },
                "StorageEncrypted": True,
                "KmsKeyId": arn(KEY),
                "BackupRetentionPeriod": size.backups_kept,
                "CopyTagsToSnapshot": True,
                "DeletionProtection": size.protected,
                "DBSubnetGroupName": ref(f"{CLUSTER}Subnets"),
                "DBClusterParameterGroupName": ref(f"{CLUSTER}Settings"),
                "VpcSecurityGroupIds": [member_of(GROUP)],
                "EnableCloudwatchLogsExports": ["postgresql"],
                **(_insights() if size.least_capacity >= 2 else {}),  # it needs memory of its own
            },
        },
    }
    for number in range(1, size.instances + 1):
        made[f"{CLUSTER}Instance{number}"] = {
            "Type": "AWS::RDS::DBInstance",
            "DeletionPolicy": "Delete",  # the data is the cluster's, and so is the last snapshot
            "UpdateReplacePolicy": "Delete",
            "Properties": {
                "DBClusterIdentifier": ref(CLUSTER),
                "DBInstanceClass": "db.serverless",
                "Engine": "aurora-postgresql",
                "PubliclyAccessible": False,
                "AutoMinorVersionUpgrade": True,
                "CACertificateIdentifier": "rds-ca-rsa2048-g1",
                "PromotionTier": 1,  # takes over first, so it is kept as large as the writer
            },
        }
    return made | _alarms(stage)


def _insights() -> dict[str, Any]:
    """Note for a week which statement waited for what; their text, and no value of a parameter."""
    return {
        "DatabaseInsightsMode": "standard",
        "PerformanceInsightsEnabled": True,
        "PerformanceInsightsKmsKeyId": arn(KEY),
        "PerformanceInsightsRetentionPeriod": 7,
    }


def _key() -> dict[str, Any]:
    return key_of_account("Encrypts the database, its backups and its secrets; without it none of them open")


def _alarms(stage: str) -> Resources:
    cluster = {"DBClusterIdentifier": ref(CLUSTER)}
    made: Resources = {
        "ConnectionsPinnedAlarm": alarm(
            "Connections of the proxy belong to one process each: something is set or prepared for a whole session.",
            "AWS/RDS",
            "DatabaseConnectionsCurrentlySessionPinned",
            {"ProxyName": ref("Proxy")},
            above=MANY,
            statistic="Minimum",
            of=3,
            at_least=3,
        ),
        "DatabaseCapacityAlarm": alarm(
            "The database is nearly as large as it may become: who is it working for, and may it become larger?",
            "AWS/RDS",
            "ACUUtilization",
            cluster,
            above=90,
            statistic="Average",
            of=3,
            at_least=3,
        ),
        "TransactionIdsAlarm": alarm(
            "Half of the transaction ids are used: vacuum is held up, often by a forgotten transaction.",
            "AWS/RDS",
            "MaximumUsedTransactionIDs",
            cluster,
            above=NEAR_THE_END,
            statistic="Maximum",
        ),
    }
    for gateway in gateways(stage):
        made[f"{gateway}PortsAlarm"] = alarm(
            "Calls to the internet are dropped: too many at once to one address. Which webhook or service is it?",
            "AWS/NATGateway",
            "ErrorPortAllocation",
            {"NatGatewayId": ref(gateway)},
            above=0,
            of=3,
            at_least=2,
        )
    return made
