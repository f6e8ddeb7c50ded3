"""The network. Nothing is let in from outside; the API's door is API Gateway's, not ours.

Functions and operators' projects live in private subnets and go out through NAT; the database and its proxy live in
subnets that have no way out at all.
"""

from __future__ import annotations

from typing import Any

from infra.deploy.cloud import Resources
from infra.deploy.cloud.naming import arn, physical, ref, sub
from infra.deploy.cloud.sizes import SIZES

VPC = "Network"
ZONES = 2
FLOWS_KEPT = 30  # days
ANYWHERE = "0.0.0.0/0"


def resources(stage: str) -> Resources:
    """Make the network of a stage: two zones, three kinds of subnets, and a note of who talked to whom."""
    made: Resources = {
        VPC: {
            "Type": "AWS::EC2::VPC",
            "Properties": {
                "CidrBlock": "10.0.0.0/16",
                "EnableDnsSupport": True,
                "EnableDnsHostnames": True,
                "Tags": _tags(stage, "network"),
            },
        },
        "Internet": {"Type": "AWS::EC2::InternetGateway", "Properties": {"Tags": _tags(stage, "internet")}},
        "InternetAttachment": {
            "Type": "AWS::EC2::VPCGatewayAttachment",
            "Properties": {"VpcId": ref(VPC), "InternetGatewayId": ref("Internet")},
        },
    }
    for zone in range(1, ZONES + 1):
        made |= _zone(stage, zone)
    made["StorageEndpoint"] = {  # S3 without NAT, which is paid by the gigabyte
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {
            "VpcId": ref(VPC),
            "ServiceName": sub("com.amazonaws.${AWS::Region}.s3"),
            "VpcEndpointType": "Gateway",
            "RouteTableIds": [ref(f"FunctionsRoutes{zone}") for zone in range(1, ZONES + 1)],
        },
    }
    return made | _flows(stage)


def subnets(kind: str) -> list[dict[str, str]]:
    """Refer to the subnets of a kind: Public, Functions, Database."""
    return [ref(f"{kind}Subnet{zone}") for zone in range(1, ZONES + 1)]


def gateways(stage: str) -> list[str]:
    """Return the gateways to the internet."""
    return [f"Gateway{zone}" for zone in range(1, SIZES[stage].gateways + 1)]


def _zone(stage: str, zone: int) -> Resources:
    made: Resources = {}
    for place, kind in enumerate(("Public", "Functions", "Database")):
        name = f"{kind}Subnet{zone}"
        made[name] = {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": ref(VPC),
                "AvailabilityZone": {"Fn::Select": [zone - 1, {"Fn::GetAZs": ""}]},
                "CidrBlock": f"10.0.{16 * (place * ZONES + zone - 1)}.0/20",
                "MapPublicIpOnLaunch": False,
                "Tags": _tags(stage, f"{kind.lower()}-{zone}"),
            },
        }
        made[f"{kind}Routes{zone}"] = {
            "Type": "AWS::EC2::RouteTable",
            "Properties": {"VpcId": ref(VPC), "Tags": _tags(stage, f"{kind.lower()}-{zone}")},
        }
        made[f"{name}Routes"] = {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {"SubnetId": ref(name), "RouteTableId": ref(f"{kind}Routes{zone}")},
        }
    if zone <= SIZES[stage].gateways:
        made[f"Gateway{zone}Address"] = {
            "Type": "AWS::EC2::EIP",
            "DependsOn": ["InternetAttachment"],
            "Properties": {"Domain": "vpc", "Tags": _tags(stage, f"gateway-{zone}")},
        }
        made[f"Gateway{zone}"] = {
            "Type": "AWS::EC2::NatGateway",
            "Properties": {
                "AllocationId": {"Fn::GetAtt": [f"Gateway{zone}Address", "AllocationId"]},
                "SubnetId": ref(f"PublicSubnet{zone}"),
                "Tags": _tags(stage, f"gateway-{zone}"),
            },
        }
    made[f"PublicWay{zone}"] = _way(f"PublicRoutes{zone}", GatewayId=ref("Internet"))
    made[f"PublicWay{zone}"]["DependsOn"] = ["InternetAttachment"]
    gateway = f"Gateway{min(zone, SIZES[stage].gateways)}"
    made[f"FunctionsWay{zone}"] = _way(f"FunctionsRoutes{zone}", NatGatewayId=ref(gateway))
    return made


def _way(routes: str, **by: Any) -> dict[str, Any]:
    said = {"RouteTableId": ref(routes), "DestinationCidrBlock": ANYWHERE, **by}
    return {"Type": "AWS::EC2::Route", "Properties": said}


def _flows(stage: str) -> Resources:
    """Note who talked to whom: addresses and ports, not what they said."""
    trusted = {
        "Effect": "Allow",
        "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}},
    }
    may = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        "Resource": [arn("FlowsLogGroup")],
    }
    return {
        "FlowsLogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": f"/aws/vpc/{physical(stage, 'flows')}", "RetentionInDays": FLOWS_KEPT},
        },
        "FlowsRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]},
                "Policies": [{"PolicyName": "flows", "PolicyDocument": {"Version": "2012-10-17", "Statement": [may]}}],
            },
        },
        "Flows": {
            "Type": "AWS::EC2::FlowLog",
            "Properties": {
                "ResourceId": ref(VPC),
                "ResourceType": "VPC",
                "TrafficType": "ALL",
                "LogDestinationType": "cloud-watch-logs",
                "LogGroupName": ref("FlowsLogGroup"),
                "DeliverLogsPermissionArn": arn("FlowsRole"),
            },
        },
    }


def _tags(stage: str, name: str) -> list[dict[str, str]]:
    return [{"Key": "Name", "Value": physical(stage, name)}]
