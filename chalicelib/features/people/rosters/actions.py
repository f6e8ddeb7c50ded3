"""Writes of rosters."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit, four_eyes
from chalicelib.backing.database import Record, statement
from chalicelib.features.people.rosters import queries
from chalicelib.features.people.rosters.schemas import RosterEntry, RosterInput
from chalicelib.features.people.users import queries as people
from chalicelib.features.periods import periods, working_days
from chalicelib.features.periods.locks import share_calendar
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Invalid, Place

_WRITE = text(statement(__file__, "write_roster"))


def plan(scope: Scope, *, user_id: UUID, said: RosterInput) -> Record:
    """Plan days of a person and clear others; days that stand so already are not touched."""
    _refuse_twice(said)
    share_calendar(scope)
    people.get_user(scope, user_id, "roster.write", lock=True)
    four_eyes.check_not_own(scope, four_eyes.Subject.ROSTER, user_id)
    days = [entry.date for entry in said.entries]
    before = {row["date"]: row for row in queries.find_roster_days(scope, user_id=user_id, days=[*days, *said.clear])}
    planned = [entry for entry in said.entries if before.get(entry.date) != entry.model_dump()]
    cleared = [day for day in said.clear if day in before]
    changed = sorted([*(entry.date for entry in planned), *cleared])
    if changed:
        _write(scope, user_id=user_id, planned=planned, cleared=cleared)
        working_days.changed(scope, user_ids=[user_id], first=changed[0], last=changed[-1])
        periods.touch(scope, changes=[(user_id, day) for day in changed], what="roster", decide=True)
        audit.record(
            scope,
            action="roster.changed",
            entity_type="user",
            entity_id=user_id,
            before={str(day): before[day] for day in changed if day in before},
            after={str(entry.date): entry.model_dump() for entry in planned},
        )
    return {"items": queries.find_roster_days(scope, user_id=user_id, days=days), "changed": len(changed)}


def _write(scope: Scope, *, user_id: UUID, planned: list[RosterEntry], cleared: list[date]) -> None:
    values: dict[str, Any] = {
        "tenant_id": scope.tenant_id,
        "user_id": user_id,
        "cleared": cleared,
        "days": [entry.date for entry in planned],
        "shift_ids": [entry.shift_id for entry in planned],
        "offs": [queries.BITS[entry.off] for entry in planned],
        "works": [entry.works_holidays for entry in planned],
    }
    scope.session.execute(_WRITE, values)


def _refuse_twice(said: RosterInput) -> None:
    seen = set()
    wrong = []
    places = [(f"/entries/{n}/date", entry.date) for n, entry in enumerate(said.entries)]
    for pointer, day in places + [(f"/clear/{n}", day) for n, day in enumerate(said.clear)]:
        if day in seen:
            wrong.append(Place(pointer, f"{day} stands twice; each day is planned or cleared once"))
        seen.add(day)
    if wrong:
        raise Invalid("Some days stand twice; nothing was changed.", wrong)
