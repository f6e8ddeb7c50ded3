"""Whether a run still says what it would if it was calculated now: what somebody approves has to be true.

Facts are told by their period, which the approval takes for itself first: whoever writes facts holds the period until
the commit. Components and what is whose are compared themselves, as they stand by now, with what the payslips were made
with; so single people may be calculated again, and no clock has a say.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import clock
from chalicelib.backing.database import Record
from chalicelib.features.payroll.payslips import inputs as payslip_inputs
from chalicelib.features.payroll.payslips.evaluation import Calculator, Choice
from chalicelib.features.payroll.payslips.inputs import Which
from chalicelib.features.payroll.runs import snapshot as plans
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.features.payroll.runs.snapshot import CalculationSnapshot
from chalicelib.features.periods import freshness as period_freshness
from chalicelib.features.periods import periods
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict

AGAIN = "Calculate it again (POST /payroll-runs/{id}/calculate), look at what changed, and approve it then."
_AT_ONCE = 5000

_APPROVED_SINCE = text("""
    select month, kind from payroll_runs
    where tenant_id = :tenant_id and id <> :run_id and approved_at > :since
    order by approved_at desc limit 1""")

# whoever has anything of their own; all others have what everybody has, which the plan says
_WITH_THEIR_OWN = text("""
    select user_id from payment_type_assignments
    where tenant_id = :tenant_id and type_id = any(:type_ids)
      and (cast(:only as uuid[]) is null or user_id = any(:only))
    union
    select user_id from payroll_amounts
    where tenant_id = :tenant_id and run_id = :run_id and (cast(:only as uuid[]) is null or user_id = any(:only))
    order by user_id""")

_SLIPS = text("""
    select u.user_id, p.currency, p.amounts, p.given, r.user_id is not null as is_in_period
    from unnest(cast(:user_ids as uuid[])) u (user_id)
    left join payslips p on p.tenant_id = :tenant_id and p.run_id = :run_id and p.user_id = u.user_id
    left join pay_registers r on r.tenant_id = :tenant_id and r.month = :month and r.user_id = u.user_id""")


def check(scope: Scope, run: Record) -> None:
    """Refuse a run that would come out otherwise if it was calculated now, and keep its facts as they are."""
    if run["kind"] == RunKind.REGULAR:
        _check_facts(scope, run)
    _check_other_runs(scope, run)
    _check_components(scope, run)


def _check_facts(scope: Scope, run: Record) -> None:
    period = scope.tenant.period(run["month"])
    if period.end > scope.yesterday():
        raise Conflict(
            f"The pay period {period.month} ends on {period.end} and is not over in {scope.tenant.timezone}; calculate"
            " and approve its payroll after its end. What cannot wait is for an off-cycle run."
        )
    if period.end > clock.yesterday(run["calculated_at"], scope.tenant.timezone):
        raise Conflict(f"It was calculated before its period {period.month} ended on {period.end}. {AGAIN}")
    periods.ensure(scope, [period])
    state = period_freshness.read(
        scope, period.month, until=period.end, calculated_since=run["calculated_since"], for_update=True
    )
    if state.is_behind or state.is_changed:
        raise Conflict(f"Facts of {period.month} changed after this payroll run was calculated. {AGAIN}")


def _check_other_runs(scope: Scope, run: Record) -> None:
    values = {"tenant_id": scope.tenant_id, "run_id": run["id"], "since": run["calculated_since"]}
    if other := scope.session.execute(_APPROVED_SINCE, values).first():
        raise Conflict(
            f"Another payroll run ({other.kind.replace('_', '-')}, {other.month}) was approved after this one was"
            f" calculated, and may have paid some of the same. {AGAIN}"
        )


def _check_components(scope: Scope, run: Record) -> None:
    on = scope.tenant.period(run["month"]).end
    was = CalculationSnapshot.from_json(run["plan"])
    now = plans.make(scope, kind=was.kind, on=on, type_ids=run["payment_type_ids"])
    if changed := {one.code for one in set(was.components) ^ set(now.components)}:
        raise Conflict(
            f"Payment types changed after this payroll run was calculated: {', '.join(sorted(changed))}. {AGAIN}"
        )
    if people := sum(1 for _ in _changed(scope, run, was)):
        raise Conflict(
            f"What payment types are for {people} {'person' if people == 1 else 'people'} of this payroll run changed"
            f" after it was calculated. {AGAIN}"
        )


def _changed(scope: Scope, run: Record, plan: CalculationSnapshot) -> Iterator[UUID]:
    """Find the people whose components, or own amounts and percents, are not those of their payslip."""
    key = {"tenant_id": scope.tenant_id, "run_id": run["id"]}
    type_ids = [component.type_id for component in plan.components]
    user_ids = list(
        scope.session.execute(_WITH_THEIR_OWN, {**key, "type_ids": type_ids, "only": run["user_ids"]}).scalars()
    )
    calculators: dict[str, Calculator] = {}
    for at in range(0, len(user_ids), _AT_ONCE):
        some = user_ids[at : at + _AT_ONCE]
        rare = payslip_inputs.gather_rare(scope, which=Which(run["id"], run["month"], EmployeeFilter.these(some)))
        rows = scope.session.execute(_SLIPS, {**key, "month": run["month"], "user_ids": some}).all()
        known = _currencies(scope, rows)
        for row in rows:
            currency = row.currency or known.get(row.user_id, scope.tenant.currency)
            if (calculator := calculators.get(currency)) is None:
                calculator = calculators[currency] = Calculator(plan, currency=currency)
            now = calculator.choose(
                assignments=rare.assignments.get(row.user_id, ()),
                amounts=rare.amounts.get(row.user_id, ()),
                is_in_period=row.is_in_period,
            )
            nothing = [None] * len(plan.components)  # who has no payslip was given nothing
            was = Choice.from_payslip(plan, row.amounts or nothing, row.given)
            if (now.applies, now.amounts, now.percents) != (was.applies, was.amounts, was.percents):
                yield row.user_id


def _currencies(scope: Scope, rows: Sequence[Any]) -> dict[UUID, str]:
    without = [row.user_id for row in rows if row.currency is None]
    return payslip_inputs.find_currencies(scope, without) if without else {}
