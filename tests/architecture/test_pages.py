"""What README and docs/ show is run: their calls against the demo data, their commands against the Makefile."""

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

# in the order in which their calls are run, against one demo
PAGES = [PROJECT / "README.md", PROJECT / "docs" / "tour.md", PROJECT / "docs" / "concepts.md",
         PROJECT / "docs" / "contributing.md", PROJECT / "docs" / "glossary.md"]  # fmt: skip
TEXT = "\n".join(page.read_text() for page in PAGES)
CONSOLE = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
SHELL = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)


def calls() -> list[tuple[str | None, str, Any]]:
    """Read every call of the pages: the variable that keeps its id, the command, the JSON below it."""
    found = []
    for block in CONSOLE:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, answer = part.partition("\n")
            if keeps := re.fullmatch(r"(\w+)=\$\(curl (.*) \| jq -r (?:\.id|'\.items\[0\]\.id')\)", command):
                found.append((keeps[1], keeps[2], {}))
            else:
                found.append((None, command.removeprefix("curl "), json.loads(answer)))
    return found


def contains(found: Any, shown: Any) -> bool:
    """Return whether an answer holds what is shown of it; of a list, each element shown is somewhere in it."""
    if isinstance(shown, dict):
        return isinstance(found, dict) and all(name in found and contains(found[name], shown[name]) for name in shown)
    if isinstance(shown, list):
        return isinstance(found, list) and all(any(contains(one, wanted) for one in found) for wanted in shown)
    return bool(found == shown)


def run(callers: dict[str, Api], command: str, known: dict[str, str]) -> Any:
    """Make the call that a curl command makes, as whoever its key is of."""
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
            found = run(callers, command, known)
            stack.drain()
            assert contains(found, shown), command
            if name:
                known[name] = (found["items"][0] if "items" in found else found)["id"]


def test_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z-]+)", "\n".join(SHELL), re.MULTILINE))
    assert {"run", "test"} <= named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_exist(page: Path) -> None:
    text = page.read_text()
    named = re.findall(r"`((?:chalicelib|infra|tests|migrations|docs)/[\w./-]+)`", text)
    linked = re.findall(r"\]\(([\w./-]+)\)", text)
    missing = [path for path in named if not (PROJECT / path).exists()]
    missing += [path for path in linked if not (page.parent / path).exists()]
    assert missing == []


def test_decisions_are_all_listed() -> None:
    folder = PROJECT / "docs" / "decisions"
    listed = set(re.findall(r"\]\((\d{4}[\w-]+\.md)\)", (folder / "README.md").read_text()))
    assert listed == {file.name for file in Path(folder).glob("0*.md")}
