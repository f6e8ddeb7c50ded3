"""Patterns that admins write, matched in bounded time whatever the pattern and the value (no ReDoS).

The engine is Pydantic's own (Rust's `regex`): it never backtracks, so a value takes at most its length times the
pattern's compiled size. Counted repetitions can make that size large, so a form's patterns together must stay within
the engine's limit (10 MiB) even when taken SPARE times over, and only values up to LONGEST characters are matched: the
slowest form that can be saved then takes about half a second.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import SchemaError

SPARE = 2
LONGEST = 1000


def check_pattern(pattern: str) -> str | None:
    """Return what is wrong with a pattern, or None where it can be used."""
    try:
        _compile(pattern)  # by itself first: `a)|(?:b` would close what is put around it
        _compile(_anchor(pattern))
    except SchemaError as error:
        return f"is not a pattern that we take: {_last_line(str(error))}"
    return None


def fit_together(patterns: Sequence[str]) -> bool:
    """Return whether a form's patterns, each usable by itself, are small enough together."""
    try:
        # one after the other: of alternatives, the engine would keep what is the same only once
        _compile(f"(?:{''.join(_anchor(pattern) for pattern in patterns)}){{{SPARE}}}")
    except SchemaError:
        return False
    return True


def matches(pattern: str, value: str) -> bool:
    """Return whether the whole value looks like the pattern; `value` has at most LONGEST characters."""
    try:
        _compile(_anchor(pattern)).validate_python(value)
    except ValidationError:
        return False
    return True


def _anchor(pattern: str) -> str:
    return f"^(?:{pattern})$"


@lru_cache(maxsize=512)
def _compile(pattern: str) -> TypeAdapter[Any]:
    return TypeAdapter(Annotated[str, Field(pattern=pattern)])


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2].strip().removeprefix("error: ")[:200]
