"""Rows of a result as frozen dataclasses: what leaves `queries` has a type.

    @dataclass(frozen=True, slots=True)
    class PayoutRow:
        id: UUID
        status: str

    payout = rows.first(PayoutRow, session.execute(select(payouts).where(...)))

Fields are columns of the result by name; columns without a field are left out.
"""

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Result, Row

T = TypeVar("T")


def every(kind: type[T], result: Result[Any]) -> list[T]:
    """Return all rows of a result. Raises KeyError for a field that is no column of it."""
    pick = _picker(kind, tuple(result.keys()))
    return [kind(*pick(row)) for row in result]


def first(kind: type[T], result: Result[Any]) -> T | None:
    """Return the first row of a result, or None. Raises KeyError for a field that is no column of it."""
    pick = _picker(kind, tuple(result.keys()))
    row = result.first()
    return None if row is None else kind(*pick(row))


def one(kind: type[T], result: Result[Any]) -> T:
    """Return the only row of a result."""
    pick = _picker(kind, tuple(result.keys()))
    return kind(*pick(result.one()))


def from_row(kind: type[T], row: Row[Any]) -> T:
    """Return one row as a dataclass, for a result whose rows are made of several kinds."""
    return kind(**{field.name: row._mapping[field.name] for field in fields(kind)})  # type: ignore[arg-type]  # a dataclass


def _find_picker(kind: Any, columns: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return a function that picks a dataclass's fields out of a row, in their order."""
    names = [field.name for field in fields(kind)]
    if missing := [name for name in names if name not in columns]:
        raise KeyError(f"{kind.__name__} has {', '.join(missing)}, and the result has no such column")
    if names == list(columns):
        return tuple
    if len(names) == 1:
        place = columns.index(names[0])
        return lambda row: (row[place],)
    return itemgetter(*(columns.index(name) for name in names))


_picker: Callable[[Any, tuple[str, ...]], Callable[[Any], Any]] = cache(_find_picker)
