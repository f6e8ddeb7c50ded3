"""The row-at-a-time way: one payslip per transaction, read by key, its formulas evaluated as text, written; by hand.

It makes the same payslips on the same tables; peers do so through an ORM, which would be slower still.
"""

import time
from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, Self
from uuid import UUID

import psycopg

from infra.bench.product import MONTH

CENT, ZERO = Decimal("0.01"), Decimal(0)
# the components of facts.sql, in the words of Python
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
    """This will choose people from all over."""
    with psycopg.connect(admin_url) as admin:
        return admin.execute(
            "select tenant_id, user_id from pay_registers order by md5(user_id::text) limit %s", [number]
        ).fetchall()


class Clerk:
    """One connection of the application role that makes one payslip at a time."""

    def __init__(self, url: str) -> None:
        self._app = psycopg.connect(url, autocommit=True, prepare_threshold=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._app.close()

    def rate(self, people: Sequence[tuple[UUID, UUID]], *, warm: int) -> float:
        """This will make payslips and give how many a second it was, after a few that do not count."""
        began = time.perf_counter()
        for place, (tenant_id, user_id) in enumerate(people):
            if place == warm:
                began = time.perf_counter()
            self.make(tenant_id, user_id)
        return (len(people) - warm) / (time.perf_counter() - began)

    def make(self, tenant_id: UUID, user_id: UUID) -> None:
        """This will make one payslip in the place of the one there was."""
        self._app.execute(f"begin; set local app.tenant_id = '{tenant_id}'".encode(), prepare=False)
        key = (tenant_id, user_id)
        run_id = self._one("select id from payroll_runs where tenant_id = %s", tenant_id)[0]
        self._one("select joined_on, left_on from employments where tenant_id = %s and user_id = %s", *key)
        days = self._one(_REGISTER, *key, MONTH)
        working, absent, hours, late = days[0], days[5], days[10], days[11]
        earned = self._one("select earned from balances where tenant_id = %s and user_id = %s and month = %s",
                           *key, MONTH)  # fmt: skip
        salary, frequency = self._one(_SALARY, *key)
        for rare in _RARE:  # what most have none of, and nobody knows before having looked
            self._one(rare, *key)
        daily = salary if frequency == "daily" else salary / (5 if frequency == "weekly" else working)
        known: dict[str, Any] = {
            "base_salary": salary, "earned_salary": earned[0] if earned else ZERO, "absent_days": absent,
            "ot_hours": hours, "late_count": late, "daily_rate": daily, "hourly_rate": daily / 9,
            "Decimal": Decimal, "whole": _whole, "bracket": _bracket,
        }  # fmt: skip
        for name, said in COMPONENTS.items():
            known[name] = Decimal(eval(said, {}, known)).quantize(CENT, ROUND_HALF_UP)  # noqa: S307 - our own words
        gross, tax = known["gross"], known["income_tax"]
        deductions = known["provident_fund"] + known["late_fine"]
        amounts = [known[name] for name in COMPONENTS if name != "gross"]
        self._app.execute("delete from payslips where tenant_id = %s and run_id = %s and user_id = %s",
                          [tenant_id, run_id, user_id])  # fmt: skip
        net = gross - deductions - tax
        inputs = [salary, known["earned_salary"], *map(Decimal, days), daily / 9, daily, Decimal(1), None]
        self._app.execute(_WRITE, [tenant_id, run_id, user_id, inputs, amounts, gross, deductions, tax,
                                   known["employer_fund"], net])  # fmt: skip
        self._app.execute("commit")

    def _one(self, query: str, *values: object) -> Any:
        return self._app.execute(query.encode(), values).fetchone()


def _whole(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1), ROUND_HALF_UP)


def _bracket(amount: Decimal) -> Decimal:
    tax = ZERO
    for (since, rate), until in zip(BRACKETS, [*(since for since, _ in BRACKETS[1:]), amount], strict=True):
        tax += max(ZERO, min(amount, until) - since) * rate
    return tax.quantize(Decimal("1E-10"), ROUND_DOWN)


_RARE = (
    "select type_id, amount from payment_type_assignments where tenant_id = %s and user_id = %s",
    "select type_id, amount from payroll_amounts where tenant_id = %s and user_id = %s",
    "select amount from payroll_adjustments where tenant_id = %s and user_id = %s and paid_at is null",
    "select net from payslips where tenant_id = %s and user_id = %s and net < 0 and carried_into is null",
    "select kind from payout_destinations where tenant_id = %s and user_id = %s and superseded_at is null",
)
_REGISTER = """
    select days_in(working), present_days, od_days, paid_leave_days, lop_days, absent_days, holidays, week_offs,
        extra_days, payable_shifts, ot_hours, late_count, early_out_count
    from pay_registers
    where tenant_id = %s and user_id = %s and month = %s"""
_SALARY = """
    select amount, frequency from salaries where tenant_id = %s and user_id = %s
    order by effective_from desc limit 1"""
_WRITE = """
    insert into payslips (tenant_id, run_id, user_id, currency, inputs, amounts, gross, deductions, taxes, benefits,
        net, calculated_at)
    values (%s, %s, %s, 'BDT', %s, %s, %s, %s, %s, %s, %s, now())"""
