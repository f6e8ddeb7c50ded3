"""Recount leave: after any change of working days or of edits by hand, days used are the halves the register shows.

What differs is found by two functions of the database, `leave_halves` (leave of requests) and `leave_by_hand` (leave
that a person set in the register); the command line's `check` asks the same two. Halves that are not leave any more
give their days back, halves that have become leave take days, and the person is notified. All of it is the difference
between what is booked and what should be, so doing it twice books nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text

from chalicelib import audit, notifications
from chalicelib.backing.database import Record, statement
from chalicelib.features.leave import rules
from chalicelib.features.leave.allocations import entry_actions, queries
from chalicelib.features.leave.allocations.entry_actions import NewEntry
from chalicelib.features.leave.rules import Bucket, HalfOfDay, LedgerPlace, OpenAllocation
from chalicelib.features.periods.locks import lock_people
from chalicelib.features.periods.working_days import LAST_DAY
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import BalanceTooLow
from chalicelib.kernel.halves import Half
from chalicelib.notifications import NotificationKind, UserNotification

_PEOPLE = text(statement(__file__, "recount_people"))
_HALVES = text("""
    select * from leave_halves(:tenant_id, :user_ids, :first, :last)
    where is_wanted <> is_counted order by request_id, day, half""")
_BY_HAND = text("""
    select * from leave_by_hand(:tenant_id, :user_ids, :first, :last)
    where wanted <> taken order by user_id, leave_type_id, day""")
_WRITE = text(statement(__file__, "recount_write"))


@dataclass(slots=True)
class LeaveClaim:
    """What one leave request, or one person's leave set by hand of one type, uses up; and how that changed."""

    request_id: UUID | None  # None: set by hand, or recorded by other means
    user_id: UUID
    leave_type_id: UUID
    is_limited: bool = True
    is_edited: bool = False  # an edit in force says so
    freed: list[HalfOfDay] = field(default_factory=list)  # not leave in the register any more
    gained: list[HalfOfDay] = field(default_factory=list)  # leave in the register by now
    unpaid: list[HalfOfDay] = field(default_factory=list)  # of the gained: nothing was left to take


class Allowance:
    """The locked allocations of some people, to take days from and give days back to."""

    def __init__(self, rows: Iterable[Record]) -> None:
        self._rows = {row["id"]: row for row in rows}
        self.free = {row["id"]: row["remaining_days"] for row in self._rows.values()}

    def take(self, claim: LeaveClaim) -> dict[HalfOfDay, UUID]:
        """Take the halves that a claim gained; what nothing is left for becomes its `unpaid`."""
        taken, claim.unpaid = rules.take(
            claim.gained,
            [
                OpenAllocation(row["id"], row["cycle_start_on"], row["expires_on"], free=self.free[row["id"]])
                for row in self._rows.values()
                if (row["user_id"], row["leave_type_id"]) == (claim.user_id, claim.leave_type_id)
            ],
        )
        for allocation_id in taken.values():
            self.free[allocation_id] -= rules.HALF_DAY
        return taken


def recount(scope: Scope, *, user_ids: Collection[UUID] | None, first: date, last: date, must_fit: bool = False) -> int:
    """Make the leave ledger say what the register shows on these days, and count the claims that changed.

    `user_ids` None is everybody. Leave of a request that nothing is left for becomes leave without pay. With `must_fit`
    leave set by hand that nothing is left for is refused (BalanceTooLow); without, `check` goes on to show it.
    """
    concerned = people_with_leave(scope, user_ids=user_ids, first=first, last=last)
    if not concerned:
        return 0
    lock_people(scope, concerned)  # a statement of its own, so that what follows sees what they are by now
    claims = _claims(scope, user_ids=concerned, first=first, last=last)
    if not claims:
        return 0
    _book(scope, claims, must_fit=must_fit)
    _write(scope, claims)
    return len(claims)


def people_with_leave(
    scope: Scope, *, user_ids: Collection[UUID] | None = None, first: date, last: date = LAST_DAY
) -> list[UUID]:
    """Return those of some people, or of all (None), whose leave on these days may have to be recounted."""
    rows = scope.session.execute(
        _PEOPLE,
        {
            "tenant_id": scope.tenant_id,
            "user_ids": None if user_ids is None else list(user_ids),
            "first": first,
            "last": last,
        },
    )
    return list(rows.scalars())


def _claims(scope: Scope, *, user_ids: Sequence[UUID], first: date, last: date) -> list[LeaveClaim]:
    """Return the claims whose halves are not those that are booked."""
    values = {"tenant_id": scope.tenant_id, "user_ids": list(user_ids), "first": first, "last": last}
    found: dict[tuple[UUID | None, UUID, UUID], LeaveClaim] = {}
    for row in scope.session.execute(_HALVES, values):
        key = (row.request_id, row.user_id, row.leave_type_id)
        claim = found.setdefault(key, LeaveClaim(*key, is_limited=row.is_limited))
        (claim.gained if row.is_wanted else claim.freed).append((row.day, Half(row.half)))
    for row in scope.session.execute(_BY_HAND, values):
        claim = found.setdefault(
            (None, row.user_id, row.leave_type_id), LeaveClaim(None, row.user_id, row.leave_type_id)
        )
        claim.is_edited |= row.is_edited
        # which of the day's halves does not matter to the books
        halves = [(row.day, half) for half in Half][: int(2 * abs(row.wanted - row.taken))]
        (claim.gained if row.wanted > row.taken else claim.freed).extend(halves)
    return list(found.values())


def _book(scope: Scope, claims: Sequence[LeaveClaim], *, must_fit: bool) -> None:
    """Give back what is freed, by all claims, and then take what is gained."""
    limited = [claim for claim in claims if claim.is_limited]
    pairs = {(claim.user_id, claim.leave_type_id) for claim in limited}
    allowance = Allowance(queries.lock_allocations(scope, pairs=pairs))
    held = entry_actions.held_by_claims(scope, claims=[(c.request_id, c.user_id, c.leave_type_id) for c in limited])
    changes: list[dict[LedgerPlace, Decimal]] = []
    for claim in limited:
        before = held.get((claim.request_id, claim.user_id, claim.leave_type_id), {})
        changes.append(entry_actions.differences(rules.given_back(before, claim.freed), before))
        for place, days in changes[-1].items():
            allowance.free[place.allocation_id] -= days
    entries = []
    for claim, change in zip(limited, changes, strict=True):
        taken = entry_actions.held_in(Bucket.USED, allowance.take(claim))
        if claim.unpaid and claim.is_edited and must_fit:
            raise BalanceTooLow(
                f"Nothing is left of this leave type for {claim.unpaid[0][0]}; set leave without pay, another type, or"
                " give the person more days first."
            )
        cause = f"recount/{claim.request_id or 'by-hand'}/{uuid4()}"
        for place in sorted({*change, *taken}):
            if days := change.get(place, Decimal(0)) + taken.get(place, Decimal(0)):
                entries.append(NewEntry(place, days, cause, claim.request_id))
    entry_actions.book(scope, entries)


def _write(scope: Scope, claims: Sequence[LeaveClaim]) -> None:
    """Mark the halves of requests as they are counted now, write the audit, and notify each person."""
    halves = [
        (
            claim.request_id,
            day,
            half,
            (day, half) in claim.gained and (day, half) not in claim.unpaid,
            (day, half) in claim.unpaid,
        )
        for claim in claims
        if claim.request_id is not None
        for day, half in [*claim.freed, *claim.gained]
    ]
    names = ("request_ids", "days", "halves", "counted", "unpaid")
    columns = zip(*halves, strict=True) if halves else [()] * len(names)
    rows = scope.session.execute(
        _WRITE, {"tenant_id": scope.tenant_id, **dict(zip(names, map(list, columns), strict=True))}
    ).all()
    for row in rows:
        if row.days != row.days_before:
            audit.record(
                scope,
                action="leave_request.recounted",
                entity_type="leave_request",
                entity_id=row.id,
                before={"days": row.days_before},
                after={"days": row.days},
            )
    _notify(scope, rows)


def _notify(scope: Scope, rows: Sequence[Row[Any]]) -> None:
    notices = [
        UserNotification(
            row.user_id,
            f"leave_recounted/{row.id}/{row.version}",
            {
                "leave_type": row.leave_type,
                "start_date": row.start_on.isoformat(),
                "end_date": row.end_on.isoformat(),
                "days": float(row.days),
                "days_before": float(row.days_before),
                "unpaid_days": float(row.unpaid_days),
            },
            row.id,
        )
        for row in rows
        if row.days != row.days_before or row.unpaid_days
    ]
    notifications.notify(
        scope, kind=NotificationKind.LEAVE_RECOUNTED, entity_type="leave_request", user_notifications=notices
    )
