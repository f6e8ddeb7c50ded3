"""What people decide about payouts: approve, reject, confirm, try again, record a return, settle a doubt."""

from uuid import UUID

from chalicelib import audit, four_eyes
from chalicelib.backing.database import Record
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.delivery import payout_states, providers
from chalicelib.features.payouts.delivery import rules as delivery_rules
from chalicelib.features.payouts.runs import actions, participants, queries
from chalicelib.features.payouts.runs.schemas import Resolution
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import AlreadyDecided, Conflict, Forbidden, NotFound
from chalicelib.kernel.states import PayoutStatus


def approve(scope: Scope, payout_id: UUID) -> Record:
    """Let a held payout go. Whoever had a part in it, and its payee, may not."""
    payout = _get(scope, payout_id, PayoutStatus.HELD, to="approved")
    four_eyes.check_may_approve(scope, participants.of_payouts(scope, [payout_id])[payout_id])
    is_called = providers.abilities_of(payout["provider"]).is_called
    payout_states.move(
        scope,
        payout,
        PayoutStatus.QUEUED,
        what="approved",
        is_approved=True,
        look_in=delivery_rules.NUDGE if is_called else None,
    )
    if is_called:
        scope.send(delivery_actions.QUEUE, [{"payout_id": str(payout_id)}])
    return _decided(scope, payout, "payout.approved", None)


def reject(scope: Scope, payout_id: UUID, *, reason: str) -> Record:
    """Cancel a held payout; its money is back in payable."""
    payout = _get(scope, payout_id, PayoutStatus.HELD, to="rejected")
    payout_states.move(scope, payout, PayoutStatus.CANCELLED, what="rejected", problem=reason)
    return _decided(scope, payout, "payout.rejected", reason)


def confirm(scope: Scope, payout_id: UUID, *, reference: str) -> Record:
    """Record that a payout by hand reached its payee; the same reference again is the same confirmation.

    Raises Forbidden for the payee, Conflict for another provider's, AlreadyDecided where it does not wait for it.
    """
    payout = _get(scope, payout_id)
    if not providers.abilities_of(payout["provider"]).is_person:
        raise Conflict(
            f"This payout goes by {payout['provider']}, which says itself what became of it; only one by the provider"
            " manual is confirmed."
        )
    if four_eyes.is_own(scope, payout["user_id"]):
        raise Forbidden("This payout is yours; somebody else has to confirm that you received it.")
    if payout["status"] == PayoutStatus.PAID and payout["provider_reference"] == reference:
        return queries.get_payout(scope, payout_id)
    _check_waits_for_hand(payout, to="confirmed")
    taken = payout_states.move(scope, payout, PayoutStatus.SENDING, what="sent", claims=True)
    payout_states.move(scope, taken, PayoutStatus.PAID, what="confirmed", provider_reference=reference)
    return _decided(scope, payout, "payout.confirmed", reference)


def retry(scope: Scope, payout_id: UUID) -> Record:
    """Move a payout on, never by sending money whose whereabouts are unknown.

    One that failed or came back: its person is paid anew, as a new payout. One that is queued, unknown or in doubt:
    its message is sent again, so that it is sent or the provider is asked now. Gives the payout to follow.
    """
    payout = _get(scope, payout_id)
    match PayoutStatus(payout["status"]):
        case PayoutStatus.FAILED | PayoutStatus.RETURNED:
            made = actions.pay_again(scope, payout)
            if not made:
                raise Conflict(
                    "There is nothing to pay: what this payout gave back is on its way already, was netted, is below"
                    " the minimum payout, or there is no payout destination."
                )
            audit.record(
                scope, action="payout.retried", entity_type="payout", entity_id=payout_id, after={"made": made}
            )
            new = [queries.get_payout(scope, one) for one in made]
            return next((one for one in new if one["currency"] == payout["currency"]), new[0])
        case PayoutStatus.QUEUED if providers.abilities_of(payout["provider"]).is_person:
            raise AlreadyDecided("It waits to be handed over; confirm it with its reference.")
        case PayoutStatus.QUEUED | PayoutStatus.UNKNOWN:
            scope.send(delivery_actions.QUEUE, [{"payout_id": str(payout_id)}])
            return queries.get_payout(scope, payout_id)
    raise AlreadyDecided(_IS[PayoutStatus(payout["status"])])


def take_back(scope: Scope, payout_id: UUID, *, reason: str) -> Record:
    """Record that a paid payout came back; its money is in payable again."""
    payout = _get(scope, payout_id, PayoutStatus.PAID, to="returned")
    four_eyes.check_not_own(scope, four_eyes.Subject.PAYOUT, payout["user_id"])  # what comes back is paid again
    payout_states.move(scope, payout, PayoutStatus.RETURNED, what="returned", problem=reason)
    return _decided(scope, payout, "payout.returned", reason)


def resolve(scope: Scope, payout_id: UUID, *, said: Resolution) -> Record:
    """Settle a payout in review by what a person found out, or one by hand that cannot be handed over as failed."""
    payout = _get(scope, payout_id)
    four_eyes.check_not_own(scope, four_eyes.Subject.PAYOUT, payout["user_id"])
    if providers.abilities_of(payout["provider"]).is_person and payout["status"] == PayoutStatus.QUEUED:
        if said.outcome is PayoutStatus.PAID:
            raise Conflict("This payout is handed over by a person; confirm it with its reference, by /confirm.")
        payout = payout_states.move(scope, payout, PayoutStatus.SENDING, what="sent", claims=True)
    elif payout["status"] != PayoutStatus.REVIEW:
        raise AlreadyDecided(f"This payout is {payout['status']}; only one that is review can be resolved.")
    payout_states.move(
        scope, payout, said.outcome, what="resolved", problem=said.reason, provider_reference=said.provider_reference
    )
    return _decided(scope, payout, "payout.resolved", said.reason)


_IS = {
    PayoutStatus.HELD: "It waits for approval; approve or reject it.",
    PayoutStatus.CANCELLED: "It was rejected; the next run pays what the person is owed.",
    PayoutStatus.SENDING: "It is being sent right now; look again in two minutes.",
    PayoutStatus.REVIEW: "Nobody could say whether it was paid; find out, and say so with /resolve.",
    PayoutStatus.PAID: "It was paid; if the money came back, say so with /return.",
}


def _get(scope: Scope, payout_id: UUID, needed: PayoutStatus | None = None, *, to: str = "") -> Record:
    payout = payout_states.lock(scope, payout_id)
    if payout is None:
        raise NotFound("There is no such payout.")
    if needed is not None and payout["status"] != needed:
        raise AlreadyDecided(f"This payout is {payout['status']}; only one that is {needed} can be {to}.")
    return payout


def _check_waits_for_hand(payout: Record, *, to: str) -> None:
    if payout["status"] == PayoutStatus.HELD:
        raise AlreadyDecided("This payout waits for approval; it is handed over when somebody has approved it.")
    if payout["status"] != PayoutStatus.QUEUED:
        raise AlreadyDecided(f"This payout is {payout['status']}; only one that is queued can be {to}.")


def _decided(scope: Scope, before: Record, action: str, reason: str | None) -> Record:
    after = queries.get_payout(scope, before["id"])
    audit.record(
        scope,
        action=action,
        entity_type="payout",
        entity_id=before["id"],
        before={"status": before["status"]},
        after={"status": after["status"], "reason": reason},
    )
    return after
