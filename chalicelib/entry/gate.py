"""The one gate for things referred to by id: it exists and is yours, or there is none."""

from uuid import UUID

from sqlalchemy import Table, select

from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound


def must_exist(scope: Scope, table: Table, row_id: UUID, *, what: str) -> None:
    """This will refuse an id that is not there, or not the tenant's, in the same words."""
    found = scope.session.execute(
        select(table.c.id).where(table.c.tenant_id == scope.tenant_id, table.c.id == row_id)
    ).first()
    if found is None:
        raise NotFound(f"There is no such {what}.")
