"""The row-at-a-time yardstick: one payslip per transaction, read by key, its formulas evaluated as text, by psycopg.

It writes the same payslips to the same tables. Peers do so through an ORM, which is slower still: docs/performance.md
has a recorded run.
"""

import time
from collections.abc import Callable, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, Self
from uuid import UUID

import psycopg

from infra.labs.bench.product import MONTH

# tables of which most employees have no row
RARE = ("payment_type_assignments", "payroll_amounts", "payroll_adjustments", "payout_destinations")
TOTALS = (
    "present_days",
    "od_days",
    "paid_leave_days",
    "lop_days",
    "absent_days",
    "holidays",
    "week_offs",
    "extra_days",
    "payable_shifts",
    "ot_hours",
    "late_count",
    "early_out_count",
)
CENT, ZERO = Decimal("0.01"), Decimal(0)
# the components of facts.sql as Python expressions
COMPONENTS = {
    "house_rent": "earned_salary * Decimal('0.5')",
    "transport": "Decimal('1200.00')",
    "overtime": "hourly_rate * ot_hours * 2",
    "attendance_bonus": "whole(base_salary * Decimal('0.05')) if absent_days == 0 and late_count <= 3 else 0",
    "provident_fund": "earned_salary * Decimal('0.1')",
    "employer_fund": "provident_fund",
    "gross": "earned_salary + house_rent + transport + overtime + attendance_bonus",
    "late_fine": "min(late_count // 3 * daily_rate, gross * Decimal('0.1'))",
    "income_tax": "bracket(gross)",
}
BRACKETS = [(Decimal(a), Decimal(r) / 100) for a, r in ((25000, 5), (33333, 10), (66667, 15), (100000, 20))]


def choose(admin_url: str, number: int) -> list[tuple[UUID, UUID]]:
    """Return a sample of employees."""
    with psycopg.connect(admin_url) as admin:
        return admin.execute(
            "select tenant_id, user_id from pay_registers order by md5(user_id::text) limit %s", [number]
        ).fetchall()


def rate(make: Callable[[UUID, UUID], None], people: Sequence[tuple[UUID, UUID]], *, warm: int) -> float:
    """Create payslips and return how many a second, after a warm-up."""
    began = time.perf_counter()
    for place, (tenant_id, user_id) in enumerate(people):
        if place == warm:
            began = time.perf_counter()
        make(tenant_id, user_id)
    return (len(people) - warm) / (time.perf_counter() - began)


class Clerk:
    """A connection of the application role that creates one payslip at a time."""

    def __init__(self, url: str) -> None:
        self._app = psycopg.connect(url, autocommit=True, prepare_threshold=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._app.close()

    def make(self, tenant_id: UUID, user_id: UUID) -> None:
        """Create a payslip, and delete the former one."""
        self._app.execute(f"begin; set local app.tenant_id = '{tenant_id}'".encode(), prepare=False)
        key = (tenant_id, user_id)
        run_id = self._one("select id from payroll_runs where tenant_id = %s", tenant_id)[0]
        self._one("select joined_on, left_on from employments where tenant_id = %s and user_id = %s", *key)
        days = self._one(_REGISTER, *key, MONTH)
        earned = self._one(
            "select earned from balances where tenant_id = %s and user_id = %s and month = %s", *key, MONTH
        )
        salary, frequency = self._one(_SALARY, *key)
        for rare in RARE:
            self._one(f"select * from {rare} where tenant_id = %s and user_id = %s", *key)
        columns = compute(salary, frequency, earned[0] if earned else ZERO, days)
        self._app.execute(
            "delete from payslips where tenant_id = %s and run_id = %s and user_id = %s", [tenant_id, run_id, user_id]
        )
        self._app.execute(_WRITE, [tenant_id, run_id, user_id, *columns.values()])
        self._app.execute("commit")

    def _one(self, query: str, *values: object) -> Any:
        return self._app.execute(query.encode(), values).fetchone()


def compute(salary: Decimal, frequency: str, earned: Decimal, days: Sequence[Any]) -> dict[str, Any]:
    """Evaluate the components as text, and return the payslip's columns in the order of _WRITE."""
    working, absent, hours, late = days[0], days[5], days[10], days[11]
    daily = salary if frequency == "daily" else salary / (5 if frequency == "weekly" else working)
    known: dict[str, Any] = {
        "base_salary": salary,
        "earned_salary": earned,
        "absent_days": absent,
        "ot_hours": hours,
        "late_count": late,
        "daily_rate": daily,
        "hourly_rate": daily / 9,
        "Decimal": Decimal,
        "whole": _whole,
        "bracket": _bracket,
    }
    for name, formula in COMPONENTS.items():
        known[name] = Decimal(eval(formula, {}, known)).quantize(CENT, ROUND_HALF_UP)  # noqa: S307 - our own words
    gross, taxes = known["gross"], known["income_tax"]
    deductions = known["provident_fund"] + known["late_fine"]
    return {
        "inputs": [salary, earned, *map(Decimal, days), daily / 9, daily, Decimal(1), None],
        "amounts": [known[name] for name in COMPONENTS if name != "gross"],
        "gross": gross,
        "deductions": deductions,
        "taxes": taxes,
        "benefits": known["employer_fund"],
        "net": gross - deductions - taxes,
    }


def _whole(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1), ROUND_HALF_UP)


def _bracket(amount: Decimal) -> Decimal:
    tax = ZERO
    for (since, rate), until in zip(BRACKETS, [*(since for since, _ in BRACKETS[1:]), amount], strict=True):
        tax += max(ZERO, min(amount, until) - since) * rate
    return tax.quantize(Decimal("1E-10"), ROUND_DOWN)


_REGISTER = f"""
    select days_in(working), {", ".join(TOTALS)} from pay_registers
    where tenant_id = %s and user_id = %s and month = %s"""
_SALARY = """
    select amount, frequency from salaries where tenant_id = %s and user_id = %s
    order by effective_from desc limit 1"""
_WRITE = """
    insert into payslips (tenant_id, run_id, user_id, currency, inputs, amounts, gross, deductions, taxes, benefits,
        net, calculated_at)
    values (%s, %s, %s, 'BDT', %s, %s, %s, %s, %s, %s, %s, now())"""
