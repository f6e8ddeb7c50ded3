"""HTTP endpoints of the organisation."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, PageQuery
from chalicelib.features.people.models import branches, departments, divisions
from chalicelib.features.people.organisation import actions, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/branches", may="organisation.read")
def list_branches(scope: Scope, query: PageQuery) -> Page[schemas.Branch]:
    """List branches, oldest first."""
    return queries.page_of_units(scope, branches, query)


@endpoint(blueprint, "POST", "/branches", may="organisation.write", status=201)
def add_branch(scope: Scope, body: schemas.NewBranch) -> schemas.Branch:
    """Make a branch; time zone and weekend are the tenant's unless said."""
    return actions.add_unit(scope, branches, values=body.model_dump())


@endpoint(blueprint, "PATCH", "/branches/{branch_id}", may="organisation.write")
def change_branch(scope: Scope, branch_id: UUID, body: schemas.BranchPatch, if_match: int | None) -> schemas.Branch:
    """Rename a branch or change its calendar; open pay periods are computed again."""
    return actions.change_branch(scope, branch_id=branch_id, given=body.given(), if_match=if_match)


@endpoint(blueprint, "GET", "/departments", may="organisation.read")
def list_departments(scope: Scope, query: PageQuery) -> Page[schemas.Unit]:
    """List departments, oldest first."""
    return queries.page_of_units(scope, departments, query)


@endpoint(blueprint, "POST", "/departments", may="organisation.write", status=201)
def add_department(scope: Scope, body: schemas.NewUnit) -> schemas.Unit:
    """Make a department."""
    return actions.add_unit(scope, departments, values=body.model_dump())


@endpoint(blueprint, "PATCH", "/departments/{department_id}", may="organisation.write")
def change_department(scope: Scope, department_id: UUID, body: schemas.UnitPatch, if_match: int | None) -> schemas.Unit:
    """Rename a department."""
    return actions.change_unit(scope, departments, unit_id=department_id, given=body.given(), if_match=if_match)[0]


@endpoint(blueprint, "GET", "/divisions", may="organisation.read")
def list_divisions(scope: Scope, query: PageQuery) -> Page[schemas.Unit]:
    """List divisions, oldest first."""
    return queries.page_of_units(scope, divisions, query)


@endpoint(blueprint, "POST", "/divisions", may="organisation.write", status=201)
def add_division(scope: Scope, body: schemas.NewUnit) -> schemas.Unit:
    """Make a division."""
    return actions.add_unit(scope, divisions, values=body.model_dump())


@endpoint(blueprint, "PATCH", "/divisions/{division_id}", may="organisation.write")
def change_division(scope: Scope, division_id: UUID, body: schemas.UnitPatch, if_match: int | None) -> schemas.Unit:
    """Rename a division."""
    return actions.change_unit(scope, divisions, unit_id=division_id, given=body.given(), if_match=if_match)[0]
