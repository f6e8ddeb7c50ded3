"""The demo's payroll: components, and the run of December 2025, calculated by one person and approved by another.

January is left to the reader, whose run then has an earlier one to compare with.
"""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.features.payroll.approval import actions as approval_actions
from chalicelib.features.payroll.components import actions as component_actions
from chalicelib.features.payroll.components.schemas import NewPaymentType
from chalicelib.features.payroll.documents import actions as document_actions
from chalicelib.features.payroll.runs import actions as run_actions
from chalicelib.features.payroll.runs.schemas import NewPayrollRun
from chalicelib.identity.permissions import Role
from chalicelib.identity.scope import Scope
from chalicelib.operators import scopes, work
from chalicelib.operators.demo.away import acting_as

MONTH = "2025-12"
TYPES: list[dict[str, Any]] = [
    {"name": "House rent", "category": "earning", "calculation": "percentage", "percent": 40, "base": "earned_salary"},
    {"name": "Conveyance", "category": "earning", "calculation": "fixed", "amount": "1000.00"},
    {"name": "Overtime", "category": "earning", "calculation": "formula", "formula": "ot_hours * hourly_rate * 2",
     "description": "Twice the hourly rate"},
    {"name": "Production bonus", "category": "earning", "calculation": "dynamic",
     "description": "Given for each person in each run"},
    {"name": "Provident fund", "category": "deduction", "calculation": "percentage", "percent": 5,
     "base": "earned_salary"},
    {"name": "Late fine", "category": "deduction", "calculation": "formula",
     "formula": "FLOOR(late_count / 3) * daily_rate / 2", "description": "Half a day's pay for every third late day"},
    {"name": "Income tax", "category": "tax", "calculation": "formula",
     "formula": "BRACKET(gross, 0, 0%, 30000, 5%, 60000, 10%, 100000, 15%)"},
    {"name": "Group insurance", "category": "benefit", "calculation": "fixed", "amount": "350.00"},
]  # fmt: skip


def load_payroll(tenant_id: UUID) -> int:
    """Load the components and December's run where missing, and return the number of payroll runs.

    Payslip files and notifications follow a minute later, when the sweeper finds their messages.
    """
    with scopes.operating(tenant_id, sends=False) as scope:
        scope.advisory_lock("demo load")
        if not _count(scope, "payment_types"):
            _define(scope)
        run_id = _calculate(scope) if not _count(scope, "payroll_runs") else None
    if run_id is not None:
        with scopes.operating(tenant_id, sends=False) as scope, acting_as(scope, "A001", Role.TENANT_ADMIN) as farhana:
            approval_actions.approve(farhana, run_id=run_id)
        work.process_here([message for message in scope.outgoing if message.queue != document_actions.QUEUE])
    with scopes.operating(tenant_id) as scope:
        return _count(scope, "payroll_runs")


def _define(scope: Scope) -> None:
    for component in TYPES:
        complete = {
            **component,
            "applies_to_all": component["calculation"] != "dynamic",
            "effective_from": "2025-12-01",
        }
        component_actions.add(scope, new=NewPaymentType.model_validate_json(json.dumps(complete)))


def _calculate(scope: Scope) -> UUID:
    with acting_as(scope, "A002", Role.HR) as salma:
        run = run_actions.create(salma, new=NewPayrollRun(month=MONTH))
        run_actions.request_calculation(salma, run_id=run.id)
    return run.id


def _count(scope: Scope, table: str) -> int:
    count: int = scope.session.execute(
        text(f"select count(*) from {table} where tenant_id = :tenant_id"), {"tenant_id": scope.tenant_id}
    ).scalar_one()
    return count
