"""Arrears (retroactive pay): the differences of paid periods whose facts have changed since.

A paid period is recalculated inside a savepoint, which is rolled back: register, balance and inputs are computed from
today's facts under the period's own snapshot (settings, policy, component versions, overrides), so the locked register
and the payslip stay as they are. arrears_lines compares the result with everything paid for the period, arrears of
earlier runs included; calculating them again therefore adds nothing.
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
from chalicelib.features.payroll.payslips.adjustment_lines import OneOffLine
from chalicelib.features.payroll.payslips.arrears_lines import NO_PAYSLIP, ArrearsComparison, PeriodAmounts
from chalicelib.features.payroll.payslips.evaluation import ZERO, AppliedComponents, Calculator
from chalicelib.features.payroll.payslips.inputs import EmployeeSpecifics, InputQuery
from chalicelib.features.payroll.runs.snapshot import CalculationSnapshot
from chalicelib.features.periods.windows import EmployeeFilter, window_of
from chalicelib.identity.scope import Scope

# Late corrections that no approved run has settled, by period that a regular run has paid.
_CORRECTED_PERIODS = text("""
    select r.id, r.month, r.plan, array_agg(distinct c.user_id) filter (where c.user_id is not null) as user_ids,
        bool_or(c.user_id is null) as everybody
    from late_corrections c
    join payroll_runs r on r.tenant_id = :tenant_id and r.month = c.month and r.kind = 'regular'
        and r.approved_at is not null
    where c.tenant_id = :tenant_id and (c.settled_at is null or c.noted_at > c.settled_at)
    group by r.id, r.month, r.plan
    order by r.month""")

# The days of a period, and of the pay weeks at its edges, whose facts changed after it was locked: one row per employee
# and day. A changed employment concerns every day from its own on.
_CORRECTED_DAYS = text("""
    select distinct u.user_id, d.day::date as day
    from late_corrections c
    join unnest(cast(:user_ids as uuid[])) u (user_id) on c.user_id = u.user_id or c.user_id is null
    cross join lateral generate_series(
        c.day, case c.what when 'employment' then cast(:tail_on as date) else c.day end, interval '1 day') d (day)
    where c.tenant_id = :tenant_id and c.month = :month and d.day between :lead_on and :tail_on""")

# One row per employee with a payslip of the period; `adjustments` were in the gross that its formulas used.
_PAYSLIPS = """
    select p.user_id, p.currency, p.inputs::text as inputs, p.amounts, p.given, coalesce(o.amount, 0) as adjustments
    from payslips p
    left join lateral (
        select sum(x.amount) as amount from payslip_one_offs x
        where x.tenant_id = :tenant_id and x.run_id = p.run_id and x.user_id = p.user_id
          and x.kind = 'adjustment' and x.category = 'earning'
    ) o on true
    where p.tenant_id = :tenant_id and p.run_id = :run_id and p.user_id {employees}"""

# One row per employee and component: the arrears of the period that approved runs have paid since. Lines from before
# December 2026 have no component but `parts`.
_ARREARS_PAID = """
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

# Employees whom a paid period may concern: employed in it by today's facts, paid by its run, or paid arrears of it.
_CANDIDATES = """
    select user_id from employments
    where tenant_id = :tenant_id and user_id {employees} and joined_on <= :end_on
      and (left_on is null or left_on >= :start_on)
    union
    select user_id from payslips where tenant_id = :tenant_id and run_id = :run_id and user_id {employees}
    union
    select user_id from payslip_one_offs
    where tenant_id = :tenant_id and kind = 'arrears' and month = :month and user_id {employees}"""


@dataclass(frozen=True, slots=True)
class CorrectedPeriod:
    """A paid period with late corrections, and the employees they concern (None: all)."""

    run_id: UUID
    month: str
    snapshot: CalculationSnapshot
    user_ids: Sequence[UUID] | None


def load_corrected_periods(scope: Scope) -> list[CorrectedPeriod]:
    """List the paid periods whose facts have changed since, earliest first."""
    rows = scope.session.execute(_CORRECTED_PERIODS, {"tenant_id": scope.tenant_id})
    return [
        CorrectedPeriod(
            row.id, row.month, CalculationSnapshot.from_json(row.plan), None if row.everybody else row.user_ids
        )
        for row in rows
    ]


def compute(
    scope: Scope, *, employee_filter: EmployeeFilter, only: Sequence[UUID] | None, periods: Sequence[CorrectedPeriod]
) -> dict[UUID, list[tuple[str, OneOffLine]]]:
    """Return arrears lines with their currencies by employee, the earliest period first."""
    lines_by_employee: dict[UUID, list[tuple[str, OneOffLine]]] = defaultdict(list)
    for period in periods:
        concerned = _load_concerned_employees(scope, period, employee_filter=employee_filter, only=only)
        if concerned:
            for user_id, currency, line in _calculate_period(scope, period, user_ids=concerned):
                lines_by_employee[user_id].append((currency, line))
    return lines_by_employee


def _load_concerned_employees(
    scope: Scope, period: CorrectedPeriod, *, employee_filter: EmployeeFilter, only: Sequence[UUID] | None
) -> list[UUID]:
    days = period.snapshot.scope(scope).tenant.period(period.month)
    values = {
        **employee_filter.values,
        "tenant_id": scope.tenant_id,
        "run_id": period.run_id,
        "month": period.month,
        "start_on": days.start,
        "end_on": days.end,
    }
    rows = scope.session.execute(text(employee_filter.put_into(_CANDIDATES)), values).scalars()
    corrected_ids = None if period.user_ids is None else set(period.user_ids)
    return sorted(
        user_id
        for user_id in rows
        if (corrected_ids is None or user_id in corrected_ids) and (only is None or user_id in only)
    )


def _calculate_period(
    scope: Scope, period: CorrectedPeriod, *, user_ids: list[UUID]
) -> Iterator[tuple[UUID, str, OneOffLine]]:
    then = period.snapshot.scope(scope)
    employee_filter = EmployeeFilter.these(user_ids)
    values = {**employee_filter.values, "tenant_id": scope.tenant_id, "run_id": period.run_id, "month": period.month}
    paid = {row.user_id: row for row in scope.session.execute(text(employee_filter.put_into(_PAYSLIPS)), values)}
    arrears_paid: dict[UUID, dict[str, Decimal]] = defaultdict(dict)
    currencies: dict[UUID, str] = {}
    for part in scope.session.execute(text(employee_filter.put_into(_ARREARS_PAID)), values):
        arrears_paid[part.user_id][part.code] = part.amount
        currencies[part.user_id] = part.currency
    query = InputQuery(period.run_id, period.month, employee_filter)
    with _recomputed_for_comparison(then, period.month, user_ids):
        rows = inputs.load_inputs(then, query=query, with_kpi=period.snapshot.uses("kpi_score"))
        specifics = inputs.load_specifics(then, query=query)
    now = {UUID(row.user_id): row for row in rows}
    currencies |= {user_id: row.currency for user_id, row in (now | paid).items()}  # the payslip's, if there is one
    recalculation = _Recalculation(period, specifics)
    with formulas.exactly():
        for user_id in user_ids:
            if (currency := currencies.get(user_id)) is not None:
                payslip, row = paid.get(user_id), now.get(user_id)
                for line in recalculation.lines(user_id, currency, payslip, row, arrears_paid[user_id]):
                    yield user_id, currency, line


class _Recalculation:
    """Recalculates a paid period employee by employee, inside `formulas.exactly()`."""

    def __init__(self, period: CorrectedPeriod, specifics: EmployeeSpecifics) -> None:
        self._snapshot = period.snapshot
        self._specifics = specifics
        self._differences = ArrearsComparison(period.snapshot, month=period.month)
        self._calculators: dict[str, Calculator] = {}

    def lines(
        self,
        user_id: UUID,
        currency: str,
        payslip: Row[Any] | None,
        row: Row[Any] | None,
        arrears_paid: Mapping[str, Decimal],
    ) -> list[OneOffLine]:
        """Return an employee's arrears lines from their payslip and their inputs of today; either may be None."""
        before = (
            PeriodAmounts(inputs.parse_inputs(payslip.inputs), payslip.amounts) if payslip is not None else NO_PAYSLIP
        )
        return self._differences.lines(before, arrears_paid, self._recalculate(user_id, currency, payslip, row))

    def _recalculate(
        self, user_id: UUID, currency: str, payslip: Row[Any] | None, row: Row[Any] | None
    ) -> PeriodAmounts:
        if (calculator := self._calculators.get(currency)) is None:
            calculator = self._calculators[currency] = Calculator(self._snapshot, currency=currency)
        if payslip is not None:
            applied = AppliedComponents.from_payslip(self._snapshot, payslip.amounts, payslip.given)
        else:
            applied = calculator.select_components(assignments=self._specifics.assignments.get(user_id, ()), amounts=())
        if row is None:  # no longer employed in the period: only amounts given for the run stay
            applied = applied.keep_dynamic(self._snapshot)
        numbers = inputs.parse_inputs(row.inputs) if row is not None else [ZERO] * len(self._snapshot.inputs)
        pay = calculator.pay(applied, numbers, adjustments=payslip.adjustments if payslip is not None else ZERO)
        return PeriodAmounts(numbers, pay.amounts)


@contextmanager
def _recomputed_for_comparison(then: Scope, month: str, user_ids: list[UUID]) -> Iterator[None]:
    """Recompute register and balances of a locked period inside a savepoint, and roll it back after the block."""
    window, employee_filter = window_of(then, month), EmployeeFilter.these(user_ids)
    then.session.exec_driver_sql("savepoint as_if")
    try:
        # Attendance that came late was decided by today's policy; decide it by the period's own. The other days keep
        # what was decided when they were paid.
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
