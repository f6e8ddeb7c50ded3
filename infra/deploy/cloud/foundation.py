"""What is deployed first and rarely: network, database, proxy, secrets, and where alarms go.

The product's own stack imports from it by name, so that whoever deploys has one thing to say here: a mailbox.
"""

from __future__ import annotations

from typing import Any

from infra.deploy.cloud import alerts, artifacts, database, database_proxy, egress, network, operations
from infra.deploy.cloud.naming import APP, arn, physical, ref


def document(stage: str) -> dict[str, Any]:
    """Make the foundation's template for one stage (dev, prod)."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"{APP.title()}'s foundation, {stage}",
        "Parameters": {
            "AlarmMail": {"Type": "String", "Description": "The mailbox that is told of alarms; it confirms once"},
            "EngineVersion": {
                "Type": "String",
                "Default": database.ENGINE_VERSION,
                "AllowedPattern": r"18\.\d+",
                "Description": "Of Aurora PostgreSQL, as `aws rds describe-db-engine-versions` lists them",
            },
        },
        "Resources": {
            **network.resources(stage),
            **egress.resources(stage),
            **database.resources(stage),
            **database_proxy.resources(stage),
            **alerts.resources(stage),
            **artifacts.resources(stage),
            **operations.migrate(stage),
        },
        "Outputs": {
            **_exports(stage),
            # What people need and no stack does, so that it may change.
            "ArtifactsBucketName": {"Value": ref(artifacts.ARTIFACTS)},
            "DatabaseIdentifier": {"Value": ref(database.CLUSTER)},
            "MigrateProject": {"Value": ref("Migrate")},
        },
    }


def _exports(stage: str) -> dict[str, Any]:
    """Return what the product's stack imports. AWS changes none of it while it is imported."""
    shared = {
        "network": ref(network.VPC),
        **{f"functions-subnet-{at}": one for at, one in enumerate(network.subnets("Functions"), start=1)},
        "functions-group": egress.member_of(egress.FUNCTIONS),
        "proxy-endpoint": database_proxy.endpoint(),
        "database-user": database_proxy.database_user(),
        "alarm-topic": ref(alerts.TOPIC),
        "artifacts": arn(artifacts.ARTIFACTS),
    }
    return {
        "".join(word.title() for word in name.split("-")): {
            "Value": value,
            "Export": {"Name": physical(stage, name)},
        }
        for name, value in shared.items()
    }
