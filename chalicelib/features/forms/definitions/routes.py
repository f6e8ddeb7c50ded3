"""HTTP endpoints of forms."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.forms.definitions import actions, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/forms", may="forms.read", reply=Page[schemas.FormSummary])
def list_forms(scope: Scope, query: schemas.FormQuery) -> RowPage[queries.FormSummaryRow]:
    """List forms without their fields, oldest first: designers see all, others those in use for them."""
    return queries.page_of_forms(scope, query)


@endpoint(blueprint, "POST", "/forms", may="forms.design", status=201)
def add_form(scope: Scope, body: schemas.NewForm) -> schemas.Form:
    """Make a form, published at once unless it begins as a draft."""
    return actions.add_form(scope, new=body)


@endpoint(blueprint, "GET", "/forms/{form_id}", may="forms.read")
def get_form(scope: Scope, form_id: UUID) -> schemas.Form:
    """Show a form with its fields and their options, in the order in which they are shown."""
    return queries.get_whole_form(scope, form_id)


@endpoint(blueprint, "PATCH", "/forms/{form_id}", may="forms.design")
def change_form(scope: Scope, form_id: UUID, body: schemas.FormPatch, if_match: int | None) -> schemas.Form:
    """Change a form. Other fields make its next version; what was submitted keeps the one it had."""
    return actions.change_form(scope, form_id=form_id, patch=body, if_match=if_match)
