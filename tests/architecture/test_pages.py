"""README and docs/: calls answer as shown, commands and files exist, decision records have all their parts."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from chalicelib.operators.demo.load import load
from infra.local.children import PROJECT
from tests.support.api import Api
from tests.support.stack import running

# in the order in which their calls run, against one demo
PAGES = [PROJECT / "README.md", PROJECT / "docs" / "tour.md", PROJECT / "docs" / "concepts.md",
         PROJECT / "docs" / "contributing.md", PROJECT / "docs" / "glossary.md"]  # fmt: skip
DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
DECISIONS = sorted((PROJECT / "docs" / "decisions").glob("0*.md"))
PARTS = ["Context", "Decision", "Alternatives considered", "Consequences"]
TEXT = "\n".join(page.read_text() for page in PAGES)
CONSOLE = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
SHELL = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)


def calls() -> list[tuple[str | None, str, Any]]:
    """Return every call of the pages: the variable of its id, the command, the JSON below it."""
    commands: list[tuple[str | None, str, Any]] = []
    for block in CONSOLE:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, reply = part.partition("\n")
            if keeps := re.fullmatch(r"(\w+)=\$\(curl (.*) \| jq -r (?:\.id|'\.items\[0\]\.id')\)", command):
                commands.append((keeps[1], keeps[2], {}))
            else:
                commands.append((None, command.removeprefix("curl "), json.loads(reply)))
    return commands


def contains(reply: Any, shown: Any) -> bool:
    """Return whether a reply contains what is shown; elements of a list in any place."""
    if isinstance(shown, dict):
        return isinstance(reply, dict) and all(name in reply and contains(reply[name], shown[name]) for name in shown)
    if isinstance(shown, list):
        return isinstance(reply, list) and all(any(contains(item, expected) for item in reply) for expected in shown)
    return bool(reply == shown)


def run(callers: dict[str, Api], command: str, known: dict[str, str]) -> Any:
    """Make the call of a curl command, as the owner of its key."""
    api = callers["ADMIN" if "$ADMIN" in command else "KEY"]
    for name, value in known.items():
        command = command.replace(f"${name}", value)
    words = shlex.split(command)
    method, body, path, headers = "GET", None, "", {}
    for word, value in zip(words, [*words[1:], ""], strict=True):
        if word == "-X":
            method = value
        elif word == "-d":
            body = value
        elif word == "-H" and value.startswith("Idempotency-Key"):
            headers["idempotency-key"] = value.partition(": ")[2]
        elif word.startswith("/"):
            path = word
    return api.ok(method, path, body, headers=headers)


@pytest.mark.usefixtures("database")
def test_calls_answer_as_shown() -> None:
    with running() as stack:
        keys = load()["api_keys"]
        callers = {"KEY": Api(keys["hr"]), "ADMIN": Api(keys["tenant_admin"])}
        known = {"API": "", "KEY": "key", "ADMIN": "key"}
        assert len(calls()) >= 30
        for name, command, shown in calls():
            reply = run(callers, command, known)
            stack.drain()
            assert contains(reply, shown), command
            if name:
                known[name] = (reply["items"][0] if "items" in reply else reply)["id"]


def test_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z-]+)", "\n".join(SHELL), re.MULTILINE))
    assert {"run", "test"} <= named <= targets


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_files_exist(page: Path) -> None:
    text = page.read_text()
    named = re.findall(r"`((?:chalicelib|infra|tests|migrations|docs)/[\w./-]+)`", text)
    linked = re.findall(r"\]\(([\w./-]+)\)", text)
    missing = [path for path in named if not (PROJECT / path).exists()]
    missing += [path for path in linked if not (page.parent / path).exists()]
    assert missing == []


def test_decisions_are_all_listed() -> None:
    index = (PROJECT / "docs" / "decisions" / "README.md").read_text()
    linked = re.findall(r"^\| (\d+) \| \[.*?\]\((\d{4}[\w-]+\.md)\)", index, re.MULTILINE)
    assert [(int(number), name) for number, name in linked] == [(int(file.name[:4]), file.name) for file in DECISIONS]


@pytest.mark.parametrize("record", DECISIONS, ids=lambda record: record.name)
def test_decisions_have_all_parts(record: Path) -> None:
    text = record.read_text()
    assert re.match(r"# \d+\. .+\n\n- Date: \d{4}-\d\d-\d\d\n- Status: (accepted|superseded by )", text)
    assert re.findall(r"^## (.*)", text, re.MULTILINE) == PARTS
