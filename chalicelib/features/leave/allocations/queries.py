"""Reads of allocations and their balances."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, text, tuple_

from chalicelib.backing import clock, rows
from chalicelib.backing.database import statement
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import RowPage, page_rows
from chalicelib.features.leave.allocations.schemas import AllocationQuery, Balances, LeaveBalance
from chalicelib.features.leave.expiry import rules as expiry_rules
from chalicelib.features.leave.expiry.models import ExpiryRuleRow, leave_expiry_rules
from chalicelib.features.leave.models import AllocationRow, LeaveTypeRow, leave_allocations
from chalicelib.features.leave.types import queries as type_queries
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

_RENAMED = {"cycle_start_on": "cycle_start_date", "cycle_end_on": "cycle_end_date"}
COLUMNS = [column.label(_RENAMED.get(column.name, column.name)) for column in leave_allocations.c]
_BALANCES = text(statement(__file__, "balances"))


def get_allocation(scope: Scope, allocation_id: UUID, permission: str) -> AllocationRow:
    """Return an allocation of an employee within the permission's reach. Raises NotFound."""
    allocations = scope.session.execute(
        select(*COLUMNS).where(
            leave_allocations.c.tenant_id == scope.tenant_id,
            leave_allocations.c.id == allocation_id,
            scope.within(permission, leave_allocations.c.user_id),
        )
    )
    if (row := rows.first(AllocationRow, allocations)) is None:
        raise NotFound("There is no such leave allocation.")
    return row


def page_of_allocations(scope: Scope, query: AllocationQuery) -> RowPage[AllocationRow]:
    """Read one page of the allocations of everybody whom the caller may see, oldest first."""
    table = leave_allocations
    allocations = select(*COLUMNS).where(
        table.c.tenant_id == scope.tenant_id, scope.within("leave.read", table.c.user_id)
    )
    if query.user_id:
        people.get_user(scope, query.user_id, "leave.read")
        allocations = allocations.where(table.c.user_id == query.user_id)
    if query.leave_type_id:
        type_queries.get_leave_type(scope, query.leave_type_id)
        allocations = allocations.where(table.c.leave_type_id == query.leave_type_id)
    if query.on:
        may_be_used = or_(
            table.c.cycle_end_on >= query.on, table.c.expires_on.is_(None), table.c.expires_on >= query.on
        )
        allocations = allocations.where(table.c.cycle_start_on <= query.on, may_be_used)
    return page_rows(scope, allocations, kind=AllocationRow, key=table.c.id, query=query)


def load_allocations(scope: Scope, *, user_id: UUID, leave_type_id: UUID, lock: bool = False) -> list[AllocationRow]:
    """Load all allocations of an employee and leave type; `lock` locks their rows, in the order of ids."""
    allocations = (
        select(*COLUMNS)
        .where(
            leave_allocations.c.tenant_id == scope.tenant_id,
            leave_allocations.c.user_id == user_id,
            leave_allocations.c.leave_type_id == leave_type_id,
        )
        .order_by(leave_allocations.c.id)
    )
    return rows.every(
        AllocationRow, scope.session.execute(allocations.with_for_update(key_share=True) if lock else allocations)
    )


def lock_allocations(scope: Scope, *, pairs: Collection[tuple[UUID, UUID]]) -> list[AllocationRow]:
    """Lock all allocations of these employees and leave types, in the order of ids, and return them."""
    allocations = scope.session.execute(
        select(*COLUMNS)
        .where(
            leave_allocations.c.tenant_id == scope.tenant_id,
            tuple_(leave_allocations.c.user_id, leave_allocations.c.leave_type_id).in_(pairs),
        )
        .order_by(leave_allocations.c.id)
        .with_for_update(key_share=True)
    )
    return rows.every(AllocationRow, allocations)


def get_rule(scope: Scope, rule_id: UUID) -> ExpiryRuleRow:
    """Read an expiry rule, or NotFound."""
    return get_row(scope, leave_expiry_rules, rule_id, kind=ExpiryRuleRow, what="leave expiry rule")


def find_expiry(scope: Scope, *, leave_type: LeaveTypeRow, cycle_end: date) -> date | None:
    """Return the last day on which days of a cycle may be used, or None if they never expire."""
    if leave_type.expiry_rule_id is None:
        return None
    rule = get_rule(scope, leave_type.expiry_rule_id)
    if not rule.is_active:
        return None
    return expiry_rules.expires_on(
        cycle_end=cycle_end, expire_after_days=rule.expire_after_days, formula=rule.expiry_date_formula
    )


def get_balances(scope: Scope, user_id: UUID, *, on: date | None, known_at: date | None) -> Balances:
    """Return an employee's leave balances.

    `on` leaves out entries that concern later days; without it all are counted, also of future leave.
    `known_at` leaves out entries posted after the end of that day in the tenant's time zone.
    """
    people.get_user(scope, user_id, "leave.read")
    today = clock.local_day(scope.now, scope.tenant.timezone)
    until = None
    if known_at is not None:
        midnight = datetime.combine(known_at + timedelta(days=1), time(), ZoneInfo(scope.tenant.timezone))
        until = midnight.astimezone(UTC)
    balances = scope.session.execute(
        _BALANCES,
        {"tenant_id": scope.tenant_id, "user_id": user_id, "on": on, "until": until, "today": today},
    ).mappings()
    items = [LeaveBalance.model_validate(dict(row)) for row in balances]
    return Balances(user_id=user_id, on=on or today, known_at=known_at, items=items)
