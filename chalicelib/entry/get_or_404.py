"""The one gate for rows that are asked for by id: there and yours, or NotFound in the same words for both."""

from uuid import UUID

from sqlalchemy import Table, select

from chalicelib.backing.database import Record
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound


def get_row(scope: Scope, table: Table, row_id: UUID, *, what: str, lock: bool = False) -> Record:
    """Read one row of the tenant's; `lock` keeps other writers from it until this transaction ends."""
    rows = select(table).where(table.c.tenant_id == scope.tenant_id, table.c.id == row_id)
    found = scope.session.execute(rows.with_for_update(key_share=True) if lock else rows).mappings()
    if (row := found.first()) is None:
        raise NotFound(f"There is no such {what}.")
    return dict(row)
