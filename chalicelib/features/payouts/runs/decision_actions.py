"""Decisions of people about payouts: approve, reject, confirm, retry, record a return, resolve a review."""

from uuid import UUID

from chalicelib import audit, four_eyes
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.delivery import payout_states, providers
from chalicelib.features.payouts.delivery import rules as delivery_rules
from chalicelib.features.payouts.models import PayoutRow
from chalicelib.features.payouts.runs import actions, participants, queries
from chalicelib.features.payouts.runs.schemas import Resolution, WholePayout
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import AlreadyDecided, Conflict, Forbidden, NotFound
from chalicelib.kernel.states import PayoutStatus


def approve(scope: Scope, payout_id: UUID) -> WholePayout:
    """Approve a held payout. Nobody who had a part in it (participants) may, nor its payee."""
    payout = _lock(scope, payout_id, PayoutStatus.HELD, to="approved")
    four_eyes.check_may_approve(scope, participants.load_participants(scope, [payout_id])[payout_id])
    is_called = providers.get_provider(payout.provider).is_called
    payout_states.move(
        scope,
        payout,
        PayoutStatus.QUEUED,
        what="approved",
        is_approved=True,
        next_attempt_in=delivery_rules.RESEND_AFTER if is_called else None,
    )
    if is_called:
        scope.send(delivery_actions.QUEUE, [{"payout_id": str(payout_id)}])
    return _finish(scope, payout, "payout.approved", None)


def reject(scope: Scope, payout_id: UUID, *, reason: str) -> WholePayout:
    """Cancel a held payout; its money is back in payable."""
    payout = _lock(scope, payout_id, PayoutStatus.HELD, to="rejected")
    payout_states.move(scope, payout, PayoutStatus.CANCELLED, what="rejected", problem=reason)
    return _finish(scope, payout, "payout.rejected", reason)


def confirm(scope: Scope, payout_id: UUID, *, reference: str) -> WholePayout:
    """Record that a payout by hand reached its payee; confirming it again with the same reference changes nothing.

    Raises Forbidden for the payee, Conflict for another provider's payout, AlreadyDecided for one that is not queued.
    """
    payout = _lock(scope, payout_id)
    if not providers.get_abilities(payout.provider).is_manual:
        raise Conflict(
            f"This payout goes by {payout.provider}, which says itself what became of it; only one by the provider"
            " manual is confirmed."
        )
    if four_eyes.is_own(scope, payout.user_id):
        raise Forbidden("This payout is yours; somebody else has to confirm that you received it.")
    if payout.status == PayoutStatus.PAID and payout.provider_reference == reference:
        return queries.get_payout(scope, payout_id)
    _check_awaits_confirmation(payout, to="confirmed")
    claimed = payout_states.move(scope, payout, PayoutStatus.SENDING, what="sent", claims=True)
    payout_states.move(scope, claimed, PayoutStatus.PAID, what="confirmed", provider_reference=reference)
    return _finish(scope, payout, "payout.confirmed", reference)


def retry(scope: Scope, payout_id: UUID) -> WholePayout:
    """Pay a failed or returned payout anew, or make the next attempt at a queued or unknown one now.

    An unknown payout is never just sent again: the provider is asked first. Returns the payout to follow: the new one,
    or the same.
    """
    payout = _lock(scope, payout_id)
    match PayoutStatus(payout.status):
        case PayoutStatus.FAILED | PayoutStatus.RETURNED:
            payout_ids = actions.pay_again(scope, payout)
            if not payout_ids:
                raise Conflict(
                    "There is nothing to pay: what this payout gave back is on its way already, was netted, is below"
                    " the minimum payout, or there is no payout destination."
                )
            audit.record(
                scope, action="payout.retried", entity_type="payout", entity_id=payout_id, after={"made": payout_ids}
            )
            new = [queries.get_payout(scope, new_id) for new_id in payout_ids]
            return next((one for one in new if one.currency == payout.currency), new[0])
        case PayoutStatus.QUEUED if providers.get_abilities(payout.provider).is_manual:
            raise AlreadyDecided("It waits to be handed over; confirm it with its reference.")
        case PayoutStatus.QUEUED | PayoutStatus.UNKNOWN:
            scope.send(delivery_actions.QUEUE, [{"payout_id": str(payout_id)}])
            return queries.get_payout(scope, payout_id)
    raise AlreadyDecided(_NOT_RETRIED[PayoutStatus(payout.status)])


def record_return(scope: Scope, payout_id: UUID, *, reason: str) -> WholePayout:
    """Record that a paid payout came back; its money is in payable again."""
    payout = _lock(scope, payout_id, PayoutStatus.PAID, to="returned")
    four_eyes.check_not_own(scope, four_eyes.Subject.PAYOUT, payout.user_id)  # what comes back is paid again
    payout_states.move(scope, payout, PayoutStatus.RETURNED, what="returned", problem=reason)
    return _finish(scope, payout, "payout.returned", reason)


def resolve(scope: Scope, payout_id: UUID, *, resolution: Resolution) -> WholePayout:
    """Settle a payout in review as a person found out; fail one of the provider `manual` that cannot be handed over."""
    payout = _lock(scope, payout_id)
    four_eyes.check_not_own(scope, four_eyes.Subject.PAYOUT, payout.user_id)
    if providers.get_abilities(payout.provider).is_manual and payout.status == PayoutStatus.QUEUED:
        if resolution.outcome is PayoutStatus.PAID:
            raise Conflict("This payout is handed over by a person; confirm it with its reference, by /confirm.")
        payout = payout_states.move(scope, payout, PayoutStatus.SENDING, what="sent", claims=True)
    elif payout.status != PayoutStatus.REVIEW:
        raise AlreadyDecided(f"This payout is {payout.status}; only one that is review can be resolved.")
    payout_states.move(
        scope,
        payout,
        resolution.outcome,
        what="resolved",
        problem=resolution.reason,
        provider_reference=resolution.provider_reference,
    )
    return _finish(scope, payout, "payout.resolved", resolution.reason)


_NOT_RETRIED = {
    PayoutStatus.HELD: "It waits for approval; approve or reject it.",
    PayoutStatus.CANCELLED: "It was rejected; the next run pays what the person is owed.",
    PayoutStatus.SENDING: "It is being sent right now; look again in two minutes.",
    PayoutStatus.REVIEW: "Nobody could say whether it was paid; find out, and say so with /resolve.",
    PayoutStatus.PAID: "It was paid; if the money came back, say so with /return.",
}


def _lock(scope: Scope, payout_id: UUID, needed: PayoutStatus | None = None, *, to: str = "") -> PayoutRow:
    """Lock a payout. Raises NotFound, or AlreadyDecided where it is not in the state that the decision needs."""
    payout = payout_states.lock(scope, payout_id)
    if payout is None:
        raise NotFound("There is no such payout.")
    if needed is not None and payout.status != needed:
        raise AlreadyDecided(f"This payout is {payout.status}; only one that is {needed} can be {to}.")
    return payout


def _check_awaits_confirmation(payout: PayoutRow, *, to: str) -> None:
    """Raise AlreadyDecided unless a payout by hand is queued."""
    if payout.status == PayoutStatus.HELD:
        raise AlreadyDecided("This payout waits for approval; it is handed over when somebody has approved it.")
    if payout.status != PayoutStatus.QUEUED:
        raise AlreadyDecided(f"This payout is {payout.status}; only one that is queued can be {to}.")


def _finish(scope: Scope, before: PayoutRow, action: str, reason: str | None) -> WholePayout:
    """Record a decision in the audit, and return the payout as it is now."""
    after = queries.get_payout(scope, before.id)
    audit.record(
        scope,
        action=action,
        entity_type="payout",
        entity_id=before.id,
        before={"status": before.status},
        after={"status": after.status, "reason": reason},
    )
    return after
