"""Writes of leave types."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from chalicelib import audit
from chalicelib.backing import rows
from chalicelib.entry.versions import check_version
from chalicelib.features.leave.allocations import queries as allocation_queries
from chalicelib.features.leave.expiry import actions as expiry_actions
from chalicelib.features.leave.models import LeaveTypeRow, leave_types
from chalicelib.features.leave.types import queries
from chalicelib.features.leave.types.schemas import NewLeaveType
from chalicelib.identity.scope import Scope


def add_leave_type(scope: Scope, *, new: NewLeaveType) -> LeaveTypeRow:
    """Add a leave type; its name is unique within the tenant."""
    if new.expiry_rule_id is not None:
        allocation_queries.get_rule(scope, new.expiry_rule_id)
    row = rows.one(
        LeaveTypeRow,
        scope.session.execute(
            insert(leave_types).values(tenant_id=scope.tenant_id, **new.model_dump()).returning(leave_types)
        ),
    )
    audit.record(scope, action="leave_type.added", entity_type="leave_type", entity_id=row.id, after=new.model_dump())
    return row


def change_leave_type(
    scope: Scope, *, leave_type_id: UUID, patch: dict[str, Any], if_match: int | None
) -> LeaveTypeRow:
    """Change a leave type, for requests and approvals from now on.

    Another expiry rule also changes the expiry of days that have not expired yet.
    """
    before = queries.get_leave_type(scope, leave_type_id, lock=True)
    check_version(before, if_match)
    changes = {name: value for name, value in patch.items() if getattr(before, name) != value}
    if not changes:
        return before
    if changes.get("expiry_rule_id") is not None:
        allocation_queries.get_rule(scope, changes["expiry_rule_id"])
    row = rows.one(
        LeaveTypeRow,
        scope.session.execute(
            update(leave_types)
            .where(leave_types.c.tenant_id == scope.tenant_id, leave_types.c.id == leave_type_id)
            .values(**changes, version=leave_types.c.version + 1)
            .returning(leave_types)
        ),
    )
    if "expiry_rule_id" in changes:
        expiry_actions.refresh(scope, leave_type_id=leave_type_id)
    audit.record(
        scope,
        action="leave_type.changed",
        entity_type="leave_type",
        entity_id=leave_type_id,
        before={name: getattr(before, name) for name in changes},
        after=changes,
    )
    return row
