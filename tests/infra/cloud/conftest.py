"""Chalice's own template with ours merged into it, made as `chalice package` does but without building the zip."""

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chalice.cli.factory import CLIFactory
from chalice.deploy.appgraph import ApplicationGraphBuilder, DependencyBuilder
from chalice.deploy.deployer import BuildStage, InjectDefaults, LambdaEventSourcePolicyInjector, SwaggerBuilder
from chalice.deploy.swagger import CFNSwaggerGenerator
from chalice.package import PackageOptions, ResourceBuilder, SAMTemplateGenerator, TemplateDeepMerger

from infra.deploy.cloud.foundation import document
from infra.deploy.cloud.template import merge_template

PROJECT = Path(__file__).parents[3]
REGION = "eu-central-1"


class _NoZip:
    """Stands where Chalice builds the zip and guesses a policy."""

    def handle(self, config: Any, resource: Any) -> None:
        kind = type(resource).__name__
        if kind == "DeploymentPackage":
            resource.filename = "./deployment.zip"
        if kind == "AutoGenIAMPolicy":
            resource.document = {"Version": "2012-10-17", "Statement": []}


class _Aws:
    region_name = REGION

    def endpoint_dns_suffix(self, *_: str) -> str:
        return "amazonaws.com"

    def service_principal(self, service: str, *_: str) -> str:
        return f"{service}.amazonaws.com"


@pytest.fixture(scope="session")
def chalices_own() -> dict[str, Any]:
    """Return what Chalice makes of the product by itself."""
    before = os.getcwd()
    os.chdir(PROJECT)
    try:
        config = CLIFactory(str(PROJECT)).create_config_obj(_stage())
        steps = [InjectDefaults(), _NoZip(), SwaggerBuilder(CFNSwaggerGenerator()), LambdaEventSourcePolicyInjector()]
        builder = ResourceBuilder(ApplicationGraphBuilder(), DependencyBuilder(), BuildStage(steps=steps))
        resources = builder.construct_resources(config, _stage())
        return dict(SAMTemplateGenerator(config, PackageOptions(_Aws())).generate(resources))
    finally:
        os.chdir(before)


@pytest.fixture(scope="session")
def whole(chalices_own: dict[str, Any]) -> dict[str, Any]:
    """Return the template that AWS would get. Change copies of it only."""
    return dict(TemplateDeepMerger().merge(merge_template("dev"), chalices_own))


@pytest.fixture(scope="session")
def below_in_moto() -> dict[str, Any]:
    """Return the foundation of dev as far as moto goes: it makes no cluster of Aurora's from a template.

    Whatever refers to one is left out, too, but for what the product's stack imports, which gets a value of that form.
    """
    foundation = copy.deepcopy(document("dev"))
    gone = {name for name, one in foundation["Resources"].items() if one["Type"].startswith("AWS::RDS::")}
    while more := {name for name, one in foundation["Resources"].items() if name not in gone and gone & _referred(one)}:
        gone |= more
    foundation["Resources"] = {name: one for name, one in foundation["Resources"].items() if name not in gone}
    for one in foundation["Outputs"].values():
        if gone & _referred(one):
            one["Value"] = "of-rds"
    return foundation


def _referred(value: Any) -> set[str]:
    return set(_references(value))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "Ref" in value:
            yield value["Ref"]
        if "Fn::GetAtt" in value:
            yield value["Fn::GetAtt"][0]
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _references(one)


def _stage() -> str:
    # any of the configured ones: they differ in nothing that Chalice's template says of functions
    import json

    stages: dict[str, Any] = json.loads((PROJECT / ".chalice" / "config.json").read_text())["stages"]
    return next(iter(stages))
