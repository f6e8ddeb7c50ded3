"""One thing has one name: retired words are rejected in identifiers, and no two classes share a name."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from infra.local.children import PROJECT

# retired word -> its replacement
RETIRED = {
    "door": "endpoint, schedule, consumer, entry point",
    "doors": "endpoints, schedules, consumers, entry points",
    "errand": "side effect",
    "errands": "side effects",
    "among": "employee filter",
    "gate": "get-or-404",
    "house": "architecture (test)",
    "nudge": "attempt, retry schedule",
    "purse": "allocation",
    "purses": "allocations",
    "rung": "retry schedule",
    "rungs": "retry delays",
    "ladder": "retry schedule",
    "spoiled": "undecryptable",
    "spread": "fan-out",
    "stranger": "another tenant, tenant isolation",
    "strangers": "other tenants, tenant isolation",
    "said": "text, value, stored, requested: what it is",
    "told": "notified, reported, stored: what it is",
    "somebody": "employee, user, actor, caller",
    "theirs": "an employee's, an override",
    "whoever": "caller, actor",
    "wonder": "the outcome that is in doubt",
}
SOURCES = sorted(file for room in ("chalicelib", "infra") for file in (PROJECT / room).rglob("*.py"))


def identifiers(file: Path) -> Iterator[str]:
    """Yield every name that a file defines or uses."""
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Name(name) | ast.Attribute(attr=name) | ast.arg(name) | ast.keyword(str(name)):
                yield name
            case ast.ClassDef(name) | ast.FunctionDef(name):
                yield name


def test_identifiers_use_the_words_of_the_glossary() -> None:
    used = {
        f"{name} in {file.relative_to(PROJECT)}: say {RETIRED[word]}"
        for file in SOURCES
        for name in identifiers(file)
        for word in re.findall(r"[a-z]+", re.sub(r"([A-Z])", r"_\1", name).lower())
        if word in RETIRED
    }
    assert used == set()


def test_docstrings_are_imperative() -> None:
    assert [file for file in SOURCES if "This will" in file.read_text()] == []


def test_no_two_classes_of_the_product_share_a_name() -> None:
    places = defaultdict(list)
    for file in SOURCES:
        if file.is_relative_to(PROJECT / "chalicelib"):
            for node in ast.parse(file.read_text()).body:
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(str(file.relative_to(PROJECT)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
