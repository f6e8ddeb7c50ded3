"""HTTP endpoints of holidays and shifts."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, PageQuery, RowPage
from chalicelib.features.people.calendar import actions, queries, schemas
from chalicelib.features.people.models import shifts
from chalicelib.features.people.organisation import queries as organisation
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/holidays", may="organisation.read", reply=Page[schemas.Holiday])
def list_holidays(scope: Scope, query: schemas.HolidayQuery) -> RowPage[queries.HolidayOfPage]:
    """List holidays in the order of their days, of a year or a branch if wanted."""
    return queries.page_of_holidays(scope, query)


@endpoint(blueprint, "POST", "/holidays", may="organisation.write", status=201, reply=schemas.Holiday)
def add_holiday(scope: Scope, body: schemas.NewHoliday) -> queries.HolidayRow:
    """Add one holiday, of a whole or half a day, everywhere or in one branch."""
    return actions.add_holiday(scope, values=actions.columns_of(body.model_dump()))


@endpoint(blueprint, "POST", "/holidays/import", may="organisation.write", reply=schemas.HolidaysImported)
def import_holidays(scope: Scope, body: schemas.HolidayImport) -> actions.ImportedHolidays:
    """Add a country's public holidays of a year; days that have one already keep it."""
    return actions.import_holidays(scope, requested=body)


@endpoint(blueprint, "PATCH", "/holidays/{holiday_id}", may="organisation.write", reply=schemas.Holiday)
def change_holiday(
    scope: Scope, holiday_id: UUID, body: schemas.HolidayPatch, if_match: int | None
) -> queries.HolidayRow:
    """Change a holiday, only what is sent."""
    patch = actions.columns_of(body.sent_fields())
    return actions.change_holiday(scope, holiday_id=holiday_id, patch=patch, if_match=if_match)


@endpoint(blueprint, "DELETE", "/holidays/{holiday_id}", may="organisation.write", status=204)
def remove_holiday(scope: Scope, holiday_id: UUID) -> None:
    """Make a holiday an ordinary day again."""
    actions.remove_holiday(scope, holiday_id=holiday_id)


@endpoint(blueprint, "GET", "/shifts", may="organisation.read", reply=Page[schemas.Shift])
def list_shifts(scope: Scope, query: PageQuery) -> RowPage[organisation.UnitRow]:
    """List shifts, oldest first."""
    return organisation.page_of_units(scope, shifts, query)


@endpoint(blueprint, "POST", "/shifts", may="organisation.write", status=201, reply=schemas.Shift)
def add_shift(scope: Scope, body: schemas.NewShift) -> organisation.UnitRow:
    """Make a shift; one that ends before it starts ends on the next day."""
    return actions.add_shift(scope, values=actions.columns_of(body.model_dump()))


@endpoint(blueprint, "PATCH", "/shifts/{shift_id}", may="organisation.write", reply=schemas.Shift)
def change_shift(scope: Scope, shift_id: UUID, body: schemas.ShiftPatch, if_match: int | None) -> organisation.UnitRow:
    """Change a shift; attendance of open pay periods is decided again by its new hours."""
    patch = actions.columns_of(body.sent_fields())
    return actions.change_shift(scope, shift_id=shift_id, patch=patch, if_match=if_match)
