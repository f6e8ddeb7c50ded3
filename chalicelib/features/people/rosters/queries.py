"""Reads of rosters."""

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from chalicelib.backing import clock
from chalicelib.backing.database import Record
from chalicelib.features.people.models import roster_days
from chalicelib.features.people.rosters.schemas import MOST_DAYS, Off, RosterQuery
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid

BITS: dict[Off | None, int] = {None: 0, Off.FIRST: 2, Off.SECOND: 1, Off.FULL: 3}
_OFF = {bits: off for off, bits in BITS.items()}


def find_roster(scope: Scope, *, user_id: UUID, query: RosterQuery) -> Record:
    """Read the planned days of a person, in order, as one page; days without a plan are left out."""
    today = scope.tenant.month_of(clock.local_day(scope.now, scope.tenant.timezone))
    first = query.from_ or scope.tenant.period(today).start
    last = query.to or max(first, scope.tenant.period(today).end)
    if last < first:
        raise invalid("/to", f"is before from ({first})")
    if (last - first).days >= MOST_DAYS:
        raise invalid("/to", f"is more than {MOST_DAYS} days after from; ask for less at once")
    return {"items": _read(scope, user_id, roster_days.c.day.between(first, last)), "next_cursor": None}


def find_roster_days(scope: Scope, *, user_id: UUID, days: Collection[date]) -> list[Record]:
    """Read the plan of certain days of a person, in order."""
    return _read(scope, user_id, roster_days.c.day.in_(days))


def _read(scope: Scope, user_id: UUID, wanted: ColumnElement[bool]) -> list[Record]:
    rows: Any = scope.session.execute(
        select(roster_days)
        .where(roster_days.c.tenant_id == scope.tenant_id, roster_days.c.user_id == user_id, wanted)
        .order_by(roster_days.c.day)
    ).mappings()
    return [
        {
            "date": row["day"],
            "shift_id": row["shift_id"],
            "off": _OFF[row["off"]],
            "works_holidays": row["works_holidays"],
        }
        for row in rows
    ]
