"""Get a row by id or raise NotFound, in the same words whether it does not exist or is another tenant's."""

from typing import TypeVar
from uuid import UUID

from sqlalchemy import Table, select

from chalicelib.backing import rows
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

T = TypeVar("T")


def get_row(scope: Scope, table: Table, row_id: UUID, *, kind: type[T], what: str, lock: bool = False) -> T:
    """Read one row of the tenant as a dataclass (backing.rows), or raise NotFound.

    `lock` takes the row lock (FOR NO KEY UPDATE): other writers wait until this transaction ends.
    """
    query = select(table).where(table.c.tenant_id == scope.tenant_id, table.c.id == row_id)
    statement = query.with_for_update(key_share=True) if lock else query
    if (row := rows.first(kind, scope.session.execute(statement))) is None:
        raise NotFound(f"There is no such {what}.")
    return row
