"""Calculation of a run in chunks of employees; each chunk is one transaction that replaces its payslips.

A run is calculated from the register and the balances. If facts changed since these were computed, each chunk computes
them first; otherwise, as after the nightly job, it only reads them. Nothing is posted here, so a calculation can be
killed and repeated at any time: messages of a superseded calculation are ignored, as the run's `calculation` counter
has moved on.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import collector
from chalicelib.backing.database import force_custom_plans
from chalicelib.features.pay_register import calculation as pay_register_calculation
from chalicelib.features.payroll.payslips import arrears, payslip_rows
from chalicelib.features.payroll.payslips import inputs as payslip_inputs
from chalicelib.features.payroll.payslips.inputs import InputQuery
from chalicelib.features.payroll.runs import summaries
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.features.payroll.runs.run_rows import PayrollRunRow
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress
from chalicelib.jobs.chunks import load_chunks
from chalicelib.jobs.progress import CHUNK_EMPLOYEES, JobChunk

QUEUE = "payroll"

# The employees a run may concern: those of the period, and all with open amounts from before.
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


def split_into_chunks(scope: Scope, run: PayrollRunRow, *, only: Sequence[UUID] | None) -> list[JobChunk]:
    """Split the employees whom a run may concern into chunks."""
    period = scope.tenant.period(run.month)
    values = {
        "run_id": run.id,
        "start_on": period.start,
        "end_on": period.end,
        "only": None if only is None else list(only),
    }
    return load_chunks(scope, _CANDIDATES, values, size=CHUNK_EMPLOYEES)


def delete_payslips(scope: Scope, run_id: UUID) -> None:
    """Delete all payslips of a run."""
    everybody = text(EmployeeFilter.everybody().put_into(_DELETE))
    scope.session.execute(everybody, {"tenant_id": scope.tenant_id, "run_id": run_id})


def find_previous_run(scope: Scope, run: PayrollRunRow) -> UUID | None:
    """Return the regular run before a regular run, which it is compared with, or None."""
    if run.kind != RunKind.REGULAR:
        return None
    run_id: UUID | None = scope.session.execute(
        _PREVIOUS, {"tenant_id": scope.tenant_id, "month": run.month}
    ).scalar_one_or_none()
    return run_id


def do_chunk(scope: Scope, message: dict[str, Any], run: PayrollRunRow, chunk: JobChunk) -> None:
    """Calculate one chunk; the last one finishes the job and the run."""
    employee_filter = EmployeeFilter.range(chunk.first_user_id, chunk.last_user_id)
    if message["as_of"]:
        pay_register_calculation.compute_filtered(
            scope, months=[run.month], employee_filter=employee_filter, as_of=date.fromisoformat(message["as_of"])
        )
    written = calculate(scope, run, employee_filter=employee_filter, only=_parse_ids(message["only"]))
    if progress.finish_chunk(scope, UUID(message["job_id"]), number=chunk.number, changed=written):
        finish(scope, message, run)


def finish(scope: Scope, message: dict[str, Any], run: PayrollRunRow) -> None:
    """Finish a calculation: the run is calculated and has its summary."""
    if message["as_of"] and run.user_ids is None:
        pay_register_calculation.conclude(scope, months=[run.month], as_of=date.fromisoformat(message["as_of"]))
    summary = summaries.store_summary(scope, run, previous_run_id=find_previous_run(scope, run))
    progress.finish(scope, UUID(message["job_id"]), result={"run_id": run.id, **summaries.summarize_for_job(summary)})


def calculate(scope: Scope, run: PayrollRunRow, *, employee_filter: EmployeeFilter, only: Sequence[UUID] | None) -> int:
    """Make payslips for some employees, replacing those of `only`, and count them."""
    force_custom_plans(scope.session)
    snapshot = run.parse_snapshot()
    employee_ids = only if only is not None else run.user_ids
    query = InputQuery(run.id, run.month, employee_filter, employee_ids, find_previous_run(scope, run))
    if only is not None:
        listed = EmployeeFilter.these(only)
        key = {"tenant_id": scope.tenant_id, "run_id": run.id}
        scope.session.execute(text(listed.put_into(_DELETE)), key | listed.values)
    corrected = arrears.load_corrected_periods(scope)
    arrears_lines = (
        arrears.compute(scope, employee_filter=employee_filter, only=employee_ids, periods=corrected)
        if corrected
        else {}
    )
    specifics = payslip_inputs.load_specifics(scope, query=query)
    with collector.paused():  # thousands of rows, and no cycle among them: a sixth of the time
        rows = payslip_inputs.load_inputs(
            scope, query=query, pays_salary=snapshot.kind is RunKind.REGULAR, with_kpi=snapshot.uses("kpi_score")
        )
        builder = payslip_rows.PayslipBuilder(scope, snapshot, specifics=specifics, arrears=arrears_lines)
        return payslip_rows.write(scope, run, payslip_values=builder.build_all(rows), lines=builder.one_offs)


def _parse_ids(texts: Sequence[str] | None) -> list[UUID] | None:
    return None if texts is None else [UUID(text_id) for text_id in texts]
