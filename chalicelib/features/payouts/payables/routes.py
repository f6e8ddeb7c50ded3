"""HTTP endpoints of what people are owed."""

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.payouts.payables import queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/payables", may="payouts.read", reply=Page[schemas.Payable])
def list_payables(scope: Scope, query: schemas.PayableQuery) -> RowPage[schemas.Payable]:
    """List everybody who is owed something: how much, what of it is in flight, and what the rest waits for."""
    return queries.page_of_payables(scope, query)
