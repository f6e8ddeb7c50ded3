"""Insert the demo's rows: many per statement, none twice."""

import json
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text

from chalicelib.identity.scope import Scope

_NAMES = UUID("6f5f9d4e-6a5e-5c1b-9a5e-2026010a0001")


def id_of(scope: Scope, kind: str, name: str) -> UUID:
    """Return the id of a named row of the demo, the same at every load."""
    return uuid5(_NAMES, f"{scope.tenant.slug}/{kind}/{name}")


def write(scope: Scope, table: str, rows: list[dict[str, Any]]) -> int:
    """Insert rows that do not exist yet, and return their number. All rows name the same columns."""
    if not rows:
        return 0
    columns = ", ".join(rows[0])
    done = scope.session.execute(
        text(
            f"insert into {table} (tenant_id, {columns}) select :tenant_id, {columns}"
            f" from jsonb_populate_recordset(null::{table}, cast(:rows as jsonb)) on conflict do nothing"
        ),
        {"tenant_id": scope.tenant_id, "rows": json.dumps(rows, default=str)},
    )
    return done.rowcount
