"""Computing whole periods: planned once, done in chunks of employees, each chunk one transaction.

Facts that change while a computation runs mark the period stale again, because a period's freshness counts from the
moment at which its computation began. Every computation locks its people before it projects, and before any pay period
(tenants.locks): of two that compute the same person, the second sees all that the first has seen and written.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from chalicelib.features.attendance.records import actions as attendance
from chalicelib.features.pay_register.projection import drop_rows, project
from chalicelib.features.periods import freshness, periods
from chalicelib.features.periods.locks import (
    lock_filtered_employees,
    lock_periods_for_update,
    share_lock_periods,
)
from chalicelib.features.periods.windows import EmployeeFilter, window_of
from chalicelib.identity.scope import Scope
from chalicelib.jobs import nightly, progress
from chalicelib.jobs.chunks import load_chunks
from chalicelib.jobs.progress import CHUNK_EMPLOYEES, JobChunk
from chalicelib.kernel.errors import Conflict, PeriodLocked

QUEUE = "pay-register"

_CANDIDATES = """
    select user_id from employments
    where tenant_id = :tenant_id and joined_on <= :end_on and (left_on is null or left_on >= :start_on)"""


def begin(scope: Scope, job_id: UUID, *, months: Sequence[str], as_of: date, night: str | None = None) -> None:
    """Plan a computation of everybody: one chunk is done at once, more are sent as messages.

    `night` names the nightly run that is done for this day when the computation is.
    """
    locked = lock_everybody(scope, months)
    prepare(scope, months)
    chunks = _chunks(scope, months)
    message = {"job_id": str(job_id), "months": list(months), "as_of": as_of.isoformat(), "night": night}
    progress.fan_out(
        scope,
        job_id,
        chunks=chunks,
        queue=QUEUE,
        message=message,
        at_once=covers(locked, chunks),
        do=lambda chunk: do_chunk(scope, message, chunk),
        finish=lambda: _finish(scope, message),
    )


def do_chunk(scope: Scope, message: dict[str, Any], chunk: JobChunk) -> None:
    """Compute one chunk for every month of the message; the last one finishes the job."""
    job_id, as_of = UUID(message["job_id"]), date.fromisoformat(message["as_of"])
    employee_filter = EmployeeFilter.range(chunk.first_user_id, chunk.last_user_id)
    changed = compute_filtered(scope, months=message["months"], employee_filter=employee_filter, as_of=as_of)
    if progress.finish_chunk(scope, job_id, number=chunk.number, changed=changed):
        _finish(scope, message)


def lock_everybody(scope: Scope, months: Sequence[str]) -> JobChunk | None:
    """Lock everybody who is employed in these periods, if they fit one chunk; return that chunk, else None.

    Before the periods are locked, so it looks without a lock: somebody may join before they are. See `covers`.
    """
    chunks = _chunks(scope, months)
    if len(chunks) != 1:
        return None
    lock_filtered_employees(scope, EmployeeFilter.range(chunks[0].first_user_id, chunks[0].last_user_id))
    return chunks[0]


def covers(locked: JobChunk | None, chunks: Sequence[JobChunk]) -> bool:
    """Tell whether the people of these chunks are all locked already, so that they may be computed at once."""
    return locked is not None and all(
        locked.first_user_id <= chunk.first_user_id and chunk.last_user_id <= locked.last_user_id for chunk in chunks
    )


def prepare(scope: Scope, months: Sequence[str]) -> None:
    """Begin a computation of everybody in these periods: what changes from now on makes them stale again."""
    decide(scope, months)
    freshness.begin_computation(scope, months)
    for month in months:
        drop_rows(scope, window=window_of(scope, month), employee_filter=EmployeeFilter.everybody())


def compute_filtered(scope: Scope, *, months: Sequence[str], employee_filter: EmployeeFilter, as_of: date) -> int:
    """Compute some employees of a computation that was prepared, and count the rows that changed."""
    changed = 0
    lock_filtered_employees(scope, employee_filter)
    for period in share_lock_periods(scope, months):
        if period.is_open:  # it may have been locked since the computation was planned
            changed += project(
                scope, window=window_of(scope, period.month), employee_filter=employee_filter, as_of=as_of
            )
    return changed


def conclude(scope: Scope, *, months: Sequence[str], as_of: date) -> None:
    """End a computation of everybody: these periods are as fresh as they were when it was prepared."""
    freshness.end_computation(scope, months, as_of=as_of)


def compute_now(scope: Scope, *, month: str, locked: JobChunk | None) -> None:
    """Compute everybody of an open period, which the caller has for itself, in this transaction.

    `locked` is what lock_everybody returned; raises Conflict where they are too many, or somebody has just joined.
    """
    prepare(scope, [month])
    chunks = _chunks(scope, [month])
    if not covers(locked, chunks) and chunks:
        raise Conflict(
            f"Facts of {month} changed since its register was computed, and it has more than {CHUNK_EMPLOYEES:,} people"
            f" to compute while you wait: sync it first (POST /pay-register/{month}/sync), and lock it then."
        )
    as_of = scope.yesterday()
    for chunk in chunks:
        employee_filter = EmployeeFilter.range(chunk.first_user_id, chunk.last_user_id)
        project(scope, window=window_of(scope, month), employee_filter=employee_filter, as_of=as_of)
    conclude(scope, months=[month], as_of=as_of)


def compute_these(scope: Scope, *, month: str, user_ids: Sequence[UUID]) -> int:
    """Compute some employees of a period as of yesterday, and count the rows that changed.

    The caller has locked them, knows that they are in the period, and holds it open.
    """
    _decide_for(scope, month, user_ids)
    employee_filter = EmployeeFilter.one(user_ids[0]) if len(user_ids) == 1 else EmployeeFilter.these(user_ids)
    return project(scope, window=window_of(scope, month), employee_filter=employee_filter, as_of=scope.yesterday())


def due_months(scope: Scope, *, as_of: date) -> list[str]:
    """List the open months that a nightly run has to compute.

    They are the month of the as-of date, and every earlier one whose facts changed, or whose last computation was
    before its end because nights were missed.
    """
    month = scope.tenant.month_of(as_of)
    periods.ensure(scope, [scope.tenant.period(month)])
    return freshness.list_months_behind(scope, as_of=as_of, always=month)


def decide(scope: Scope, months: Sequence[str]) -> None:
    """Decide attendance anew where policy, shifts or rosters changed; usually there is nothing to do.

    Keeps everybody else away from these periods until the commit, and from those before them that it decides.
    """
    # in one statement, so that the periods are locked in order
    undecided = [
        row
        for row in lock_periods_for_update(scope, [*months, *_undecided(scope, _before(scope, months))])
        if row.is_open and row.decided_under != _stamp(scope)
    ]
    for row in undecided:
        attendance.decide_days(scope, first=row.start_on, last=row.end_on)
    if undecided:
        freshness.mark_decided(scope, [row.month for row in undecided], minutes=_stamp(scope))


def _decide_for(scope: Scope, month: str, user_ids: Sequence[UUID]) -> None:
    """Decide the attendance of some people anew, where that of their period waits for it; the others' goes on waiting.

    It needs no more than their own lock, where deciding everybody's needs the whole period.
    """
    undecided = _undecided(scope, [month, *_before(scope, [month])])
    days = [day for name in undecided for day in scope.tenant.period(name).days]
    if days:
        attendance.decide_pairs(scope, pairs=[(user_id, day) for user_id in user_ids for day in days])


def _undecided(scope: Scope, months: Sequence[str]) -> list[str]:
    return freshness.list_undecided_months(scope, months, minutes=_stamp(scope))


def _before(scope: Scope, months: Sequence[str]) -> list[str]:
    """Name the periods before these: pay weeks reach into them, so their attendance counts too."""
    return [scope.tenant.month_of(scope.tenant.period(month).start - timedelta(days=1)) for month in months]


def _stamp(scope: Scope) -> str:
    return f"{scope.tenant.policy.full_day_minutes}:{scope.tenant.policy.half_day_minutes}"


def share_lock_open(scope: Scope, month: str) -> None:
    """Keep a period open until the commit, or refuse a locked one before any work is taken on."""
    try:
        periods.share_lock_open(scope, month)
    except PeriodLocked as locked:
        raise refusal(locked) from None


def refusal(locked: PeriodLocked) -> PeriodLocked:
    """Say what can be done instead of computing a locked period."""
    return PeriodLocked(f"{locked.detail} Unlock it first, or let the difference be paid as a late correction.")


def _chunks(scope: Scope, months: Sequence[str]) -> list[JobChunk]:
    if not months:  # the night of a tenant whose only period due is locked
        return []
    days = [scope.tenant.period(month) for month in months]
    values = {"start_on": min(period.start for period in days), "end_on": max(period.end for period in days)}
    return load_chunks(scope, _CANDIDATES, values, size=CHUNK_EMPLOYEES)


def _finish(scope: Scope, message: dict[str, Any]) -> None:
    job_id = UUID(message["job_id"])
    conclude(scope, months=message["months"], as_of=date.fromisoformat(message["as_of"]))
    if message["night"]:
        nightly.mark_done(scope, kind=message["night"], as_of=date.fromisoformat(message["as_of"]))
    changed = progress.sum_changed(scope, job_id)
    progress.finish(scope, job_id, result={"months": message["months"], "as_of": message["as_of"], "changed": changed})
