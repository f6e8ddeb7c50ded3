"""Every entry point as its decorator declared it: the source of routing, permission, validation and API document."""

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel, TypeAdapter

from chalicelib.entry.bodies import RawBody


@dataclass(frozen=True, slots=True)
class DeclaredEndpoint:
    """One HTTP endpoint, read from its decorator and its function's signature."""

    method: str
    path: str
    may: str | None
    status: int
    function: Callable[..., Any]
    body: type[BaseModel] | type[RawBody] | None
    query: type[BaseModel] | None
    reply: Any
    path_types: dict[str, TypeAdapter[Any]]
    path_is_id: frozenset[str]
    takes_version: bool
    takes_idempotency_key: bool
    needs_idempotency_key: bool
    accepts: tuple[str, ...]
    produces: str
    shown_once: tuple[str, ...]

    @property
    def area(self) -> str:
        """The feature it belongs to: `payouts` for chalicelib.features.payouts.runs.routes."""
        _, room, *rest = self.function.__module__.split(".")
        return rest[0] if room == "features" else room


@dataclass(frozen=True, slots=True)
class Schedule:
    """One function that EventBridge calls at a rate or a time."""

    name: str
    expression: str
    function: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Consumer:
    """One function that is called with the messages of a queue."""

    queue: str
    function: Callable[..., Any]
    while_suspended: bool = False
    uses: tuple[str, ...] = ()  # AWS services beside queues and the database, by their module in `backing`


ENDPOINTS: list[DeclaredEndpoint] = []
SCHEDULES: dict[str, Schedule] = {}
CONSUMERS: dict[str, Consumer] = {}


def describe(
    function: Callable[..., Any],
    *,
    method: str,
    path: str,
    may: str | None,
    status: int,
    moves_money: bool,
    accepts: tuple[str, ...],
    produces: str,
    reply: type[BaseModel] | None,
    shown_once: tuple[str, ...],
) -> DeclaredEndpoint:
    """Read an endpoint's input and reply from its function's signature.

    Parameters called `scope`, `body`, `query` and `if_match` are what they are called; all others are in the path.
    Raises TypeError for one that is not.
    """
    hints = typing.get_type_hints(function, include_extras=True)
    names = [name for name in inspect.signature(function).parameters if name not in RESERVED]
    if any("{" + name + "}" not in path for name in names):
        raise TypeError(f"{function.__qualname__} takes a parameter that {path} does not name")
    return DeclaredEndpoint(
        method=method,
        path=path,
        may=may,
        status=status,
        function=function,
        body=hints.get("body"),
        query=hints.get("query"),
        reply=reply or hints.get("return"),
        path_types={name: TypeAdapter(hints[name]) for name in names},
        path_is_id=frozenset(name for name in names if hints[name] is UUID),
        takes_version="if_match" in hints,
        takes_idempotency_key=method == "POST" and may is not None,
        needs_idempotency_key=moves_money,
        accepts=accepts,
        produces=produces,
        shown_once=shown_once,
    )


RESERVED = frozenset({"scope", "body", "query", "if_match"})
