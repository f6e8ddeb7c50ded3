"""Freshness of a run: an approval is refused if the run would come out differently when calculated now.

Changed facts are seen by the state of their period, whose row the approval locks first; writers of facts hold it until
their commit. Components and overrides of today are compared with those that the payslips were made with, so that
single employees can be calculated again, and no clock decides.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import clock
from chalicelib.features.payroll.payslips import inputs as payslip_inputs
from chalicelib.features.payroll.payslips.evaluation import AppliedComponents, Calculator
from chalicelib.features.payroll.payslips.inputs import InputQuery
from chalicelib.features.payroll.runs import snapshot as plans
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.features.payroll.runs.run_rows import PayrollRunRow
from chalicelib.features.payroll.runs.snapshot import CalculationSnapshot
from chalicelib.features.periods import freshness as period_freshness
from chalicelib.features.periods import periods
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict

CALCULATE_AGAIN = "Calculate it again (POST /payroll-runs/{id}/calculate), look at what changed, and approve it then."
_BATCH_SIZE = 5000

_APPROVED_SINCE = text("""
    select month, kind from payroll_runs
    where tenant_id = :tenant_id and id <> :run_id and approved_at > :since
    order by approved_at desc limit 1""")

# employees with overrides or amounts of the run; all others have the components of the snapshot
_EMPLOYEES_WITH_OVERRIDES = text("""
    select user_id from payment_type_assignments
    where tenant_id = :tenant_id and type_id = any(:type_ids)
      and (cast(:only as uuid[]) is null or user_id = any(:only))
    union
    select user_id from payroll_amounts
    where tenant_id = :tenant_id and run_id = :run_id and (cast(:only as uuid[]) is null or user_id = any(:only))
    order by user_id""")

_PAYSLIPS = text("""
    select u.user_id, p.currency, p.amounts, p.given, r.user_id is not null as is_in_period
    from unnest(cast(:user_ids as uuid[])) u (user_id)
    left join payslips p on p.tenant_id = :tenant_id and p.run_id = :run_id and p.user_id = u.user_id
    left join pay_registers r on r.tenant_id = :tenant_id and r.month = :month and r.user_id = u.user_id""")


def check(scope: Scope, run: PayrollRunRow) -> None:
    """Raise Conflict if the run would come out differently when calculated now; lock its facts until the commit."""
    if run.kind == RunKind.REGULAR:
        _check_facts(scope, run)
    _check_other_runs(scope, run)
    _check_components(scope, run)


def _check_facts(scope: Scope, run: PayrollRunRow) -> None:
    period = scope.tenant.period(run.month)
    if period.end > scope.yesterday():
        raise Conflict(
            f"The pay period {period.month} ends on {period.end} and is not over in {scope.tenant.timezone}; calculate"
            " and approve its payroll after its end. What cannot wait is for an off-cycle run."
        )
    if run.calculated_at is None or period.end > clock.yesterday(run.calculated_at, scope.tenant.timezone):
        raise Conflict(f"It was calculated before its period {period.month} ended on {period.end}. {CALCULATE_AGAIN}")
    periods.ensure(scope, [period])
    state = period_freshness.read(
        scope, period.month, until=period.end, calculated_since=run.calculated_since, for_update=True
    )
    if state.is_behind or state.is_changed:
        raise Conflict(f"Facts of {period.month} changed after this payroll run was calculated. {CALCULATE_AGAIN}")


def _check_other_runs(scope: Scope, run: PayrollRunRow) -> None:
    values = {"tenant_id": scope.tenant_id, "run_id": run.id, "since": run.calculated_since}
    if other := scope.session.execute(_APPROVED_SINCE, values).first():
        raise Conflict(
            f"Another payroll run ({other.kind.replace('_', '-')}, {other.month}) was approved after this one was"
            f" calculated, and may have paid some of the same. {CALCULATE_AGAIN}"
        )


def _check_components(scope: Scope, run: PayrollRunRow) -> None:
    on = scope.tenant.period(run.month).end
    was = run.parse_snapshot()
    now = plans.take_snapshot(scope, kind=was.kind, on=on, type_ids=run.payment_type_ids)
    if changed := {one.code for one in set(was.components) ^ set(now.components)}:
        raise Conflict(
            f"Payment types changed after this payroll run was calculated: {', '.join(sorted(changed))}."
            f" {CALCULATE_AGAIN}"
        )
    if people := sum(1 for _ in _find_changed_employees(scope, run, was)):
        raise Conflict(
            f"What payment types are for {people} {'person' if people == 1 else 'people'} of this payroll run changed"
            f" after it was calculated. {CALCULATE_AGAIN}"
        )


def _find_changed_employees(scope: Scope, run: PayrollRunRow, snapshot: CalculationSnapshot) -> Iterator[UUID]:
    """Yield the employees whose components or overrides are not those of their payslip."""
    key = {"tenant_id": scope.tenant_id, "run_id": run.id}
    type_ids = [component.type_id for component in snapshot.components]
    user_ids = list(
        scope.session.execute(_EMPLOYEES_WITH_OVERRIDES, {**key, "type_ids": type_ids, "only": run.user_ids}).scalars()
    )
    calculators: dict[str, Calculator] = {}
    for at in range(0, len(user_ids), _BATCH_SIZE):
        batch = user_ids[at : at + _BATCH_SIZE]
        specifics = payslip_inputs.load_specifics(
            scope, query=InputQuery(run.id, run.month, EmployeeFilter.these(batch))
        )
        rows = scope.session.execute(_PAYSLIPS, {**key, "month": run.month, "user_ids": batch}).all()
        currencies = _load_currencies(scope, rows)
        for row in rows:
            currency = row.currency or currencies.get(row.user_id, scope.tenant.currency)
            if (calculator := calculators.get(currency)) is None:
                calculator = calculators[currency] = Calculator(snapshot, currency=currency)
            current = calculator.select_components(
                assignments=specifics.assignments.get(row.user_id, ()),
                amounts=specifics.amounts.get(row.user_id, ()),
                is_in_period=row.is_in_period,
            )
            nothing = [None] * len(snapshot.components)  # no payslip: no amounts
            paid = AppliedComponents.from_payslip(snapshot, row.amounts or nothing, row.given)
            if (current.applies, current.amounts, current.percents) != (paid.applies, paid.amounts, paid.percents):
                yield row.user_id


def _load_currencies(scope: Scope, rows: Sequence[Any]) -> dict[UUID, str]:
    without = [row.user_id for row in rows if row.currency is None]
    return payslip_inputs.find_currencies(scope, without) if without else {}
