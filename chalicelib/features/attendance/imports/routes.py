"""The HTTP endpoints of attendance imports."""

from chalice import Blueprint

from chalicelib.entry.bodies import RawBody
from chalicelib.entry.http import endpoint
from chalicelib.entry.rows import CSV_OR_JSON, ImportQuery, read_rows
from chalicelib.features.attendance.imports import actions, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST", "/attendance/import", may="attendance.write", accepts=CSV_OR_JSON)
def import_attendance(scope: Scope, body: RawBody, query: ImportQuery) -> schemas.AttendanceImportReport:
    """Import up to 20,000 attendance rows, as JSON or CSV; good rows are kept, wrong ones told by line.

    Columns: `employee_no` or `user_id`, `date`, and what is known of `check_in`, `check_out` (`HH:MM` in the
    employee's time zone, or RFC 3339), `worked_minutes`, `status` and `half`. JSON is an array of rows, or an object
    with the array as `rows`.

    `date` is the day on which the shift starts. A check-in without a date is the moment nearest to that shift, before
    or after midnight, and a check-out the next such time after it. A check-in with a date of its own belongs to the
    day that a live punch of it would, whether `date` is that day or the moment's own date.
    """
    rows = read_rows(body, required=["date"], optional=schemas.COLUMNS, limit=actions.MOST_ROWS)
    return actions.import_rows(scope, rows=rows, dry_run=query.dry_run)
