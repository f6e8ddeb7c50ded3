"""Names in AWS (logical ids and physical names), and CloudFormation's references as dictionaries."""

from typing import Any

from chalice.utils import to_cfn_resource_name

APP = "wagebook"


def logical(*parts: str) -> str:
    """Return a logical id, in the way that Chalice makes those of functions."""
    return "".join(str(to_cfn_resource_name(part)) for part in parts)


def physical(stage: str, name: str) -> str:
    """Return a physical name: product, stage, thing."""
    return f"{APP}-{stage}-{name.replace('_', '-')}"


def ref(name: str) -> dict[str, str]:
    """Return a reference to a resource or a parameter."""
    return {"Ref": name}


def arn(name: str) -> dict[str, Any]:
    """Return a reference to a resource's ARN."""
    return {"Fn::GetAtt": [name, "Arn"]}


def sub(template: str) -> dict[str, str]:
    """Return a text into which CloudFormation fills names, `${Like.This}`."""
    return {"Fn::Sub": template}


def arn_of(service: str, rest: str) -> dict[str, str]:
    """Return an ARN of this account and region, where a reference would be circular."""
    return sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}")


def imported(stage: str, name: str) -> dict[str, str]:
    """Return an import of what the foundation of the same stage exports under a name."""
    return {"Fn::ImportValue": physical(stage, name)}
