"""Writes of holidays and shifts."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update

from chalicelib import audit
from chalicelib.backing.database import Record
from chalicelib.entry.versions import expect
from chalicelib.features.people.calendar import queries
from chalicelib.features.people.calendar.schemas import HolidayImport
from chalicelib.features.people.models import branches, holidays, shifts
from chalicelib.features.people.organisation import queries as organisation
from chalicelib.features.people.organisation.actions import add_unit, change_unit
from chalicelib.features.periods import periods, working_days
from chalicelib.features.periods.locks import lock_calendar
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid

_COLUMN = {"date": "day", "start": "starts_at", "end": "ends_at"}  # the API's words for columns that say more
_MOVES_DAYS = {"day", "half", "branch_id"}


def columns_of(said: dict[str, Any]) -> dict[str, Any]:
    """Return what the API calls `date`, `start` and `end` the names of their columns."""
    return {_COLUMN.get(name, name): value for name, value in said.items()}


def add_holiday(scope: Scope, *, values: dict[str, Any]) -> Record:
    """Add one holiday; there is at most one for a day and branch."""
    lock_calendar(scope)
    row = (
        scope.session.execute(insert(holidays).values(tenant_id=scope.tenant_id, **values).returning(holidays))
        .mappings()
        .one()
    )
    _working_days_changed(scope, [row["day"]])
    audit.record(scope, action="holiday.added", entity_type="holiday", entity_id=row["id"], after=values)
    return dict(row)


def change_holiday(scope: Scope, *, holiday_id: UUID, given: dict[str, Any], if_match: int | None) -> Record:
    """Change a holiday; where it moves, both days are looked at again."""
    lock_calendar(scope)
    before = queries.get_holiday(scope, holiday_id, lock=True)
    expect(before, if_match)
    changes = {name: value for name, value in given.items() if before[name] != value}
    if not changes:
        return before
    row = (
        scope.session.execute(
            update(holidays)
            .where(holidays.c.tenant_id == scope.tenant_id, holidays.c.id == holiday_id)
            .values(**changes, version=holidays.c.version + 1)
            .returning(holidays)
        )
        .mappings()
        .one()
    )
    if _MOVES_DAYS & changes.keys():
        _working_days_changed(scope, sorted({before["day"], row["day"]}))
    audit.record(
        scope,
        action="holiday.changed",
        entity_type="holiday",
        entity_id=holiday_id,
        before={name: before[name] for name in changes},
        after=changes,
    )
    return dict(row)


def remove_holiday(scope: Scope, *, holiday_id: UUID) -> None:
    """Make a holiday an ordinary day again."""
    lock_calendar(scope)
    before = queries.get_holiday(scope, holiday_id, lock=True)
    scope.session.execute(delete(holidays).where(holidays.c.tenant_id == scope.tenant_id, holidays.c.id == holiday_id))
    _working_days_changed(scope, [before["day"]])
    audit.record(
        scope,
        action="holiday.removed",
        entity_type="holiday",
        entity_id=holiday_id,
        before={name: before[name] for name in ("day", "name", "half", "branch_id")},
    )


def import_holidays(scope: Scope, *, said: HolidayImport) -> Record:
    """Add a country's public holidays of a year; days that have one already keep it."""
    if said.branch_id is not None:
        organisation.get_unit(scope, branches, said.branch_id)
    lock_calendar(scope)
    days = public_holidays(country=said.country, subdivision=said.subdivision, year=said.year)
    added = (
        scope.session.execute(
            text(
                "insert into holidays (tenant_id, day, name, branch_id)"
                " select :tenant_id, d.day, d.name, cast(:branch_id as uuid)"
                " from unnest(cast(:days as date[]), cast(:names as text[])) d(day, name)"
                " on conflict (tenant_id, day, branch_id) do nothing returning id"
            ),
            {
                "tenant_id": scope.tenant_id,
                "branch_id": said.branch_id,
                "days": list(days),
                "names": list(days.values()),
            },
        )
        .scalars()
        .all()
    )
    rows = [
        dict(row)
        for row in scope.session.execute(
            select(holidays)
            .where(
                holidays.c.tenant_id == scope.tenant_id,
                holidays.c.day.in_(days),
                holidays.c.branch_id.is_not_distinct_from(said.branch_id),
            )
            .order_by(holidays.c.day)
        ).mappings()
    ]
    fresh = set(added)
    new = [row for row in rows if row["id"] in fresh]
    if new:
        _working_days_changed(scope, [row["day"] for row in new])
        audit.record(
            scope,
            action="holidays.imported",
            entity_type="tenant",
            entity_id=scope.tenant_id,
            after={**said.model_dump(), "added": {str(row["day"]): row["name"] for row in new}},
        )
    return {"added": new, "kept": [row for row in rows if row["id"] not in fresh]}


def _working_days_changed(scope: Scope, days: Sequence[date]) -> None:
    """Recount leave on days that are or were holidays, and mark the pay periods they are in."""
    for day in days:
        working_days.changed(scope, user_ids=None, first=day, last=day)
    periods.touch(scope, changes=[(None, day) for day in days], what="holiday")


def public_holidays(*, country: str, subdivision: str | None, year: int) -> dict[date, str]:
    """List a country's public holidays, named in English where the `holidays` package can."""
    import holidays as calendars  # it knows 250 countries; loaded by this call alone

    known = calendars.list_supported_countries(include_aliases=True)
    if country not in known:
        raise invalid("/country", f"{country} is not a country whose holidays we know; add them one by one")
    if subdivision is not None and subdivision not in known[country]:
        some = ", ".join(known[country][:60]) or "none"
        raise invalid("/subdivision", f"{subdivision} is not a part of {country} that we know (known: {some})")
    made = calendars.country_holidays(country, subdiv=subdivision, years=year, language="en_US")
    return {day: name[:200] for day, name in sorted(made.items()) if day.year == year}


def add_shift(scope: Scope, *, values: dict[str, Any]) -> Record:
    """Make a shift."""
    _check_hours(values)
    return add_unit(scope, shifts, values=values)


def change_shift(scope: Scope, *, shift_id: UUID, given: dict[str, Any], if_match: int | None) -> Record:
    """Change a shift; attendance of open pay periods is decided again by its new hours."""
    _check_hours({**organisation.get_unit(scope, shifts, shift_id, lock=True), **given})
    row, changes = change_unit(scope, shifts, unit_id=shift_id, given=given, if_match=if_match)
    if changes.keys() - {"name"}:
        periods.touch_all(scope, decide=True)
    return row


def _check_hours(shift: dict[str, Any]) -> None:
    """Refuse a shift without length, one that is all break, and half a day that is longer than a full one."""
    if shift["starts_at"] == shift["ends_at"]:
        raise invalid("/end", "is the same as start; a shift has a length, and one that ends earlier ends the next day")
    starts, ends = (shift[name].hour * 60 + shift[name].minute for name in ("starts_at", "ends_at"))
    length = (ends - starts) % (24 * 60)
    if shift["unpaid_break_minutes"] >= length:
        raise invalid("/unpaid_break_minutes", f"is not shorter than the shift, which lasts {length} minutes")
    full, half = shift["full_day_minutes"], shift["half_day_minutes"]
    if full is not None and half is not None and half > full:
        raise invalid("/half_day_minutes", f"is {half}, more than the {full} of a full day")
