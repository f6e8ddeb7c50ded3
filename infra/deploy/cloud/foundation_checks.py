"""Invariants of the foundation, and of imports between it and the product's template. Reads the templates alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from infra.deploy.cloud import database_proxy
from infra.deploy.cloud.checks import Template, nothing_public, notifies, of_type, target
from infra.deploy.cloud.foundation import CLUSTER
from infra.deploy.cloud.functions import functions
from infra.deploy.cloud.grants import wildcards
from infra.deploy.cloud.runtime import AT_ONCE
from infra.deploy.cloud.sizes import SIZES, Size

# By resource type: required properties, and what is wrong without them. True: any value; otherwise this very value.
MUST: dict[str, dict[str, tuple[Any, str]]] = {
    "AWS::EC2::SecurityGroup": {"SecurityGroupEgress": (True, "lets everything out")},
    "AWS::EC2::Subnet": {"MapPublicIpOnLaunch": (False, "gives out public addresses")},
    "AWS::KMS::Key": {"EnableKeyRotation": (True, "is never rotated")},
    "AWS::Logs::LogGroup": {"RetentionInDays": (True, "keeps its logs for ever")},
    "AWS::RDS::DBCluster": {
        "StorageEncrypted": (True, "is not encrypted"),
        "KmsKeyId": (True, "is not encrypted by a key of ours"),
        "ManageMasterUserPassword": (True, "has a password that somebody knows"),
        "CopyTagsToSnapshot": (True, "has snapshots of nobody"),
        "DBSubnetGroupName": (True, "lies in whichever subnets"),
    },
    "AWS::RDS::DBInstance": {
        "PubliclyAccessible": (False, "may have a public address"),
        "CACertificateIdentifier": (True, "has a certificate that changes by itself"),
    },
    "AWS::RDS::DBProxy": {
        "RequireTLS": (True, "takes connections without TLS"),
        "DebugLogging": (False, "writes statements into its log"),
    },
    "AWS::SecretsManager::Secret": {
        "KmsKeyId": (True, "is not encrypted by a key of ours"),
        "GenerateSecretString": (True, "was thought of by somebody"),
    },
    "AWS::SNS::Topic": {"KmsMasterKeyId": (True, "is not encrypted")},
    "AWS::CodeBuild::Project": {
        "ConcurrentBuildLimit": (1, "may run twice at once"),
        "VpcConfig": (True, "runs outside the network"),
        "LogsConfig": (True, "keeps its logs for ever"),
    },
}
WATCHED = {
    "AWS::RDS::DBProxy": ("DatabaseConnectionsCurrentlySessionPinned",),
    "AWS::RDS::DBCluster": ("ACUUtilization", "MaximumUsedTransactionIDs"),
    "AWS::EC2::NatGateway": ("ErrorPortAllocation",),
}
CLOSED = {"rds.force_ssl": "1", "log_error_verbosity": "terse", "log_statement": "none"}


def problems(template: Template, stage: str) -> list[str]:
    """List what is wrong with a stage's foundation, as `resource: what`."""
    size = SIZES[stage]
    checked = (_required_properties, _reached, _alarms, _proxies, nothing_public)
    messages = [f"{name}: {what}" for check in checked for name, what in check(template)]
    messages += [f"{name}: {what}" for name, what in (*_clusters(template, size), *_connections(template, size))]
    return messages + wildcards(template)


def between(above: Template, below: Template) -> list[str]:
    """List imports that the foundation does not export, and exports that nothing imports."""
    exported = {one["Export"]["Name"] for one in below["Outputs"].values() if "Export" in one}
    imported = set(re.findall(r'"Fn::ImportValue": "([^"]+)"', json.dumps(above)))
    return [f"{name}: is imported and not exported" for name in sorted(imported - exported)] + [
        f"{name}: is exported and not imported, so that nobody may change it for nothing"
        for name in sorted(exported - imported)
    ]


def _required_properties(template: Template) -> Iterator[tuple[str, str]]:
    for kind, required in MUST.items():
        for name, properties in of_type(template, kind).items():
            for name_of_property, (value, what) in required.items():
                if not properties.get(name_of_property) if value is True else properties.get(name_of_property) != value:
                    yield name, what
    for kind in MUST:  # one of each is what a foundation is made of
        if not of_type(template, kind):
            yield "Foundation", f"has no {kind}"


def _reached(template: Template) -> Iterator[tuple[str, str]]:
    for name, resource in template["Resources"].items():
        ingress = resource.get("Properties", {}) if resource["Type"] == "AWS::EC2::SecurityGroupIngress" else {}
        if resource.get("Properties", {}).get("SecurityGroupIngress") or (
            ingress and set(ingress) & {"CidrIp", "CidrIpv6", "SourcePrefixListId"}
        ):
            yield name, "lets in other than one group of ours"
    public = {
        target(one["RouteTableId"]) for one in of_type(template, "AWS::EC2::Route").values() if "GatewayId" in one
    }
    ways = {target(one["RouteTableId"]) for one in of_type(template, "AWS::EC2::Route").values()}
    tables = {
        target(one["SubnetId"]): target(one["RouteTableId"])
        for one in of_type(template, "AWS::EC2::SubnetRouteTableAssociation").values()
    }
    for name, resource in of_type(template, "AWS::RDS::DBSubnetGroup").items():
        if any(tables.get(target(one)) in {None, *ways} for one in resource["SubnetIds"]):
            yield name, "has a way out"
    for name, resource in of_type(template, "AWS::CodeBuild::Project").items():
        if any(tables.get(target(one)) in public for one in resource.get("VpcConfig", {}).get("Subnets", [])):
            yield name, "runs in a public subnet"


def _clusters(template: Template, size: Size) -> Iterator[tuple[str, str]]:
    settings = of_type(template, "AWS::RDS::DBClusterParameterGroup")
    groups = {one.get("LogGroupName") for one in of_type(template, "AWS::Logs::LogGroup").values()}
    for name, cluster in of_type(template, "AWS::RDS::DBCluster").items():
        if cluster.get("BackupRetentionPeriod", 1) < size.backups_kept:
            yield name, f"keeps backups for less than {size.backups_kept} days"
        if size.protected and not cluster.get("DeletionProtection"):
            yield name, "may be deleted by mistake"
        resource = template["Resources"][name]
        if {resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")} != {"Snapshot"}:
            yield name, "is gone with the stack"
        for log in cluster.get("EnableCloudwatchLogsExports", []) or ["postgresql"]:
            if f"/aws/rds/cluster/{cluster.get('DBClusterIdentifier')}/{log}" not in groups:
                yield name, "has logs that are kept for ever"
        parameters = settings.get(str(target(cluster.get("DBClusterParameterGroupName"))), {}).get("Parameters", {})
        for setting, value in CLOSED.items():
            if parameters.get(setting) != value:
                yield name, f"is not told {setting} = {value}"
        instances = [
            one
            for one in of_type(template, "AWS::RDS::DBInstance").values()
            if target(one["DBClusterIdentifier"]) == name
        ]
        if len(instances) < size.instances:
            yield name, f"has less than {size.instances} instances"


def _proxies(template: Template) -> Iterator[tuple[str, str]]:
    for name, proxy in of_type(template, "AWS::RDS::DBProxy").items():
        for one in proxy["Auth"]:
            if one.get("IAMAuth") != "REQUIRED":
                yield name, "takes a password"
            if target(one["SecretArn"]) != "ApplicationSecret":
                yield name, "logs in as other than the application"


def _alarms(template: Template) -> Iterator[tuple[str, str]]:
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    for name, alarm in alarms.items():
        if not notifies(template, alarm):
            yield name, "tells nobody"
    watched = {(one["MetricName"], target(of["Value"])) for one in alarms.values() for of in one["Dimensions"]}
    for kind, metrics in WATCHED.items():
        for name in of_type(template, kind):
            yield from ((name, f"has no alarm of {metric}") for metric in metrics if (metric, name) not in watched)
    if not of_type(template, "AWS::SNS::Subscription"):
        yield "AlarmTopic", "is read by nobody"


def most_at_once() -> int:
    """Return how many functions besides the API may hold a connection at once: consumers' batches and schedules."""
    return sum((one.at_once or AT_ONCE) if one.queue else 1 for one in functions() if one.queue or one.schedule)


def _connections(template: Template, size: Size) -> Iterator[tuple[str, str]]:
    """Find a database with fewer connections than functions may run, each of which opens one."""
    known = database_proxy.connections(size)
    if known < database_proxy.AT_ONCE:
        yield CLUSTER, f"has {known} connections by the proxy for {database_proxy.AT_ONCE} functions at once"
    if most_at_once() > database_proxy.AT_ONCE * 3 // 4:
        yield CLUSTER, f"serves {most_at_once()} consumers at once, which leaves a quarter or less for the API"
    for name, properties in of_type(template, "AWS::RDS::DBProxyTargetGroup").items():
        pool = properties.get("ConnectionPoolConfigurationInfo", {})
        if pool.get("MaxConnectionsPercent") != database_proxy.SHARE or not pool.get("ConnectionBorrowTimeout"):
            yield name, "takes other than its share of connections, or waits for one for minutes"
    for name, properties in of_type(template, "AWS::RDS::DBCluster").items():
        if properties.get("ServerlessV2ScalingConfiguration", {}).get("MaxCapacity") != size.most_capacity:
            yield name, "becomes other than as large as its connections are reckoned for"
