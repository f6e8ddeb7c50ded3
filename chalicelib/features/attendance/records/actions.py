"""Writes of attendance: punches, corrections, and the one decision of what a day is worth.

A write locks the employee, then the period's row, and then writes the fact (the order of periods.locks): the other way
round it could deadlock with a computation. A punch marks the period as stale; a correction is in register and balance
when the reply is sent.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.dialects.postgresql.ranges import MultiRange, Range

from chalicelib import audit, four_eyes
from chalicelib.backing import clock, rows
from chalicelib.backing.database import statement
from chalicelib.entry.versions import check_version
from chalicelib.features.attendance.models import attendance
from chalicelib.features.attendance.records import queries, rules
from chalicelib.features.attendance.records.rules import AttendanceRecord
from chalicelib.features.attendance.records.schemas import Correction
from chalicelib.features.people.users import queries as people
from chalicelib.features.periods import facts, periods
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, Stale, invalid

FACTS = ("check_in_at", "check_out_at", "session_started_at", "worked_minutes", "stated", "stated_half")

_DECIDE = text(statement(__file__, "decide"))


def decide_days(scope: Scope, *, first: date, last: date) -> int:
    """Decide every attendance record of these days again, and tell how many came out differently.

    The caller holds the rows of the periods concerned (`for update`), so that no fact changes meanwhile.
    """
    return _decided(scope, first=first, last=last)


def decide_pairs(scope: Scope, *, pairs: Collection[tuple[UUID, date]]) -> int:
    """Decide the records of these people and days, which this transaction has written or touched."""
    return _decided(scope, user_ids=array(user_id for user_id, _ in pairs), days=array(day for _, day in pairs))


def array(values: Iterable[UUID | date | int | str | None]) -> str:
    """Write a PostgreSQL array of plain values (ids, dates, moments, numbers, words of our own).

    The driver's own way looks at every element for quotes, which takes longer than writing the rows.
    """
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def _decided(scope: Scope, **which: Any) -> int:
    policy = scope.tenant.policy
    changed = scope.session.execute(
        _DECIDE,
        {
            "tenant_id": scope.tenant_id,
            "timezone": scope.tenant.timezone,
            "full_day_minutes": policy.full_day_minutes,
            "half_day_minutes": policy.half_day_minutes,
            "first": None,
            "last": None,
            "user_ids": None,
            "days": None,
            **which,
        },
    ).scalar_one()
    return int(changed)


def check_in(scope: Scope, *, user_id: UUID, at: datetime | None) -> AttendanceRecord:
    """Open a session on the day of the punch. Punches come in any order, so it may lie before sessions that are known.

    Raises Conflict while a session is open, or where the moment lies in one that was closed.
    """
    at = _moment(scope, at)
    people.get_user(scope, user_id, "attendance.punch", lock=True)  # of two punches at once, one waits for the other
    workday = queries.get_workday(scope, user_id, around=at)
    recent = queries.find_recent_days(scope, user_id, at=at)
    if (session := rules.find_open_session(recent, at=at)) and session.session_started_at:
        since = rules.format_local(session.session_started_at, workday.zone)
        raise Conflict(f"Already checked in since {since}; check out first.")
    _refuse_overlap(recent, start=at, end=at, zone=workday.zone)
    day = rules.day_of_punch(at, zone=workday.zone, shifts=workday.shifts)
    if not workday.employs(day):
        raise Conflict(f"{day} is outside the employment: {workday.employment()}.")
    periods.touch(scope, changes=[(user_id, day)], what="attendance")
    before = queries.find_day(scope, user_id, day, lock=True)
    # read again under the lock: an import or a correction may have come in between
    _refuse_overlap([before] if before else [], start=at, end=at, zone=workday.zone)
    new = insert(attendance).values(
        tenant_id=scope.tenant_id, user_id=user_id, day=day, check_in_at=at, session_started_at=at, source="punch"
    )
    row = rows.one(
        AttendanceRecord,
        scope.session.execute(
            new.on_conflict_do_update(
                index_elements=["tenant_id", "user_id", "day"],
                set_={
                    "check_in_at": func.least(attendance.c.check_in_at, new.excluded.check_in_at),
                    "session_started_at": new.excluded.session_started_at,
                    # what was one record becomes the first of several sessions, before its check-in moves
                    "sessions": _multirange(rules.list_sessions(before) if before else []),
                    "source": "punch",
                    "version": attendance.c.version + 1,
                },
            ).returning(attendance)
        ),
    )
    return _finish_write(scope, action="attendance.checked_in", before=before, row=row)


def check_out(scope: Scope, *, user_id: UUID, at: datetime | None) -> AttendanceRecord:
    """Close the latest open session and add its whole minutes to the day's."""
    at = _moment(scope, at)
    people.get_user(scope, user_id, "attendance.punch", lock=True)  # of two punches at once, one waits for the other
    recent = queries.find_recent_days(scope, user_id, at=at)
    session = rules.find_open_session(recent, at=at)
    if session is None:
        raise Conflict("There is no check-in of the last 24 hours to check out from.")
    periods.touch(scope, changes=[(user_id, session.day)], what="attendance")
    before = queries.get_day(scope, user_id, session.day, lock=True)
    started = before.session_started_at
    if started is None:
        raise Conflict("This day was corrected in the meantime; there is no session to check out from.")
    if at < started:
        zone = queries.get_workday(scope, user_id, around=at).zone
        raise invalid("/at", f"is before the check-in at {rules.format_local(started, zone)}")
    if rules.find_overlap([*recent, before], start=started, end=at):
        zone = queries.get_workday(scope, user_id, around=at).zone
        _refuse_overlap([*recent, before], start=started, end=at, zone=zone)
    minutes = (before.worked_minutes or 0) + (at - started) // timedelta(minutes=1)
    row = rows.one(
        AttendanceRecord,
        scope.session.execute(
            update(attendance)
            .where(
                attendance.c.tenant_id == scope.tenant_id,
                attendance.c.user_id == user_id,
                attendance.c.day == before.day,
            )
            .values(
                check_out_at=func.greatest(attendance.c.check_out_at, at),
                session_started_at=None,
                sessions=_multirange([*rules.list_sessions(before), (started, at)]),
                worked_minutes=min(minutes, rules.LONGEST_MINUTES),
                source="punch",
                version=attendance.c.version + 1,
            )
            .returning(attendance)
        ),
    )
    return _finish_write(scope, action="attendance.checked_out", before=before, row=row)


def correct(
    scope: Scope, *, user_id: UUID, day: date, correction: Correction, if_match: int | None
) -> AttendanceRecord:
    """Make the day's record say what a person with the right to says, and nothing else."""
    people.get_user(scope, user_id, "attendance.write")
    four_eyes.check_not_own(scope, four_eyes.Subject.ATTENDANCE, user_id)
    workday = queries.get_workday(scope, user_id, day=day)
    if day > last_day(scope, workday.zone):
        raise invalid("/date", "lies in the future")
    queries.check_days(workday, first=day, last=day, pointer="/date")
    try:
        belongs = rules.record_day(correction.check_in, day=day, zone=workday.zone, shifts=workday.shifts)
        if belongs != day:
            raise rules.WrongValue("check_in", f"belongs to {belongs}, on which its shift starts; correct that day")
        read = rules.read_facts(correction.model_dump(), day=day, zone=workday.zone, shifts=workday.shifts)
    except rules.WrongValue as wrong:
        raise invalid("/" + (wrong.column or ""), wrong.detail) from None
    values = {
        "check_in_at": read.check_in_at,
        "check_out_at": read.check_out_at,
        "session_started_at": None,
        "sessions": None,
        "worked_minutes": read.worked_minutes,
        "stated": read.stated,
        "stated_half": read.stated_half,
        "source": "correction",
    }
    with facts.changing(scope, changes=[(user_id, day)], what="attendance"):
        before = queries.find_day(scope, user_id, day, lock=True)
        if before is None and if_match is not None:
            raise Stale(
                f"You saw version {if_match}, and there is no record of {day} now. Read it again, then change it."
            )
        if before:
            check_version(before, if_match)
        row = rows.one(
            AttendanceRecord,
            scope.session.execute(
                insert(attendance)
                .values(tenant_id=scope.tenant_id, user_id=user_id, day=day, **values)
                .on_conflict_do_update(
                    index_elements=["tenant_id", "user_id", "day"], set_={**values, "version": attendance.c.version + 1}
                )
                .returning(attendance)
            ),
        )
        return _finish_write(scope, action="attendance.corrected", before=before, row=row, reason=correction.reason)


def remove(scope: Scope, *, user_id: UUID, day: date, reason: str, if_match: int | None) -> None:
    """Delete the record of a day. Raises NotFound."""
    people.get_user(scope, user_id, "attendance.write")
    four_eyes.check_not_own(scope, four_eyes.Subject.ATTENDANCE, user_id)
    queries.get_day(scope, user_id, day)  # without a record the period stays fresh
    with facts.changing(scope, changes=[(user_id, day)], what="attendance"):
        before = queries.get_day(scope, user_id, day, lock=True)
        check_version(before, if_match)
        scope.session.execute(
            delete(attendance).where(
                attendance.c.tenant_id == scope.tenant_id, attendance.c.user_id == user_id, attendance.c.day == day
            )
        )
    audit.record(
        scope,
        action="attendance.removed",
        entity_type="attendance",
        entity_id=f"{user_id}/{day}",
        before=_facts(before),
        after={"reason": reason},
    )


def last_day(scope: Scope, zone: str) -> date:
    """Return the last day that a record may be for: tomorrow, so that rosters can be filled in ahead."""
    return clock.local_day(scope.now, zone) + timedelta(days=1)


def _moment(scope: Scope, at: datetime | None) -> datetime:
    if at is not None and at > scope.now + rules.CLOCK_TOLERANCE:
        raise invalid("/at", f"lies in the future; it is {scope.now:%Y-%m-%dT%H:%M:%SZ} now")
    return at or scope.now


def _refuse_overlap(rows: Sequence[AttendanceRecord], *, start: datetime, end: datetime, zone: str) -> None:
    """Raise Conflict for a punch inside a closed session, or a session around one: time would be paid twice."""
    if session := rules.find_overlap(rows, start=start, end=end):
        came, left = (rules.format_local(moment, zone) for moment in session)
        raise Conflict(f"There is a session from {came} to {left} already; ask HR for a correction.")


def _multirange(sessions: Sequence[rules.Session]) -> MultiRange[datetime]:
    """Return sessions as a value of the column `sessions`."""
    return MultiRange(Range(came, left) for came, left in sessions)


def _finish_write(
    scope: Scope, *, action: str, before: AttendanceRecord | None, row: AttendanceRecord, reason: str | None = None
) -> AttendanceRecord:
    decide_pairs(scope, pairs=[(row.user_id, row.day)])
    audit.record(
        scope,
        action=action,
        entity_type="attendance",
        entity_id=f"{row.user_id}/{row.day}",
        before=_facts(before) if before else None,
        after=_facts(row) | ({"reason": reason} if reason else {}),
    )
    return rows.one(
        AttendanceRecord,
        scope.session.execute(
            select(attendance).where(
                attendance.c.tenant_id == scope.tenant_id,
                attendance.c.user_id == row.user_id,
                attendance.c.day == row.day,
            )
        ),
    )


def _facts(row: AttendanceRecord) -> dict[str, Any]:
    return {name: value for name in FACTS if (value := getattr(row, name)) is not None}
