"""Writes of the leave ledger, which the days of every allocation follow."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, insert, select

from chalicelib.features.leave.models import leave_entries
from chalicelib.features.leave.rules import Bucket
from chalicelib.identity.scope import Scope

Held = Mapping[tuple[UUID, Bucket], Decimal]  # days by allocation and bucket


def held_by(scope: Scope, *, request_id: UUID) -> dict[tuple[UUID, Bucket], Decimal]:
    """This will give what a request holds or has used up; nothing where it holds nothing any more."""
    days = func.sum(leave_entries.c.days)
    rows = scope.session.execute(
        select(leave_entries.c.allocation_id, leave_entries.c.bucket, days.label("days"))
        .where(leave_entries.c.tenant_id == scope.tenant_id, leave_entries.c.request_id == request_id)
        .group_by(leave_entries.c.allocation_id, leave_entries.c.bucket)
        .having(days != 0)
    )
    return {(row.allocation_id, Bucket(row.bucket)): row.days for row in rows}


def only_carries(scope: Scope, *, allocation_id: UUID) -> bool:
    """This will tell whether days were carried into an allocation, and it has none of its own yet."""
    rows = scope.session.execute(
        select(leave_entries.c.bucket)
        .where(leave_entries.c.tenant_id == scope.tenant_id, leave_entries.c.allocation_id == allocation_id)
        .distinct()
    )
    buckets = set(rows.scalars())
    return Bucket.CARRIED in buckets and Bucket.ALLOCATED not in buckets


def hold(scope: Scope, *, request_id: UUID, version: int, held: Held, instead_of: Held) -> None:
    """This will book the difference between what a request holds so far and what it shall hold."""
    places = sorted({*held, *instead_of})
    differences = {place: held.get(place, Decimal(0)) - instead_of.get(place, Decimal(0)) for place in places}
    _book(
        scope,
        {place: days for place, days in differences.items() if days},
        cause=f"request/{request_id}/{version}",
        request_id=request_id,
    )


def allocate(scope: Scope, *, allocation_id: UUID, version: int, days: Decimal) -> None:
    """This will book days given, or below 0 taken back."""
    if days:
        _book(scope, {(allocation_id, Bucket.ALLOCATED): days}, cause=f"allocated/{version}")


def _book(scope: Scope, days: Held, *, cause: str, request_id: UUID | None = None) -> None:
    if not days:
        return
    # in one statement, so that what moves from one bucket to another is never missing in between
    scope.session.execute(
        insert(leave_entries).values(
            [
                {
                    "tenant_id": scope.tenant_id,
                    "allocation_id": allocation_id,
                    "bucket": bucket,
                    "days": amount,
                    "cause": cause,
                    "request_id": request_id,
                    "booked_at": scope.now,
                    "booked_by": scope.actor.name,
                }
                for (allocation_id, bucket), amount in days.items()
            ]
        )
    )
