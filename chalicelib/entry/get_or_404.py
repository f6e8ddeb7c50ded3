"""The one gate for rows that are asked for by id: there and yours, or NotFound in the same words for both."""

from typing import TypeVar
from uuid import UUID

from sqlalchemy import Table, select

from chalicelib.backing import rows
from chalicelib.backing.database import Record
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

T = TypeVar("T")


def get_row(scope: Scope, table: Table, row_id: UUID, *, what: str, lock: bool = False) -> Record:
    """Read one row of the tenant's; `lock` keeps other writers from it until this transaction ends."""
    select_row = select(table).where(table.c.tenant_id == scope.tenant_id, table.c.id == row_id)
    result = scope.session.execute(select_row.with_for_update(key_share=True) if lock else select_row).mappings()
    if (row := result.first()) is None:
        raise NotFound(f"There is no such {what}.")
    return dict(row)


def get_typed_row(scope: Scope, table: Table, row_id: UUID, *, kind: type[T], what: str, lock: bool = False) -> T:
    """Read one row of the tenant's as a dataclass (backing.rows), or raise NotFound; `lock` as of `get_row`."""
    select_row = select(table).where(table.c.tenant_id == scope.tenant_id, table.c.id == row_id)
    row = rows.first(kind, scope.session.execute(select_row.with_for_update(key_share=True) if lock else select_row))
    if row is None:
        raise NotFound(f"There is no such {what}.")
    return row
