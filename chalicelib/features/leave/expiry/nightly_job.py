"""The nights on which days expire: who is warned, and what becomes of days whose last day of use is over.

A night is planned once and done in chunks of people, each one transaction. A warning, once told, is a row; what was
acted on has nothing left to act on. So a night may come twice, late, or after one that was killed anywhere.

Days held by a request are nobody's to take until it is decided: the action is for what is left without them. Given
back later, they are left over after the expiry, and the next night takes them, as it takes days of an approved leave
that was cancelled. So the entries are named after the night that booked them.
"""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit, notifications
from chalicelib.backing import clock
from chalicelib.backing.database import statement
from chalicelib.features.adjustments import actions as adjustments
from chalicelib.features.adjustments.rules import AdjustmentKind, NewAdjustmentRow
from chalicelib.features.leave.expiry import queries, rules
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress
from chalicelib.jobs.progress import CHUNK_EMPLOYEES, JobChunk
from chalicelib.kernel.errors import invalid

QUEUE = NIGHT = "leave-expiry"
SOURCE = "leave_expiry"  # of adjustments, with the allocation and the night
MOST_PROBLEMS = 20  # that a job's result and an audit row name

_ACT, _WARN = statement(__file__, "expiry_act"), statement(__file__, "expiry_warn")
_CHUNKS = text(statement(__file__, "expiry_chunks"))
# whoever gives people days waits for others who do, from their insert on; here the cycles that are there have to be
# seen, so the waiting is done before the statement
_ALONE = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
# a request or correction that holds an allocation is waited for, and what it left is what counts
_LOCK = "for no key update of a"
_COUNT = text("""
    update jobs set result = jsonb_build_object(
        'warned', coalesce((result ->> 'warned')::integer, 0) + :warned,
        'lapsed_days', coalesce((result ->> 'lapsed_days')::numeric, 0) + :lapsed_days,
        'encashed_days', coalesce((result ->> 'encashed_days')::numeric, 0) + :encashed_days,
        'transferred_days', coalesce((result ->> 'transferred_days')::numeric, 0) + :transferred_days)
    where tenant_id = :tenant_id and id = :job_id""")
_COUNTED = text("select coalesce(result, '{}') from jobs where tenant_id = :tenant_id and id = :job_id")
_DONE = text("""
    insert into nightly_runs as n (tenant_id, kind, done_on) values (:tenant_id, :kind, :as_of)
    on conflict (tenant_id, kind) do update set done_on = greatest(n.done_on, excluded.done_on)""")


def today(scope: Scope) -> date:
    """Return the day that it is in the tenant's zone."""
    return clock.local_day(scope.now, scope.tenant.timezone)


def request(scope: Scope, *, as_of: date | None) -> UUID:
    """Ask for a night, as an operator or HR does: today's, or one of their choice that is not to come."""
    now = today(scope)
    if as_of is not None and as_of > now:
        raise invalid("/date", f"{as_of} is to come in {scope.tenant.timezone}, where it is {now}; try it as a dry run")
    as_of = as_of or now
    job_id = progress.create(scope, kind=NIGHT, parameters={"as_of": as_of})
    scope.send(QUEUE, [{"job_id": str(job_id), "as_of": as_of.isoformat()}])
    audit.record(
        scope, action="leave_expiry.requested", entity_type="leave_expiry", entity_id=as_of, after={"job_id": job_id}
    )
    return job_id


def begin(scope: Scope, *, job_id: UUID | None, as_of: date | None) -> None:
    """Begin a night: asked for by somebody, or due by the schedule.

    The schedule's message says no date: whenever it arrives, late or twice, today is what counts, once. One chunk is
    done at once, more are sent as messages.
    """
    if as_of is None:
        as_of = today(scope)
        job_id = progress.claim(scope, kind=NIGHT, key=f"{NIGHT}:{as_of}", parameters={"as_of": as_of})
    if job_id is None or progress.is_over(scope, job_id):
        return
    rows = scope.session.execute(
        _CHUNKS, {"tenant_id": scope.tenant_id, "as_of": as_of, "widest": rules.WIDEST, "size": CHUNK_EMPLOYEES}
    )
    chunks = [JobChunk(*row) for row in rows]
    progress.fan_out(
        scope,
        job_id,
        chunks=chunks,
        queue=QUEUE,
        message={"as_of": as_of.isoformat()},
        do=lambda chunk: do_chunk(scope, job_id=job_id, as_of=as_of, chunk=chunk),
        finish=lambda: _finish(scope, job_id, as_of),
    )


def do_chunk(scope: Scope, *, job_id: UUID, as_of: date, chunk: JobChunk) -> None:
    """Do a night for some people, and finish the job with its last chunk."""
    employee_filter = EmployeeFilter.range(chunk.first_user_id, chunk.last_user_id)
    done = {
        "warned": warn(scope, as_of=as_of, employee_filter=employee_filter),
        **act(scope, as_of=as_of, employee_filter=employee_filter),
    }
    problems = done.pop("problems")
    if any(done.values()) or problems:
        audit.record(
            scope,
            action="leave_expiry.acted",
            entity_type="leave_expiry",
            entity_id=as_of,
            after={"job_id": job_id, "chunk": chunk.number, **done, "problems": problems[:MOST_PROBLEMS]},
        )
    changed = done.pop("allocations") + done["warned"]
    scope.session.execute(_COUNT, {**done, "tenant_id": scope.tenant_id, "job_id": job_id})
    if progress.finish_chunk(scope, job_id, number=chunk.number, changed=changed):
        _finish(scope, job_id, as_of)


def warn(scope: Scope, *, as_of: date, employee_filter: EmployeeFilter) -> int:
    """Warn people whose days expire, once for each step, and count the warnings.

    After missed nights only the nearest step that is due is told; the wider ones are marked as passed.
    """
    values = {**employee_filter.values, **queries.warning(scope, as_of=as_of)}
    rows = scope.session.execute(text(employee_filter.put_into(queries.WARNINGS) + _WARN), values).all()
    notices = [
        notifications.Notice(
            user_id=row.user_id,
            cause=f"leave_expiry/{row.allocation_id}/{row.step}",
            values={
                "leave_type": row.leave_type,
                "days": float(row.days),
                "expires_on": row.expires_on.isoformat(),
                "days_left": row.days_left,
                "action": row.action,
            },
            entity_id=row.allocation_id,
        )
        for row in rows
    ]
    notifications.notify(
        scope, kind=notifications.NotificationKind.LEAVE_EXPIRY_WARNING, entity_type="leave_allocation", notices=notices
    )
    return len(notices)


def act(scope: Scope, *, as_of: date, employee_filter: EmployeeFilter) -> dict[str, Any]:
    """Do what the rules say about days whose last day of use is before `as_of`, and sum up what it did."""
    scope.session.execute(_ALONE, {"name": f"leave_allocations/{scope.tenant_id}"})
    values = queries.planning(scope, as_of=as_of, employee_filter=employee_filter)
    acting = queries.planned(employee_filter, f"{_ACT} {queries.TOLD}", lock=_LOCK)
    done = queries.told(scope, acting, {**values, "now": scope.now, "booked_by": scope.actor.name})
    notable, _ = done.pop("notable"), done.pop("amounts")
    adjustments.add(scope, adjustments=[_paid(one, as_of) for one in notable if one["problem"] is None])
    problems = [one for one in notable if one["problem"] is not None]
    return {
        **done,
        "problems": [queries.problem_of(one["leave_type"], one["user_id"], one["problem"]) for one in problems],
    }


def _paid(one: dict[str, Any], as_of: date) -> NewAdjustmentRow:
    formula = rules.formula_of(rate=one["rate"], days=one["days"], working_days=one["working_days"])
    shown = ("days", "rate", "frequency", "from", "to", "working_days", "expires_on")
    return NewAdjustmentRow(
        user_id=UUID(one["user_id"]),
        kind=AdjustmentKind.LEAVE_ENCASHMENT,
        amount=Decimal(one["amount"]),
        currency=one["currency"],
        reason=f"{one['days']} days of {one['leave_type']} that expired on {one['expires_on']}",
        effective_on=date.fromisoformat(one["expires_on"]),
        explanation={**{name: one[name] for name in shown if one[name] is not None}, "formula": formula},
        source=(SOURCE, f"{one['allocation_id']}/{as_of}"),
    )


def _finish(scope: Scope, job_id: UUID, as_of: date) -> None:
    scope.session.execute(_DONE, {"tenant_id": scope.tenant_id, "kind": NIGHT, "as_of": as_of})
    counted = scope.session.execute(_COUNTED, {"tenant_id": scope.tenant_id, "job_id": job_id}).scalar_one()
    number, problems = queries.problems_of(scope, as_of=as_of, most=MOST_PROBLEMS)
    none: dict[str, Any] = dict.fromkeys(("warned", "lapsed_days", "encashed_days", "transferred_days"), 0)
    result = {"as_of": as_of, **none, **counted, "problem_count": number, "problems": problems}
    progress.finish(scope, job_id, result=result)
