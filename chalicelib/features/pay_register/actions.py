"""Writes around the register: edits by hand, computing again, locking. Rows themselves are only ever projected."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text, update

from chalicelib import audit, four_eyes
from chalicelib.backing.database import Record
from chalicelib.features.leave.queries import get_leave_type
from chalicelib.features.pay_register import computing, queries
from chalicelib.features.pay_register.models import day_edits
from chalicelib.features.pay_register.schemas import DayEdit, HalfIn
from chalicelib.features.tenants import periods
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress
from chalicelib.kernel.errors import Conflict, invalid
from chalicelib.kernel.halves import Nature, Status, code_of
from chalicelib.kernel.states import PeriodStatus

SYNC, NIGHTLY = "pay-register-sync", "balance"
NIGHTLY_QUEUE = "balances"


def edit_day(scope: Scope, *, month: str, user_id: UUID, day: date, edit: DayEdit) -> Record:
    """This will put a day by hand in the place of what the facts say, and compute the employee again.

    In a locked period the edit is kept as a fact and noted as a late correction; the register stays as paid.
    """
    before = queries.get_row(scope, month=month, user_id=user_id)
    four_eyes.check_not_own(scope, four_eyes.Subject.REGISTER, user_id)
    _check_day(scope, month, day)
    locked = periods.touch(scope, changes=[(user_id, day)], what="edit")
    first, second = (_coded(scope, half) for half in edit.halves())
    _supersede(scope, user_id, day)
    scope.session.execute(
        insert(day_edits).values(
            tenant_id=scope.tenant_id,
            user_id=user_id,
            day=day,
            first_code=first[0],
            first_leave_type_id=first[1],
            second_code=second[0],
            second_leave_type_id=second[1],
            ot_hours=edit.ot_hours,
            extra_days=edit.extra_days,
            remarks=edit.remarks,
            edited_by=scope.actor.name,
            edited_at=scope.now,
        )
    )
    return _computed(scope, month, user_id, day, before, locked, action="pay_register.edited")


def clear_day(scope: Scope, *, month: str, user_id: UUID, day: date) -> Record:
    """This will take an edit back, so that the facts speak again; clearing a day nobody edited changes nothing."""
    before = queries.get_row(scope, month=month, user_id=user_id)
    four_eyes.check_not_own(scope, four_eyes.Subject.REGISTER, user_id)
    _check_day(scope, month, day)
    locked = periods.touch(scope, changes=[(user_id, day)], what="edit")
    if not _supersede(scope, user_id, day):
        return before
    return _computed(scope, month, user_id, day, before, locked, action="pay_register.cleared")


def recalculate(scope: Scope, *, month: str, user_id: UUID) -> Record:
    """This will compute one employee's row and balance from the facts."""
    queries.get_row(scope, month=month, user_id=user_id)
    computing.refuse_locked(scope, month)
    computing.compute_these(scope, month=month, user_ids=[user_id])
    return queries.get_row(scope, month=month, user_id=user_id)


def request_sync(scope: Scope, *, month: str, user_ids: list[UUID] | None) -> UUID:
    """This will compute everybody, or some, from the facts: at once where they fit one chunk, else chunk by chunk."""
    computing.refuse_locked(scope, month)
    job_id = progress.create(scope, kind=SYNC, parameters={"month": month, "user_ids": user_ids})
    if user_ids:
        for user_id in user_ids:
            queries.get_row(scope, month=month, user_id=user_id)
        changed = computing.compute_these(scope, month=month, user_ids=user_ids)
        progress.finish(scope, job_id, result={"months": [month], "changed": changed})
    else:
        computing.begin(scope, job_id, months=[month], as_of=scope.yesterday())
    audit.record(
        scope,
        action="pay_register.synced",
        entity_type="pay_period",
        entity_id=month,
        after={"job_id": job_id, "user_ids": user_ids},
    )
    return job_id


def request_nightly(scope: Scope, *, as_of: date | None) -> UUID:
    """This will ask for the nightly computation, as an operator does: for yesterday, or as of a day of their choice."""
    if as_of is not None and as_of > scope.yesterday():
        raise invalid(
            "/date", f"{as_of} is not over yet in {scope.tenant.timezone}; the last day is {scope.yesterday()}"
        )
    as_of = as_of or scope.yesterday()
    job_id = progress.create(scope, kind=NIGHTLY, parameters={"as_of": as_of})
    scope.send(NIGHTLY_QUEUE, [{"job_id": str(job_id), "as_of": as_of.isoformat()}])
    return job_id


def run_nightly(scope: Scope, *, job_id: UUID | None, as_of: date | None) -> None:
    """This will start the nightly computation of a tenant: asked for by an operator, or due by the schedule.

    The schedule's message says no date: whenever it arrives, late or twice, yesterday is what counts, once.
    """
    if as_of is None:
        as_of = scope.yesterday()
        job_id = progress.claim(scope, kind=NIGHTLY, key=f"{NIGHTLY}:{as_of}", parameters={"as_of": as_of})
    if job_id is None or progress.is_over(scope, job_id):
        return
    computing.begin(scope, job_id, months=computing.due_months(scope, as_of=as_of), as_of=as_of, night=NIGHTLY)


def lock(scope: Scope, *, month: str) -> None:
    """This will lock an open period: from now on its register keeps what it says."""
    periods.hold_open(scope, month)
    _move(scope, month, to=PeriodStatus.LOCKED, since=PeriodStatus.OPEN)
    audit.record(scope, action="pay_period.locked", entity_type="pay_period", entity_id=month)


def unlock(scope: Scope, *, month: str, reason: str) -> None:
    """This will open a locked period again; what was noted as late becomes plain facts, and the period stale.

    A period whose payroll was approved stays as it is: what was paid is not computed anew, it is made good later.
    """
    status = queries.get_period(scope, scope.tenant.period(month))["status"]
    if _has_approved_payroll(scope, month):
        raise Conflict(
            f"Payroll of {month} was approved, so its period stays {status}: change what is wrong all the same, and the"
            " next payroll run pays the difference."
        )
    if status != PeriodStatus.LOCKED:
        raise Conflict(f"The pay period {month} is {status}; only a locked one can be unlocked.")
    _move(scope, month, to=PeriodStatus.OPEN, since=PeriodStatus.LOCKED)
    scope.session.execute(
        text("delete from late_corrections where tenant_id = :tenant_id and month = :month"),
        {"tenant_id": scope.tenant_id, "month": month},
    )
    periods.mark(scope, [month], decide=True)
    audit.record(
        scope, action="pay_period.unlocked", entity_type="pay_period", entity_id=month, after={"reason": reason}
    )


def _has_approved_payroll(scope: Scope, month: str) -> bool:
    return bool(
        scope.session.execute(
            text("select payroll_run_id is not null from pay_periods where tenant_id = :tenant_id and month = :month"),
            {"tenant_id": scope.tenant_id, "month": month},
        ).scalar_one_or_none()
    )


def _move(scope: Scope, month: str, *, to: PeriodStatus, since: PeriodStatus) -> None:
    moved = scope.session.execute(
        text(
            "update pay_periods set status = :to, locked_at = :now"
            " where tenant_id = :tenant_id and month = :month and status = :since and payroll_run_id is null"
        ),
        {
            "tenant_id": scope.tenant_id,
            "month": month,
            "to": to,
            "since": since,
            "now": scope.now if to is PeriodStatus.LOCKED else None,
        },
    ).rowcount
    if moved != 1:
        raise Conflict(f"Somebody else just changed the state of {month}; look again.")


def _check_day(scope: Scope, month: str, day: date) -> None:
    period = scope.tenant.period(month)
    if not period.start <= day <= period.end:
        raise invalid("/date", f"{day} is not in {month}, which runs from {period.start} to {period.end}")


def _coded(scope: Scope, half: HalfIn | None) -> tuple[str | None, UUID | None]:
    """This will give the code of a half as edited; leave without a stated nature has that of its type."""
    if half is None:
        return None, None
    nature = half.leave_nature
    if half.leave_type_id is not None:
        of_type = get_leave_type(scope, half.leave_type_id)
        nature = nature or (Nature.PAID if of_type["is_paid"] else Nature.LOP)
    return code_of(Status(half.status), nature), half.leave_type_id


def _supersede(scope: Scope, user_id: UUID, day: date) -> bool:
    """This will end the edit in force, if there is one; it stays in the history."""
    # one editor of a day at a time: the second waits, then supersedes the first
    scope.alone(f"edit/{user_id}/{day}")
    ended = scope.session.execute(
        update(day_edits)
        .where(
            day_edits.c.tenant_id == scope.tenant_id,
            day_edits.c.user_id == user_id,
            day_edits.c.day == day,
            day_edits.c.superseded_at.is_(None),
        )
        .values(superseded_by=scope.actor.name, superseded_at=scope.now)
    )
    return ended.rowcount > 0


def _computed(
    scope: Scope, month: str, user_id: UUID, day: date, before: Record, locked: list[str], *, action: str
) -> Record:
    if month not in locked:
        computing.compute_these(scope, month=month, user_ids=[user_id])
    after = queries.get_row(scope, month=month, user_id=user_id)
    audit.record(
        scope,
        action=action,
        entity_type="pay_register",
        entity_id=f"{month}/{user_id}/{day}",
        before=_day_of(before, day),
        after=_day_of(after, day),
    )
    return {**after, "late_correction": month in locked}


def _day_of(row: dict[str, Any], day: date) -> dict[str, Any] | None:
    return next((record for record in row["daily_records"] if record["date"] == day.isoformat()), None)
