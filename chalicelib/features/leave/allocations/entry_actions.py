"""Writes of the leave ledger; the days of every allocation are the sums of its entries."""

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

Reserved = Mapping[LedgerPlace, Decimal]  # days by allocation, bucket and day
ClaimKey = tuple[UUID | None, UUID, UUID]  # leave request (None: leave set by hand), employee, leave type


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One line to append to the leave ledger."""

    place: LedgerPlace
    days: Decimal
    cause: str
    request_id: UUID | None = None


def load_reserved(scope: Scope, *, request_id: UUID) -> dict[LedgerPlace, Decimal]:
    """Return the days that a request has reserved or used, by place."""
    rows = scope.session.execute(_select_reserved(scope).where(leave_entries.c.request_id == request_id))
    return {_place(row): row.days for row in rows}


def load_used(scope: Scope, *, claims: Collection[ClaimKey]) -> dict[ClaimKey, dict[LedgerPlace, Decimal]]:
    """Return the days used by leave requests and by leave set by hand; claims without any are left out."""
    request_ids = [request_id for request_id, _, _ in claims if request_id is not None]
    by_hand = [(user_id, type_id) for request_id, user_id, type_id in claims if request_id is None]
    owner = (leave_allocations.c.user_id, leave_allocations.c.leave_type_id)
    rows = scope.session.execute(
        _select_reserved(scope)
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
    used: dict[ClaimKey, dict[LedgerPlace, Decimal]] = {}
    for row in rows:
        used.setdefault((row.request_id, row.user_id, row.leave_type_id), {})[_place(row)] = row.days
    return used


def _select_reserved(scope: Scope) -> Select[Any]:
    """Select the sums of the tenant's entries by allocation, bucket and day, without zero sums."""
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


def sum_by_place(bucket: Bucket, taken: Mapping[HalfOfDay, UUID]) -> dict[LedgerPlace, Decimal]:
    """Sum halves, each with its allocation, to days by place in a bucket."""
    days_by_place: dict[LedgerPlace, Decimal] = {}
    for (day, _), allocation_id in taken.items():
        place = LedgerPlace(allocation_id, bucket, day)
        days_by_place[place] = days_by_place.get(place, Decimal(0)) + HALF_DAY
    return days_by_place


def has_only_carried_days(scope: Scope, *, allocation_id: UUID) -> bool:
    """Return whether an allocation has carried days only, and none of its own yet."""
    rows = scope.session.execute(
        select(leave_entries.c.bucket)
        .where(leave_entries.c.tenant_id == scope.tenant_id, leave_entries.c.allocation_id == allocation_id)
        .distinct()
    )
    buckets = set(rows.scalars())
    return Bucket.CARRIED in buckets and Bucket.ALLOCATED not in buckets


def reserve(scope: Scope, *, request_id: UUID, version: int, reserved: Reserved, instead_of: Reserved) -> None:
    """Post the difference between the days that a request has reserved and those that it shall have."""
    cause = f"request/{request_id}/{version}"
    post_entries(
        scope,
        [NewEntry(place, days, cause, request_id) for place, days in find_differences(reserved, instead_of).items()],
    )


def find_differences(reserved: Reserved, instead_of: Reserved) -> dict[LedgerPlace, Decimal]:
    """Return the entries that turn `instead_of` into the first mapping."""
    places = sorted({*reserved, *instead_of})
    changes = {place: reserved.get(place, Decimal(0)) - instead_of.get(place, Decimal(0)) for place in places}
    return {place: days for place, days in changes.items() if days}


def post_allocated(scope: Scope, *, allocation_id: UUID, version: int, cycle_start_on: date, days: Decimal) -> None:
    """Post allocated days; negative ones are taken back."""
    if days:
        place = LedgerPlace(allocation_id, Bucket.ALLOCATED, cycle_start_on)
        post_entries(scope, [NewEntry(place, days, f"allocated/{version}")])


def post_entries(scope: Scope, entries: Sequence[NewEntry]) -> None:
    """Append entries in one statement, so that no reader sees a move between buckets half done."""
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
