"""Reads of holidays. Shifts are read as the organisation's units are."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, func, select

from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import RowPage, page_rows
from chalicelib.features.people.calendar.schemas import HolidayQuery
from chalicelib.features.people.models import branches, holidays, shifts
from chalicelib.features.people.organisation import queries as organisation
from chalicelib.identity.scope import Scope


@dataclass(frozen=True, slots=True)
class HolidayRow:
    """A holiday of the tenant, or of one branch."""

    id: UUID
    day: date
    name: str
    half: str | None
    branch_id: UUID | None
    version: int


@dataclass(frozen=True, slots=True)
class HolidayOfPage(HolidayRow):
    """A holiday with the key of its page: the day, then the id."""

    place: str


def get_holiday(scope: Scope, holiday_id: UUID, *, lock: bool = False) -> HolidayRow:
    """Return one holiday of the tenant, or raise NotFound."""
    return get_row(scope, holidays, holiday_id, kind=HolidayRow, what="holiday", lock=lock)


def get_shift(scope: Scope, shift_id: UUID, *, lock: bool = False) -> organisation.ShiftRow:
    """Return one shift of the tenant, or raise NotFound."""
    return get_row(scope, shifts, shift_id, kind=organisation.ShiftRow, what="shift", lock=lock)


def page_of_holidays(scope: Scope, query: HolidayQuery) -> RowPage[HolidayOfPage]:
    """Read one page of holidays, in the order of their days."""
    place: Any = func.concat(cast(holidays.c.day, Text), " ", cast(holidays.c.id, Text)).label("place")
    select_holidays = select(holidays, place).where(holidays.c.tenant_id == scope.tenant_id)
    if query.year is not None:
        select_holidays = select_holidays.where(
            holidays.c.day.between(date(query.year, 1, 1), date(query.year, 12, 31))
        )
    if query.branch_id is not None:
        organisation.get_unit(scope, branches, query.branch_id)
        select_holidays = select_holidays.where(holidays.c.branch_id == query.branch_id)
    return page_rows(scope, select_holidays, kind=HolidayOfPage, key=place, query=query)
