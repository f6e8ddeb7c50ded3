"""HTTP endpoints of the pay register."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import Document, Ready, endpoint
from chalicelib.entry.paging import Page
from chalicelib.features.pay_register import actions, edit_actions, exports, queries, schemas
from chalicelib.identity.scope import Scope
from chalicelib.jobs.schemas import Started, started
from chalicelib.kernel.moments import Day
from chalicelib.kernel.period import Month

blueprint = Blueprint(__name__)
READ, WRITE, LOCK = "pay_register.read", "pay_register.write", "pay_register.lock"


@endpoint(blueprint, "GET", "/pay-register/{month}", may=READ, reply=schemas.Grid)
def get_grid(scope: Scope, month: Month, query: schemas.GridQuery) -> Ready:
    """Show one page of the register: a row per employee, their days and totals.

    Employees who have no row yet read as stubs: zero totals, no days. Reading never writes.
    """
    return Ready(queries.grid(scope, month=month, query=query))


@endpoint(blueprint, "POST", "/pay-register/{month}/sync", may=WRITE, status=202)
def sync(scope: Scope, month: Month, body: schemas.SyncRequest) -> Started:
    """Compute everybody's rows and balances from the facts, or those of some people.

    Up to 5,000 employees are done when the answer comes; the job tells either way.
    """
    return started(actions.request_sync(scope, month=month, user_ids=body.user_ids))


@endpoint(blueprint, "POST", "/pay-register/{month}/lock", may=LOCK)
def lock(scope: Scope, month: Month) -> schemas.PeriodOut:
    """Lock the period: its register keeps what it says, and later changes are paid later.

    A stale one is computed first, for up to 5,000 people; a larger one has to be synced before (409).
    """
    actions.lock(scope, month=month)
    return queries.get_period(scope, scope.tenant.period(month))


@endpoint(blueprint, "POST", "/pay-register/{month}/unlock", may=LOCK)
def unlock(scope: Scope, month: Month, body: schemas.Unlock) -> schemas.PeriodOut:
    """Open a locked period again, with a reason."""
    actions.unlock(scope, month=month, reason=body.reason)
    return queries.get_period(scope, scope.tenant.period(month))


@endpoint(blueprint, "GET", "/pay-register/{month}/export", may=READ, produces="text/csv")
def export(scope: Scope, month: Month, query: schemas.ExportQuery) -> Document:
    """Write the register as a CSV or XLSX file: totals, then two columns a day."""
    return exports.export(scope, month=month, query=query)


@endpoint(blueprint, "GET", "/pay-register/{month}/{user_id}", may=READ)
def get_row(scope: Scope, month: Month, user_id: UUID) -> schemas.EmployeeRegister:
    """Show one employee's period, each half with where it came from."""
    return queries.get_row(scope, month=month, user_id=user_id)


@endpoint(blueprint, "POST", "/pay-register/{month}/{user_id}", may=WRITE, status=201)
def make_row(scope: Scope, month: Month, user_id: UUID) -> schemas.EmployeeRegister:
    """Make one employee's row from the facts; doing it again changes nothing."""
    return actions.recalculate(scope, month=month, user_id=user_id)


@endpoint(blueprint, "POST", "/pay-register/{month}/{user_id}/recalculate", may=WRITE)
def recalculate(scope: Scope, month: Month, user_id: UUID) -> schemas.EmployeeRegister:
    """Compute one employee's row and balance again from the facts."""
    return actions.recalculate(scope, month=month, user_id=user_id)


@endpoint(blueprint, "GET", "/pay-register/{month}/{user_id}/history", may=READ)
def get_history(scope: Scope, month: Month, user_id: UUID) -> Page[schemas.EditOut]:
    """List every edit by hand of the period, newest first."""
    queries.get_row(scope, month=month, user_id=user_id)
    return queries.history(scope, month=month, user_id=user_id)


@endpoint(blueprint, "PUT", "/pay-register/{month}/{user_id}/days/{day}", may=WRITE)
def edit_day(
    scope: Scope, month: Month, user_id: UUID, day: Day, body: schemas.DayEdit, if_match: int | None
) -> schemas.EmployeeRegister:
    """Set a whole day by hand; what is left out goes back to the facts. It survives every sync until it is cleared.

    `If-Match` is the day's own version, of `daily_records`.
    """
    return edit_actions.edit_day(scope, month=month, user_id=user_id, day=day, cells=body.cells(), if_match=if_match)


@endpoint(blueprint, "PATCH", "/pay-register/{month}/{user_id}/days/{day}", may=WRITE)
def merge_day(
    scope: Scope, month: Month, user_id: UUID, day: Day, body: schemas.DayMerge, if_match: int | None
) -> schemas.EmployeeRegister:
    """Set some cells of a day by hand, each kept by itself; null gives a cell back to the facts.

    `If-Match` is the day's own version, of `daily_records`.
    """
    return edit_actions.edit_day(scope, month=month, user_id=user_id, day=day, cells=body.cells(), if_match=if_match)


@endpoint(blueprint, "DELETE", "/pay-register/{month}/{user_id}/days/{day}", may=WRITE)
def clear_day(scope: Scope, month: Month, user_id: UUID, day: Day, if_match: int | None) -> schemas.EmployeeRegister:
    """Give all cells of a day back to the facts. `If-Match` is the day's own version, of `daily_records`."""
    return edit_actions.clear_day(scope, month=month, user_id=user_id, day=day, if_match=if_match)
