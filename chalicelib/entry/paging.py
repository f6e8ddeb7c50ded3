"""Keyset pagination: pages after an opaque cursor, stable while rows are added."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import Field
from sqlalchemy import Column, Select

from chalicelib.backing import rows
from chalicelib.entry.bodies import check_text
from chalicelib.identity.scope import PlatformScope, Scope
from chalicelib.kernel.errors import Invalid, invalid
from chalicelib.kernel.schema import Input, Output

T = TypeVar("T")
S = TypeVar("S")
K = TypeVar("K")


class Page(Output, Generic[T]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[T]
    next_cursor: str | None = None


class PageQuery(Input):
    """How much of a list, and from where."""

    limit: int = Field(50, ge=1, le=200, description="rows on a page")
    cursor: str | None = Field(None, max_length=200, description="`next_cursor` of the page before")


@dataclass(frozen=True, slots=True)
class RowPage(Generic[T]):
    """Rows of one page and the cursor of the next, None on the last. A reply of type `Page` is made of it."""

    items: list[T]
    next_cursor: str | None

    def map(self, convert: Callable[[T], S]) -> "RowPage[S]":
        """Return the page with each row converted."""
        return RowPage([convert(item) for item in self.items], self.next_cursor)


def page_rows(
    scope: Scope | PlatformScope, select: Select[Any], *, kind: type[T], key: Column[Any], query: PageQuery
) -> RowPage[T]:
    """Read one page in the order of a unique key, which must be a field of the row's kind (backing.rows)."""
    select = select.order_by(key).limit(query.limit + 1)
    if query.cursor:
        select = select.where(key > decode_cursor(query.cursor, key.type.python_type))
    rows_read = rows.every(kind, scope.session.execute(select))
    items = rows_read[: query.limit]
    return RowPage(items, encode_cursor(getattr(items[-1], key.name)) if len(rows_read) > query.limit else None)


def encode_cursor(key: Any) -> str:
    """Return a row's key as an opaque cursor."""
    return base64.urlsafe_b64encode(json.dumps(key, default=str).encode()).decode()


def decode_cursor(text: str, kind: type[K]) -> K:
    """Return the key in a cursor, of the type that the list is ordered by. Raises Invalid for a foreign cursor."""
    try:
        key = _parse_key(json.loads(base64.urlsafe_b64decode(text.encode())), kind)
    except (ValueError, RecursionError, Invalid):
        key = None
    if isinstance(key, kind):
        return key
    raise invalid("/cursor", "is not a cursor that this list gave out; leave it away to start over")


def _parse_key(value: object, kind: type) -> object:
    """Return a cursor's JSON value as a key of the kind, or None where it is no such key."""
    if kind is int:
        return value if type(value) is int and 0 <= value < 2**63 else None
    if not isinstance(value, str) or len(value) > 200:
        return None
    if kind is UUID:
        return UUID(value)
    if kind is date:
        return date.fromisoformat(value)
    check_text(value)
    return value
