"""Arrears: what periods that were paid already are worth more or less, now that their facts have changed.

A period is paid anew as if: its register, balance and payslip are computed from today's facts under that period's own
plan (settings, policy, component versions, overrides), looked at, and taken back by a savepoint, so that the locked
register and the payslip stay what they were. The line is the difference to all that was paid for the period, arrears
of earlier runs included; computing it again therefore adds nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from chalicelib import formulas
from chalicelib.backing.database import plan_anew
from chalicelib.features.attendance import actions as attendance
from chalicelib.features.pay_register.projection import leave_out, project
from chalicelib.features.payroll import inputs
from chalicelib.features.payroll.evaluating import ZERO, Calculator, Choice, Pay
from chalicelib.features.payroll.inputs import Which
from chalicelib.features.payroll.one_offs import OneOff, signed
from chalicelib.features.payroll.plan import Plan
from chalicelib.features.payroll.rules import OneOffKind
from chalicelib.features.tenants.windows import Among, window_of
from chalicelib.identity.scope import Scope

# Corrections that no approved run has paid yet, in the periods that regular runs have paid.
_MONTHS = text("""
    select r.id, r.month, r.plan, array_agg(distinct c.user_id) filter (where c.user_id is not null) as user_ids,
        bool_or(c.user_id is null) as everybody
    from late_corrections c
    join payroll_runs r on r.tenant_id = :tenant_id and r.month = c.month and r.kind = 'regular'
        and r.approved_at is not null
    where c.tenant_id = :tenant_id and (c.settled_at is null or c.noted_at > c.settled_at)
    group by r.id, r.month, r.plan
    order by r.month""")

# Everybody of some people who was paid for the period, or is in it by now: one row each, with what was paid for it.
_PAID = """
    select p.user_id, p.id, p.currency, p.inputs::text as inputs, p.amounts, p.given, p.gross, p.deductions, p.taxes,
        coalesce(own.earnings, 0) as earnings, coalesce(own.deducted, 0) as deducted,
        coalesce(own.adjustments, 0) as adjustments
    from payslips p
    left join lateral (
        -- its lines that no component made are not what the period is worth
        select sum(o.amount) filter (where o.category = 'earning') as earnings,
            sum(o.amount) filter (where o.category = 'deduction') as deducted,
            sum(o.amount) filter (where o.category = 'earning' and o.kind = 'adjustment') as adjustments
        from payslip_one_offs o
        where o.tenant_id = :tenant_id and o.run_id = p.run_id and o.user_id = p.user_id
    ) own on true
    where p.tenant_id = :tenant_id and p.run_id = :run_id and p.user_id {among}"""

_PAID_SINCE = """
    select o.user_id, sum(o.gross) as gross, sum(o.deductions) as deductions, sum(o.taxes) as taxes
    from payslip_one_offs o
    join payroll_runs r on r.tenant_id = :tenant_id and r.id = o.run_id and r.approved_at is not null
    where o.tenant_id = :tenant_id and o.kind = 'arrears' and o.month = :month and o.user_id {among}
    group by o.user_id"""

_EMPLOYED = """
    select user_id from employments
    where tenant_id = :tenant_id and user_id {among} and joined_on <= :end_on
      and (left_on is null or left_on >= :start_on)"""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A paid period with corrections, and whom they concern (None: everybody)."""

    run_id: UUID
    month: str
    plan: Plan
    user_ids: Sequence[UUID] | None


def corrected_periods(scope: Scope) -> list[Corrected]:
    """This will list the paid periods whose facts have changed since, earliest first."""
    rows = scope.session.execute(_MONTHS, {"tenant_id": scope.tenant_id})
    return [
        Corrected(row.id, row.month, Plan.from_json(row.plan), None if row.everybody else row.user_ids) for row in rows
    ]


def compute(
    scope: Scope, *, among: Among, only: Sequence[UUID] | None, periods: Sequence[Corrected]
) -> dict[UUID, list[tuple[str, OneOff]]]:
    """This will give the arrears of some people, each with its currency, by person and earliest period first."""
    found: dict[UUID, list[tuple[str, OneOff]]] = defaultdict(list)
    for period in periods:
        concerned = _concerned(scope, period, among=among, only=only)
        if concerned:
            for user_id, currency, line in _of_period(scope, period, user_ids=concerned):
                found[user_id].append((currency, line))
    return found


def _concerned(scope: Scope, period: Corrected, *, among: Among, only: Sequence[UUID] | None) -> list[UUID]:
    days = scope.tenant.period(period.month)
    values = {
        **among.values,
        "tenant_id": scope.tenant_id,
        "run_id": period.run_id,
        "start_on": days.start,
        "end_on": days.end,
    }
    there = f"{among.put_into(_EMPLOYED)} union select user_id from payslips p"
    there += f" where tenant_id = :tenant_id and run_id = :run_id and user_id {among.condition}"
    rows = scope.session.execute(text(there), values).scalars()
    wanted = None if period.user_ids is None else set(period.user_ids)
    return sorted(
        user_id for user_id in rows if (wanted is None or user_id in wanted) and (only is None or user_id in only)
    )


def _of_period(scope: Scope, period: Corrected, *, user_ids: list[UUID]) -> Iterator[tuple[UUID, str, OneOff]]:
    then = period.plan.scope(scope)
    among = Among.these(user_ids)
    values = {**among.values, "tenant_id": scope.tenant_id, "run_id": period.run_id, "month": period.month}
    paid = {row.user_id: row for row in scope.session.execute(text(among.put_into(_PAID)), values)}
    since = {row.user_id: row for row in scope.session.execute(text(among.put_into(_PAID_SINCE)), values)}
    which = Which(period.run_id, period.month, among)
    with _as_if(then, period.month, user_ids):
        rows = inputs.gather(then, which=which, with_kpi=period.plan.uses("kpi_score"))
        rare = inputs.gather_rare(then, which=which)
    now = {UUID(row.user_id): row for row in rows}
    calculators: dict[str, Calculator] = {}
    with formulas.exactly():
        for user_id in user_ids:
            was, row = paid.get(user_id), now.get(user_id)
            if was is None and row is None:
                continue
            currency = was.currency if was is not None else row.currency  # type: ignore[union-attr]  # one is there
            calculator = calculators.get(currency) or calculators.setdefault(
                currency, Calculator(period.plan, currency=currency)
            )
            if row is None:  # by now they were not employed in the period at all
                pay, numbers = Pay([None] * len(period.plan.components), [], ZERO, ZERO, ZERO, ZERO), []
            else:
                numbers = inputs.values_of(row.inputs)
                if was is not None:
                    choice = Choice.from_payslip(period.plan, was.amounts, was.given)
                else:
                    choice = calculator.choose(assignments=rare.assignments.get(user_id, ()), amounts=())
                pay = calculator.pay(choice, numbers, adjustments=was.adjustments if was is not None else ZERO)
            line = _line(period, was, since.get(user_id), pay, numbers)
            if line is not None:
                yield user_id, currency, line


def _line(
    period: Corrected, was: Row[Any] | None, since: Row[Any] | None, pay: Pay, numbers: Sequence[Decimal | None]
) -> OneOff | None:
    gross = pay.gross - (since.gross if since else 0) - (was.gross - was.earnings if was else 0)
    deductions = pay.deductions - (since.deductions if since else 0) - (was.deductions - was.deducted if was else 0)
    taxes = pay.taxes - (since.taxes if since else 0) - (was.taxes if was else 0)
    if gross == deductions == taxes == 0:
        return None
    return signed(
        OneOffKind.ARREARS,
        f"Arrears {period.month}",
        gross - deductions - taxes,
        month=period.month,
        gross=gross,
        deductions=deductions,
        taxes=taxes,
        detail={
            "inputs": _changes(period.plan.inputs, inputs.values_of(was.inputs) if was else [], numbers),
            "components": _changes(
                [component.code for component in period.plan.components], was.amounts if was else [], pay.amounts
            ),
        },
    )


def _changes(names: Sequence[str], before: Sequence[Decimal | None], now: Sequence[Decimal | None]) -> dict[str, Any]:
    pairs = zip(names, before or [None] * len(names), now or [None] * len(names), strict=True)
    return {
        name: {"was": None if was is None else str(was), "now": None if new is None else str(new)}
        for name, was, new in pairs
        if was != new
    }


@contextmanager
def _as_if(then: Scope, month: str, user_ids: list[UUID]) -> Iterator[None]:
    """This will compute the period anew for the time of the block, as if it were not locked."""
    window, among = window_of(then, month), Among.these(user_ids)
    then.session.exec_driver_sql("savepoint as_if")
    try:
        # attendance that came late was decided under the policy of today
        days = [window.lead_on + timedelta(days=n) for n in range((window.tail_on - window.lead_on).days + 1)]
        attendance.decide_pairs(then, pairs=[(user_id, day) for user_id in user_ids for day in days])
        leave_out(then, window=window, among=among)
        project(then, window=window, among=among, as_of=window.period.end)
        plan_anew(then.session)
        yield
    finally:
        then.session.exec_driver_sql("rollback to savepoint as_if; release savepoint as_if")
