"""One function takes connections, so that a tenant's database can be elsewhere (cells)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import chalicelib

PRODUCT = Path(chalicelib.__path__[0])
TAKES_IT = ("backing/database.py", "connection_for")
MIGRATES = "operators/schema.py"  # as the migrator, with a URL of its own, and without tenants' rows


def uses_of_the_pool(file: Path) -> Iterator[str]:
    """Return the functions of a file that use `engine`, also under an imported name."""
    tree = ast.parse(file.read_text())
    owners = {
        id(inner): outer.name
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(outer)
    }
    for node in ast.walk(tree):
        is_name = isinstance(node, ast.Name) and node.id == "engine"
        is_part = isinstance(node, ast.Attribute) and node.attr == "engine"
        is_connection_s = is_part and isinstance(node.value, ast.Name) and node.value.id == "connection"
        is_imported = isinstance(node, ast.ImportFrom) and any(name.name == "engine" for name in node.names)
        if is_name or (is_part and not is_connection_s) or is_imported:
            yield owners.get(id(node), "at the top")


def test_only_one_function_uses_the_pool() -> None:
    uses = {
        (str(file.relative_to(PRODUCT)), where) for file in PRODUCT.rglob("*.py") for where in uses_of_the_pool(file)
    }
    assert {one for one in uses if one[0] != MIGRATES} == {TAKES_IT}


def test_nobody_else_makes_connections() -> None:
    makes = ("create_engine(", "psycopg.connect(", "psycopg_pool")
    uses = {
        str(file.relative_to(PRODUCT))
        for file in PRODUCT.rglob("*.py")
        if any(word in file.read_text() for word in makes)
    }
    assert uses - {MIGRATES} == {"backing/database.py"}
