"""The foundation's template for one stage, resolved from `infra/deploy/foundation.yaml`.

The file is plain CloudFormation with a parameter Stage. Resolving it here gives a template in which every name, size
and count of the stage can be read and checked before it is deployed, and which asks for a mailbox alone.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).parents[1] / "foundation.yaml"
TOPIC = "AlarmTopic"
CLUSTER = "Database"
ZONES = 2  # and as many subnets for functions
STAGE = "Stage"
NO_VALUE = {"Ref": "AWS::NoValue"}


def document(stage: str) -> dict[str, Any]:
    """Return the foundation's template for one stage (dev, prod)."""
    template = source()
    conditions: dict[str, bool] = {}
    for name, condition in template["Conditions"].items():
        conditions[name] = _resolve(condition, stage, conditions)
    resources = {
        name: _without_condition(resource)
        for name, resource in template["Resources"].items()
        if conditions.get(resource.get("Condition"), True)
    }
    return {
        "AWSTemplateFormatVersion": template["AWSTemplateFormatVersion"],
        "Description": f"Wagebook's foundation, {stage}",
        "Parameters": {name: value for name, value in template["Parameters"].items() if name != STAGE},
        "Resources": _resolve(resources, stage, conditions),
        "Outputs": _resolve(template["Outputs"], stage, conditions),
    }


@cache
def source() -> dict[str, Any]:
    """Read foundation.yaml, with the short forms of functions (`!Ref`) as long ones. Change copies of it only."""
    template: dict[str, Any] = yaml.load(SOURCE.read_text(), _Loader)  # noqa: S506 - a SafeLoader
    return template


def _without_condition(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "Condition"}


def _resolve(value: Any, stage: str, conditions: dict[str, bool]) -> Any:
    """Compute what depends on the stage alone, and leave every other function to CloudFormation."""
    match value:
        case {"Ref": name} if name == STAGE:
            return stage
        case {"Fn::Sub": str(text)}:
            text = text.replace(f"${{{STAGE}}}", stage)
            return {"Fn::Sub": text} if "${" in text else text
        case {"Fn::FindInMap": [mapping, key, name]}:
            return source()["Mappings"][mapping][_resolve(key, stage, conditions)][name]
        case {"Fn::Equals": [left, right]}:
            return _resolve(left, stage, conditions) == _resolve(right, stage, conditions)
        case {"Fn::If": [condition, if_true, if_false]}:
            return _resolve(if_true if conditions[condition] else if_false, stage, conditions)
        case dict():
            resolved = {name: _resolve(one, stage, conditions) for name, one in value.items()}
            return {name: one for name, one in resolved.items() if one != NO_VALUE}
        case list():
            return [_resolve(one, stage, conditions) for one in value]
    return value


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's functions as tags."""


def _function(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    argument: Any
    if isinstance(node, yaml.ScalarNode):
        argument = loader.construct_scalar(node)
        if name == "GetAtt":
            argument = argument.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        raise yaml.YAMLError(f"!{name} takes a value or a list")
    return {name if name == "Ref" else f"Fn::{name}": argument}


yaml.add_multi_constructor("!", _function, _Loader)
