"""How things are called in AWS: what the template calls them, and what people see."""

from typing import Any

from chalice.utils import to_cfn_resource_name

APP = "wagebook"


def logical(*parts: str) -> str:
    """Make the template's own name of something, as Chalice makes those of functions."""
    return "".join(str(to_cfn_resource_name(part)) for part in parts)


def physical(stage: str, name: str) -> str:
    """Make the name that people see: product, stage, thing."""
    return f"{APP}-{stage}-{name.replace('_', '-')}"


def ref(name: str) -> dict[str, str]:
    """Refer to a resource or a parameter."""
    return {"Ref": name}


def arn(name: str) -> dict[str, Any]:
    """Refer to a resource's ARN."""
    return {"Fn::GetAtt": [name, "Arn"]}


def sub(said: str) -> dict[str, str]:
    """Fill names into a text, `${Like.This}`."""
    return {"Fn::Sub": said}


def arn_of(service: str, rest: str) -> dict[str, str]:
    """Write an ARN of this account and region; for what would otherwise refer to each other in a circle."""
    return sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}")


def imported(stage: str, name: str) -> dict[str, str]:
    """Refer to what the foundation of the same stage exports under a name."""
    return {"Fn::ImportValue": physical(stage, name)}
