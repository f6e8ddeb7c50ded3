"""HTTP doors of leave."""

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, PageQuery
from chalicelib.features.leave import actions, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/leave-types", may="organisation.read")
def list_leave_types(scope: Scope, query: PageQuery) -> Page[schemas.LeaveType]:
    """This will list the kinds of leave."""
    return queries.page_of_leave_types(scope, query)


@endpoint(blueprint, "POST", "/leave-types", may="organisation.write", status=201)
def add_leave_type(scope: Scope, body: schemas.NewLeaveType) -> schemas.LeaveType:
    """This will add a kind of leave, paid or a loss of pay."""
    return actions.add_leave_type(scope, new=body)
