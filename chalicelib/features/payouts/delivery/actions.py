"""One payout's way to its provider: claim it, call the provider or ask it, and settle what the answer says.

1. `take_next_step` locks the payout and decides: send it, ask what became of it, or nothing
2. `_send` or `_ask` claims it: the fencing token rises and a lease begins, both committed before the call
3. `_call` sends the order, or the adapter's `find` asks about it, with no transaction open
4. `_settle` writes what the answer means, unless a later claim has raised the fencing token

A worker that dies after its claim leaves `sending` with a lease that ends, never a payout that looks untouched. Only a
definitive refusal releases money. Everything else that is not a clear yes is `unknown`: it is asked about by the retry
schedule (rules), sent again only under an idempotency key that the provider still keeps, and given to a person at last.

This is the order of chalicelib/delivery, kept here as a state machine of its own: a claim is a state of the payout, its
times are the database's and decide whether a key may be used, and an answer may lead straight to the next call.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from pydantic import BaseModel

from chalicelib.backing import clock, vault
from chalicelib.backing.log import logger
from chalicelib.backing.settings import settings
from chalicelib.entry.messages import SideEffect
from chalicelib.features.payouts.delivery import credentials, payout_states, providers, rules
from chalicelib.features.payouts.delivery.outcomes import MoneyOutcome, describe_code
from chalicelib.features.payouts.delivery.providers import (
    Answer,
    CameBack,
    NotSent,
    Paid,
    PaymentOrder,
    PayoutRefused,
    ProviderMovement,
    Unclear,
    UnknownReference,
)
from chalicelib.features.payouts.models import LockedPayout, PayoutRow
from chalicelib.features.people.destinations.queries import open_destination
from chalicelib.features.people.destinations.rules import Destination
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Busy
from chalicelib.kernel.states import PayoutStatus

QUEUE = "payouts"


@dataclass(frozen=True, slots=True)
class PayoutClaim:
    """The right to send or to ask, once: the payout as it was claimed, its fencing token among it."""

    payout: PayoutRow
    order: PaymentOrder
    claimed_at: datetime


def take_next_step(scope: Scope, payout_id: UUID) -> SideEffect | None:
    """Do what a payout needs next, if it needs anything and its time has come."""
    payout = payout_states.lock(scope, payout_id)
    if payout is None:
        return None
    provider = providers.get_provider(payout.provider)
    if not provider.is_called:
        if provider.abilities.sends_files:
            _await_answer(scope, payout)
        return None
    match PayoutStatus(payout.status):
        case PayoutStatus.QUEUED:
            if not is_enabled(scope):
                payout_states.postpone(scope, payout, rules.RESEND_AFTER)
                return None
            return _send(scope, payout)
        case PayoutStatus.SENDING:
            if payout.is_leased:
                raise Busy("Somebody is sending this payout; their lease has not ended.")
            return _ask(scope, _mark_unknown(scope, payout, "the worker that was sending it did not come back"))
        case PayoutStatus.UNKNOWN:
            if payout.is_leased:
                raise Busy("Somebody is asking about this payout.")
            return _ask(scope, payout)
        case PayoutStatus.PAID:
            return _ask(scope, payout) if payout.is_due else None
    return None


def list_movements(scope: Scope, *, since: datetime) -> dict[str, list[ProviderMovement]]:
    """Ask every provider what it moved for the tenant since a moment; return the movements by provider.

    A provider that the tenant has no credentials of has moved nothing for it.
    """
    movements = {}
    for name, provider in providers.registry().items():
        if provider.adapter is None:
            continue
        try:
            loaded = credentials.load(scope, name)
        except credentials.MissingCredentials:
            continue
        movements[name] = provider.adapter.movements(scope.tenant_id, since=since, credentials=loaded)
    return movements


def _await_answer(scope: Scope, payout: LockedPayout) -> None:
    """Give a payout to a person whose bank file nobody answered; until then only the answer moves it."""
    if payout.status == PayoutStatus.SENDING and not payout.is_leased:
        _give_up(scope, payout, "the bank's answer to the file did not come")


def is_enabled(scope: Scope) -> bool:
    """Return whether payouts may be made and sent: by this tenant, and by the whole installation."""
    return scope.tenant.is_active and scope.tenant.policy.payouts_enabled and settings().payouts_enabled


def _send(scope: Scope, payout: PayoutRow) -> SideEffect | None:
    """Claim a payout for sending; the call follows the commit."""
    try:
        loaded = credentials.load(scope, payout.provider)
    except (credentials.MissingCredentials, vault.Undecryptable) as problem:
        _postpone_without_credentials(scope, payout, problem)
        return None
    claimed = payout_states.move(
        scope,
        payout,
        PayoutStatus.SENDING,
        what="sent",
        claims=True,
        lease=rules.LEASE,
        next_attempt_in=rules.LEASE,
        problem=payout.problem,
    )
    try:
        claim = _claim(scope, claimed, _destination(scope, claimed), loaded)
    except vault.Undecryptable:
        _stop_undecryptable(scope, claimed)
        return None
    return SideEffect(partial(_call, claim), lambda after, answer: _settle(after, claim, answer, asked=False))


def _ask(scope: Scope, payout: PayoutRow) -> SideEffect | None:
    """Ask what became of a payout; where nobody can be asked, send it again or give it to a person."""
    abilities = providers.get_abilities(payout.provider)
    if not abilities.supports_lookup:
        return _resend_or_wait(scope, payout, why="the provider cannot be asked")
    try:
        loaded = credentials.load(scope, payout.provider)
    except (credentials.MissingCredentials, vault.Undecryptable) as problem:
        _settle_unclear(scope, payout, str(problem), asked=True)
        return None
    status = PayoutStatus(payout.status)
    claimed = payout_states.move(
        scope,
        payout,
        status,
        what="asked",
        claims=True,
        lease=rules.LEASE,
        next_attempt_in=rules.LEASE,
        problem=payout.problem,
    )
    try:
        destination = _destination(scope, claimed)
    except vault.Undecryptable:
        destination = None  # one can be asked without it
    claim = _claim(scope, claimed, destination, loaded)
    adapter = providers.get_adapter(payout.provider)
    return SideEffect(
        lambda: adapter.find(claim.order, now=clock.now()),
        lambda after, answer: _settle(after, claim, answer, asked=True),
    )


def _call(claim: PayoutClaim) -> Answer:
    """Send a claimed payout, if its lease and its idempotency key still last."""
    # directly before sending, not when claiming: this process may have slept in between
    if not rules.may_send(
        now=clock.now(),
        claimed_at=claim.claimed_at,
        first_sent_at=_first_sent_at(claim.payout),
        keeps_for=providers.get_abilities(claim.payout.provider).keeps_keys_for,
    ):
        return NotSent("the worker was too slow to send it safely")
    return providers.get_adapter(claim.payout.provider).send(claim.order, now=clock.now())


def _settle(scope: Scope, claim: PayoutClaim, answer: Answer, *, asked: bool) -> SideEffect | None:
    """Write what an answer means for the payout; `asked` where it answers a look-up."""
    payout = payout_states.lock(scope, claim.payout.id)
    if payout is None or payout.fence != claim.payout.fence or payout.status != claim.payout.status:
        # another worker claimed it after our lease had ended, and asks the provider, who knows what we know
        logger.warning("an answer came too late", payout_id=str(claim.payout.id), answer=type(answer).__name__)
        return None
    match answer:
        case Paid():
            _confirm(scope, payout, answer)
        case CameBack():
            _record_return(scope, payout, answer)
        case PayoutRefused() if payout.status == PayoutStatus.PAID:
            _keep_paid(scope, payout, f"the provider says now: refused: {answer.reason}")
        case PayoutRefused() if answer.verdict.outcome() is not MoneyOutcome.REFUSED:
            _give_up(scope, payout, f"the provider refused it with {describe_code(answer.code)}: {answer.reason}")
        case PayoutRefused():
            payout_states.move(scope, payout, PayoutStatus.FAILED, what="answered", problem=f"refused: {answer.reason}")
        case NotSent() if claim.payout.fence == 1:
            payout_states.move(
                scope,
                payout,
                PayoutStatus.QUEUED,
                what="answered",
                next_attempt_in=rules.RESEND_AFTER,
                problem=answer.why,
            )
        case NotSent():
            _mark_unknown(scope, payout, answer.why)
        case Unclear():
            _settle_unclear(scope, payout, answer.why, asked=asked)
        case UnknownReference():
            if payout.status != PayoutStatus.PAID:
                return _resend_or_wait(scope, payout, why="the provider knows nothing of it")
            _keep_paid(scope, payout, "the provider knows nothing of it any more")
    return None


def _confirm(scope: Scope, payout: PayoutRow, answer: Paid) -> None:
    """Settle a payout as paid; give it to a person where the provider paid another amount."""
    if payout.status == PayoutStatus.PAID:
        payout_states.move(
            scope, payout, PayoutStatus.PAID, what="answered", provider_reference=answer.provider_reference
        )
    elif (answer.amount, answer.currency) != (payout.amount, payout.currency):
        problem = (
            f"the provider says it paid {answer.amount} {answer.currency} instead of {payout.amount} {payout.currency}"
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
        supports_lookup = providers.get_abilities(payout.provider).supports_lookup
        payout_states.move(
            scope,
            payout,
            PayoutStatus.PAID,
            what="answered",
            next_attempt_in=rules.RETURN_CHECK_AFTER if supports_lookup else None,
            provider_reference=answer.provider_reference,
        )


def _keep_paid(scope: Scope, payout: PayoutRow, problem: str) -> None:
    """Note what a provider says of a payout that it had paid, and ask no more."""
    payout_states.move(scope, payout, PayoutStatus.PAID, what="answered", problem=problem)


def _record_return(scope: Scope, payout: PayoutRow, answer: CameBack) -> None:
    """Settle a payout as paid and come back."""
    if payout.status != PayoutStatus.PAID:
        payout = payout_states.move(scope, payout, PayoutStatus.PAID, what="answered")
    if answer.verdict.speaks_of_earlier:  # a duplicate came back, and the one that it is the duplicate of did not
        _keep_paid(scope, payout, f"the provider says that a duplicate came back: {answer.reason}")
        return
    payout_states.move(scope, payout, PayoutStatus.RETURNED, what="answered", problem=f"came back: {answer.reason}")


def _settle_unclear(scope: Scope, payout: PayoutRow, why: str, *, asked: bool) -> None:
    """Keep a payout in doubt until the next attempt, or give it to a person where no attempt can settle it."""
    abilities = providers.get_abilities(payout.provider)
    is_unknowable = not abilities.supports_lookup and abilities.keeps_keys_for is None
    if payout.status == PayoutStatus.PAID:
        payout_states.move(
            scope, payout, PayoutStatus.PAID, what="answered", next_attempt_in=rules.RETURN_CHECK_AFTER, problem=why
        )
    elif is_unknowable or (asked and _is_past_retries(scope, payout)):
        _give_up(scope, payout, why)
    else:
        _mark_unknown(scope, payout, why)


def _resend_or_wait(scope: Scope, payout: PayoutRow, *, why: str) -> SideEffect | None:
    """Send a payout in doubt again under its idempotency key, if the provider still keeps it; else wait or give up."""
    abilities = providers.get_abilities(payout.provider)
    may_resend = rules.may_resend(
        now=scope.now, first_sent_at=_first_sent_at(payout), keeps_for=abilities.keeps_keys_for
    )
    if _is_past_retries(scope, payout) or not (may_resend or abilities.supports_lookup):
        _give_up(scope, payout, why)
    elif may_resend and is_enabled(scope):
        return _send(scope, payout)
    else:
        _mark_unknown(scope, payout, why)
    return None


def _postpone_without_credentials(scope: Scope, payout: PayoutRow, problem: Exception) -> None:
    """Keep a payout, as it is or in doubt, until an operator sets the tenant's credentials at the provider."""
    logger.error("a payout cannot be sent", payout_id=str(payout.id), problem=str(problem))
    if payout.status == PayoutStatus.QUEUED:
        payout_states.postpone(scope, payout, rules.RESEND_AFTER)
    else:
        _mark_unknown(scope, payout, str(problem))


def _mark_unknown(scope: Scope, payout: PayoutRow, why: str) -> PayoutRow:
    return payout_states.move(
        scope,
        payout,
        PayoutStatus.UNKNOWN,
        what="answered",
        next_attempt_in=rules.wait_after(payout.looks),
        problem=why,
    )


def _give_up(scope: Scope, payout: PayoutRow, why: str) -> None:
    payout_states.move(
        scope, payout, PayoutStatus.REVIEW, what="answered", problem=f"{why}; find out whether it was paid, and say so"
    )


def _is_past_retries(scope: Scope, payout: PayoutRow) -> bool:
    return payout.unknown_since is not None and scope.now - payout.unknown_since > rules.GIVE_UP_AFTER


def _stop_undecryptable(scope: Scope, payout: PayoutRow) -> None:
    """Stop a payout whose bank details cannot be decrypted; release its money where it was certainly never sent."""
    logger.error("bank details cannot be decrypted", payout_id=str(payout.id))
    to = PayoutStatus.FAILED if payout.fence == 1 else PayoutStatus.REVIEW
    payout_states.move(
        scope, payout, to, what="answered", problem="its bank details cannot be opened; put them in again"
    )


def _first_sent_at(payout: PayoutRow) -> datetime:
    if payout.first_sent_at is None:
        raise LookupError(f"payout {payout.id} was never sent")
    return payout.first_sent_at


def _destination(scope: Scope, payout: PayoutRow) -> Destination | None:
    return open_destination(scope, payout.destination_id) if payout.destination_id else None


def _claim(scope: Scope, payout: PayoutRow, destination: Destination | None, loaded: BaseModel | None) -> PayoutClaim:
    """Return the claim with which a payout is sent or asked about."""
    order = PaymentOrder(
        scope.tenant_id,
        payout.user_id,
        payout.reference,
        payout.amount,
        payout.currency,
        payout.fence,
        destination,
        loaded,
    )
    return PayoutClaim(payout, order, clock.now())
