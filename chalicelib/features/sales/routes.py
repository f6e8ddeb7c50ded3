"""HTTP endpoints of sales."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page
from chalicelib.features.people.users import actions as people
from chalicelib.features.people.users.schemas import NewUser, User
from chalicelib.features.sales import actions, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST", "/sales/user", may="people.write", status=201)
def add_seller(scope: Scope, body: NewUser) -> User:
    """Make a person who is paid from sales; it takes what POST /users takes."""
    return people.add_user(scope, new=body)


@endpoint(blueprint, "POST", "/sales", may="sales.write", status=201)
def add_sale(scope: Scope, body: schemas.NewSale) -> schemas.Sale:
    """Note a pending sale. Sent again under the same external id, it answers with the one that is there."""
    return actions.add_sale(scope, new=body)


@endpoint(blueprint, "GET", "/sales", may="sales.read")
def list_sales(scope: Scope, query: schemas.SaleQuery) -> Page[schemas.Sale]:
    """List sales, oldest first; `status=pending` are those to decide."""
    return queries.page_of_sales(scope, query)


@endpoint(blueprint, "GET", "/sales/{sale_id}", may="sales.read")
def get_sale(scope: Scope, sale_id: UUID) -> schemas.Sale:
    """Show one sale with its advance and its latest decision."""
    return queries.get_sale(scope, sale_id)


@endpoint(blueprint, "POST", "/reconcile", may="sales.decide")
def reconcile(scope: Scope, body: schemas.Reconciliation) -> schemas.ReconciliationReport:
    """Decide up to 10,000 sales; each item tells its own result, and one's conflict stops no other."""
    return actions.decide(scope, items=body.items)
