"""Commands in the runbooks: AWS knows each operation and option, our command line each command and option."""

import json
import re
from functools import cache
from typing import Any

import botocore.session
import pytest
import typer
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

from chalicelib.cli import app
from infra.deploy.cloud import foundation
from infra.deploy.cloud.template import merge_template
from infra.deploy.package import STAGES
from infra.local.children import PROJECT

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs" / "operations").glob("*.md"))]
# options of every AWS CLI operation, as far as the runbooks use them
ALWAYS = {"query", "output", "region"}
# operations of the AWS CLI itself, which combine several calls
ITS_OWN = {
    ("cloudformation", "deploy"): {
        "stack-name", "template-file", "parameter-overrides", "capabilities", "s3-bucket", "s3-prefix",
        "no-execute-changeset",
    },
    ("cloudformation", "package"): {"template-file", "s3-bucket", "s3-prefix", "output-template-file"},
    ("s3", "cp"): {"recursive"},
    ("s3", "sync"): {"delete"},
    ("s3", "ls"): set(),
    ("logs", "tail"): {"since", "follow", "format"},
}  # fmt: skip


def text_of(page: Any) -> str:
    return re.sub(r"\\\n\s*", " ", page.read_text())


def commands(begins: str) -> list[tuple[str, str]]:
    """Return the commands with this beginning, as (page, the rest of the command)."""
    lines = []
    for page in PAGES:
        for line in re.findall(rf"{begins} ([^\n`]*)", text_of(page)):
            lines.append((page.name, re.sub(r"\$\([^()]*\)", "X", line)))
    return lines


def options(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--([a-z][a-z0-9-]*)", text))


class TestAws:
    @pytest.mark.parametrize(("page", "command"), commands(r"(?:^|[\s`(])aws(?= [a-z]+[a-z0-9-]* [a-z])"))
    def test_knows_what_is_typed(self, page: str, command: str) -> None:
        service, operation, *rest = command.split()
        if operation == "wait":
            operation = xform_name(waited_for(service, rest[0]), "-")
        assert options(re.sub(r"'[^']*'|\"[^\"]*\"", "X", command)) <= taken(service, operation) | ALWAYS

    def test_would_notice_a_wrong_word(self) -> None:
        assert "cluster-name" not in taken("rds", "create-db-instance")
        with pytest.raises(KeyError):
            taken("rds", "create-database")
        with pytest.raises(UnknownServiceError):
            taken("postgres", "create")


def waited_for(service: str, state: str) -> str:
    """Return the operation that a waiter polls."""
    model = botocore.session.get_session().get_waiter_model(service)
    return str(model.get_waiter({xform_name(name, "-"): name for name in model.waiter_names}[state]).operation)


@cache
def taken(service: str, operation: str) -> set[str]:
    """Return the options of an operation."""
    if (service, operation) in ITS_OWN:
        return ITS_OWN[service, operation]
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    members = model.operation_model(names[operation]).input_shape.members
    return {name for one, shape in members.items() for name in _spelt(xform_name(one, "-"), shape.type_name)}


def _spelt(name: str, kind: str) -> set[str]:
    return {name, f"no-{name}"} if kind == "boolean" else {name}


class TestCommandLine:
    @pytest.mark.parametrize(
        ("page", "command"), commands(r"python -m chalicelib\.cli(?= [a-z])") + commands(r"(?:^|\s)operate \"(?=[a-z])")
    )
    def test_knows_what_is_typed(self, page: str, command: str) -> None:
        parser: Any = typer.main.get_command(app)
        words = iter(command.split())
        while hasattr(parser, "commands"):
            parser = parser.commands[re.sub(r"[^a-z-]", "", next(words, "nothing"))]
        there = {option.removeprefix("--") for one in parser.params for option in one.opts}
        assert options(command.split("&&")[0]) <= there | {"help"}


class TestNames:
    def test_of_what_runs_in_aws_are_those_of_the_templates(self) -> None:
        templates = "".join(json.dumps([merge_template(stage), foundation.document(stage)]) for stage in STAGES)
        for page in PAGES:
            for name in re.findall(r"wagebook-(?:\$STAGE|prod|dev)-([a-z-]+[a-z])", page.read_text()):
                assert name == "foundation" or any(f"wagebook-{stage}-{name}" in templates for stage in STAGES), name

    def test_of_parameters_and_outputs_are_those_of_the_templates(self) -> None:
        page = (PROJECT / "docs" / "operations" / "deploy.md").read_text()
        below, above = foundation.document("prod"), merge_template("prod")
        passed = set(re.findall(r"(\w+)=\$(?:ALARM_MAIL|MAIL_DOMAIN|API)\b", page))
        required = {
            name for document in (below, above) for name, one in document["Parameters"].items() if "Default" not in one
        }
        assert required <= passed <= set(below["Parameters"]) | set(above["Parameters"]), "nobody has to guess one"
        asked = set(re.findall(r"OutputKey=='(\w+)'|\(output (\w+)\)", page))
        names = {one for pair in asked for one in pair if one}
        assert names <= set(below["Outputs"]) | set(above["Outputs"]) | {"EndpointURL"}
