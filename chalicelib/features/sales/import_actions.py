"""The import of sales: a handful of statements for the whole file."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text

from chalicelib import audit, four_eyes
from chalicelib.backing.database import Record, statement
from chalicelib.entry.rows import ImportRow, RowError, checked
from chalicelib.features.sales import import_rules as rules
from chalicelib.features.sales.actions import add_sales
from chalicelib.features.sales.import_rules import KnownSeller, Line, SortedSales
from chalicelib.features.sales.import_schemas import SaleImportReport, SaleRow
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Forbidden

MOST_ROWS = 20_000

_PEOPLE = text(statement(__file__, "import_people"))
_THERE = text(statement(__file__, "import_there"))


def import_rows(scope: Scope, *, rows: Sequence[ImportRow], dry_run: bool) -> SaleImportReport:
    """Add the good rows as pending sales and say what is wrong with the others.

    A sale that is there by its external id is left alone, so that sending a file twice changes nothing.
    """
    if not scope.reaches_all("sales.write"):
        raise Forbidden("Only who may write everybody's sales can import them.")
    typed, wrong = checked(SaleRow, rows)
    said, strange = rules.read(typed, _people(scope, typed), currency=scope.tenant.currency)
    said, own = four_eyes.without_own(
        scope, four_eyes.Subject.SALE, said, user_of=lambda line: line[1].user_id, dry_run=dry_run
    )
    strange += [RowError(line=line, column=None, detail=detail) for (line, _), detail in own]
    if not dry_run:
        # two imports with the same ids in another order would each wait for the other
        scope.advisory_lock("sales-import")
    sorted_out = rules.sort_out(said, there=_there(scope, said))
    added = len(sorted_out.fresh) if dry_run else _add(scope, sorted_out)
    report = SaleImportReport(
        dry_run=dry_run,
        rows=len(rows),
        added=added,
        unchanged=sorted_out.unchanged,
        without_external_id=sum(sale.external_id is None for _, sale in sorted_out.fresh),
        errors=sorted([*wrong, *strange, *sorted_out.errors], key=lambda error: error.line),
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


def _add(scope: Scope, sorted_out: SortedSales) -> int:
    fresh = sorted_out.fresh
    written = len(add_sales(scope, [sale for _, sale in fresh]))
    if written < len(fresh):
        # POST /sales noted some of them since we looked; all are there now, ours and those
        again = rules.sort_out(fresh, there=_there(scope, fresh))
        sorted_out.errors += again.errors
        sorted_out.unchanged += len(fresh) - len(again.errors) - written
    return written


def _people(scope: Scope, rows: Iterable[tuple[int, SaleRow]]) -> list[KnownSeller]:
    values: dict[str, Any] = {
        "employee_nos": list({row.employee_no for _, row in rows if row.employee_no}),
        "user_ids": list({row.user_id for _, row in rows if row.user_id}),
        "emails": list({row.email for _, row in rows if row.email}),
    }
    return [KnownSeller(*row) for row in scope.session.execute(_PEOPLE, {"tenant_id": scope.tenant_id, **values})]


def _there(scope: Scope, said: Iterable[Line]) -> dict[str, Record]:
    ids = list({sale.external_id for _, sale in said if sale.external_id is not None})
    rows = scope.session.execute(_THERE, {"tenant_id": scope.tenant_id, "external_ids": ids}).mappings()
    return {row["external_id"]: dict(row) for row in rows}
