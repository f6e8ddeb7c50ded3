"""On-duty and overtime as data: where they differ; the verbs are the same."""

import datetime as dt
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table

from chalicelib.features.attendance.models import on_duty, overtime


@dataclass(frozen=True, slots=True)
class OnDutyRow:
    """An on-duty request."""

    id: UUID
    user_id: UUID
    reason: str | None
    status: str
    decided_by: UUID | None
    decided_at: datetime | None
    created_at: datetime
    version: int
    start_date: date
    end_date: date
    half: str | None

    @property
    def days(self) -> list[date]:
        """The days of the request."""
        return [self.start_date + timedelta(days=n) for n in range((self.end_date - self.start_date).days + 1)]


@dataclass(frozen=True, slots=True)
class OvertimeRow:
    """An overtime request."""

    id: UUID
    user_id: UUID
    reason: str | None
    status: str
    decided_by: UUID | None
    decided_at: dt.datetime | None
    created_at: dt.datetime
    version: int
    date: dt.date
    hours: Decimal

    @property
    def days(self) -> list[dt.date]:
        """The day of the request."""
        return [self.date]


R = TypeVar("R", OnDutyRow, OvertimeRow)


@dataclass(frozen=True, slots=True, eq=False)
class RequestKind(Generic[R]):
    """One kind of request, whose rows are of the type R."""

    name: str  # in audit, and as the fact that changed in a pay period
    label: str  # for messages
    table: Table
    columns: tuple[ColumnElement[Any], ...]  # with the names of the API
    first: Column[date]
    last: Column[date]
    row: type[R]


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
    row=OnDutyRow,
)

OVERTIME = RequestKind(
    name="overtime",
    label="overtime request",
    table=overtime,
    columns=(*_common(overtime), overtime.c.day.label("date"), overtime.c.hours),
    first=overtime.c.day,
    last=overtime.c.day,
    row=OvertimeRow,
)
