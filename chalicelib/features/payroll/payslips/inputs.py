"""Inputs of a calculation: each employee's period in numbers, and the specifics that only some employees have."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, text

from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.features.payouts.delivery import providers
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope

_INPUTS = statement(__file__, "inputs")

# overrides in force at the end of the period
_ASSIGNMENTS = """
    select distinct on (user_id, type_id) user_id, type_id, applies, amount, percent
    from payment_type_assignments
    where tenant_id = :tenant_id and user_id {employees} and effective_from <= :end_on
      and (effective_to is null or effective_to >= :end_on)
      and (cast(:only as uuid[]) is null or user_id = any(:only))
    order by user_id, type_id, effective_from desc"""

# an amount of 0 was given and taken back
_AMOUNTS = """
    select user_id, type_id, amount from payroll_amounts
    where tenant_id = :tenant_id and run_id = :run_id and user_id {employees} and amount > 0
      and (cast(:only as uuid[]) is null or user_id = any(:only))"""

# open adjustments; then the negative pay of earlier runs, which is carried over
_ADJUSTMENTS = """
    select id, user_id, kind, amount, currency, reason from payroll_adjustments
    where tenant_id = :tenant_id and paid_at is null and effective_on <= :end_on and user_id {employees}
      and (cast(:only as uuid[]) is null or user_id = any(:only))
    order by user_id, id"""

_CARRIED = """
    select p.id, p.user_id, r.month, p.net, p.currency
    from payslips p
    join payroll_runs r on r.tenant_id = :tenant_id and r.id = p.run_id and r.approved_at is not null
    where p.tenant_id = :tenant_id and p.net < 0 and p.carried_into is null and p.user_id {employees}
      and p.run_id <> :run_id and (cast(:only as uuid[]) is null or p.user_id = any(:only))
    order by p.user_id, p.id"""

# of employees outside the period who are owed something
_CURRENCIES = text("""
    select distinct on (user_id) user_id, currency from salaries
    where tenant_id = :tenant_id and user_id = any(:user_ids) order by user_id, effective_from desc""")


@dataclass(frozen=True, slots=True)
class InputQuery:
    """Which inputs to load: of a run and period, for a range or list of employees, limited to those of the run."""

    run_id: UUID | None
    month: str
    employee_filter: EmployeeFilter
    only: Sequence[UUID] | None = None  # the employees of an off-cycle run
    previous_run_id: UUID | None = None

    def values(self, scope: Scope) -> dict[str, Any]:
        """Return the parameters that all statements of this module share."""
        period = scope.tenant.period(self.month)
        return {
            **self.employee_filter.values,
            "tenant_id": scope.tenant_id,
            "run_id": self.run_id,
            "month": self.month,
            "end_on": period.end,
            "only": None if self.only is None else list(self.only),
            "previous_run_id": self.previous_run_id,
        }


@dataclass(frozen=True, slots=True)
class ComponentOverride:
    """Whether a component applies to an employee, and the amount or percent in the place of its own."""

    user_id: UUID
    type_id: UUID
    applies: bool
    amount: Decimal | None
    percent: Decimal | None


@dataclass(frozen=True, slots=True)
class RunAmount:
    """The amount of a dynamic component for an employee in a run."""

    user_id: UUID
    type_id: UUID
    amount: Decimal


@dataclass(frozen=True, slots=True)
class OpenAdjustment:
    """An adjustment of an employee's pay that no run has paid."""

    id: UUID
    user_id: UUID
    kind: str
    amount: Decimal
    currency: str
    reason: str


@dataclass(frozen=True, slots=True)
class NegativePay:
    """An earlier payslip whose net is below 0 and that no run has deducted."""

    id: UUID
    user_id: UUID
    month: str
    net: Decimal
    currency: str


S = TypeVar("S", ComponentOverride, RunAmount, OpenAdjustment, NegativePay)


@dataclass(slots=True)
class EmployeeSpecifics:
    """What only some employees have, by employee."""

    assignments: dict[UUID, list[ComponentOverride]] = field(default_factory=dict)
    amounts: dict[UUID, list[RunAmount]] = field(default_factory=dict)
    adjustments: dict[UUID, list[OpenAdjustment]] = field(default_factory=dict)
    carried: dict[UUID, list[NegativePay]] = field(default_factory=dict)


def load_inputs(
    scope: Scope, *, query: InputQuery, pays_salary: bool = True, with_kpi: bool = True
) -> Sequence[Row[Any]]:
    """Read one row per employee of the period: user_id, currency, inputs, previous_net, has_bank_details.

    Ids and inputs stay text: most are only stored again.
    """
    policy = scope.tenant.policy
    values = {
        **query.values(scope),
        "currency": scope.tenant.currency,
        "week_days": 7 - len(scope.tenant.weekend),
        "full_day_minutes": policy.full_day_minutes,
        "pays_salary": pays_salary,
        "with_kpi": with_kpi,
        "needs_destination": providers.get_abilities(policy.payout_provider).needs_destination
        and not policy.manual_without_bank_account,
        "payable_kinds": providers.list_payable_kinds(policy.payout_provider),
    }
    return scope.session.execute(text(query.employee_filter.put_into(_INPUTS)), values).all()


def load_specifics(scope: Scope, *, query: InputQuery) -> EmployeeSpecifics:
    """Load overrides, amounts given for the run, open adjustments and negative pay to be carried over."""

    def by_employee(kind: type[S], statement: str) -> dict[UUID, list[S]]:
        rows_by_employee: dict[UUID, list[S]] = defaultdict(list)
        result = scope.session.execute(text(query.employee_filter.put_into(statement)), query.values(scope))
        for row in rows.every(kind, result):
            rows_by_employee[row.user_id].append(row)
        return rows_by_employee

    return EmployeeSpecifics(
        by_employee(ComponentOverride, _ASSIGNMENTS),
        by_employee(RunAmount, _AMOUNTS),
        by_employee(OpenAdjustment, _ADJUSTMENTS),
        by_employee(NegativePay, _CARRIED),
    )


def find_currencies(scope: Scope, user_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the currency of employees' pay; those without any salary are left out."""
    salaries = scope.session.execute(_CURRENCIES, {"tenant_id": scope.tenant_id, "user_ids": list(user_ids)})
    return {row.user_id: row.currency for row in salaries}


def parse_inputs(array_text: str) -> list[Decimal | None]:
    """Parse the text of a PostgreSQL array of numbers."""
    return [None if element == "NULL" else Decimal(element) for element in array_text[1:-1].split(",")]
