"""Who owns which table and SQL function, and which package names them in its SQL.

A table belongs to the package whose `models` declares it. Tables that only set-based SQL uses, and functions, which
migrations create, are listed here.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlalchemy as sa

import chalicelib
from infra.local.children import PROJECT

PRODUCT = Path(chalicelib.__path__[0])
# tables without a model
TABLES = {
    "audit_heads": "audit",
    "audit_logs": "audit",
    "currencies": "kernel",
    "idempotency_keys": "entry",
    "platform_idempotency_keys": "entry",
    "request_windows": "entry",
    "job_chunks": "jobs",
    "jobs": "jobs",
    "nightly_runs": "jobs",
    "outbox": "backing",
    "tenant_keys": "backing",
    "payout_moves": "features.payouts",
    "person_erasures": "features.people",
    "personal_data": "operators",
    "alembic_version": "operators",
}
FUNCTIONS = {
    "approvers_of": "features.people",
    "audit_append": "audit",
    "calendar_halves": "features.people",
    "days_in": "kernel",
    "fold_text": "kernel",
    "plain_words": "kernel",
    "halves_coded": "kernel",
    "halves_of": "kernel",
    "first_halves": "kernel",
    "second_halves": "kernel",
    "other_halves": "kernel",
    "working_halves": "kernel",
    "unpacked": "kernel",
    "register_totals": "features.pay_register",
    "hands_of": "identity",
    "has_left": "identity",
    "is_employed": "features.people",
    "people_under": "identity",
    "team_of": "identity",
    "kpi_ratio": "features.kpis",
    "kpi_score_of": "features.kpis",
    "kpi_share": "features.kpis",
    "lease_requests": "entry",
    "most_requests": "entry",
    "open_to_leave": "features.leave",
    "leave_by_hand": "features.leave",
    "leave_halves": "features.leave",
    "leave_days_of": "features.leave",
    "local_moment": "kernel",
    "payout_begin": "features.payouts",
    "payout_move": "features.payouts",
    "payout_lines": "features.payouts",
    "person_pattern": "kernel",
    "erase_person": "operators",
}
_NAMES = re.compile(r"\b(from|join|into|update|using|table)\s+(?:only\s+)?([a-z_]+)\b(?!\s*\()")
_CALLS = re.compile(r"\b([a-z_]+)\s*\(")
_WRITES = ("into", "update", "delete from")
_SQL = re.compile(r"\b(select|insert into|update [a-z_]+ (?:[a-z]+ )?set|delete from|with [a-z_]+ as)\b")
_COMMENT = re.compile(r"--[^\n]*")


@dataclass(frozen=True, slots=True)
class Use:
    """A table or function that a piece of SQL names."""

    place: str  # the file, below chalicelib
    package: str  # such as features.payouts, entry
    name: str
    writes: bool


@cache
def owners() -> dict[str, str]:
    """Return the package that owns each table and function."""
    for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
        if module.name.endswith("models"):
            importlib.import_module(module.name)
    owners_by_name = {**TABLES, **FUNCTIONS}
    for name, loaded in sorted(sys.modules.items()):
        if name.startswith("chalicelib.") and name.endswith("models"):
            for value in vars(loaded).values():
                if isinstance(value, sa.Table):
                    owners_by_name.setdefault(value.name, package_of(Path(str(loaded.__file__))))
    return owners_by_name


def package_of(file: Path) -> str:
    """Return the package of a file: `features.payouts`, `entry`."""
    parts = file.relative_to(PRODUCT).parts
    return ".".join(parts[:2]) if parts[0] == "features" else parts[0].removesuffix(".py")


@cache
def layers() -> dict[str, int]:
    """Return the height of each package by the layers of the import linter; the lowest is 0."""
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    rooms, features = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    order: list[list[str]] = []
    for layer in rooms:
        names = [name.strip().removeprefix("chalicelib.") for name in layer.split("|")]
        order += [[name.removeprefix("chalicelib.")] for name in features] if names == ["features"] else [names]
    return {name: height for height, names in enumerate(reversed(order)) for name in names}


def uses() -> Iterator[Use]:
    """Read every .sql file, every SQL string, and every insert, update or delete of SQLAlchemy Core."""
    for file in sorted(PRODUCT.rglob("*.sql")):
        yield from _in_sql(file.read_text(), file)
    for file in sorted(PRODUCT.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.search(node.value):
                yield from _in_sql(node.value, file)
            match node:
                case ast.Call(ast.Name("insert" | "update" | "delete"), [ast.Name(table), *_]) if table in owners():
                    yield _use(file, table, writes=True)


def _in_sql(sql: str, file: Path) -> Iterator[Use]:
    sql = _COMMENT.sub("", sql)
    own = set(re.findall(r"\b([a-z_]+)\s*(?:\([a-z_, ]*\)\s*)?as (?:not )?(?:materialized )?\(", sql))  # CTEs
    for verb, name in _NAMES.findall(sql):
        if name in owners() and name not in own:
            deletes = re.search(rf"\bdelete from\s+(?:only\s+)?{name}\b", sql) is not None
            yield _use(file, name, writes=verb in ("into", "update") or (verb == "from" and deletes))
    for name in set(_CALLS.findall(sql)):
        if name in FUNCTIONS:
            yield _use(file, name, writes=False)


def _use(file: Path, name: str, *, writes: bool) -> Use:
    return Use(file.relative_to(PRODUCT).as_posix(), package_of(file), name, writes)
