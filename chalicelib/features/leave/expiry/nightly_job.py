"""The nightly job of leave expiry: warnings, and what is done with days whose last day of use is over.

A night is done in chunks of employees, each one transaction. A warning that was sent is a row, and expired days are no
longer there to expire, so a night may run twice, late, or after one that was killed anywhere.

Days reserved by a request are not expired until it is decided. If they are returned later, as by a cancelled leave, the
next night expires them; entries therefore carry the date of the night that posted them.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from chalice import Blueprint
from sqlalchemy import text

from chalicelib import audit, notifications
from chalicelib.backing.database import statement
from chalicelib.entry.messages import consumes, scheduled
from chalicelib.features.adjustments import actions as adjustments
from chalicelib.features.adjustments.rules import AdjustmentKind, NewAdjustmentRow
from chalicelib.features.leave.expiry import queries, rules
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope
from chalicelib.jobs import nightly, progress
from chalicelib.jobs.nightly import ChunkResult, NightlyRun
from chalicelib.jobs.progress import JobChunk

QUEUE = "leave-expiry"
SOURCE = "leave_expiry"  # of adjustments, with the allocation and the night
MOST_PROBLEMS = 20  # that a job's result and an audit row name
COUNTS = ("warned", "lapsed_days", "encashed_days", "transferred_days")

_ACT, _WARN = statement(__file__, "expiry_act"), statement(__file__, "expiry_warn")
# Inserts of allocations take this advisory lock by a trigger. Here existing cycles have to be visible, so the lock is
# taken before the statement.
_ALLOCATIONS_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
# wait for concurrent requests and corrections of an allocation, and see their result
_LOCK = "for no key update of a"


class LeaveExpiryNight(nightly.ChunkedNightlyJob):
    """Warn employees whose days expire, and do what the rules say about days that have expired."""

    kind = queue = QUEUE
    starts_at = time(2)
    days_back = 0
    candidates = statement(__file__, "expiry_candidates")

    def request(self, scope: Scope, *, as_of: date | None) -> NightlyRun:
        """Ask for a night, as an operator or HR does: today's, or an earlier one."""
        run = super().request(scope, as_of=as_of)
        audit.record(
            scope,
            action="leave_expiry.requested",
            entity_type="leave_expiry",
            entity_id=run.as_of,
            after={"job_id": run.job_id},
        )
        return run

    def explain_future(self, scope: Scope, as_of: date) -> str:
        """Say that the day is to come, and that a dry run may be asked for."""
        latest = self.latest_day(scope)
        return f"{as_of} is to come in {scope.tenant.timezone}, where it is {latest}; try it as a dry run"

    def candidate_values(self, run: NightlyRun) -> Mapping[str, Any]:
        """Return the parameters of expiry_candidates.sql."""
        return {"as_of": run.as_of, "widest": rules.MAX_WARNING_DAYS}

    def do_chunk(self, scope: Scope, run: NightlyRun, chunk: JobChunk) -> ChunkResult:
        """Warn the employees of a chunk, act on what has expired, and note it in the audit log."""
        employee_filter = EmployeeFilter.range(chunk.first_user_id, chunk.last_user_id)
        done = {
            "warned": warn(scope, as_of=run.as_of, employee_filter=employee_filter),
            **expire(scope, as_of=run.as_of, employee_filter=employee_filter),
        }
        problems = done.pop("problems")
        if any(done.values()) or problems:
            audit.record(
                scope,
                action="leave_expiry.acted",
                entity_type="leave_expiry",
                entity_id=run.as_of,
                after={"job_id": run.job_id, "chunk": chunk.number, **done, "problems": problems[:MOST_PROBLEMS]},
            )
        return ChunkResult(done.pop("allocations") + done["warned"], done)

    def summarize(self, scope: Scope, run: NightlyRun, counts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the sums of what was done, and the first of the problems that are left."""
        number, problems = queries.find_problems(scope, as_of=run.as_of, most=MOST_PROBLEMS)
        sums = {**dict.fromkeys(COUNTS, 0), **counts}
        return {"as_of": run.as_of, **sums, "problem_count": number, "problems": problems}


JOB = nightly.register(LeaveExpiryNight())
blueprint = Blueprint(__name__)


@scheduled(blueprint, nightly.EVERY_ROUND, name=JOB.kind)
def send_due_nights(*, now: datetime) -> int:
    """Send one message for each tenant whose day's expiry is not done yet."""
    return JOB.send_due_tenants(now)


@consumes(blueprint, QUEUE, batch_size=1, when_failed=progress.fail, uses=("vault",))
def do_night(scope: Scope, *, message: dict[str, Any]) -> None:
    """Do a night, or a chunk of one; one that is done already is not done again."""
    JOB.process(scope, message)


def warn(scope: Scope, *, as_of: date, employee_filter: EmployeeFilter) -> int:
    """Warn employees whose days expire, once for each step, and count the warnings.

    After missed nights only the nearest step that is due is sent; earlier steps are marked as passed.
    """
    values = {**employee_filter.values, **queries.warning_parameters(scope, as_of=as_of)}
    rows = scope.session.execute(text(employee_filter.put_into(queries.WARNINGS) + _WARN), values).all()
    user_notifications = [
        notifications.UserNotification(
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
        scope,
        kind=notifications.NotificationKind.LEAVE_EXPIRY_WARNING,
        entity_type="leave_allocation",
        user_notifications=user_notifications,
    )
    return len(user_notifications)


def expire(scope: Scope, *, as_of: date, employee_filter: EmployeeFilter) -> dict[str, Any]:
    """Apply the rules to days whose last day of use is before `as_of`, and return the totals."""
    scope.session.execute(_ALLOCATIONS_LOCK, {"name": f"leave_allocations/{scope.tenant_id}"})
    values = queries.load_parameters(scope, as_of=as_of, employee_filter=employee_filter)
    acting = queries.make_statement(employee_filter, f"{_ACT} {queries.TOTALS}", lock=_LOCK)
    done = queries.load_totals(scope, acting, {**values, "now": scope.now, "booked_by": scope.actor.name})
    notable, _ = done.pop("notable"), done.pop("amounts")
    adjustments.add(scope, adjustments=[_make_adjustment(one, as_of) for one in notable if one["problem"] is None])
    problems = [one for one in notable if one["problem"] is not None]
    return {
        **done,
        "problems": [queries.describe_problem(one["leave_type"], one["user_id"], one["problem"]) for one in problems],
    }


def _make_adjustment(allocation: dict[str, Any], as_of: date) -> NewAdjustmentRow:
    formula = rules.describe_formula(
        rate=allocation["rate"], days=allocation["days"], working_days=allocation["working_days"]
    )
    shown = ("days", "rate", "frequency", "from", "to", "working_days", "expires_on")
    return NewAdjustmentRow(
        user_id=UUID(allocation["user_id"]),
        kind=AdjustmentKind.LEAVE_ENCASHMENT,
        amount=Decimal(allocation["amount"]),
        currency=allocation["currency"],
        reason=f"{allocation['days']} days of {allocation['leave_type']} that expired on {allocation['expires_on']}",
        effective_on=date.fromisoformat(allocation["expires_on"]),
        explanation={**{name: allocation[name] for name in shown if allocation[name] is not None}, "formula": formula},
        source=(SOURCE, f"{allocation['allocation_id']}/{as_of}"),
    )
