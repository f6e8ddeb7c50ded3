"""Who can reach whom: one chain of security groups, functions to proxy to cluster, and migrations to the cluster."""

from __future__ import annotations

from typing import Any

from infra.deploy.cloud import Resources
from infra.deploy.cloud.naming import ref
from infra.deploy.cloud.network import ANYWHERE, VPC

FUNCTIONS, PROXY, CLUSTER, MIGRATOR = "FunctionsGroup", "ProxyGroup", "ClusterGroup", "MigratorGroup"
POSTGRESQL = 5432


def member_of(group: str) -> dict[str, Any]:
    """Refer to a security group."""
    return {"Fn::GetAtt": [group, "GroupId"]}


def resources(stage: str) -> Resources:
    """Make the groups, and what each lets in and out."""
    web = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": ANYWHERE, "Description": "AWS, webhooks"}
    # A group without a rule for what leaves gets one that lets everything leave. This one leads nowhere.
    nowhere = {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}
    return {
        FUNCTIONS: _group(stage, "Functions and operators", [web, _to(PROXY)]),
        PROXY: _group(stage, "The proxy of the database", [_to(CLUSTER)]),
        CLUSTER: _group(stage, "The database", [nowhere]),
        MIGRATOR: _group(stage, "Migrations, straight to the database", [web, _to(CLUSTER)]),
        "FunctionsToProxy": _let_in(FUNCTIONS, PROXY),
        "ProxyToCluster": _let_in(PROXY, CLUSTER),
        "MigratorToCluster": _let_in(MIGRATOR, CLUSTER),
    }


def _group(stage: str, said: str, leaves: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "GroupDescription": f"{said}, {stage}",
            "VpcId": ref(VPC),
            "SecurityGroupEgress": leaves,
        },
    }


def _to(group: str) -> dict[str, Any]:
    return {
        "IpProtocol": "tcp",
        "FromPort": POSTGRESQL,
        "ToPort": POSTGRESQL,
        "DestinationSecurityGroupId": member_of(group),
    }


def _let_in(source: str, group: str) -> dict[str, Any]:
    return {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {
            "GroupId": member_of(group),
            "IpProtocol": "tcp",
            "FromPort": POSTGRESQL,
            "ToPort": POSTGRESQL,
            "SourceSecurityGroupId": member_of(source),
        },
    }
