"""On-duty and overtime as data: where they differ; the verbs are the same."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Table

from chalicelib.backing.database import Record
from chalicelib.features.attendance.models import on_duty, overtime


@dataclass(frozen=True, slots=True, eq=False)
class RequestKind:
    """One kind of request."""

    name: str  # in audit, and as the fact that changed in a pay period
    label: str  # for messages
    table: Table
    columns: tuple[ColumnElement[Any], ...]  # with the names of the API
    first: Column[date]
    last: Column[date]
    days: Callable[[Record], list[date]]  # the days of a request


def _span(row: Record) -> list[date]:
    first, last = row["start_date"], row["end_date"]
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _common(table: Table) -> tuple[ColumnElement[Any], ...]:
    names = ("id", "user_id", "reason", "status", "decided_by", "decided_at", "created_at", "version")
    return tuple(table.c[name] for name in names)


ON_DUTY = RequestKind(
    name="on_duty",
    label="on-duty request",
    table=on_duty,
    columns=(
        *_common(on_duty),
        on_duty.c.start_on.label("start_date"),
        on_duty.c.end_on.label("end_date"),
        on_duty.c.half,
    ),
    first=on_duty.c.start_on,
    last=on_duty.c.end_on,
    days=_span,
)

OVERTIME = RequestKind(
    name="overtime",
    label="overtime request",
    table=overtime,
    columns=(*_common(overtime), overtime.c.day.label("date"), overtime.c.hours),
    first=overtime.c.day,
    last=overtime.c.day,
    days=lambda row: [row["date"]],
)
