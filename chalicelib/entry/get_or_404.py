"""Get a row by id or raise NotFound, in the same words whether it does not exist or is another tenant's."""

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Result, Table, select

from chalicelib.backing import rows
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

T = TypeVar("T")


def get_row(scope: Scope, table: Table, row_id: UUID, *, what: str, lock: bool = False) -> dict[str, Any]:
    """Read one row of the tenant as a dictionary, or raise NotFound; new code takes `get_typed_row`."""
    if (row := _select_row(scope, table, row_id, lock=lock).mappings().first()) is None:
        raise NotFound(f"There is no such {what}.")
    return dict(row)


def get_typed_row(scope: Scope, table: Table, row_id: UUID, *, kind: type[T], what: str, lock: bool = False) -> T:
    """Read one row of the tenant as a dataclass (backing.rows), or raise NotFound.

    `lock` takes the row lock (FOR NO KEY UPDATE): other writers wait until this transaction ends.
    """
    if (row := rows.first(kind, _select_row(scope, table, row_id, lock=lock))) is None:
        raise NotFound(f"There is no such {what}.")
    return row


def _select_row(scope: Scope, table: Table, row_id: UUID, *, lock: bool) -> Result[Any]:
    """Select a row by tenant and id: the tenant is in the query although row-level security checks it too."""
    query = select(table).where(table.c.tenant_id == scope.tenant_id, table.c.id == row_id)
    return scope.session.execute(query.with_for_update(key_share=True) if lock else query)
