"""Recount of leave: after a change of working days or a manual edit, days used equal the halves the register shows.

Differences are found by two SQL functions, `leave_halves` (leave of requests) and `leave_by_hand` (leave set in the
register); the operators' `check` uses the same two. Halves that are no longer leave return their days, halves that have
become leave take days, and the employee is notified. Only differences are posted, so it is idempotent.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text

from chalicelib import audit, notifications
from chalicelib.backing.database import statement
from chalicelib.features.leave import rules
from chalicelib.features.leave.allocations import entry_actions, queries
from chalicelib.features.leave.allocations.entry_actions import NewEntry
from chalicelib.features.leave.models import AllocationRow
from chalicelib.features.leave.rules import Bucket, HalfOfDay, LedgerPlace, OpenAllocation
from chalicelib.features.periods.locks import lock_people
from chalicelib.features.periods.working_days import LAST_DAY
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import BalanceTooLow
from chalicelib.kernel.halves import Half
from chalicelib.notifications import NotificationKind, UserNotification

_EMPLOYEES = text(statement(__file__, "recount_people"))
_HALVES = text("""
    select * from leave_halves(:tenant_id, :user_ids, :first, :last)
    where is_wanted <> is_counted order by request_id, day, half""")
_BY_HAND = text("""
    select * from leave_by_hand(:tenant_id, :user_ids, :first, :last)
    where wanted <> taken order by user_id, leave_type_id, day""")
_WRITE = text(statement(__file__, "recount_write"))


@dataclass(slots=True)
class LeaveClaim:
    """A leave request, or an employee's leave of one type set by hand, and how its halves changed."""

    request_id: UUID | None  # None: set by hand, or recorded by other means
    user_id: UUID
    leave_type_id: UUID
    is_limited: bool = True
    is_edited: bool = False  # by a manual edit in force
    freed: list[HalfOfDay] = field(default_factory=list)  # no longer leave in the register
    gained: list[HalfOfDay] = field(default_factory=list)  # now leave in the register
    unpaid: list[HalfOfDay] = field(default_factory=list)  # of the gained: no days were left


class Allowance:
    """The locked allocations of some employees, to take days from and return them to."""

    def __init__(self, rows: Iterable[AllocationRow]) -> None:
        self._rows = {row.id: row for row in rows}
        self.free = {row.id: row.remaining_days for row in self._rows.values()}

    def take(self, claim: LeaveClaim) -> dict[HalfOfDay, UUID]:
        """Take the halves that a claim gained; those that no days are left for become its `unpaid`."""
        taken, claim.unpaid = rules.take_halves(
            claim.gained,
            [
                OpenAllocation(row.id, row.cycle_start_date, row.expires_on, free=self.free[row.id])
                for row in self._rows.values()
                if (row.user_id, row.leave_type_id) == (claim.user_id, claim.leave_type_id)
            ],
        )
        for allocation_id in taken.values():
            self.free[allocation_id] -= rules.HALF_DAY
        return taken


def recount(scope: Scope, *, user_ids: Collection[UUID] | None, first: date, last: date, must_fit: bool = False) -> int:
    """Post the differences between the leave ledger and the register in a span, and count the claims that changed.

    `user_ids` None means all. Leave of a request that no days are left for becomes leave without pay. With `must_fit`,
    leave set by hand that no days are left for raises BalanceTooLow; without it, `check` goes on reporting it.
    """
    employee_ids = load_employees_with_leave(scope, user_ids=user_ids, first=first, last=last)
    if not employee_ids:
        return 0
    lock_people(scope, employee_ids)  # a statement of its own, so that later ones see the committed state
    claims = _load_changed_claims(scope, user_ids=employee_ids, first=first, last=last)
    if not claims:
        return 0
    _post_changes(scope, claims, must_fit=must_fit)
    _update_requests(scope, claims)
    return len(claims)


def load_employees_with_leave(
    scope: Scope, *, user_ids: Collection[UUID] | None = None, first: date, last: date = LAST_DAY
) -> list[UUID]:
    """Return the employees, of some or all (None), whose leave in a span may have to be recounted."""
    rows = scope.session.execute(
        _EMPLOYEES,
        {
            "tenant_id": scope.tenant_id,
            "user_ids": None if user_ids is None else list(user_ids),
            "first": first,
            "last": last,
        },
    )
    return list(rows.scalars())


def _load_changed_claims(scope: Scope, *, user_ids: Sequence[UUID], first: date, last: date) -> list[LeaveClaim]:
    """Load the claims whose halves differ from those posted."""
    values = {"tenant_id": scope.tenant_id, "user_ids": list(user_ids), "first": first, "last": last}
    claims: dict[tuple[UUID | None, UUID, UUID], LeaveClaim] = {}
    for row in scope.session.execute(_HALVES, values):
        key = (row.request_id, row.user_id, row.leave_type_id)
        claim = claims.setdefault(key, LeaveClaim(*key, is_limited=row.is_limited))
        (claim.gained if row.is_wanted else claim.freed).append((row.day, Half(row.half)))
    for row in scope.session.execute(_BY_HAND, values):
        claim = claims.setdefault(
            (None, row.user_id, row.leave_type_id), LeaveClaim(None, row.user_id, row.leave_type_id)
        )
        claim.is_edited |= row.is_edited
        # which half of the day does not matter to the ledger
        halves = [(row.day, half) for half in Half][: int(2 * abs(row.wanted - row.taken))]
        (claim.gained if row.wanted > row.taken else claim.freed).extend(halves)
    return list(claims.values())


def _post_changes(scope: Scope, claims: Sequence[LeaveClaim], *, must_fit: bool) -> None:
    """Return the freed days of all claims, then take the gained ones."""
    limited = [claim for claim in claims if claim.is_limited]
    pairs = {(claim.user_id, claim.leave_type_id) for claim in limited}
    allowance = Allowance(queries.lock_allocations(scope, pairs=pairs))
    used = entry_actions.load_used(scope, claims=[(c.request_id, c.user_id, c.leave_type_id) for c in limited])
    changes: list[dict[LedgerPlace, Decimal]] = []
    for claim in limited:
        before = used.get((claim.request_id, claim.user_id, claim.leave_type_id), {})
        changes.append(entry_actions.find_differences(rules.return_halves(before, claim.freed), before))
        for place, days in changes[-1].items():
            allowance.free[place.allocation_id] -= days
    entries = []
    for claim, change in zip(limited, changes, strict=True):
        taken = entry_actions.sum_by_place(Bucket.USED, allowance.take(claim))
        if claim.unpaid and claim.is_edited and must_fit:
            raise BalanceTooLow(
                f"Nothing is left of this leave type for {claim.unpaid[0][0]}; set leave without pay, another type, or"
                " give the person more days first."
            )
        cause = f"recount/{claim.request_id or 'by-hand'}/{uuid4()}"
        for place in sorted({*change, *taken}):
            if days := change.get(place, Decimal(0)) + taken.get(place, Decimal(0)):
                entries.append(NewEntry(place, days, cause, claim.request_id))
    entry_actions.post_entries(scope, entries)


def _update_requests(scope: Scope, claims: Sequence[LeaveClaim]) -> None:
    """Update the halves of requests, write the audit log, and notify the employees."""
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
    user_notifications = [
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
        scope, kind=NotificationKind.LEAVE_RECOUNTED, entity_type="leave_request", user_notifications=user_notifications
    )
