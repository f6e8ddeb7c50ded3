"""The import of sales: a handful of statements for the whole file."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text

from chalicelib import audit, four_eyes
from chalicelib.backing import rows as result_rows
from chalicelib.backing.database import statement
from chalicelib.entry.rows import ImportRow, RowError, validate_rows
from chalicelib.features.sales import import_rules as rules
from chalicelib.features.sales.actions import add_sales
from chalicelib.features.sales.import_rules import ExistingSale, KnownSeller, Line, SortedSales
from chalicelib.features.sales.import_schemas import SaleImportReport, SaleRow
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Forbidden

MOST_ROWS = 20_000

_SELLERS = text(statement(__file__, "import_sellers"))
_EXISTING = text(statement(__file__, "import_existing"))


def import_rows(scope: Scope, *, rows: Sequence[ImportRow], dry_run: bool) -> SaleImportReport:
    """Add the good rows as pending sales and report what is wrong with the others.

    A sale that exists under its external id is left as it is, so that sending a file twice changes nothing.
    """
    if not scope.reaches_all("sales.write"):
        raise Forbidden("Only who may write everybody's sales can import them.")
    typed, wrong = validate_rows(SaleRow, rows)
    sales, errors = rules.parse_rows(typed, _find_sellers(scope, typed), currency=scope.tenant.currency)
    sales, own = four_eyes.without_own(
        scope, four_eyes.Subject.SALE, sales, user_of=lambda line: line[1].user_id, dry_run=dry_run
    )
    errors += [RowError(line=line, column=None, detail=detail) for (line, _), detail in own]
    if not dry_run:
        # an advisory lock: two imports with the same ids in another order would deadlock
        scope.advisory_lock("sales-import")
    sorted_sales = rules.sort_out(sales, existing=_find_existing(scope, sales))
    added = len(sorted_sales.new) if dry_run else _add(scope, sorted_sales)
    report = SaleImportReport(
        dry_run=dry_run,
        rows=len(rows),
        added=added,
        unchanged=sorted_sales.unchanged,
        without_external_id=sum(sale.external_id is None for _, sale in sorted_sales.new),
        errors=sorted([*wrong, *errors, *sorted_sales.errors], key=lambda error: error.line),
    )
    if added and not dry_run:
        counts = report.model_dump(include={"rows", "added", "unchanged", "without_external_id"})
        audit.record(
            scope,
            action="sales.imported",
            entity_type="sales_import",
            entity_id=scope.origin.request_id,
            after=counts | {"errors": len(report.errors)},
        )
    return report


def _add(scope: Scope, sorted_sales: SortedSales) -> int:
    """Write the new sales, and return how many were written."""
    new = sorted_sales.new
    written = len(add_sales(scope, [sale for _, sale in new]))
    if written < len(new):
        # POST /sales added some of them since they were read; all exist now, ours and those
        again = rules.sort_out(new, existing=_find_existing(scope, new))
        sorted_sales.errors += again.errors
        sorted_sales.unchanged += len(new) - len(again.errors) - written
    return written


def _find_sellers(scope: Scope, rows: Iterable[tuple[int, SaleRow]]) -> list[KnownSeller]:
    values: dict[str, Any] = {
        "employee_nos": list({row.employee_no for _, row in rows if row.employee_no}),
        "user_ids": list({row.user_id for _, row in rows if row.user_id}),
        "emails": list({row.email for _, row in rows if row.email}),
    }
    return result_rows.every(KnownSeller, scope.session.execute(_SELLERS, {"tenant_id": scope.tenant_id, **values}))


def _find_existing(scope: Scope, sales: Iterable[Line]) -> dict[str, ExistingSale]:
    """Read the sales that exist under these external ids."""
    ids = list({sale.external_id for _, sale in sales if sale.external_id is not None})
    result = scope.session.execute(_EXISTING, {"tenant_id": scope.tenant_id, "external_ids": ids})
    return {sale.external_id: sale for sale in result_rows.every(ExistingSale, result)}
