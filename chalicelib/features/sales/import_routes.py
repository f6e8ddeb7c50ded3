"""The HTTP endpoints of sales imports."""

from chalice import Blueprint

from chalicelib.entry.bodies import RawBody
from chalicelib.entry.http import endpoint
from chalicelib.entry.rows import CSV_OR_JSON, ImportQuery, read_rows
from chalicelib.features.sales import import_actions as actions
from chalicelib.features.sales import import_schemas as schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST", "/sales/import", may="sales.write", accepts=CSV_OR_JSON)
def import_sales(scope: Scope, body: RawBody, query: ImportQuery) -> schemas.SaleImportReport:
    """Import up to 20,000 sales, as JSON or CSV; good rows are kept, wrong ones told by line.

    Columns: `employee_no`, `user_id` or `email`, `earning`, and if wanted `external_id`, `brand`, `currency` and
    `occurred_at` (RFC 3339). JSON is an array of rows, or an object with the array as `rows`. With external ids,
    sending a file twice changes nothing.
    """
    rows = read_rows(body, required=["earning"], optional=schemas.COLUMNS, limit=actions.MOST_ROWS)
    return actions.import_rows(scope, rows=rows, dry_run=query.dry_run)
