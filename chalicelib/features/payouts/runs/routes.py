"""HTTP endpoints of payouts."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.payouts.runs import actions, decision_actions, queries, schemas
from chalicelib.features.payouts.runs.messages import PayoutRunKind
from chalicelib.identity.scope import Scope
from chalicelib.jobs.schemas import Started, started

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST", "/payouts/advance/run", may="payouts.run", status=202, moves_money=True)
def run_advances(scope: Scope, body: schemas.RunRequest) -> Started:
    """Pay part of each pending sale in advance, once in its life, and whatever else people are owed.

    With `user_ids`, only these people are paid. What a payroll run booked is paid by that run alone.
    """
    return started(actions.request_run(scope, PayoutRunKind.ADVANCE, user_ids=body.user_ids))


@endpoint(blueprint, "POST", "/payouts/final/run", may="payouts.run", status=202, moves_money=True)
def run_finals(scope: Scope, body: schemas.RunRequest) -> Started:
    """Pay everybody, or the people named in `user_ids`, what they are owed: one payout for each person and currency.

    What a payroll run booked is paid by that run alone.
    """
    return started(actions.request_run(scope, PayoutRunKind.FINAL, user_ids=body.user_ids))


@endpoint(blueprint, "GET", "/payouts", may="payouts.read", reply=Page[schemas.Payout])
def list_payouts(scope: Scope, query: schemas.PayoutQuery) -> RowPage[schemas.Payout]:
    """List payouts, oldest first."""
    return queries.load_payouts(scope, query)


@endpoint(blueprint, "GET", "/payouts/{payout_id}", may="payouts.read")
def get_payout(scope: Scope, payout_id: UUID) -> schemas.WholePayout:
    """Show a payout: what it pays, how it went, what was booked."""
    return queries.get_payout(scope, payout_id)


@endpoint(blueprint, "POST", "/payouts/{payout_id}/approve", may="payouts.decide")
def approve(scope: Scope, payout_id: UUID) -> schemas.WholePayout:
    """Let a held payout go. Whoever started its run may not approve it."""
    return decision_actions.approve(scope, payout_id)


@endpoint(blueprint, "POST", "/payouts/{payout_id}/reject", may="payouts.decide")
def reject(scope: Scope, payout_id: UUID, body: schemas.Rejection) -> schemas.WholePayout:
    """Cancel a held payout; the person is owed the money again."""
    return decision_actions.reject(scope, payout_id, reason=body.reason)


@endpoint(blueprint, "POST", "/payouts/{payout_id}/confirm", may="payouts.decide")
def confirm(scope: Scope, payout_id: UUID, body: schemas.Confirmation) -> schemas.WholePayout:
    """Confirm that a payout of the provider `manual` was handed over, with a reference. The payee may not.

    The same reference again changes nothing. One that cannot be handed over fails by /resolve.
    """
    return decision_actions.confirm(scope, payout_id, reference=body.reference)


@endpoint(blueprint, "POST", "/payouts/{payout_id}/retry", may="payouts.run")
def retry(scope: Scope, payout_id: UUID) -> schemas.WholePayout:
    """Pay a person anew whose payout failed or came back, or ask the provider about one in doubt, now.

    It answers with the payout to follow: the new one, or the same. A payout in doubt is never just sent again.
    """
    return decision_actions.retry(scope, payout_id)


@endpoint(blueprint, "POST", "/payouts/{payout_id}/return", may="payouts.decide")
def take_back(scope: Scope, payout_id: UUID, body: schemas.Return) -> schemas.WholePayout:
    """Record that a paid payout came back; the person is owed the money again."""
    return decision_actions.record_return(scope, payout_id, reason=body.reason)


@endpoint(blueprint, "POST", "/payouts/{payout_id}/resolve", may="payouts.decide")
def resolve(scope: Scope, payout_id: UUID, body: schemas.Resolution) -> schemas.WholePayout:
    """Settle a payout in review by what you found out at the provider: it was paid, or it never will be.

    One of the provider `manual` that cannot be handed over is settled as failed; the person is owed the money again.
    """
    return decision_actions.resolve(scope, payout_id, resolution=body)
