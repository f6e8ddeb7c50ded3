"""HTTP endpoints of the pay register."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import FileReply, JsonReply, endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.pay_register import actions, edit_actions, exports, queries, schemas
from chalicelib.identity.scope import Scope
from chalicelib.jobs.schemas import Started, started
from chalicelib.kernel.moments import Day
from chalicelib.kernel.period import Month

blueprint = Blueprint(__name__)
READ, WRITE, LOCK = "pay_register.read", "pay_register.write", "pay_register.lock"


@endpoint(blueprint, "GET", "/pay-register/{month}", may=READ, reply=schemas.Grid)
def get_grid(scope: Scope, month: Month, query: schemas.GridQuery) -> JsonReply:
    """Show one page of the register: a row per employee, their days and totals.

    Employees who have no row yet read as stubs: zero totals, no days. Reading never writes.
    """
    return JsonReply(queries.grid(scope, month=month, query=query))


@endpoint(blueprint, "POST", "/pay-register/{month}/sync", may=WRITE, status=202)
def sync(scope: Scope, month: Month, body: schemas.SyncRequest) -> Started:
    """Compute everybody's rows and balances from the facts, or those of some people.

    Up to 5,000 employees are done when the answer comes; the job tells either way.
    """
    return started(actions.request_sync(scope, month=month, user_ids=body.user_ids))


@endpoint(blueprint, "POST", "/pay-register/{month}/lock", may=LOCK, reply=schemas.PeriodOut)
def lock(scope: Scope, month: Month) -> queries.PeriodDetails:
    """Lock the period: its register keeps what it says, and later changes are paid later.

    A stale one is computed first, for up to 5,000 people; a larger one has to be synced before (409).
    """
    actions.lock(scope, month=month)
    return queries.get_period(scope, scope.tenant.period(month))


@endpoint(blueprint, "POST", "/pay-register/{month}/unlock", may=LOCK, reply=schemas.PeriodOut)
def unlock(scope: Scope, month: Month, body: schemas.Unlock) -> queries.PeriodDetails:
    """Open a locked period again, with a reason."""
    actions.unlock(scope, month=month, reason=body.reason)
    return queries.get_period(scope, scope.tenant.period(month))


@endpoint(blueprint, "GET", "/pay-register/{month}/export", may=READ, produces="text/csv")
def export(scope: Scope, month: Month, query: schemas.ExportQuery) -> FileReply:
    """Write the register as a CSV or XLSX file: totals, then two columns a day."""
    return exports.export(scope, month=month, query=query)


@endpoint(blueprint, "GET", "/pay-register/{month}/{user_id}", may=READ, reply=schemas.EmployeeRegister)
def get_row(scope: Scope, month: Month, user_id: UUID) -> queries.EmployeePeriod:
    """Show one employee's period, each half with where it came from."""
    return queries.get_row(scope, month=month, user_id=user_id)


@endpoint(blueprint, "POST", "/pay-register/{month}/{user_id}", may=WRITE, status=201, reply=schemas.EmployeeRegister)
def make_row(scope: Scope, month: Month, user_id: UUID) -> queries.EmployeePeriod:
    """Make one employee's row from the facts; doing it again changes nothing."""
    return actions.recalculate(scope, month=month, user_id=user_id)


@endpoint(blueprint, "POST", "/pay-register/{month}/{user_id}/recalculate", may=WRITE, reply=schemas.EmployeeRegister)
def recalculate(scope: Scope, month: Month, user_id: UUID) -> queries.EmployeePeriod:
    """Compute one employee's row and balance again from the facts."""
    return actions.recalculate(scope, month=month, user_id=user_id)


@endpoint(blueprint, "GET", "/pay-register/{month}/{user_id}/history", may=READ, reply=Page[schemas.EditOut])
def get_history(scope: Scope, month: Month, user_id: UUID) -> RowPage[queries.EditHistoryItem]:
    """List every edit by hand of the period, newest first."""
    queries.get_row(scope, month=month, user_id=user_id)
    return queries.list_edits(scope, month=month, user_id=user_id)


@endpoint(blueprint, "PUT", "/pay-register/{month}/{user_id}/days/{day}", may=WRITE, reply=schemas.EmployeeRegister)
def edit_day(
    scope: Scope, month: Month, user_id: UUID, day: Day, body: schemas.DayEdit, if_match: int | None
) -> queries.EmployeePeriod:
    """Set a whole day by hand; what is left out goes back to the facts. It survives every sync until it is cleared.

    `If-Match` is the day's own version, of `daily_records`.
    """
    return edit_actions.edit_day(scope, month=month, user_id=user_id, day=day, cells=body.cells(), if_match=if_match)


@endpoint(blueprint, "PATCH", "/pay-register/{month}/{user_id}/days/{day}", may=WRITE, reply=schemas.EmployeeRegister)
def merge_day(
    scope: Scope, month: Month, user_id: UUID, day: Day, body: schemas.DayMerge, if_match: int | None
) -> queries.EmployeePeriod:
    """Set some cells of a day by hand, each kept by itself; null gives a cell back to the facts.

    `If-Match` is the day's own version, of `daily_records`.
    """
    return edit_actions.edit_day(scope, month=month, user_id=user_id, day=day, cells=body.cells(), if_match=if_match)


@endpoint(blueprint, "DELETE", "/pay-register/{month}/{user_id}/days/{day}", may=WRITE, reply=schemas.EmployeeRegister)
def clear_day(scope: Scope, month: Month, user_id: UUID, day: Day, if_match: int | None) -> queries.EmployeePeriod:
    """Give all cells of a day back to the facts. `If-Match` is the day's own version, of `daily_records`."""
    return edit_actions.clear_day(scope, month=month, user_id=user_id, day=day, if_match=if_match)
