"""HTTP endpoints of balances."""

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, PageQuery, RowPage
from chalicelib.features.balances import queries, schemas
from chalicelib.identity.scope import Scope
from chalicelib.kernel.period import Month

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/balances/{month}", may="balances.read", reply=Page[schemas.EarnedBalance])
def list_balances(scope: Scope, month: Month, query: PageQuery) -> RowPage[queries.BalanceRow]:
    """List what everybody has earned in a period so far, with the lines that explain it."""
    return queries.page_of_balances(scope, month=month, query=query)
