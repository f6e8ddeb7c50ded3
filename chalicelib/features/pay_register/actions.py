"""Writes around the register: computing again, locking. Rows themselves are only ever projected."""

from uuid import UUID

from chalicelib import audit
from chalicelib.features.pay_register import calculation, queries
from chalicelib.features.periods import freshness, late_corrections, periods, states
from chalicelib.features.periods.locks import lock_people, lock_periods_for_update
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress
from chalicelib.kernel.errors import Conflict, PeriodLocked
from chalicelib.kernel.states import PeriodStatus

SYNC = "pay-register-sync"


def recalculate(scope: Scope, *, month: str, user_id: UUID) -> queries.EmployeePeriod:
    """Compute one employee's row and balance from the facts."""
    lock_people(scope, [user_id])
    queries.get_row(scope, month=month, user_id=user_id)
    calculation.share_lock_open(scope, month)
    calculation.compute_these(scope, month=month, user_ids=[user_id])
    return queries.get_row(scope, month=month, user_id=user_id)


def request_sync(scope: Scope, *, month: str, user_ids: list[UUID] | None) -> UUID:
    """Compute everybody, or some, from the facts: at once where they fit one chunk, else chunk by chunk."""
    if user_ids:
        lock_people(scope, user_ids)
        calculation.share_lock_open(scope, month)
    else:
        _refuse_locked(scope, month)
    job_id = progress.create(scope, kind=SYNC, parameters={"month": month, "user_ids": user_ids})
    if user_ids:
        for user_id in user_ids:
            queries.get_row(scope, month=month, user_id=user_id)
        changed = calculation.compute_these(scope, month=month, user_ids=user_ids)
        progress.finish(scope, job_id, result={"months": [month], "changed": changed})
    else:
        calculation.begin(scope, job_id, months=[month], as_of=scope.yesterday())
    audit.record(
        scope,
        action="pay_register.synced",
        entity_type="pay_period",
        entity_id=month,
        after={"job_id": job_id, "user_ids": user_ids},
    )
    return job_id


def lock(scope: Scope, *, month: str) -> None:
    """Lock an open period: from now on its register keeps what it says.

    One that is stale, or not computed up to yesterday, is computed first; raises Conflict where that takes too long.
    """
    everybody = calculation.lock_everybody(scope, [month])
    period = periods.lock_open_for_update(scope, month)
    if period.is_behind(scope.yesterday()):
        calculation.compute_now(scope, month=month, locked=everybody)
    states.lock(scope, month)
    audit.record(scope, action="pay_period.locked", entity_type="pay_period", entity_id=month)


def unlock(scope: Scope, *, month: str, reason: str) -> None:
    """Open a locked period again; what was noted as late becomes plain facts, and the period stale.

    A period whose payroll was approved stays as it is: what was paid is not computed anew, it is made good later.
    """
    rows = lock_periods_for_update(scope, [month])
    status = rows[0].status if rows else PeriodStatus.OPEN
    if rows and rows[0].payroll_run_id is not None:
        raise Conflict(
            f"Payroll of {month} was approved, so its period stays {status}: change what is wrong all the same, and the"
            " next payroll run pays the difference."
        )
    if status != PeriodStatus.LOCKED:
        raise Conflict(f"The pay period {month} is {status}; only a locked one can be unlocked.")
    states.unlock(scope, month)
    late_corrections.forget(scope, month)
    freshness.mark_stale(scope, [month], decide=True)
    audit.record(
        scope, action="pay_period.unlocked", entity_type="pay_period", entity_id=month, after={"reason": reason}
    )


def _refuse_locked(scope: Scope, month: str) -> None:
    """Refuse a locked period without holding it: a computation of everybody takes it for itself."""
    periods.ensure(scope, [scope.tenant.period(month)])
    status = queries.get_period(scope, scope.tenant.period(month)).status
    if status != PeriodStatus.OPEN:
        raise calculation.refusal(
            PeriodLocked(f"The pay period {month} is {status}; its register keeps what was paid.")
        )
