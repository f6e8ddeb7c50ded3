"""Writes of leave."""

from sqlalchemy import insert

from chalicelib import audit
from chalicelib.backing.database import Record
from chalicelib.features.leave.models import leave_types
from chalicelib.features.leave.schemas import NewLeaveType
from chalicelib.identity.scope import Scope


def add_leave_type(scope: Scope, *, new: NewLeaveType) -> Record:
    """This will add a kind of leave; its name is its own within the tenant."""
    row = scope.session.execute(
        insert(leave_types).values(tenant_id=scope.tenant_id, **new.model_dump()).returning(leave_types)
    ).mappings().one()  # fmt: skip
    audit.record(
        scope, action="leave_type.added", entity_type="leave_type", entity_id=row["id"], after=new.model_dump()
    )
    return dict(row)
