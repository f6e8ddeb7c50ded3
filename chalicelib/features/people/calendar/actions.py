"""Writes of holidays and shifts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update

from chalicelib import audit
from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.entry.versions import check_version
from chalicelib.features.people.calendar import queries
from chalicelib.features.people.calendar.queries import HolidayRow
from chalicelib.features.people.calendar.schemas import HolidayImport
from chalicelib.features.people.models import branches, holidays, shifts
from chalicelib.features.people.organisation import queries as organisation
from chalicelib.features.people.organisation.actions import add_unit, change_unit
from chalicelib.features.people.organisation.queries import UnitRow
from chalicelib.features.periods import periods, working_days
from chalicelib.features.periods.locks import lock_calendar
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid

_COLUMN = {"date": "day", "start": "starts_at", "end": "ends_at"}  # names of the API and of columns
_MOVES_DAYS = {"day", "half", "branch_id"}


_IMPORT_HOLIDAYS = text(statement(__file__, "import_holidays"))


@dataclass(frozen=True, slots=True)
class ImportedHolidays:
    """The holidays that are new, and those that were on such a day before and stay as they are."""

    added: list[HolidayRow]
    kept: list[HolidayRow]


def columns_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the API's `date`, `start` and `end` to their columns."""
    return {_COLUMN.get(name, name): value for name, value in body.items()}


def add_holiday(scope: Scope, *, values: dict[str, Any]) -> HolidayRow:
    """Add one holiday; there is at most one for a day and branch."""
    lock_calendar(scope)
    holiday = rows.one(
        HolidayRow,
        scope.session.execute(insert(holidays).values(tenant_id=scope.tenant_id, **values).returning(holidays)),
    )
    _working_days_changed(scope, [holiday.day])
    audit.record(scope, action="holiday.added", entity_type="holiday", entity_id=holiday.id, after=values)
    return holiday


def change_holiday(scope: Scope, *, holiday_id: UUID, patch: dict[str, Any], if_match: int | None) -> HolidayRow:
    """Change a holiday; where it moves, both days change."""
    lock_calendar(scope)
    before = queries.get_holiday(scope, holiday_id, lock=True)
    check_version({"version": before.version}, if_match)
    changes = {name: value for name, value in patch.items() if getattr(before, name) != value}
    if not changes:
        return before
    after = rows.one(
        HolidayRow,
        scope.session.execute(
            update(holidays)
            .where(holidays.c.tenant_id == scope.tenant_id, holidays.c.id == holiday_id)
            .values(**changes, version=holidays.c.version + 1)
            .returning(holidays)
        ),
    )
    if _MOVES_DAYS & changes.keys():
        _working_days_changed(scope, sorted({before.day, after.day}))
    audit.record(
        scope,
        action="holiday.changed",
        entity_type="holiday",
        entity_id=holiday_id,
        before={name: getattr(before, name) for name in changes},
        after=changes,
    )
    return after


def remove_holiday(scope: Scope, *, holiday_id: UUID) -> None:
    """Make a holiday an ordinary day again."""
    lock_calendar(scope)
    before = queries.get_holiday(scope, holiday_id, lock=True)
    scope.session.execute(delete(holidays).where(holidays.c.tenant_id == scope.tenant_id, holidays.c.id == holiday_id))
    _working_days_changed(scope, [before.day])
    audit.record(
        scope,
        action="holiday.removed",
        entity_type="holiday",
        entity_id=holiday_id,
        before={name: getattr(before, name) for name in ("day", "name", "half", "branch_id")},
    )


def import_holidays(scope: Scope, *, requested: HolidayImport) -> ImportedHolidays:
    """Add a country's public holidays of a year; days that have one already keep it."""
    if requested.branch_id is not None:
        organisation.get_unit(scope, branches, requested.branch_id)
    lock_calendar(scope)
    names = public_holidays(country=requested.country, subdivision=requested.subdivision, year=requested.year)
    values = {
        "tenant_id": scope.tenant_id,
        "branch_id": requested.branch_id,
        "days": list(names),
        "names": list(names.values()),
    }
    added_ids = set(scope.session.execute(_IMPORT_HOLIDAYS, values).scalars())
    on_these_days = rows.every(
        HolidayRow,
        scope.session.execute(
            select(holidays)
            .where(
                holidays.c.tenant_id == scope.tenant_id,
                holidays.c.day.in_(names),
                holidays.c.branch_id.is_not_distinct_from(requested.branch_id),
            )
            .order_by(holidays.c.day)
        ),
    )
    added = [holiday for holiday in on_these_days if holiday.id in added_ids]
    if added:
        _working_days_changed(scope, [holiday.day for holiday in added])
        audit.record(
            scope,
            action="holidays.imported",
            entity_type="tenant",
            entity_id=scope.tenant_id,
            after={**requested.model_dump(), "added": {str(holiday.day): holiday.name for holiday in added}},
        )
    return ImportedHolidays(added, [holiday for holiday in on_these_days if holiday.id not in added_ids])


def _working_days_changed(scope: Scope, days: Sequence[date]) -> None:
    """Recount leave on days that are or were holidays, and mark their pay periods as stale."""
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
    names = calendars.country_holidays(country, subdiv=subdivision, years=year, language="en_US")
    return {day: name[:200] for day, name in sorted(names.items()) if day.year == year}


def add_shift(scope: Scope, *, values: dict[str, Any]) -> UnitRow:
    """Add a shift."""
    _check_hours(values)
    return add_unit(scope, shifts, values=values)


def change_shift(scope: Scope, *, shift_id: UUID, patch: dict[str, Any], if_match: int | None) -> UnitRow:
    """Change a shift; attendance of open pay periods is decided again by its new hours."""
    _check_hours({**asdict(queries.get_shift(scope, shift_id, lock=True)), **patch})
    shift, changes = change_unit(scope, shifts, unit_id=shift_id, patch=patch, if_match=if_match)
    if changes.keys() - {"name"}:
        periods.touch_all(scope, decide=True)
    return shift


def _check_hours(shift: Mapping[str, Any]) -> None:
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
