"""Arrears: what periods that were paid already are worth more or less, now that their facts have changed.

A period is paid anew as if: its register, balance and payslip are computed from today's facts under that period's own
plan (settings, policy, component versions, overrides), looked at, and taken back by a savepoint, so that the locked
register and the payslip stay what they were. What comes of it, arrears_lines compares with all that was paid for the
period, arrears of earlier runs included; computing it again therefore adds nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from chalicelib import formulas
from chalicelib.backing.database import force_custom_plans
from chalicelib.features.attendance.records import actions as attendance
from chalicelib.features.pay_register.projection import drop_rows, project
from chalicelib.features.payroll.payslips import inputs
from chalicelib.features.payroll.payslips.adjustment_lines import OneOff
from chalicelib.features.payroll.payslips.arrears_lines import NOTHING, Amounts, Differences
from chalicelib.features.payroll.payslips.evaluation import ZERO, Calculator, Choice
from chalicelib.features.payroll.payslips.inputs import Rare, Which
from chalicelib.features.payroll.runs.snapshot import CalculationSnapshot
from chalicelib.features.periods.windows import EmployeeFilter, window_of
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

# The days of a period, and of the pay weeks at its edges, whose facts changed after it was locked: one row per person
# and day. Another employment concerns every day from its own on.
_CORRECTED_DAYS = text("""
    select distinct u.user_id, d.day::date as day
    from late_corrections c
    join unnest(cast(:user_ids as uuid[])) u (user_id) on c.user_id = u.user_id or c.user_id is null
    cross join lateral generate_series(
        c.day, case c.what when 'employment' then cast(:tail_on as date) else c.day end, interval '1 day') d (day)
    where c.tenant_id = :tenant_id and c.month = :month and d.day between :lead_on and :tail_on""")

# One row each of some people who have a payslip of the period; `adjustments` raised the gross that its formulas took.
_PAID = """
    select p.user_id, p.currency, p.inputs::text as inputs, p.amounts, p.given, coalesce(o.amount, 0) as adjustments
    from payslips p
    left join lateral (
        select sum(x.amount) as amount from payslip_one_offs x
        where x.tenant_id = :tenant_id and x.run_id = p.run_id and x.user_id = p.user_id
          and x.kind = 'adjustment' and x.category = 'earning'
    ) o on true
    where p.tenant_id = :tenant_id and p.run_id = :run_id and p.user_id {employees}"""

# One row per person and component: what approved runs have paid since as arrears of the period. A line of before
# December 2026 has no component; what it was made of stands in its parts.
_PAID_SINCE = """
    select o.user_id, part.code, sum(part.amount) as amount, max(p.currency) as currency
    from payslip_one_offs o
    join payroll_runs r on r.tenant_id = :tenant_id and r.id = o.run_id and r.approved_at is not null
    join payslips p on p.tenant_id = :tenant_id and p.run_id = o.run_id and p.user_id = o.user_id
    cross join lateral (
        select o.code, o.amount where o.code is not null
        union all
        select key, value::numeric from jsonb_each_text(o.parts) where o.code is null
    ) part
    where o.tenant_id = :tenant_id and o.kind = 'arrears' and o.month = :month and o.user_id {employees}
    group by o.user_id, part.code"""

# For whom a paid period may be worth something: employed in it by now, paid by its run, or by a later one for it.
_OF_THE_PERIOD = """
    select user_id from employments
    where tenant_id = :tenant_id and user_id {employees} and joined_on <= :end_on
      and (left_on is null or left_on >= :start_on)
    union
    select user_id from payslips where tenant_id = :tenant_id and run_id = :run_id and user_id {employees}
    union
    select user_id from payslip_one_offs
    where tenant_id = :tenant_id and kind = 'arrears' and month = :month and user_id {employees}"""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A paid period with corrections, and whom they concern (None: everybody)."""

    run_id: UUID
    month: str
    plan: CalculationSnapshot
    user_ids: Sequence[UUID] | None


def corrected_periods(scope: Scope) -> list[Corrected]:
    """List the paid periods whose facts have changed since, earliest first."""
    rows = scope.session.execute(_MONTHS, {"tenant_id": scope.tenant_id})
    return [
        Corrected(row.id, row.month, CalculationSnapshot.from_json(row.plan), None if row.everybody else row.user_ids)
        for row in rows
    ]


def compute(
    scope: Scope, *, employee_filter: EmployeeFilter, only: Sequence[UUID] | None, periods: Sequence[Corrected]
) -> dict[UUID, list[tuple[str, OneOff]]]:
    """Return the arrears of some people, each with its currency, by person and earliest period first."""
    found: dict[UUID, list[tuple[str, OneOff]]] = defaultdict(list)
    for period in periods:
        concerned = _concerned(scope, period, employee_filter=employee_filter, only=only)
        if concerned:
            for user_id, currency, line in _of_period(scope, period, user_ids=concerned):
                found[user_id].append((currency, line))
    return found


def _concerned(
    scope: Scope, period: Corrected, *, employee_filter: EmployeeFilter, only: Sequence[UUID] | None
) -> list[UUID]:
    days = period.plan.scope(scope).tenant.period(period.month)
    values = {
        **employee_filter.values,
        "tenant_id": scope.tenant_id,
        "run_id": period.run_id,
        "month": period.month,
        "start_on": days.start,
        "end_on": days.end,
    }
    rows = scope.session.execute(text(employee_filter.put_into(_OF_THE_PERIOD)), values).scalars()
    wanted = None if period.user_ids is None else set(period.user_ids)
    return sorted(
        user_id for user_id in rows if (wanted is None or user_id in wanted) and (only is None or user_id in only)
    )


def _of_period(scope: Scope, period: Corrected, *, user_ids: list[UUID]) -> Iterator[tuple[UUID, str, OneOff]]:
    then = period.plan.scope(scope)
    employee_filter = EmployeeFilter.these(user_ids)
    values = {**employee_filter.values, "tenant_id": scope.tenant_id, "run_id": period.run_id, "month": period.month}
    paid = {row.user_id: row for row in scope.session.execute(text(employee_filter.put_into(_PAID)), values)}
    since: dict[UUID, dict[str, Decimal]] = defaultdict(dict)
    currencies: dict[UUID, str] = {}
    for part in scope.session.execute(text(employee_filter.put_into(_PAID_SINCE)), values):
        since[part.user_id][part.code] = part.amount
        currencies[part.user_id] = part.currency
    which = Which(period.run_id, period.month, employee_filter)
    with _as_if(then, period.month, user_ids):
        rows = inputs.gather(then, which=which, with_kpi=period.plan.uses("kpi_score"))
        rare = inputs.gather_rare(then, which=which)
    now = {UUID(row.user_id): row for row in rows}
    currencies |= {user_id: row.currency for user_id, row in (now | paid).items()}  # as they were paid, if they were
    repricing = _Repricing(period, rare)
    with formulas.exactly():
        for user_id in user_ids:
            if (currency := currencies.get(user_id)) is not None:
                was, row = paid.get(user_id), now.get(user_id)
                for line in repricing.lines(user_id, currency, was, row, since[user_id]):
                    yield user_id, currency, line


class _Repricing:
    """A paid period made ready to be computed anew, person by person, inside `formulas.exactly()`."""

    def __init__(self, period: Corrected, rare: Rare) -> None:
        self._plan = period.plan
        self._rare = rare
        self._differences = Differences(period.plan, month=period.month)
        self._calculators: dict[str, Calculator] = {}

    def lines(
        self, user_id: UUID, currency: str, was: Row[Any] | None, row: Row[Any] | None, since: Mapping[str, Decimal]
    ) -> list[OneOff]:
        """Return a person's arrears lines: `was` is their payslip, `row` their inputs by now, either may be None."""
        before = Amounts(inputs.values_of(was.inputs), was.amounts) if was is not None else NOTHING
        return self._differences.lines(before, since, self._pay(user_id, currency, was, row))

    def _pay(self, user_id: UUID, currency: str, was: Row[Any] | None, row: Row[Any] | None) -> Amounts:
        if (calculator := self._calculators.get(currency)) is None:
            calculator = self._calculators[currency] = Calculator(self._plan, currency=currency)
        if was is not None:
            choice = Choice.from_payslip(self._plan, was.amounts, was.given)
        else:
            choice = calculator.choose(assignments=self._rare.assignments.get(user_id, ()), amounts=())
        if row is None:  # not employed in the period: what was given for the run is theirs, and nothing else
            choice = choice.only_dynamic(self._plan)
        numbers = inputs.values_of(row.inputs) if row is not None else [ZERO] * len(self._plan.inputs)
        pay = calculator.pay(choice, numbers, adjustments=was.adjustments if was is not None else ZERO)
        return Amounts(numbers, pay.amounts)


@contextmanager
def _as_if(then: Scope, month: str, user_ids: list[UUID]) -> Iterator[None]:
    """Compute the period anew for the time of the block, as if it were not locked."""
    window, employee_filter = window_of(then, month), EmployeeFilter.these(user_ids)
    then.session.exec_driver_sql("savepoint as_if")
    try:
        # Attendance that came late was decided under the policy of today, and is decided under that of the period. The
        # other days keep what was decided when they were paid, under the rules of that time.
        corrected = then.session.execute(
            _CORRECTED_DAYS,
            {
                "tenant_id": then.tenant_id,
                "month": month,
                "user_ids": user_ids,
                "lead_on": window.lead_on,
                "tail_on": window.tail_on,
            },
        )
        attendance.decide_pairs(then, pairs=[(row.user_id, row.day) for row in corrected])
        drop_rows(then, window=window, employee_filter=employee_filter)
        project(then, window=window, employee_filter=employee_filter, as_of=window.period.end)
        force_custom_plans(then.session)
        yield
    finally:
        then.session.exec_driver_sql("rollback to savepoint as_if; release savepoint as_if")
