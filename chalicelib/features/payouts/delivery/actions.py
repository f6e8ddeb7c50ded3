"""Handing a payout to its provider, asking what became of it, and settling what the answer says.

A claim is committed before the call, so that a crash leaves `sending` with a lease that ends, never a payout that
looks untouched. Only a definitive refusal gives money back. Everything else that is not a clear yes is `unknown`: it
is asked about on the ladder, sent again only under a key that the provider still keeps, and given to a person at last.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from chalicelib.backing import clock, vault
from chalicelib.backing.database import Record
from chalicelib.backing.log import logger
from chalicelib.backing.settings import settings
from chalicelib.entry.messages import SideEffect
from chalicelib.features.payouts.delivery import payout_states, providers, rules
from chalicelib.features.payouts.delivery.outcomes import MoneyOutcome, explained
from chalicelib.features.payouts.delivery.providers import (
    Answer,
    CameBack,
    NotSent,
    Paid,
    PaymentOrder,
    PayoutRefused,
    Unclear,
    UnknownReference,
)
from chalicelib.features.people.destinations.queries import open_destination
from chalicelib.features.people.destinations.rules import Destination
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Busy
from chalicelib.kernel.states import PayoutStatus

QUEUE = "payouts"


@dataclass(frozen=True, slots=True)
class PayoutClaim:
    """The right to send or to ask, once, as it was when it was taken."""

    payout: Record
    order: PaymentOrder
    claimed_at: datetime


def carry_on(scope: Scope, payout_id: UUID) -> SideEffect | None:
    """Do what a payout needs next, if it needs anything and its time has come."""
    payout = payout_states.lock(scope, payout_id)
    if payout is None:
        return None
    abilities = providers.abilities_of(payout["provider"])
    if not abilities.is_called:
        if abilities.takes_batches:
            _await_answer(scope, payout)
        return None
    match PayoutStatus(payout["status"]):
        case PayoutStatus.QUEUED:
            if not is_open(scope):
                payout_states.postpone(scope, payout, rules.NUDGE)
                return None
            return _send(scope, payout)
        case PayoutStatus.SENDING:
            if payout["lease_left"] is not None and payout["lease_left"] > timedelta(0):
                raise Busy("Somebody is sending this payout; their lease has not ended.")
            return _ask(scope, _doubt(scope, payout, "the worker that was sending it did not come back"))
        case PayoutStatus.UNKNOWN:
            if payout["lease_left"] is not None and payout["lease_left"] > timedelta(0):
                raise Busy("Somebody is asking about this payout.")
            return _ask(scope, payout)
        case PayoutStatus.PAID:
            return _ask(scope, payout) if payout["is_due"] else None
    return None


def _await_answer(scope: Scope, payout: Record) -> None:
    """Return a payout to a person whose bank file nobody answered; until then only the answer moves it."""
    if payout["status"] == PayoutStatus.SENDING and payout["lease_left"] <= timedelta(0):
        _give_up(scope, payout, "the bank's answer to the file did not come")


def is_open(scope: Scope) -> bool:
    """Return whether payouts may be made and sent: for this tenant, and at all."""
    return scope.tenant.is_active and scope.tenant.policy.payouts_enabled and settings().payouts_enabled


def _send(scope: Scope, payout: Record) -> SideEffect | None:
    claimed = payout_states.move(
        scope,
        payout,
        PayoutStatus.SENDING,
        what="sent",
        claims=True,
        lease=rules.LEASE,
        look_in=rules.LEASE,
        problem=payout["problem"],
    )
    try:
        claim = _claim(scope, claimed, _destination(scope, claimed))
    except vault.Undecryptable:
        _undecryptable(scope, claimed)
        return None
    return SideEffect(partial(_call, claim), lambda after, answer: _settle(after, claim, answer, asked=False))


def _ask(scope: Scope, payout: Record) -> SideEffect | None:
    """Ask what became of a payout; where nobody can be asked, send it again or give it to a person."""
    abilities = providers.abilities_of(payout["provider"])
    if not abilities.looks_up:
        return _again(scope, payout, why="the provider cannot be asked")
    status = PayoutStatus(payout["status"])
    claimed = payout_states.move(
        scope,
        payout,
        status,
        what="asked",
        claims=True,
        lease=rules.LEASE,
        look_in=rules.LEASE,
        problem=payout["problem"],
    )
    try:
        destination = _destination(scope, claimed)
    except vault.Undecryptable:
        destination = None  # one can be asked without it
    claim = _claim(scope, claimed, destination)
    provider = providers.get_provider(payout["provider"])
    return SideEffect(
        lambda: provider.find(claim.order, now=clock.now()),
        lambda after, answer: _settle(after, claim, answer, asked=True),
    )


def _call(claim: PayoutClaim) -> Answer:
    # directly before sending, not when claiming: this process may have slept in between
    payout = claim.payout
    provider = providers.get_provider(payout["provider"])
    if not rules.may_send(
        now=clock.now(),
        claimed_at=claim.claimed_at,
        first_sent_at=payout["first_sent_at"],
        keeps_for=provider.abilities.keeps_keys_for,
    ):
        return NotSent("the worker was too slow to send it safely")
    return provider.send(claim.order, now=clock.now())


def _settle(scope: Scope, claim: PayoutClaim, answer: Answer, *, asked: bool) -> SideEffect | None:
    payout = payout_states.lock(scope, claim.payout["id"])
    if payout is None or payout["fence"] != claim.payout["fence"] or payout["status"] != claim.payout["status"]:
        # somebody claimed it after our lease had ended, and asks the provider, who knows what we know
        logger.warning("an answer came too late", payout_id=str(claim.payout["id"]), answer=type(answer).__name__)
        return None
    match answer:
        case Paid():
            _confirm(scope, payout, answer)
        case CameBack():
            _take_back(scope, payout, answer)
        case PayoutRefused() if payout["status"] == PayoutStatus.PAID:
            _keep_paid(scope, payout, f"the provider says now: refused: {answer.reason}")
        case PayoutRefused() if answer.verdict.outcome() is not MoneyOutcome.REFUSED:
            _give_up(scope, payout, f"the provider refused it with {explained(answer.code)}: {answer.reason}")
        case PayoutRefused():
            payout_states.move(scope, payout, PayoutStatus.FAILED, what="answered", problem=f"refused: {answer.reason}")
        case NotSent() if claim.payout["fence"] == 1:
            payout_states.move(
                scope, payout, PayoutStatus.QUEUED, what="answered", look_in=rules.NUDGE, problem=answer.why
            )
        case NotSent():
            _doubt(scope, payout, answer.why)
        case Unclear():
            return _record_doubt(scope, payout, answer.why, asked=asked)
        case UnknownReference():
            if payout["status"] != PayoutStatus.PAID:
                return _again(scope, payout, why="the provider knows nothing of it")
            _keep_paid(scope, payout, "the provider knows nothing of it any more")
    return None


def _confirm(scope: Scope, payout: Record, answer: Paid) -> None:
    if payout["status"] == PayoutStatus.PAID:
        payout_states.move(
            scope, payout, PayoutStatus.PAID, what="answered", provider_reference=answer.provider_reference
        )
    elif (answer.amount, answer.currency) != (payout["amount"], payout["currency"]):
        problem = (
            f"the provider says it paid {answer.amount} {answer.currency}"
            f" instead of {payout['amount']} {payout['currency']}"
        )
        payout_states.move(
            scope,
            payout,
            PayoutStatus.REVIEW,
            what="answered",
            problem=problem,
            provider_reference=answer.provider_reference,
        )
    else:
        looks_up = providers.abilities_of(payout["provider"]).looks_up
        payout_states.move(
            scope,
            payout,
            PayoutStatus.PAID,
            what="answered",
            look_in=rules.AFTER_PAID if looks_up else None,
            provider_reference=answer.provider_reference,
        )


def _keep_paid(scope: Scope, payout: Record, problem: str) -> None:
    """Note what a provider says of a payout that it had paid, and not ask again."""
    payout_states.move(scope, payout, PayoutStatus.PAID, what="answered", problem=problem)


def _take_back(scope: Scope, payout: Record, answer: CameBack) -> None:
    if payout["status"] != PayoutStatus.PAID:
        payout = payout_states.move(scope, payout, PayoutStatus.PAID, what="answered")
    if answer.verdict.speaks_of_earlier:  # a duplicate came back, and the one that it is the duplicate of did not
        _keep_paid(scope, payout, f"the provider says that a duplicate came back: {answer.reason}")
        return
    payout_states.move(scope, payout, PayoutStatus.RETURNED, what="answered", problem=f"came back: {answer.reason}")


def _record_doubt(scope: Scope, payout: Record, why: str, *, asked: bool) -> SideEffect | None:
    abilities = providers.abilities_of(payout["provider"])
    nobody_knows = not abilities.looks_up and abilities.keeps_keys_for is None
    if payout["status"] == PayoutStatus.PAID:
        payout_states.move(scope, payout, PayoutStatus.PAID, what="answered", look_in=rules.AFTER_PAID, problem=why)
    elif nobody_knows or (asked and _is_over(scope, payout)):
        _give_up(scope, payout, why)
    else:
        _doubt(scope, payout, why)
    return None


def _again(scope: Scope, payout: Record, *, why: str) -> SideEffect | None:
    """Send a doubtful payout again under the same key, where the provider still keeps it."""
    abilities = providers.abilities_of(payout["provider"])
    may_resend = rules.may_resend(
        now=scope.now, first_sent_at=payout["first_sent_at"], keeps_for=abilities.keeps_keys_for
    )
    if _is_over(scope, payout) or not (may_resend or abilities.looks_up):
        _give_up(scope, payout, why)
    elif may_resend and is_open(scope):
        return _send(scope, payout)
    else:
        _doubt(scope, payout, why)
    return None


def _doubt(scope: Scope, payout: Record, why: str) -> Record:
    return payout_states.move(
        scope, payout, PayoutStatus.UNKNOWN, what="answered", look_in=rules.next_look(payout["looks"]), problem=why
    )


def _give_up(scope: Scope, payout: Record, why: str) -> None:
    payout_states.move(
        scope, payout, PayoutStatus.REVIEW, what="answered", problem=f"{why}; find out whether it was paid, and say so"
    )


def _is_over(scope: Scope, payout: Record) -> bool:
    return payout["unknown_since"] is not None and scope.now - payout["unknown_since"] > rules.PATIENCE


def _undecryptable(scope: Scope, payout: Record) -> None:
    """Stop a payout whose bank details cannot be opened: given back where certainly nobody sent it."""
    logger.error("bank details cannot be opened", payout_id=str(payout["id"]))
    to = PayoutStatus.FAILED if payout["fence"] == 1 else PayoutStatus.REVIEW
    payout_states.move(
        scope, payout, to, what="answered", problem="its bank details cannot be opened; put them in again"
    )


def _destination(scope: Scope, payout: Record) -> Destination | None:
    return open_destination(scope, payout["destination_id"]) if payout["destination_id"] else None


def _claim(scope: Scope, payout: Record, destination: Destination | None) -> PayoutClaim:
    order = PaymentOrder(
        scope.tenant_id,
        payout["user_id"],
        payout["reference"],
        payout["amount"],
        payout["currency"],
        payout["fence"],
        destination,
    )
    return PayoutClaim(payout, order, clock.now())
