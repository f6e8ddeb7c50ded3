"""HTTP endpoints of sales."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.people.users import actions as people
from chalicelib.features.people.users.queries import UserProfile
from chalicelib.features.people.users.schemas import NewUser, User
from chalicelib.features.sales import actions, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST", "/sales/user", may="people.write", status=201, reply=User)
def add_seller(scope: Scope, body: NewUser) -> UserProfile:
    """Make a person who is paid from sales; it takes what POST /users takes."""
    return people.add_user(scope, new=body)


@endpoint(blueprint, "POST", "/sales", may="sales.write", status=201, reply=schemas.Sale)
def add_sale(scope: Scope, body: schemas.NewSale) -> queries.SaleDetails:
    """Note a pending sale. Sent again under the same external id, it answers with the one that is there."""
    return actions.add_sale(scope, new=body)


@endpoint(blueprint, "GET", "/sales", may="sales.read", reply=Page[schemas.Sale])
def list_sales(scope: Scope, query: schemas.SaleQuery) -> RowPage[queries.SaleDetails]:
    """List sales, oldest first; `status=pending` are those to decide."""
    return queries.page_of_sales(scope, query)


@endpoint(blueprint, "GET", "/sales/{sale_id}", may="sales.read", reply=schemas.Sale)
def get_sale(scope: Scope, sale_id: UUID) -> queries.SaleDetails:
    """Show one sale with its advance and its latest decision."""
    return queries.get_sale(scope, sale_id)


@endpoint(blueprint, "POST", "/reconcile", may="sales.decide", reply=schemas.ReconciliationReport)
def reconcile(scope: Scope, body: schemas.Reconciliation) -> actions.ReconciliationOutcome:
    """Decide up to 10,000 sales; each item tells its own result, and one's conflict stops no other."""
    return actions.decide(scope, items=body.items)
