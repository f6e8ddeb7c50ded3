"""HTTP endpoints of definitions."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.kpis.definitions import actions, queries, schemas
from chalicelib.features.kpis.scores import form_handler
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)
form_handler.register()  # an approved appraisal enters values


@endpoint(blueprint, "GET", "/kpi-definitions", may="kpis.read", reply=Page[schemas.KpiDefinition])
def list_definitions(scope: Scope, query: schemas.DefinitionQuery) -> RowPage[queries.DefinitionRow]:
    """List what people are measured by."""
    return queries.page_of_definitions(scope, query)


@endpoint(blueprint, "POST", "/kpi-definitions", may="kpis.define", status=201, reply=schemas.KpiDefinition)
def add_definition(scope: Scope, body: schemas.NewDefinition) -> queries.DefinitionRow:
    """Add something to measure people by; a formula is checked, and refused with the place."""
    return actions.add_definition(scope, new=body)


@endpoint(blueprint, "POST", "/kpi-definitions/preview", may="kpis.define")
def preview_definition(scope: Scope, body: schemas.NewPreview) -> schemas.KpiPreview:
    """Compute a formula or metric for a real person and show how, and write nothing."""
    return actions.preview(scope, new=body)


@endpoint(blueprint, "GET", "/kpi-definitions/{definition_id}", may="kpis.read", reply=schemas.KpiDefinition)
def get_definition(scope: Scope, definition_id: UUID) -> queries.DefinitionRow:
    """Read one definition."""
    return queries.get_definition(scope, definition_id)


@endpoint(blueprint, "PATCH", "/kpi-definitions/{definition_id}", may="kpis.define", reply=schemas.KpiDefinition)
def change_definition(
    scope: Scope, definition_id: UUID, body: schemas.DefinitionPatch, if_match: int | None
) -> queries.DefinitionRow:
    """Change a definition; cycles that are on are scored by it from the next night on."""
    return actions.change_definition(scope, definition_id=definition_id, patch=body.sent_fields(), if_match=if_match)
