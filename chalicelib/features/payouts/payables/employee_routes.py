"""HTTP endpoints of one person's money."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.features.payouts.payables import employee_queries as queries
from chalicelib.features.payouts.payables import employee_schemas as schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/users/{user_id}/balance", may="balances.read")
def get_balance(scope: Scope, user_id: UUID) -> schemas.PersonBalance:
    """Tell what one person has earned, is owed, and was paid; further currencies stand apart."""
    return queries.get_balance(scope, user_id)


@endpoint(blueprint, "GET", "/users/{user_id}/statement", may="balances.read")
def get_statement(scope: Scope, user_id: UUID, query: schemas.StatementQuery) -> schemas.EmployeeStatement:
    """List what was booked for a person between two days, with their balances before and after.

    At most 366 days at once, and 1,000 lines on a page.
    """
    return queries.get_statement(scope, user_id, query=query)
