"""Reads that approving a run depends on."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chalicelib.features.payroll.components.categories import CATEGORIES
from chalicelib.features.payroll.runs import queries as run_queries
from chalicelib.features.payroll.runs import summaries
from chalicelib.features.payroll.runs.run_rows import PayrollRunRow
from chalicelib.identity.scope import Scope
from chalicelib.kernel.money import rounded

_SUMMED = (*(rule.total for rule in CATEGORIES if rule.sign), "net", "pays", "carried")


def get_run(scope: Scope, run_id: UUID) -> PayrollRunRow:
    """Read one run and keep others from changing it until this transaction ends."""
    return run_queries.get_run(scope, run_id, lock=True)


def sum_payslips(scope: Scope, run_id: UUID) -> list[Mapping[str, Any]]:
    """Sum up a run's payslips: per currency, how many there are, and the totals that are in the net."""
    rows = scope.session.execute(summaries.select_totals(scope, run_id)).mappings()
    return [
        {
            "currency": row["currency"],
            "payslips": row["payslips"],
            **{name: rounded(row[name], row["currency"]) for name in _SUMMED},
        }
        for row in rows
    ]
