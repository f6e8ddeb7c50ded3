"""Writes of rosters."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit, four_eyes
from chalicelib.backing.database import statement
from chalicelib.features.people.rosters import queries
from chalicelib.features.people.rosters.queries import RosterDayRow
from chalicelib.features.people.rosters.schemas import RosterEntry, RosterInput
from chalicelib.features.people.users import queries as people
from chalicelib.features.periods import periods, working_days
from chalicelib.features.periods.locks import share_calendar
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Invalid, Place

_WRITE = text(statement(__file__, "write_roster"))


@dataclass(frozen=True, slots=True)
class RosterChange:
    """The days as they are planned now, and how many days changed."""

    items: list[RosterDayRow]
    changed: int


def change_roster(scope: Scope, *, user_id: UUID, requested: RosterInput) -> RosterChange:
    """Plan days of an employee and clear others; days that are planned so already are not written."""
    _check_each_day_once(requested)
    share_calendar(scope)
    people.get_user(scope, user_id, "roster.write", lock=True)
    four_eyes.check_not_own(scope, four_eyes.Subject.ROSTER, user_id)
    days = [entry.date for entry in requested.entries]
    before = {
        row.date: asdict(row)
        for row in queries.find_roster_days(scope, user_id=user_id, days=[*days, *requested.clear])
    }
    planned = [entry for entry in requested.entries if before.get(entry.date) != entry.model_dump()]
    cleared = [day for day in requested.clear if day in before]
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
    return RosterChange(queries.find_roster_days(scope, user_id=user_id, days=days), len(changed))


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


def _check_each_day_once(requested: RosterInput) -> None:
    """Raise Invalid where a day is planned or cleared twice."""
    seen = set()
    errors = []
    places = [(f"/entries/{n}/date", entry.date) for n, entry in enumerate(requested.entries)]
    for pointer, day in places + [(f"/clear/{n}", day) for n, day in enumerate(requested.clear)]:
        if day in seen:
            errors.append(Place(pointer, f"{day} stands twice; each day is planned or cleared once"))
        seen.add(day)
    if errors:
        raise Invalid("Some days stand twice; nothing was changed.", errors)
