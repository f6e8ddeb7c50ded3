"""Writes of the leave ledger, which the days of every allocation follow."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, insert, or_, select, tuple_

from chalicelib.features.leave.models import leave_allocations, leave_entries
from chalicelib.features.leave.rules import HALF_DAY, Bucket, HalfOfDay, LedgerPlace
from chalicelib.identity.scope import Scope

Held = Mapping[LedgerPlace, Decimal]  # days by allocation, bucket and day
ClaimKey = tuple[UUID | None, UUID, UUID]  # a leave request (None: leave set by hand), whose, and of which leave type


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One line to append to the leave ledger."""

    place: LedgerPlace
    days: Decimal
    cause: str
    request_id: UUID | None = None


def held_by(scope: Scope, *, request_id: UUID) -> dict[LedgerPlace, Decimal]:
    """Return what a request holds or has used up; nothing where it holds nothing any more."""
    rows = scope.session.execute(_held(scope).where(leave_entries.c.request_id == request_id))
    return {_place(row): row.days for row in rows}


def held_by_claims(scope: Scope, *, claims: Collection[ClaimKey]) -> dict[ClaimKey, dict[LedgerPlace, Decimal]]:
    """Return what leave requests, and leave set by hand, have used up; those that used nothing are left out."""
    request_ids = [request_id for request_id, _, _ in claims if request_id is not None]
    by_hand = [(user_id, type_id) for request_id, user_id, type_id in claims if request_id is None]
    owner = (leave_allocations.c.user_id, leave_allocations.c.leave_type_id)
    rows = scope.session.execute(
        _held(scope)
        .add_columns(leave_entries.c.request_id, *owner)
        .join(
            leave_allocations,
            and_(
                leave_allocations.c.tenant_id == leave_entries.c.tenant_id,
                leave_allocations.c.id == leave_entries.c.allocation_id,
            ),
        )
        .where(
            leave_entries.c.bucket == Bucket.USED,
            or_(
                leave_entries.c.request_id.in_(request_ids),
                and_(leave_entries.c.request_id.is_(None), tuple_(*owner).in_(by_hand)),
            ),
        )
        .group_by(leave_entries.c.request_id, *owner)
    )
    held: dict[ClaimKey, dict[LedgerPlace, Decimal]] = {}
    for row in rows:
        held.setdefault((row.request_id, row.user_id, row.leave_type_id), {})[_place(row)] = row.days
    return held


def _held(scope: Scope) -> Select[Any]:
    """Sum the tenant's entries by allocation, bucket and day, without those that come to nothing."""
    place = (leave_entries.c.allocation_id, leave_entries.c.bucket, leave_entries.c.concerns_on)
    days = func.sum(leave_entries.c.days)
    return (
        select(*place, days.label("days"))
        .where(leave_entries.c.tenant_id == scope.tenant_id)
        .group_by(*place)
        .having(days != 0)
    )


def _place(row: Row[Any]) -> LedgerPlace:
    return LedgerPlace(row.allocation_id, Bucket(row.bucket), row.concerns_on)


def held_in(bucket: Bucket, taken: Mapping[HalfOfDay, UUID]) -> dict[LedgerPlace, Decimal]:
    """Return the days that these halves, each of its allocation, come to in a bucket."""
    held: dict[LedgerPlace, Decimal] = {}
    for (day, _), allocation_id in taken.items():
        place = LedgerPlace(allocation_id, bucket, day)
        held[place] = held.get(place, Decimal(0)) + HALF_DAY
    return held


def only_carries(scope: Scope, *, allocation_id: UUID) -> bool:
    """Return whether days were carried into an allocation, and it has none of its own yet."""
    rows = scope.session.execute(
        select(leave_entries.c.bucket)
        .where(leave_entries.c.tenant_id == scope.tenant_id, leave_entries.c.allocation_id == allocation_id)
        .distinct()
    )
    buckets = set(rows.scalars())
    return Bucket.CARRIED in buckets and Bucket.ALLOCATED not in buckets


def hold(scope: Scope, *, request_id: UUID, version: int, held: Held, instead_of: Held) -> None:
    """Book the difference between what a request holds so far and what it shall hold."""
    cause = f"request/{request_id}/{version}"
    book(scope, [NewEntry(place, days, cause, request_id) for place, days in differences(held, instead_of).items()])


def differences(held: Held, instead_of: Held) -> dict[LedgerPlace, Decimal]:
    """Return what has to be booked, so that `held` stands where `instead_of` stood."""
    places = sorted({*held, *instead_of})
    changes = {place: held.get(place, Decimal(0)) - instead_of.get(place, Decimal(0)) for place in places}
    return {place: days for place, days in changes.items() if days}


def allocate(scope: Scope, *, allocation_id: UUID, version: int, cycle_start_on: date, days: Decimal) -> None:
    """Book days given, or below 0 taken back."""
    if days:
        place = LedgerPlace(allocation_id, Bucket.ALLOCATED, cycle_start_on)
        book(scope, [NewEntry(place, days, f"allocated/{version}")])


def book(scope: Scope, entries: Sequence[NewEntry]) -> None:
    """Append entries in one statement, so that what moves between buckets is never missing in between."""
    if not entries:
        return
    scope.session.execute(
        insert(leave_entries).values(
            [
                {
                    "tenant_id": scope.tenant_id,
                    "allocation_id": entry.place.allocation_id,
                    "bucket": entry.place.bucket,
                    "concerns_on": entry.place.day,
                    "days": entry.days,
                    "cause": entry.cause,
                    "request_id": entry.request_id,
                    "booked_at": scope.now,
                    "booked_by": scope.actor.name,
                }
                for entry in entries
            ]
        )
    )
