"""Reads of definitions."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from chalicelib.backing import rows
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import RowPage, page_rows
from chalicelib.features.kpis.definitions.schemas import DefinitionQuery
from chalicelib.features.kpis.models import kpi_definitions
from chalicelib.features.kpis.rules import Direction, MetricType, Source
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """The ends of a rating's scale, under the names that callers see."""

    min: Decimal
    max: Decimal


def scale_of(scale_from: Decimal | None, scale_to: Decimal | None) -> ScaleRow | None:
    """Return a scale, or None where a KPI has none."""
    return None if scale_from is None or scale_to is None else ScaleRow(scale_from, scale_to)


@dataclass(frozen=True, slots=True)
class DefinitionRow:
    """Something to measure people by."""

    id: UUID
    code: str
    name: str
    description: str | None
    metric_type: MetricType
    target: Decimal | None
    direction: Direction
    unit: str | None
    weight: Decimal | None
    scale_from: Decimal | None
    scale_to: Decimal | None
    source: Source
    metric: str | None
    formula: str | None
    is_active: bool
    version: int
    created_by: str
    created_at: datetime

    @property
    def scale(self) -> ScaleRow | None:
        """Return the scale of a rating as callers see it."""
        return scale_of(self.scale_from, self.scale_to)


def get_definition(scope: Scope, definition_id: UUID, *, lock: bool = False) -> DefinitionRow:
    """Return one definition of the tenant, or raise NotFound."""
    return get_row(scope, kpi_definitions, definition_id, kind=DefinitionRow, what="KPI definition", lock=lock)


def get_active(scope: Scope, definition_id: UUID) -> DefinitionRow:
    """Return a definition that can be assigned. Raises Conflict for one that is no longer in use."""
    definition = get_definition(scope, definition_id)
    if not definition.is_active:
        raise Conflict(f"{definition.name} is no longer in use; make it active again, or choose another KPI.")
    return definition


def list_codes(scope: Scope, code: str) -> set[str]:
    """Return the codes that begin with a text."""
    codes = select(kpi_definitions.c.code).where(
        kpi_definitions.c.tenant_id == scope.tenant_id, kpi_definitions.c.code.startswith(code, autoescape=True)
    )
    return set(scope.session.execute(codes).scalars())


def find_by_codes(scope: Scope, codes: set[str]) -> dict[str, DefinitionRow]:
    """Return definitions by their codes; unknown codes are left out."""
    result = scope.session.execute(
        select(kpi_definitions).where(kpi_definitions.c.tenant_id == scope.tenant_id, kpi_definitions.c.code.in_(codes))
    )
    return {row.code: row for row in rows.every(DefinitionRow, result)}


def page_of_definitions(scope: Scope, query: DefinitionQuery) -> RowPage[DefinitionRow]:
    """Return one page of definitions, oldest first."""
    definitions = select(kpi_definitions).where(kpi_definitions.c.tenant_id == scope.tenant_id)
    if query.is_active is not None:
        definitions = definitions.where(kpi_definitions.c.is_active == query.is_active)
    if query.source is not None:
        definitions = definitions.where(kpi_definitions.c.source == query.source)
    return page_rows(scope, definitions, kind=DefinitionRow, key=kpi_definitions.c.id, query=query)
