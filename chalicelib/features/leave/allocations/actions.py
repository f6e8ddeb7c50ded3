"""Writes of allocations: days of leave for one employee or many, and corrections."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text, update

from chalicelib import audit, four_eyes
from chalicelib.backing.database import statement
from chalicelib.entry.versions import check_version
from chalicelib.features.leave import rules
from chalicelib.features.leave.allocations import entry_actions
from chalicelib.features.leave.allocations import queries as allocation_queries
from chalicelib.features.leave.allocations.schemas import Allocated, NewAllocation, NewAllocations, SkippedAllocations
from chalicelib.features.leave.models import AllocationRow, LeaveTypeRow, leave_allocations
from chalicelib.features.leave.types import queries as type_queries
from chalicelib.features.people.models import departments
from chalicelib.features.people.organisation import queries as organisation
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import BalanceTooLow, Conflict, Place, invalid

_ALLOCATE_MANY = text(statement(__file__, "allocate_many"))
_REASONS = {
    "no_employment": "they have no employment",
    "left_before": "they left before the cycle begins",
    "joins_after": "they join after the cycle ends",
    "overlaps": "they have days of this leave for a part of the cycle already",
    "is_you": "nobody gives leave days to themselves; somebody else has to",
    "too_late_for_half_a_day": "what is left of the cycle after they join is worth less than half a day",
}


def allocate(scope: Scope, *, new: NewAllocation) -> AllocationRow:
    """Allocate days of a cycle to an employee. Cycles of an employee and leave type never overlap.

    A cycle that was only made to carry days into gets its own days now.
    """
    people.get_user(scope, new.user_id, "leave.allocate", lock=True)
    four_eyes.check_not_own(scope, four_eyes.Subject.LEAVE_ALLOCATION, new.user_id)
    leave_type = type_queries.get_active_type(scope, new.leave_type_id)
    start, end = _resolve_cycle(new.cycle_start_date, new.cycle_end_date)
    days = _resolve_days(new.allocated_days, leave_type, pointer="/allocated_days")
    _check_fits_cycle(days, start=start, end=end, pointer="/allocated_days")
    for other in allocation_queries.load_allocations(scope, user_id=new.user_id, leave_type_id=new.leave_type_id):
        if other.cycle_start_date <= end and other.cycle_end_date >= start:
            if (other.cycle_start_date, other.cycle_end_date) == (start, end) and entry_actions.has_only_carried_days(
                scope, allocation_id=other.id
            ):
                patch = {"allocated_days": days, **({"notes": new.notes} if new.notes else {})}
                return correct(scope, allocation_id=other.id, patch=patch, if_match=None)
            raise Conflict(
                f"This person has {leave_type.name} from {other.cycle_start_date} to {other.cycle_end_date}"
                " already; correct the days of that cycle, or choose dates outside it.",
                [Place("/cycle_start_date", "overlaps with another cycle")],
            )
    row = scope.session.execute(
        insert(leave_allocations)
        .values(
            tenant_id=scope.tenant_id,
            user_id=new.user_id,
            leave_type_id=new.leave_type_id,
            cycle_start_on=start,
            cycle_end_on=end,
            notes=new.notes,
            created_at=scope.now,
            expires_on=allocation_queries.find_expiry(scope, leave_type=leave_type, cycle_end=end),
        )
        .returning(leave_allocations.c.id)
    ).one()
    entry_actions.post_allocated(scope, allocation_id=row.id, version=1, cycle_start_on=start, days=days)
    audit.record(
        scope,
        action="leave_allocation.added",
        entity_type="leave_allocation",
        entity_id=row.id,
        after={**new.model_dump(), "cycle_end_date": end, "allocated_days": days},
    )
    return allocation_queries.get_allocation(scope, row.id, "leave.allocate")


def correct(scope: Scope, *, allocation_id: UUID, patch: dict[str, Any], if_match: int | None) -> AllocationRow:
    """Change the days of an allocation, never below those reserved, used or expired. Raises BalanceTooLow."""
    employee_id = allocation_queries.get_allocation(scope, allocation_id, "leave.allocate").user_id
    people.get_user(scope, employee_id, "leave.allocate", lock=True)  # first, as in the order of locks
    four_eyes.check_not_own(scope, four_eyes.Subject.LEAVE_ALLOCATION, employee_id)
    scope.session.execute(
        select(leave_allocations.c.id)
        .where(leave_allocations.c.tenant_id == scope.tenant_id, leave_allocations.c.id == allocation_id)
        .with_for_update(key_share=True)
    )
    before = allocation_queries.get_allocation(scope, allocation_id, "leave.allocate")
    check_version(before, if_match)
    changes = {name: value for name, value in patch.items() if getattr(before, name) != value}
    if not changes:
        return before
    if "allocated_days" in changes:
        _check_fits_cycle(
            changes["allocated_days"],
            start=before.cycle_start_date,
            end=before.cycle_end_date,
            pointer="/allocated_days",
        )
    added_days = changes.get("allocated_days", before.allocated_days) - before.allocated_days
    if before.remaining_days + added_days < 0:
        least = before.allocated_days - before.remaining_days
        raise BalanceTooLow(
            f"{least} of the {before.allocated_days} days are used, asked for or gone; leave at least {least}.",
            [Place("/allocated_days", f"is less than {least}")],
        )
    version = before.version + 1
    scope.session.execute(
        update(leave_allocations)
        .where(leave_allocations.c.tenant_id == scope.tenant_id, leave_allocations.c.id == allocation_id)
        .values(version=version, **({"notes": changes["notes"]} if "notes" in changes else {}))
    )
    entry_actions.post_allocated(
        scope, allocation_id=allocation_id, version=version, cycle_start_on=before.cycle_start_date, days=added_days
    )
    audit.record(
        scope,
        action="leave_allocation.corrected",
        entity_type="leave_allocation",
        entity_id=allocation_id,
        before={name: getattr(before, name) for name in changes},
        after=changes,
    )
    return allocation_queries.get_allocation(scope, allocation_id, "leave.allocate")


def allocate_many(scope: Scope, *, new: NewAllocations) -> Allocated:
    """Allocate days of a cycle to many employees in one statement; report those left out, with the reasons.

    Repeating it allocates nothing, as each cycle overlaps with itself. Of two concurrent calls for the same employees
    one is refused as a whole.
    """
    leave_type = type_queries.get_active_type(scope, new.leave_type_id)
    start, end = _resolve_cycle(new.cycle_start_date, new.cycle_end_date)
    days = _resolve_days(new.days, leave_type, pointer="/days")
    _check_fits_cycle(days, start=start, end=end, pointer="/days")
    if new.department_id is not None:
        organisation.get_unit(scope, departments, new.department_id)
    if new.user_ids is not None:
        people.check_users_exist(scope, new.user_ids)
    expires_on = allocation_queries.find_expiry(scope, leave_type=leave_type, cycle_end=end)
    rows = scope.session.execute(
        _ALLOCATE_MANY,
        {
            "tenant_id": scope.tenant_id,
            "user_ids": new.user_ids,
            "department_id": new.department_id,
            "leave_type_id": new.leave_type_id,
            "cycle_start_on": start,
            "cycle_end_on": end,
            "days": days,
            "pro_rata": new.pro_rata_for_joiners,
            "expires_on": expires_on,
            "notes": new.notes,
            "now": scope.now,
            "booked_by": scope.actor.name,
            "own_ids": four_eyes.own_ids(scope),
        },
    ).all()
    allocated = next((row for row in rows if row.reason is None), None)
    report = Allocated(
        people=allocated.people if allocated else 0,
        days=allocated.days if allocated else Decimal(0),
        expires_on=expires_on,
        skipped=[
            SkippedAllocations(reason=row.reason, detail=_REASONS[row.reason], people=row.people, user_ids=row.user_ids)
            for row in rows
            if row.reason
        ],
    )
    audit.record(
        scope,
        action="leave_allocations.added",
        entity_type="leave_type",
        entity_id=new.leave_type_id,
        after={
            **new.model_dump(),
            "cycle_end_date": end,
            "days": days,
            "people": report.people,
            "total_days": allocated.days if allocated else Decimal(0),
        },
    )
    return report


def _resolve_cycle(start: date, end: date | None) -> tuple[date, date]:
    end = end or rules.end_of_year_from(start)
    if end < start:
        raise invalid("/cycle_end_date", "is before cycle_start_date")
    if end - start >= timedelta(days=rules.MAX_CYCLE_DAYS):
        raise invalid("/cycle_end_date", f"makes a cycle of more than {rules.MAX_CYCLE_DAYS} days")
    return start, end


def _resolve_days(requested: Decimal | None, leave_type: LeaveTypeRow, *, pointer: str) -> Decimal:
    if requested is None and not leave_type.days_per_year:
        raise invalid(pointer, f"say how many days; {leave_type.name} has no days_per_year")
    return leave_type.days_per_year if requested is None else requested


def _check_fits_cycle(days: Decimal, *, start: date, end: date, pointer: str) -> None:
    """Raise Invalid for more days than the cycle has: they could only be paid out or carried over."""
    length = (end - start).days + 1
    if days > length:
        raise invalid(pointer, f"is {days}, and the cycle from {start} to {end} has {length} days; give at most those")
