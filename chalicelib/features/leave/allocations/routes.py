"""HTTP endpoints of allocations and of what is left of them."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.leave.allocations import actions, queries, schemas
from chalicelib.features.leave.models import AllocationRow
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/leave-allocations", may="leave.read", reply=Page[schemas.Allocation])
def list_allocations(scope: Scope, query: schemas.AllocationQuery) -> RowPage[AllocationRow]:
    """List allocations: everybody's, your people's or your own, as your role allows."""
    return queries.page_of_allocations(scope, query)


@endpoint(blueprint, "POST", "/leave-allocations", may="leave.allocate", status=201, reply=schemas.Allocation)
def allocate(scope: Scope, body: schemas.NewAllocation) -> AllocationRow:
    """Give a person days of leave for a cycle, of a year unless said."""
    return actions.allocate(scope, new=body)


@endpoint(blueprint, "POST", "/leave-allocations/bulk", may="leave.allocate")
def allocate_many(scope: Scope, body: schemas.NewAllocations) -> schemas.Allocated:
    """Give many people days of leave for a cycle; who cannot have them is left out, and told why."""
    return actions.allocate_many(scope, new=body)


@endpoint(blueprint, "GET", "/leave-allocations/{allocation_id}", may="leave.read", reply=schemas.Allocation)
def get_allocation(scope: Scope, allocation_id: UUID) -> AllocationRow:
    """Read one allocation."""
    return queries.get_allocation(scope, allocation_id, "leave.read")


@endpoint(blueprint, "PATCH", "/leave-allocations/{allocation_id}", may="leave.allocate", reply=schemas.Allocation)
def correct_allocation(
    scope: Scope, allocation_id: UUID, body: schemas.AllocationPatch, if_match: int | None
) -> AllocationRow:
    """Correct how many days were given, up or down, but not below what is used, asked for or gone."""
    return actions.correct(scope, allocation_id=allocation_id, patch=body.sent_fields(), if_match=if_match)


@endpoint(blueprint, "GET", "/users/{user_id}/leave-balances", may="leave.read")
def get_balances(scope: Scope, user_id: UUID, query: schemas.BalanceQuery) -> schemas.Balances:
    """Read a person's days of leave as of a day, with the entries that they came about by."""
    return queries.get_balances(scope, user_id, on=query.on, known_at=query.known_at)
