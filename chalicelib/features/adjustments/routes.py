"""HTTP endpoints of adjustments."""

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.adjustments import actions, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/payroll-adjustments", may="adjustments.read", reply=Page[schemas.Adjustment])
def list_adjustments(scope: Scope, query: schemas.AdjustmentQuery) -> RowPage[queries.AdjustmentRow]:
    """List one-off amounts, oldest first: everybody's, or your own, as your role allows."""
    return queries.page_of_adjustments(scope, query)


@endpoint(blueprint, "POST", "/payroll-adjustments", may="adjustments.write", status=201, reply=schemas.Adjustment)
def add_adjustment(scope: Scope, body: schemas.NewAdjustment) -> queries.AdjustmentRow:
    """Add an amount to a person's next pay, or take one off: a bonus, a fine, or another, with its reason.

    It stays open until a payroll pays it. A wrong one is made good by another the other way.
    """
    return actions.add_by_hand(scope, new=body)
