"""Approval of a calculated run: it is fixed, its period locked, and its posting started.

Approvals of a tenant run one after the other (advisory lock), and each locks the period's row before reading it:
writers of facts hold that row until their commit, so their changes are seen here, and later writers find the period
locked. Moments are those of the database (`calculated_since`, `approved_at`, `changed_at`), so they can be compared.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit, four_eyes
from chalicelib.backing.database import statement
from chalicelib.features.payroll.approval import posting, queries
from chalicelib.features.payroll.runs import actions as run_actions
from chalicelib.features.payroll.runs import freshness as run_freshness
from chalicelib.features.payroll.runs import participants as run_participants
from chalicelib.features.payroll.runs.freshness import CALCULATE_AGAIN
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.features.payroll.runs.run_rows import PayrollRunRow
from chalicelib.features.payroll.runs.schemas import RunStarted
from chalicelib.features.periods import states as periods
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress
from chalicelib.jobs.schemas import started
from chalicelib.kernel.errors import Conflict
from chalicelib.kernel.states import PAYROLL_MOVES, PayrollStatus, check_move

_APPROVE = text("""
    update payroll_runs set status = 'approved', approved_by = :actor, approved_by_ids = cast(:actor_ids as uuid[]),
        approved_at = clock_timestamp(), job_id = :job_id, four_eyes = :four_eyes
    where tenant_id = :tenant_id and id = :run_id and status = 'calculated'""")

# An adjustment, and negative pay carried over, is taken once: the second count falls short if another run took one.
_PAY_ADJUSTMENTS = text("""
    with lines as (
        select o.adjustment_id, p.id as payslip_id from payslip_one_offs o
        join payslips p on p.tenant_id = :tenant_id and p.run_id = :run_id and p.user_id = o.user_id
        where o.tenant_id = :tenant_id and o.run_id = :run_id and o.kind = 'adjustment'
    ), paid as (
        update payroll_adjustments a set payslip_id = l.payslip_id, paid_at = :now from lines l
        where a.tenant_id = :tenant_id and a.id = l.adjustment_id and a.payslip_id is null and a.paid_at is null
        returning 1
    )
    select (select count(*) from lines), (select count(*) from paid)""")

_TAKE_CARRIED = text("""
    with lines as (
        select o.payslip_id, p.id as into_id, o.amount from payslip_one_offs o
        join payslips p on p.tenant_id = :tenant_id and p.run_id = :run_id and p.user_id = o.user_id
        where o.tenant_id = :tenant_id and o.run_id = :run_id and o.kind = 'carried_over'
    ), taken as (
        update payslips c set carried_into = l.into_id from lines l
        where c.tenant_id = :tenant_id and c.id = l.payslip_id and c.carried_into is null and c.net = -l.amount
        returning 1
    )
    select (select count(*) from lines), (select count(*) from taken)""")

_SETTLE = text(statement(__file__, "settle"))


def approve(scope: Scope, *, run_id: UUID) -> RunStarted:
    """Approve a calculated run, lock the period of a regular one, and start posting. Raises Conflict if it is stale."""
    scope.advisory_lock(run_actions.RUN_LOCK)
    run = queries.get_run(scope, run_id)
    _check_state(run)
    four_eyes.check_may_approve(scope, run_participants.load_participants(scope, run))
    run_freshness.check(scope, run)
    job_id = progress.create(scope, kind=posting.JOB, parameters={"run_id": run_id, "month": run.month})
    _fix(scope, run, job_id)
    audit.record(
        scope,
        action="payroll_run.approved",
        entity_type="payroll_run",
        entity_id=run_id,
        before={"status": run.status},
        after={
            "status": PayrollStatus.APPROVED,
            "month": run.month,
            "kind": run.kind,
            "job_id": job_id,
            "totals": queries.sum_payslips(scope, run_id),
        },
    )
    posting.begin(scope, job_id, run_id=run_id)
    return _started(run_id, PayrollStatus.APPROVED, job_id)


def _check_state(run: PayrollRunRow) -> None:
    if run.status == PayrollStatus.DRAFT and run.job_id:
        raise Conflict(
            f"This payroll run is being calculated: look at its payslips when /jobs/{run.job_id} says that it"
            " succeeded, and approve it then. Where it says that it failed, calculate it again."
        )
    if run.status == PayrollStatus.DRAFT:
        raise Conflict(
            "This payroll run was never calculated. Calculate it (POST /payroll-runs/{id}/calculate), look at its"
            " payslips, and approve it then."
        )
    check_move(PAYROLL_MOVES, now=PayrollStatus(run.status), to=PayrollStatus.APPROVED, what="payroll run")


def _fix(scope: Scope, run: PayrollRunRow, job_id: UUID) -> None:
    key = _key(scope, run)
    approval = {**key, **_actor(scope), "job_id": job_id, "four_eyes": four_eyes.is_enforced(scope)}
    _check_moved(scope.session.execute(_APPROVE, approval).rowcount == 1)
    if run.kind == RunKind.REGULAR:
        _check_moved(periods.lock_for_run(scope, run.month, payroll_run_id=run.id))
    lines, paid = scope.session.execute(_PAY_ADJUSTMENTS, {**key, "now": scope.now}).one()
    if paid != lines:
        raise Conflict(f"Another payroll run paid {lines - paid} of its adjustments meanwhile. {CALCULATE_AGAIN}")
    lines, taken = scope.session.execute(_TAKE_CARRIED, key).one()
    if taken != lines:
        raise Conflict(
            f"Another payroll run deducted {lines - taken} of the amounts that it carries over. {CALCULATE_AGAIN}"
        )
    scope.session.execute(_SETTLE, {**key, "since": run.calculated_since})


def _check_moved(is_moved: bool) -> None:
    if not is_moved:
        raise Conflict("Somebody else just changed the state of this payroll run or its period; look again.")


def _actor(scope: Scope) -> dict[str, Any]:
    return {"actor": scope.actor.name, "actor_ids": sorted(scope.actor.all_ids)}


def _key(scope: Scope, run: PayrollRunRow) -> dict[str, Any]:
    return {"tenant_id": scope.tenant_id, "run_id": run.id}


def _started(run_id: UUID, status: PayrollStatus, job_id: UUID) -> RunStarted:
    return RunStarted(**started(job_id).model_dump(), id=run_id, status=status)
