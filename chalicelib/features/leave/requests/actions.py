"""Leave requests: requested, decided, shortened; their days in the leave ledger, and their facts in the register.

A write first locks the employee's row, then the allocations in the order of ids, so of two concurrent writes the second
sees the result of the first.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, tuple_, update

from chalicelib import audit, four_eyes, notifications
from chalicelib.backing import clock, rows
from chalicelib.entry.versions import check_version
from chalicelib.features.leave import rules
from chalicelib.features.leave.allocations import entry_actions
from chalicelib.features.leave.allocations import queries as allocation_queries
from chalicelib.features.leave.models import LeaveRequestRow, LeaveTypeRow, leave_days, leave_requests
from chalicelib.features.leave.requests import queries as requests
from chalicelib.features.leave.requests.schemas import NewRequest
from chalicelib.features.leave.rules import Bucket, HalfOfDay, LeaveSpan, OpenAllocation
from chalicelib.features.leave.types import queries as type_queries
from chalicelib.features.people.users import queries as people
from chalicelib.features.periods import facts
from chalicelib.features.periods.locks import share_calendar
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import AlreadyDecided, BalanceTooLow, Conflict, Place, invalid
from chalicelib.kernel.halves import Nature
from chalicelib.kernel.states import REQUEST_MOVES, RequestStatus, check_move
from chalicelib.notifications import NotificationKind, UserNotification

_AUDITED = ("user_id", "leave_type_id", "start_date", "end_date", "start_half", "end_half", "days", "reason")
_DECISIONS = {
    RequestStatus.APPROVED: NotificationKind.LEAVE_APPROVED,
    RequestStatus.REJECTED: NotificationKind.LEAVE_REJECTED,
}


@dataclass(frozen=True, slots=True)
class DecidedRequestRow(LeaveRequestRow):
    """A leave request after a decision, with the locked pay periods that it is too late for."""

    late_correction: list[str]


def request_leave(scope: Scope, *, new: NewRequest, submission_id: UUID | None = None) -> LeaveRequestRow:
    """Add a pending request, which reserves its days until it is decided. Raises Invalid, Conflict, BalanceTooLow."""
    leave_type = type_queries.get_active_type(scope, new.leave_type_id)
    user_id = new.user_id or scope.actor.user_id
    if user_id is None:
        raise invalid("/user_id", "say for whom; your key does not act for a person")
    share_calendar(scope)
    people.get_user(scope, user_id, "leave.write", lock=True)
    span = LeaveSpan(new.start_date, new.start_half, new.end_date, new.end_half)
    if span.ends < span.begins:
        raise invalid("/end_date", "is before start_date" if new.end_date < new.start_date else "ends before it begins")
    if new.end_date - new.start_date >= timedelta(days=rules.MAX_REQUEST_DAYS):
        raise invalid("/end_date", f"makes more than {rules.MAX_REQUEST_DAYS} days; send it as several requests")
    _check_employment(scope, user_id, span)
    _check_notice_period(scope, leave_type, span)
    _check_free(scope, user_id, span)
    halves = _count_halves(scope, user_id, leave_type, span)
    if not halves:
        raise invalid("/start_date", "there is no working day in these days; nothing has to be asked for")
    allocations_left = _lock_allocations(scope, user_id, leave_type, reserved={})
    taken = _take_halves(leave_type, halves, allocations_left)
    row = rows.one(
        LeaveRequestRow,
        scope.session.execute(
            insert(leave_requests)
            .values(
                tenant_id=scope.tenant_id,
                user_id=user_id,
                leave_type_id=new.leave_type_id,
                start_on=new.start_date,
                start_half=new.start_half,
                end_on=new.end_date,
                end_half=new.end_half,
                days=rules.count_days(halves),
                is_limited=leave_type.is_limited,
                reason=new.reason,
                submission_id=submission_id,
                created_at=scope.now,
            )
            .returning(*requests.COLUMNS)
        ),
    )
    reserved = entry_actions.sum_by_place(Bucket.PENDING, taken)
    entry_actions.reserve(scope, request_id=row.id, version=1, reserved=reserved, instead_of={})
    audit.record(
        scope,
        action="leave_request.asked",
        entity_type="leave_request",
        entity_id=row.id,
        after={name: getattr(row, name) for name in _AUDITED},
    )
    _notify(scope, NotificationKind.LEAVE_REQUESTED, row, leave_type, to=people.approvers_of(scope, user_id))
    return row


def decide(
    scope: Scope,
    *,
    request_id: UUID,
    to: RequestStatus,
    notes: str | None,
    if_match: int | None,
    by_submission: bool = False,
) -> DecidedRequestRow:
    """Approve, reject or cancel a request, and return it with the locked pay periods that it is too late for.

    One's own request can only be cancelled, and once approved only before it begins. A request made by a form is
    approved and rejected by its submission, which otherwise would stay open.
    """
    before = _lock_request(scope, request_id)
    check_version(before, if_match)
    now = RequestStatus(before.status)
    check_move(REQUEST_MOVES, now=now, to=to, what="leave request")
    if to is RequestStatus.CANCELLED:
        _check_may_cancel(scope, before)
    else:
        four_eyes.check_not_own(scope, four_eyes.Subject.REQUEST, before.user_id)
    if to is not RequestStatus.CANCELLED and before.submission_id and not by_submission:
        raise Conflict(
            f"This leave was asked for with a form, and is {to} with it: send the status to"
            f" PATCH /forms/submissions/{before.submission_id}."
        )
    leave_type = type_queries.get_leave_type(scope, before.leave_type_id)
    version, days, late = before.version + 1, before.days, []
    reserved = entry_actions.load_reserved(scope, request_id=request_id)
    used: dict[rules.LedgerPlace, Decimal] = {}
    if to is RequestStatus.APPROVED:
        halves, taken = _grant(scope, before, leave_type, reserved)
        days = rules.count_days(halves)
        used = entry_actions.sum_by_place(Bucket.USED, taken)
        late = _record_leave_days(scope, before, leave_type, halves)
    elif now is RequestStatus.APPROVED:
        late = _remove_leave_days(scope, before, keep=None)
    entry_actions.reserve(scope, request_id=request_id, version=version, reserved=used, instead_of=reserved)
    is_limited = leave_type.is_limited if to is RequestStatus.APPROVED else before.is_limited
    row = _update_request(scope, before, status=to, days=days, is_limited=is_limited, notes=notes)
    audit.record(
        scope,
        action=f"leave_request.{to}",
        entity_type="leave_request",
        entity_id=request_id,
        before={"status": now, "days": before.days},
        after={"status": to, "days": days, "notes": notes},
    )
    if kind := _DECISIONS.get(to):
        _notify(scope, kind, row, leave_type, to=[row.user_id])
    else:
        _notify(
            scope,
            NotificationKind.LEAVE_CANCELLED,
            row,
            leave_type,
            to=[*people.approvers_of(scope, row.user_id), row.user_id],
        )
    return DecidedRequestRow(**asdict(row), late_correction=late)


def shorten(scope: Scope, *, request_id: UUID, patch: dict[str, Any], if_match: int | None) -> DecidedRequestRow:
    """Shorten approved leave, and return the rest of its days.

    Halves that have become holidays or days off since are returned as well, also where the dates stay the same.
    """
    before = _lock_request(scope, request_id)
    check_version(before, if_match)
    if before.status != RequestStatus.APPROVED:
        raise Conflict(f"This leave is {before.status}, not approved; cancel it if need be, and ask for other days.")
    _check_may_cancel(scope, before)
    notes = patch.pop("notes", before.notes)
    old, span = requests.span_of(before), requests.span_of(replace(before, **patch))
    if span.ends < span.begins:
        raise invalid("/end_date", "the leave would end before it begins")
    if not span.is_within(old):
        raise invalid(
            "/start_date" if span.begins < old.begins else "/end_date",
            f"approved leave can only be shortened, and was {old}; ask for the other days",
        )
    leave_type = type_queries.get_leave_type(scope, before.leave_type_id)
    still_counted = set(_count_halves(scope, before.user_id, leave_type, span))
    kept = [half for half in requests.load_counted_halves(scope, request_id) if half in still_counted]
    if not kept:
        raise Conflict("No working day would be left of this leave; cancel it instead.")
    days = rules.count_days(kept)
    if span == old and days == before.days:
        return DecidedRequestRow(**asdict(before), late_correction=[])
    late = _remove_leave_days(scope, before, keep=(span, kept))
    used = entry_actions.load_reserved(scope, request_id=request_id)
    entry_actions.reserve(
        scope,
        request_id=request_id,
        version=before.version + 1,
        reserved=rules.keep_halves(used, kept),
        instead_of=used,
    )
    row = _update_request(scope, before, status=before.status, days=days, notes=notes, span=span)
    changed = [name for name in _AUDITED if getattr(row, name) != getattr(before, name)]
    audit.record(
        scope,
        action="leave_request.shortened",
        entity_type="leave_request",
        entity_id=request_id,
        before={name: getattr(before, name) for name in changed},
        after={name: getattr(row, name) for name in changed},
    )
    _notify(scope, NotificationKind.LEAVE_APPROVED, row, leave_type, to=[row.user_id])
    return DecidedRequestRow(**asdict(row), late_correction=late)


def _lock_request(scope: Scope, request_id: UUID) -> LeaveRequestRow:
    """Lock the employee, the request's allocations and the calendar, and return the request."""
    share_calendar(scope)
    employee_id = requests.get_request(scope, request_id, "leave.decide").user_id
    people.get_user(scope, employee_id, "leave.decide", lock=True)
    request = requests.get_request(scope, request_id, "leave.decide")  # read again under the lock
    allocation_queries.load_allocations(scope, user_id=employee_id, leave_type_id=request.leave_type_id, lock=True)
    return request


def _check_employment(scope: Scope, user_id: UUID, span: LeaveSpan) -> None:
    employment = people.find_employment(scope, user_id)
    if employment is None:
        raise invalid("/user_id", "has no employment, and so no days to be on leave from")
    joined_on, left_on = employment.joined_on, employment.left_on
    for pointer, day in (("/start_date", span.start_on), ("/end_date", span.end_on)):
        if day < joined_on or (left_on and day > left_on):
            until = f" to {left_on}" if left_on else ""
            raise invalid(pointer, f"{day} is outside the employment: employed from {joined_on}{until}")


def _check_notice_period(scope: Scope, leave_type: LeaveTypeRow, span: LeaveSpan) -> None:
    if not leave_type.notice_days or scope.reaches_all("leave.write"):
        return
    earliest = _today(scope) + timedelta(days=leave_type.notice_days)
    if span.start_on < earliest:
        raise invalid(
            "/start_date",
            f"{leave_type.name} has to be asked for {leave_type.notice_days} days ahead: from {earliest} on;"
            " for earlier days ask HR",
        )


def _check_free(scope: Scope, user_id: UUID, span: LeaveSpan) -> None:
    if other := requests.find_overlap(scope, user_id=user_id, span=span):
        raise Conflict(
            f"These days overlap with the {other.status} {other.name} {requests.span_of(other)}.",
            [Place("/start_date", "overlaps with other leave")],
        )
    _check_unrecorded(scope, user_id, span)


def _check_unrecorded(scope: Scope, user_id: UUID, span: LeaveSpan) -> None:
    if day := requests.find_recorded(scope, user_id=user_id, span=span):
        raise Conflict(
            f"Leave is recorded for {day} already; ask for the other days only.",
            [Place("/start_date", "overlaps with other leave")],
        )


def _check_may_cancel(scope: Scope, request: LeaveRequestRow) -> None:
    begun = request.status == RequestStatus.APPROVED and request.start_date <= _today(scope)
    if begun:  # returned days could be encashed, or be paid as worked
        four_eyes.check_not_own(scope, four_eyes.Subject.LEAVE_TAKEN, request.user_id)


def _today(scope: Scope) -> date:
    return clock.local_day(scope.now, scope.tenant.timezone)


def _count_halves(scope: Scope, user_id: UUID, leave_type: LeaveTypeRow, span: LeaveSpan) -> list[HalfOfDay]:
    bits = requests.load_countable_halves(
        scope, user_id=user_id, span=span, counts_all=leave_type.counts_non_working_days
    )
    return rules.select_counted(span, bits)


def _lock_allocations(
    scope: Scope, user_id: UUID, leave_type: LeaveTypeRow, *, reserved: entry_actions.Reserved
) -> list[OpenAllocation]:
    """Lock an employee's allocations and return them with the days that a request has reserved in each."""
    reserved_days: dict[UUID, Decimal] = {}
    for place, days in reserved.items():
        reserved_days[place.allocation_id] = reserved_days.get(place.allocation_id, Decimal(0)) + days
    allocations = allocation_queries.load_allocations(scope, user_id=user_id, leave_type_id=leave_type.id, lock=True)
    return [
        OpenAllocation(
            row.id,
            row.cycle_start_date,
            row.expires_on,
            free=row.remaining_days,
            reserved=reserved_days.get(row.id, Decimal(0)),
        )
        for row in allocations
    ]


def _take_halves(
    leave_type: LeaveTypeRow, halves: Sequence[HalfOfDay], allocations_left: Sequence[OpenAllocation]
) -> dict[HalfOfDay, UUID]:
    """Take these halves from allocations; unlimited leave takes none. Raises BalanceTooLow, which says what is left."""
    if not leave_type.is_limited:
        return {}
    taken, lacking = rules.take_halves(halves, allocations_left)
    if lacking:
        takeable = rules.count_days(halves) - rules.count_days(lacking)
        left = sum(
            (p.free + p.reserved for p in allocations_left if any(p.serves(day) for day, _ in halves)), Decimal(0)
        )
        raise BalanceTooLow(
            f"These are {rules.count_days(halves)} days of {leave_type.name}, and {left} remain"
            + (f", of which {takeable} can be taken on these days" if takeable != left else "")
            + (f"; nothing is left for {lacking[0][0]}" if takeable else "")
            + ". Ask for fewer days, or ask HR for more."
        )
    return taken


def _grant(
    scope: Scope, request: LeaveRequestRow, leave_type: LeaveTypeRow, reserved: entry_actions.Reserved
) -> tuple[list[HalfOfDay], dict[HalfOfDay, UUID]]:
    """Count a request's halves by today's calendar, and take them from its reserved days first."""
    span = requests.span_of(request)
    _check_unrecorded(scope, request.user_id, span)
    halves = _count_halves(scope, request.user_id, leave_type, span)
    if not halves:
        raise Conflict("None of these days is a working day any more; reject the request.")
    return halves, _take_halves(
        leave_type, halves, _lock_allocations(scope, request.user_id, leave_type, reserved=reserved)
    )


def _record_leave_days(
    scope: Scope, request: LeaveRequestRow, leave_type: LeaveTypeRow, halves: Sequence[HalfOfDay]
) -> list[str]:
    """Write the leave as facts of the register, and return the pay periods that it is too late for."""
    span, counted = requests.span_of(request), set(halves)
    changes = [(request.user_id, day) for day in span.days]
    with facts.changing(scope, changes=changes, what="leave") as change:
        scope.session.execute(
            insert(leave_days),
            [
                {
                    "tenant_id": scope.tenant_id,
                    "user_id": request.user_id,
                    "day": day,
                    "half": half,
                    "leave_type_id": leave_type.id,
                    "nature": Nature.PAID if leave_type.is_paid else Nature.LOP,
                    "counts_non_working": leave_type.counts_non_working_days,
                    "request_id": request.id,
                    "is_counted": (day, half) in counted,
                }
                for day, half in span.halves()
            ],
        )
    return change.late


def _remove_leave_days(
    scope: Scope, request: LeaveRequestRow, *, keep: tuple[LeaveSpan, Sequence[HalfOfDay]] | None
) -> list[str]:
    """Remove facts of a request from the register: all, or those outside a shorter span."""
    span, counted = keep or (None, [])
    gone = set(requests.span_of(request).halves()) - set(span.halves() if span else [])
    changes = [(request.user_id, day) for day in sorted({day for day, _ in gone})]
    half = tuple_(leave_days.c.day, leave_days.c.half)
    of_request = (leave_days.c.tenant_id == scope.tenant_id, leave_days.c.request_id == request.id)
    no_longer = update(leave_days).where(*of_request, leave_days.c.is_counted, half.not_in(counted))
    if not changes:
        scope.session.execute(no_longer.values(is_counted=False))
        return []
    with facts.changing(scope, changes=changes, what="leave") as change:
        scope.session.execute(delete(leave_days).where(*of_request, half.in_(sorted(gone))))
        scope.session.execute(no_longer.values(is_counted=False))
    return change.late


def _update_request(
    scope: Scope, before: LeaveRequestRow, *, span: LeaveSpan | None = None, **values: Any
) -> LeaveRequestRow:
    span = span or requests.span_of(before)
    row = rows.first(
        LeaveRequestRow,
        scope.session.execute(
            update(leave_requests)
            .where(
                leave_requests.c.tenant_id == scope.tenant_id,
                leave_requests.c.id == before.id,
                leave_requests.c.status == before.status,
            )
            .values(
                **values,
                decided_by=scope.actor.user_id,
                decided_at=scope.now,
                start_on=span.start_on,
                start_half=span.start_half,
                end_on=span.end_on,
                end_half=span.end_half,
                version=leave_requests.c.version + 1,
            )
            .returning(*requests.COLUMNS)
        ),
    )
    if row is None:
        raise AlreadyDecided("Somebody else has just decided this leave request; read it again.")
    return row


def _notify(
    scope: Scope, kind: NotificationKind, request: LeaveRequestRow, leave_type: LeaveTypeRow, *, to: Sequence[UUID]
) -> None:
    employee_name = people.get_user(scope, request.user_id, "leave.read").name
    values = {
        "person": employee_name,
        "leave_type": leave_type.name,
        "start_date": request.start_date.isoformat(),
        "end_date": request.end_date.isoformat(),
        "days": float(request.days),
        "notes": request.reason if kind is NotificationKind.LEAVE_REQUESTED else request.notes,
    }
    cause = f"leave_request/{request.id}/{request.version}"
    user_notifications = [UserNotification(one, cause, values, request.id) for one in to if one != scope.actor.user_id]
    notifications.notify(scope, kind=kind, entity_type="leave_request", user_notifications=user_notifications)
