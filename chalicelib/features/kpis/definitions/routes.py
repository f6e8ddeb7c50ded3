"""HTTP endpoints of definitions."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page
from chalicelib.features.kpis.definitions import actions, queries, schemas
from chalicelib.features.kpis.scores import form_handler
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)
form_handler.register()  # an approved appraisal enters values


@endpoint(blueprint, "GET", "/kpi-definitions", may="kpis.read")
def list_definitions(scope: Scope, query: schemas.DefinitionQuery) -> Page[schemas.KpiDefinition]:
    """List what people are measured by."""
    return queries.page_of_definitions(scope, query)


@endpoint(blueprint, "POST", "/kpi-definitions", may="kpis.define", status=201)
def add_definition(scope: Scope, body: schemas.NewDefinition) -> schemas.KpiDefinition:
    """Add something to measure people by; a formula is checked, and refused with the place."""
    return actions.add(scope, new=body)


@endpoint(blueprint, "POST", "/kpi-definitions/preview", may="kpis.define")
def preview_definition(scope: Scope, body: schemas.NewPreview) -> schemas.KpiPreview:
    """Compute a formula or metric for a real person and show how, and write nothing."""
    return actions.preview(scope, new=body)


@endpoint(blueprint, "GET", "/kpi-definitions/{definition_id}", may="kpis.read")
def get_definition(scope: Scope, definition_id: UUID) -> schemas.KpiDefinition:
    """Read one definition."""
    return queries.shown(queries.get_definition(scope, definition_id))


@endpoint(blueprint, "PATCH", "/kpi-definitions/{definition_id}", may="kpis.define")
def change_definition(
    scope: Scope, definition_id: UUID, body: schemas.DefinitionPatch, if_match: int | None
) -> schemas.KpiDefinition:
    """Change a definition; cycles that are on are scored by it from the next night on."""
    return actions.change(scope, definition_id=definition_id, given=body.sent_fields(), if_match=if_match)
