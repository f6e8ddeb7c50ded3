"""HTTP endpoints of the organisation."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, PageQuery, RowPage
from chalicelib.features.people.models import branches, departments, divisions
from chalicelib.features.people.organisation import actions, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/branches", may="organisation.read", reply=Page[schemas.Branch])
def list_branches(scope: Scope, query: PageQuery) -> RowPage[queries.UnitRow]:
    """List branches, oldest first."""
    return queries.page_of_units(scope, branches, query)


@endpoint(blueprint, "POST", "/branches", may="organisation.write", status=201, reply=schemas.Branch)
def add_branch(scope: Scope, body: schemas.NewBranch) -> queries.UnitRow:
    """Make a branch; time zone and weekend are the tenant's unless said."""
    return actions.add_unit(scope, branches, values=body.model_dump())


@endpoint(blueprint, "PATCH", "/branches/{branch_id}", may="organisation.write", reply=schemas.Branch)
def change_branch(scope: Scope, branch_id: UUID, body: schemas.BranchPatch, if_match: int | None) -> queries.UnitRow:
    """Rename a branch or change its calendar; open pay periods are computed again."""
    return actions.change_branch(scope, branch_id=branch_id, patch=body.sent_fields(), if_match=if_match)


@endpoint(blueprint, "GET", "/departments", may="organisation.read", reply=Page[schemas.Unit])
def list_departments(scope: Scope, query: PageQuery) -> RowPage[queries.UnitRow]:
    """List departments, oldest first."""
    return queries.page_of_units(scope, departments, query)


@endpoint(blueprint, "POST", "/departments", may="organisation.write", status=201, reply=schemas.Unit)
def add_department(scope: Scope, body: schemas.NewUnit) -> queries.UnitRow:
    """Make a department."""
    return actions.add_unit(scope, departments, values=body.model_dump())


@endpoint(blueprint, "PATCH", "/departments/{department_id}", may="organisation.write", reply=schemas.Unit)
def change_department(
    scope: Scope, department_id: UUID, body: schemas.UnitPatch, if_match: int | None
) -> queries.UnitRow:
    """Rename a department."""
    return actions.change_unit(scope, departments, unit_id=department_id, patch=body.sent_fields(), if_match=if_match)[
        0
    ]


@endpoint(blueprint, "GET", "/divisions", may="organisation.read", reply=Page[schemas.Unit])
def list_divisions(scope: Scope, query: PageQuery) -> RowPage[queries.UnitRow]:
    """List divisions, oldest first."""
    return queries.page_of_units(scope, divisions, query)


@endpoint(blueprint, "POST", "/divisions", may="organisation.write", status=201, reply=schemas.Unit)
def add_division(scope: Scope, body: schemas.NewUnit) -> queries.UnitRow:
    """Make a division."""
    return actions.add_unit(scope, divisions, values=body.model_dump())


@endpoint(blueprint, "PATCH", "/divisions/{division_id}", may="organisation.write", reply=schemas.Unit)
def change_division(scope: Scope, division_id: UUID, body: schemas.UnitPatch, if_match: int | None) -> queries.UnitRow:
    """Rename a division."""
    return actions.change_unit(scope, divisions, unit_id=division_id, patch=body.sent_fields(), if_match=if_match)[0]
