"""Reads of holidays. Shifts are read as the organisation's units are."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, func, select

from chalicelib.backing.database import Record
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import page_of
from chalicelib.features.people.calendar.schemas import HolidayQuery
from chalicelib.features.people.models import branches, holidays
from chalicelib.features.people.organisation import queries as organisation
from chalicelib.identity.scope import Scope


def get_holiday(scope: Scope, holiday_id: UUID, *, lock: bool = False) -> Record:
    """Read one holiday of the tenant, or NotFound."""
    return get_row(scope, holidays, holiday_id, what="holiday", lock=lock)


def page_of_holidays(scope: Scope, query: HolidayQuery) -> Record:
    """Read one page of holidays, in the order of their days."""
    place: Any = func.concat(cast(holidays.c.day, Text), " ", cast(holidays.c.id, Text)).label("place")
    rows = select(holidays, place).where(holidays.c.tenant_id == scope.tenant_id)
    if query.year is not None:
        rows = rows.where(holidays.c.day.between(date(query.year, 1, 1), date(query.year, 12, 31)))
    if query.branch_id is not None:
        organisation.get_unit(scope, branches, query.branch_id)
        rows = rows.where(holidays.c.branch_id == query.branch_id)
    return page_of(scope, rows, key=place, query=query)
