"""Every defect of the crash laboratory still applies: the source text that it replaces exists, once.

Running the defects takes an hour; a renamed variable of the product would otherwise disarm one of them unnoticed.
"""

import ast
import inspect
import textwrap
from typing import Any

import pytest

from infra.labs.crash.defects import DEFECTS, DatabaseFunction, Edit, Schema, Statement, Value
from infra.local.children import PROJECT

PARTS = [(name, part) for name, defect in DEFECTS.items() for part in defect.parts]
MIGRATIONS = sorted((PROJECT / "migrations" / "versions").glob("*.py"))


def definition_of(function: str) -> str:
    """Return the newest migration that creates a database function."""
    texts = [file.read_text() for file in MIGRATIONS]
    return next(text for text in reversed(texts) if f"function {function}(" in text)


@pytest.mark.parametrize(("name", "part"), PARTS, ids=[f"{name}-{type(part).__name__}" for name, part in PARTS])
def test_defects_find_the_text_that_they_replace(name: str, part: Any) -> None:
    match part:
        case Edit():
            source = textwrap.dedent(inspect.getsource(part.function))
            for old, new in ((part.old, part.new), *part.more):
                assert source.count(old) == 1, f"{part.function.__qualname__} has {old!r} {source.count(old)} times"
                source = source.replace(old, new)
            ast.parse(source)  # the broken function is still Python
        case Statement():
            statement = getattr(part.module, part.name)
            assert part.old in (statement if isinstance(statement, str) else statement.text)
        case Value():
            assert hasattr(part.module, part.name)
        case DatabaseFunction():
            assert part.old in definition_of(part.name)
        case Schema():
            pass  # its statement fails if the constraint or role that it names is gone
        case _:
            pytest.fail(f"{name} has a part of an unknown kind")
