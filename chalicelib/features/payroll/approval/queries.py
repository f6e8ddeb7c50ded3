"""Reads that approving a run depends on."""

from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import Record
from chalicelib.entry.get_or_404 import get_row
from chalicelib.features.payroll.runs.models import payroll_runs
from chalicelib.identity.scope import Scope
from chalicelib.kernel.money import rounded

_TOTALS = text("""
    select currency, count(*) as payslips, sum(gross) as gross, sum(deductions) as deductions, sum(taxes) as taxes,
        sum(net) as net, sum(greatest(net, 0)) as pays, sum(greatest(-net, 0)) as carried
    from payslips where tenant_id = :tenant_id and run_id = :run_id
    group by currency order by currency""")
_SUMMED = ("gross", "deductions", "taxes", "net", "pays", "carried")


def get_run(scope: Scope, run_id: UUID) -> Record:
    """Read one run and keep others from changing it until this transaction ends."""
    return get_row(scope, payroll_runs, run_id, what="payroll run", lock=True)


def sum_payslips(scope: Scope, run_id: UUID) -> list[Record]:
    """Sum up a run's payslips: one row per currency."""
    rows = scope.session.execute(_TOTALS, {"tenant_id": scope.tenant_id, "run_id": run_id}).mappings()
    return [{**row, **{name: rounded(row[name], row["currency"]) for name in _SUMMED}} for row in rows]
