"""Calculating a run: planned once, done in chunks of people, each chunk one transaction that replaces its payslips.

A run is calculated from the register and the balances. Where facts changed since these were computed, each chunk first
computes them anew; where not, as after the nightly job, it only reads them. Nothing is booked here, so a calculation
can be repeated, killed and repeated as often as anybody likes: the messages of an older one find that the run has
counted on, and do nothing.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import collector
from chalicelib.backing.database import Record, force_custom_plans
from chalicelib.features.pay_register import calculation as pay_register_calculation
from chalicelib.features.payroll.payslips import arrears, payslip_rows
from chalicelib.features.payroll.payslips import inputs as payslip_inputs
from chalicelib.features.payroll.payslips.inputs import Which
from chalicelib.features.payroll.runs import summaries
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.features.payroll.runs.snapshot import CalculationSnapshot
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress
from chalicelib.jobs.chunks import load_chunks
from chalicelib.jobs.progress import CHUNK_EMPLOYEES, JobChunk

QUEUE = "payroll"

# Whom a run may be for: employees of the period, and whoever is owed or owes something from before.
_CANDIDATES = """
    with people as (
        select user_id from employments
        where tenant_id = :tenant_id and joined_on <= :end_on and (left_on is null or left_on >= :start_on)
        union
        select user_id from payroll_adjustments
        where tenant_id = :tenant_id and paid_at is null and effective_on <= :end_on
        union
        select user_id from payslips where tenant_id = :tenant_id and net < 0 and carried_into is null
        union
        select user_id from late_corrections
        where tenant_id = :tenant_id and (settled_at is null or noted_at > settled_at) and user_id is not null
        union
        select p.user_id
        from late_corrections c
        join payroll_runs r on r.tenant_id = :tenant_id and r.month = c.month and r.kind = 'regular'
            and r.approved_at is not null
        join payslips p on p.tenant_id = :tenant_id and p.run_id = r.id
        where c.tenant_id = :tenant_id and (c.settled_at is null or c.noted_at > c.settled_at) and c.user_id is null
        union
        select user_id from payroll_amounts where tenant_id = :tenant_id and run_id = :run_id
    )
    select user_id from people
    where cast(:only as uuid[]) is null or user_id = any(:only)"""

_PREVIOUS = text("""
    select id from payroll_runs
    where tenant_id = :tenant_id and kind = 'regular' and approved_at is not null and month < :month
    order by month desc limit 1""")

_DELETE = "delete from payslips where tenant_id = :tenant_id and run_id = :run_id and user_id {employees}"


def plan_chunks(scope: Scope, run: Record, *, only: Sequence[UUID] | None) -> list[JobChunk]:
    """Split the people whom a run may be for."""
    period = scope.tenant.period(run["month"])
    values = {
        "run_id": run["id"],
        "start_on": period.start,
        "end_on": period.end,
        "only": None if only is None else list(only),
    }
    return load_chunks(scope, _CANDIDATES, values, size=CHUNK_EMPLOYEES)


def forget(scope: Scope, run_id: UUID) -> None:
    """Throw a run's payslips away, also of people whom it is not for any more."""
    everybody = text(EmployeeFilter.everybody().put_into(_DELETE))
    scope.session.execute(everybody, {"tenant_id": scope.tenant_id, "run_id": run_id})


def find_previous(scope: Scope, run: Record) -> UUID | None:
    """Find the regular run before, which a regular run is compared with."""
    if run["kind"] != RunKind.REGULAR:
        return None
    found: UUID | None = scope.session.execute(
        _PREVIOUS, {"tenant_id": scope.tenant_id, "month": run["month"]}
    ).scalar_one_or_none()
    return found


def do_chunk(scope: Scope, message: dict[str, Any], run: Record, chunk: JobChunk) -> None:
    """Calculate one chunk, and finish the job, and the run, with its last."""
    employee_filter = EmployeeFilter.range(chunk.first_user_id, chunk.last_user_id)
    if message["as_of"]:
        pay_register_calculation.compute_filtered(
            scope, months=[run["month"]], employee_filter=employee_filter, as_of=date.fromisoformat(message["as_of"])
        )
    written = calculate(scope, run, employee_filter=employee_filter, only=_ids(message["only"]))
    if progress.finish_chunk(scope, UUID(message["job_id"]), number=chunk.number, changed=written):
        finish(scope, message, run)


def finish(scope: Scope, message: dict[str, Any], run: Record) -> None:
    """End a calculation: the run is calculated, and says what it comes to."""
    if message["as_of"] and run["user_ids"] is None:
        pay_register_calculation.conclude(scope, months=[run["month"]], as_of=date.fromisoformat(message["as_of"]))
    summary = summaries.conclude(scope, run, previous_run_id=find_previous(scope, run))
    progress.finish(scope, UUID(message["job_id"]), result={"run_id": run["id"], **summaries.headline(summary)})


def calculate(scope: Scope, run: Record, *, employee_filter: EmployeeFilter, only: Sequence[UUID] | None) -> int:
    """Make the payslips of some people, in the place of any that `only` these had, and count them."""
    force_custom_plans(scope.session)
    plan = CalculationSnapshot.from_json(run["plan"])
    whom = only if only is not None else run["user_ids"]
    which = Which(run["id"], run["month"], employee_filter, whom, find_previous(scope, run))
    if only is not None:
        these = EmployeeFilter.these(only)
        key = {"tenant_id": scope.tenant_id, "run_id": run["id"]}
        scope.session.execute(text(these.put_into(_DELETE)), key | these.values)
    corrected = arrears.corrected_periods(scope)
    late = arrears.compute(scope, employee_filter=employee_filter, only=whom, periods=corrected) if corrected else {}
    rare = payslip_inputs.gather_rare(scope, which=which)
    with collector.paused():  # thousands of rows, and no cycle among them: a sixth of the time
        rows = payslip_inputs.gather(
            scope, which=which, pays_salary=plan.kind is RunKind.REGULAR, with_kpi=plan.uses("kpi_score")
        )
        maker = payslip_rows.Maker(scope, plan, rare=rare, late=late)
        return payslip_rows.write(scope, run, made=maker.make_all(rows), lines=maker.one_offs)


def _ids(said: Sequence[str] | None) -> list[UUID] | None:
    return None if said is None else [UUID(one) for one in said]
