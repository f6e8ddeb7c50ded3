"""A run until it is approved: created, calculated as often as needed, cancelled."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from chalicelib import audit
from chalicelib.features.pay_register import calculation as pay_register_calculation
from chalicelib.features.payroll.components import queries as component_queries
from chalicelib.features.payroll.runs import calculation, queries, snapshot
from chalicelib.features.payroll.runs.models import RunKind, payroll_runs
from chalicelib.features.payroll.runs.run_rows import PayrollRunRow
from chalicelib.features.payroll.runs.schemas import NewPayrollRun, PayrollRun, RunStarted
from chalicelib.features.people.users import queries as people
from chalicelib.features.periods import freshness, periods
from chalicelib.features.periods.locks import lock_filtered_employees, lock_periods_of_payroll_for_update
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress
from chalicelib.jobs.progress import JobChunk
from chalicelib.jobs.schemas import started
from chalicelib.kernel.errors import Conflict, invalid
from chalicelib.kernel.states import FIXED_PAYROLL, PAYROLL_MOVES, PayrollStatus, check_move

JOB = "payroll-calculation"
RUN_LOCK = "payroll"  # advisory lock: calculations and approvals of a tenant start one after the other

_START = text("""
    update payroll_runs set status = 'draft', calculation = calculation + 1, job_id = :job_id,
        plan = cast(:plan as jsonb), calculated_by = :actor,
        -- a partial calculation keeps the payslips of others, and who calculated those
        calculated_by_ids = array(
            select unnest(cast(:actor_ids as uuid[]))
            union select unnest(calculated_by_ids) where :is_partial),
        calculated_since = case when :is_partial then calculated_since else clock_timestamp() end
    where tenant_id = :tenant_id and id = :run_id""")

# whether another run was approved since this one was calculated, which may have paid the same arrears or adjustments
_APPROVED_SINCE = text("""
    select exists (select from payroll_runs
        where tenant_id = :tenant_id and id <> :run_id and approved_at >= :since)""")

_CANCEL = text("""
    update payroll_runs set status = 'cancelled', cancelled_by = :actor, cancelled_at = :now, cancel_reason = :reason
    where tenant_id = :tenant_id and id = :run_id""")


def create(scope: Scope, *, new: NewPayrollRun) -> PayrollRun:
    """Create a run; a month has one regular run. Raises Conflict for a second one."""
    if new.month > scope.tenant.month_of(scope.yesterday()):
        raise invalid(
            "/month",
            f"{new.month} has not begun to be earned; the latest month is {scope.tenant.month_of(scope.yesterday())}",
        )
    people.check_users_exist(scope, new.user_ids or ())
    for type_id in new.payment_type_ids or ():
        component_queries.get_type(scope, type_id)
    periods.ensure(scope, [scope.tenant.period(new.month)])
    run_id = scope.session.execute(
        insert(payroll_runs)
        .values(
            tenant_id=scope.tenant_id,
            month=new.month,
            kind=new.kind.value,
            title=new.title,
            user_ids=new.user_ids and sorted(set(new.user_ids)),
            payment_type_ids=new.payment_type_ids and sorted(set(new.payment_type_ids)),
            created_by=scope.actor.name,
            created_by_ids=sorted(scope.actor.all_ids),
            created_at=scope.now,
        )
        .on_conflict_do_nothing()
        .returning(payroll_runs.c.id)
    ).scalar_one_or_none()
    if run_id is None:
        raise Conflict(
            f"{new.month} has its regular run already. Calculate that one again, or cancel it first; what cannot wait"
            " is paid by an off_cycle run."
        )
    audit.record(
        scope,
        action="payroll_run.created",
        entity_type="payroll_run",
        entity_id=run_id,
        after=new.model_dump(mode="json", exclude_none=True),
    )
    return queries.show_run(scope, run_id)


def request_calculation(scope: Scope, *, run_id: UUID, user_ids: Sequence[UUID] | None = None) -> RunStarted:
    """Calculate a run, or some of its employees again: at once if they fit one chunk, else chunk by chunk.

    A partial calculation is made only if nothing else changed meanwhile; otherwise all employees are calculated.
    """
    scope.advisory_lock(RUN_LOCK)  # a concurrent approval pays arrears that would look open here
    run = queries.get_run(scope, run_id, lock=True)
    people.check_users_exist(scope, user_ids or ())
    for at, user_id in enumerate(user_ids or ()):
        if run.user_ids is not None and user_id not in run.user_ids:
            raise invalid(f"/user_ids/{at}", "is not one of the people whom this off-cycle run is for")
    check_move(PAYROLL_MOVES, now=PayrollStatus(run.status), to=PayrollStatus.CALCULATED, what="payroll run")
    locked = _lock_facts(scope, run)
    new_snapshot = snapshot.take_snapshot(
        scope, kind=RunKind(run.kind), on=scope.tenant.period(run.month).end, type_ids=run.payment_type_ids
    )
    as_of, is_revised = _find_last_stale_day(scope, run)
    only = user_ids if _may_be_partial(scope, run, new_snapshot, as_of) and not is_revised else None
    job_id = progress.create(scope, kind=JOB, parameters={"run_id": run_id, "month": run.month, "user_ids": only})
    scope.session.execute(
        _START,
        {
            "tenant_id": scope.tenant_id,
            "run_id": run_id,
            "job_id": job_id,
            "plan": json.dumps(new_snapshot.to_json(), default=str),
            "actor": scope.actor.name,
            "actor_ids": sorted(scope.actor.all_ids),
            "is_partial": only is not None,
        },
    )
    freshness.mark_calculated(scope, run.month)
    audit.record(
        scope,
        action="payroll_run.calculated",
        entity_type="payroll_run",
        entity_id=run_id,
        after={"job_id": job_id, "user_ids": only},
    )
    run = queries.get_run(scope, run_id)
    _send_chunks(scope, run, job_id, as_of=as_of, only=only, locked=locked)
    status = PayrollStatus(queries.get_run(scope, run_id).status)  # a small run is calculated by now
    return RunStarted(**started(job_id).model_dump(), id=run_id, status=status)


def continue_calculation(scope: Scope, message: dict[str, Any], chunk: JobChunk) -> None:
    """Calculate one chunk, unless the calculation is superseded or the run cancelled."""
    run = queries.share_lock_run(scope, UUID(message["run_id"]))
    if run.calculation == message["calculation"] and run.status == PayrollStatus.DRAFT:
        calculation.do_chunk(scope, message, run, chunk)


def cancel(scope: Scope, *, run_id: UUID, reason: str | None) -> PayrollRun:
    """Cancel a run that is not approved; its month can have another."""
    run = queries.get_run(scope, run_id, lock=True)
    if run.status in FIXED_PAYROLL:
        raise Conflict(
            "This run is approved: it is in the ledger. What was wrong is corrected by changing the facts; the next run"
            " pays the difference."
        )
    check_move(PAYROLL_MOVES, now=PayrollStatus(run.status), to=PayrollStatus.CANCELLED, what="payroll run")
    scope.session.execute(
        _CANCEL,
        {"tenant_id": scope.tenant_id, "run_id": run_id, "actor": scope.actor.name, "now": scope.now, "reason": reason},
    )
    audit.record(
        scope,
        action="payroll_run.cancelled",
        entity_type="payroll_run",
        entity_id=run_id,
        before={"status": run.status},
        after={"status": PayrollStatus.CANCELLED.value, "reason": reason},
    )
    return queries.show_run(scope, run_id)


def _lock_facts(scope: Scope, run: PayrollRunRow) -> JobChunk | None:
    """Lock the facts of the run's period and of paid periods until the commit.

    Where the register has to be computed first, its employees are locked before (the order of periods.locks) if they
    fit one chunk, which is returned.
    """
    period = scope.tenant.period(run.month)
    periods.ensure(scope, [period])
    locked = None
    if _find_last_stale_day(scope, run)[0] is not None:
        chunks = calculation.split_into_chunks(scope, run, only=run.user_ids)
        if len(chunks) == 1:
            locked = chunks[0]
            lock_filtered_employees(scope, EmployeeFilter.range(locked.first_user_id, locked.last_user_id))
    # the period before as well, whose attendance is decided with this one's: all of them in one statement, in order
    months = [period.month, scope.tenant.month_of(period.start - timedelta(days=1))]
    lock_periods_of_payroll_for_update(scope, months)
    return locked


def _send_chunks(
    scope: Scope,
    run: PayrollRunRow,
    job_id: UUID,
    *,
    as_of: date | None,
    only: Sequence[UUID] | None,
    locked: JobChunk | None,
) -> None:
    if only is None:
        calculation.delete_payslips(scope, run.id)
    if as_of is not None and run.user_ids is None:
        pay_register_calculation.prepare(scope, [run.month])
    elif as_of is not None:  # other employees of the period stay stale
        pay_register_calculation.decide(scope, [run.month])
    chunks = calculation.split_into_chunks(scope, run, only=only if only is not None else run.user_ids)
    message: dict[str, Any] = {
        "job_id": str(job_id),
        "run_id": str(run.id),
        "calculation": run.calculation,
        "as_of": as_of and as_of.isoformat(),
        "only": None if only is None else [str(one) for one in only],
    }
    progress.fan_out(
        scope,
        job_id,
        chunks=chunks,
        queue=calculation.QUEUE,
        message=message,
        at_once=as_of is None or pay_register_calculation.covers(locked, chunks),
        do=lambda chunk: calculation.do_chunk(scope, message, run, chunk),
        finish=lambda: calculation.finish(scope, message, run),
    )


def _find_last_stale_day(scope: Scope, run: PayrollRunRow) -> tuple[date | None, bool]:
    """Return the day up to which register and balances have to be computed first (None: they are fresh).

    And whether facts changed, and were computed, since the run was calculated.
    """
    period = scope.tenant.period(run.month)
    state = freshness.read(scope, period.month, until=scope.yesterday(), calculated_since=run.calculated_since)
    return min(period.end, scope.yesterday()) if state.is_behind else None, state.is_revised


def _may_be_partial(
    scope: Scope, run: PayrollRunRow, new_snapshot: snapshot.CalculationSnapshot, as_of: date | None
) -> bool:
    if run.status != PayrollStatus.CALCULATED or as_of is not None:
        return False
    if run.plan != json.loads(json.dumps(new_snapshot.to_json(), default=str)):
        return False
    return not scope.session.execute(
        _APPROVED_SINCE, {"tenant_id": scope.tenant_id, "run_id": run.id, "since": run.calculated_since}
    ).scalar_one()
