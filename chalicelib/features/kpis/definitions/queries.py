"""Reads of definitions."""

from uuid import UUID

from sqlalchemy import select

from chalicelib.backing.database import Record
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import page_of
from chalicelib.features.kpis.definitions.schemas import DefinitionQuery
from chalicelib.features.kpis.models import kpi_definitions
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict


def get_definition(scope: Scope, definition_id: UUID, *, lock: bool = False) -> Record:
    """Read one definition of the tenant, or NotFound."""
    return get_row(scope, kpi_definitions, definition_id, what="KPI definition", lock=lock)


def get_active(scope: Scope, definition_id: UUID) -> Record:
    """Read a definition that people may be given, or say that it is no longer in use."""
    found = get_definition(scope, definition_id)
    if not found["is_active"]:
        raise Conflict(f"{found['name']} is no longer in use; make it active again, or choose another KPI.")
    return found


def codes_like(scope: Scope, code: str) -> set[str]:
    """Return the codes that begin like one."""
    rows = select(kpi_definitions.c.code).where(
        kpi_definitions.c.tenant_id == scope.tenant_id, kpi_definitions.c.code.startswith(code, autoescape=True)
    )
    return set(scope.session.execute(rows).scalars())


def named(scope: Scope, codes: set[str]) -> dict[str, Record]:
    """Read definitions by their codes; those that are not there are missing."""
    rows = scope.session.execute(
        select(kpi_definitions).where(kpi_definitions.c.tenant_id == scope.tenant_id, kpi_definitions.c.code.in_(codes))
    ).mappings()
    return {row["code"]: dict(row) for row in rows}


def page_of_definitions(scope: Scope, query: DefinitionQuery) -> Record:
    """Read one page of definitions, oldest first."""
    rows = select(kpi_definitions).where(kpi_definitions.c.tenant_id == scope.tenant_id)
    if query.is_active is not None:
        rows = rows.where(kpi_definitions.c.is_active == query.is_active)
    if query.source is not None:
        rows = rows.where(kpi_definitions.c.source == query.source)
    page = page_of(scope, rows, key=kpi_definitions.c.id, query=query)
    return {**page, "items": [shown(row) for row in page["items"]]}


def shown(row: Record) -> Record:
    """Return a definition under the names that go out."""
    scale = None if row["scale_from"] is None else {"min": row["scale_from"], "max": row["scale_to"]}
    return {**row, "scale": scale}
