"""What a run computes from: each person's period in numbers, and the things that concern only some people."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from chalicelib.backing.database import statement
from chalicelib.features.payouts.delivery import providers
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope

_GATHER = statement(__file__, "gather")

# overrides in force at the end of the period
_ASSIGNMENTS = """
    select distinct on (user_id, type_id) user_id, type_id, applies, amount, percent
    from payment_type_assignments
    where tenant_id = :tenant_id and user_id {employees} and effective_from <= :end_on
      and (effective_to is null or effective_to >= :end_on)
      and (cast(:only as uuid[]) is null or user_id = any(:only))
    order by user_id, type_id, effective_from desc"""

# one of 0 was given and taken away again
_AMOUNTS = """
    select user_id, type_id, amount from payroll_amounts
    where tenant_id = :tenant_id and run_id = :run_id and user_id {employees} and amount > 0
      and (cast(:only as uuid[]) is null or user_id = any(:only))"""

# what is to be paid once, and what earlier runs could not deduct
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

# of people who are not in the period, and are owed something all the same
_CURRENCIES = text("""
    select distinct on (user_id) user_id, currency from salaries
    where tenant_id = :tenant_id and user_id = any(:user_ids) order by user_id, effective_from desc""")


@dataclass(frozen=True, slots=True)
class Which:
    """Whose inputs of which run: a range or list of people, kept to those that the run is for."""

    run_id: UUID | None
    month: str
    employee_filter: EmployeeFilter
    only: Sequence[UUID] | None = None  # of an off-cycle run: whom it is for
    previous_run_id: UUID | None = None

    def values(self, scope: Scope) -> dict[str, Any]:
        """Return the parameters that every statement here takes from."""
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


@dataclass(slots=True)
class Rare:
    """What concerns only some people, by person."""

    assignments: dict[UUID, list[Row[Any]]] = field(default_factory=dict)
    amounts: dict[UUID, list[Row[Any]]] = field(default_factory=dict)
    adjustments: dict[UUID, list[Row[Any]]] = field(default_factory=dict)
    carried: dict[UUID, list[Row[Any]]] = field(default_factory=dict)


def gather(scope: Scope, *, which: Which, pays_salary: bool = True, with_kpi: bool = True) -> Sequence[Row[Any]]:
    """Read one row per employee of the period: user_id, currency, inputs, previous_net, has_bank_details.

    Ids and inputs stay text: most are only handed on.
    """
    policy = scope.tenant.policy
    values = {
        **which.values(scope),
        "currency": scope.tenant.currency,
        "week_days": 7 - len(scope.tenant.weekend),
        "full_day_minutes": policy.full_day_minutes,
        "pays_salary": pays_salary,
        "with_kpi": with_kpi,
        "needs_destination": providers.get_abilities(policy.payout_provider).needs_destination
        and not policy.manual_without_bank_account,
        "payable_kinds": providers.list_payable_kinds(policy.payout_provider),
    }
    return scope.session.execute(text(which.employee_filter.put_into(_GATHER)), values).all()


def gather_rare(scope: Scope, *, which: Which) -> Rare:
    """Read overrides, amounts given for the run, adjustments to be paid and nets to be made up for."""

    def by_person(statement: str) -> dict[UUID, list[Row[Any]]]:
        found = defaultdict(list)
        for row in scope.session.execute(text(which.employee_filter.put_into(statement)), which.values(scope)):
            found[row.user_id].append(row)
        return found

    return Rare(by_person(_ASSIGNMENTS), by_person(_AMOUNTS), by_person(_ADJUSTMENTS), by_person(_CARRIED))


def find_currencies(scope: Scope, user_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return in which currency people are paid; who never had a salary is left out."""
    rows = scope.session.execute(_CURRENCIES, {"tenant_id": scope.tenant_id, "user_ids": list(user_ids)})
    return {row.user_id: row.currency for row in rows}


def values_of(inputs: str) -> list[Decimal | None]:
    """Read a PostgreSQL array of numbers."""
    return [None if said == "NULL" else Decimal(said) for said in inputs[1:-1].split(",")]
