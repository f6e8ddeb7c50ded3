"""Matching after a restore: the providers' own lists against books that have lost their last minutes.

A movement without a payout is adopted: it becomes a payout that was paid, and its money leaves payable, so that a debt
is not paid again. A payout whose outcome was lost is settled. Matching again changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from sqlalchemy import select, text

from chalicelib import audit
from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.delivery import payout_states
from chalicelib.features.payouts.delivery import rules as delivery_rules
from chalicelib.features.payouts.delivery.providers import ProviderMovement
from chalicelib.features.payouts.models import PayoutRow, payouts
from chalicelib.features.people.models import users
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict
from chalicelib.kernel.states import PayoutStatus
from chalicelib.ledger import accounts

_ADOPT = text(statement(__file__, "adopt"))

_S = PayoutStatus
_Path = tuple[PayoutStatus, ...]
# The states to pass until a payout may have arrived; payouts in other states are settled.
_TO_SENDING: Mapping[PayoutStatus, _Path] = {
    _S.HELD: (_S.QUEUED, _S.SENDING),
    _S.QUEUED: (_S.SENDING,),
    _S.SENDING: (),
    _S.UNKNOWN: (),
    _S.REVIEW: (),
}


class MatchOutcome(StrEnum):
    """The consequence of a matched movement for the books."""

    ADOPTED = "adopted"  # there was no payout for it
    SETTLED = "settled"  # the payout's outcome was not known
    UNCHANGED = "unchanged"
    CONTRADICTED = "contradicted"  # the books disagree: a person decides


@dataclass(frozen=True, slots=True)
class MatchedReference:
    """What a provider moved under one reference, and the consequence; `payout_id` is None until it is adopted."""

    provider: str
    reference: str
    user_id: UUID
    amount: Decimal
    currency: str
    came_back: bool
    payout_id: UUID | None
    was: PayoutStatus | None
    path: _Path
    outcome: MatchOutcome
    problem: str | None


def compare(scope: Scope, *, since: datetime) -> list[MatchedReference]:
    """Return what `match` would do, and lock the payouts concerned until the transaction ends."""
    # the providers are called first, before any row is locked
    moved = [
        (name, reference, list(some))
        for name, movements in delivery_actions.list_movements(scope, since=since).items()
        for reference, some in groupby(
            sorted(movements, key=lambda one: one.reference),
            key=lambda one: one.reference,
        )
    ]
    known = _lock_payouts(scope, [reference for _, reference, _ in moved])
    people = _find_known_users(scope, {one.user_id for _, _, some in moved for one in some})
    return [_judge(name, some, known.get(reference), people) for name, reference, some in moved]


def match(scope: Scope, *, since: datetime) -> list[MatchedReference]:
    """Adopt and settle what the providers moved since a moment, and return the outcome of each reference.

    The moment should be some minutes before the one that was restored. Payouts must be off: what is sent in the
    meantime would be missing in the list. Raises Conflict.
    """
    if delivery_actions.is_enabled(scope):
        raise Conflict(
            "Payouts are on. Switch them off first (PATCH /tenant with policy.payouts_enabled false, or PAYOUTS_ENABLED"
            " for all tenants): what is sent in the meantime would be missing in the provider's list."
        )
    matches = compare(scope, since=since)
    concerned = [one for one in matches if one.path]
    adopted = [one for one in concerned if one.payout_id is None]
    accounts.open_for(scope, user_ids=[one.user_id for one in adopted], currencies=[one.currency for one in adopted])
    accounts.lock_for(scope, user_ids=[one.user_id for one in concerned])
    for one in concerned:
        _apply(scope, one)
    if concerned:
        audit.record(
            scope,
            action="payouts.matched",
            entity_type="tenant",
            entity_id=scope.tenant_id,
            after={"since": since, "matched": [asdict(one) for one in concerned]},
        )
    return matches


def _lock_payouts(scope: Scope, references: Sequence[str]) -> dict[str, PayoutRow]:
    """Lock the payouts with these references, and return them by reference."""
    locked = rows.every(
        PayoutRow,
        scope.session.execute(
            select(payouts)
            .where(payouts.c.tenant_id == scope.tenant_id, payouts.c.reference.in_(references))
            .order_by(payouts.c.id)
            .with_for_update()
        ),
    )
    return {payout.reference: payout for payout in locked}


def _find_known_users(scope: Scope, user_ids: set[UUID]) -> set[UUID]:
    user_ids_read = scope.session.execute(
        select(users.c.id).where(users.c.tenant_id == scope.tenant_id, users.c.id.in_(user_ids))
    )
    return set(user_ids_read.scalars())


def _judge(
    provider: str, moved: Sequence[ProviderMovement], payout: PayoutRow | None, people: set[UUID]
) -> MatchedReference:
    """Return what the movements under one reference mean; those that came back moved no money in the end."""
    arrived = [one for one in moved if not one.came_back]
    first, *others = arrived or moved
    amount = first.amount + sum(one.amount for one in others if arrived)
    path: _Path = ()
    problem: str | None
    if any((one.user_id, one.currency) != (first.user_id, first.currency) for one in others):
        problem = "several people or currencies were paid under it"
    elif payout is None:
        path, problem = _judge_without_payout(first, is_known=first.user_id in people)
    else:
        path, problem = _judge_payout(first, amount, payout)
    was = PayoutStatus(payout.status) if payout else None
    outcome = MatchOutcome.UNCHANGED if not path else MatchOutcome.ADOPTED if payout is None else MatchOutcome.SETTLED
    return MatchedReference(
        provider,
        first.reference,
        first.user_id,
        amount,
        first.currency,
        first.came_back,
        payout.id if payout else None,
        was,
        path,
        MatchOutcome.CONTRADICTED if problem else outcome,
        problem,
    )


def _judge_without_payout(moved: ProviderMovement, *, is_known: bool) -> tuple[_Path, str | None]:
    """Return the states that an adopted payout passes, or why it cannot be adopted."""
    if not is_known:
        return (), "the books have lost the person it went to"
    return (_S.SENDING, _S.PAID, *((_S.RETURNED,) if moved.came_back else ())), None


def _judge_payout(moved: ProviderMovement, amount: Decimal, payout: PayoutRow) -> tuple[_Path, str | None]:
    """Return the states that a payout has to pass, and why the books disagree, if they do."""
    was = PayoutStatus(payout.status)
    to_sending = _TO_SENDING.get(was)
    if moved.came_back:
        if was is _S.PAID:
            return (_S.RETURNED,), None
        return () if to_sending is None else (*to_sending, _S.PAID, _S.RETURNED), None
    if was in (_S.FAILED, _S.CANCELLED):
        return (), f"the payout is {was}: its money was given back, and may have been paid again"
    if (moved.user_id, amount, moved.currency) != (payout.user_id, payout.amount, payout.currency):
        problem = (
            f"the provider's list says {amount} {moved.currency} to {moved.user_id}"
            f" instead of {payout.amount} {payout.currency} to {payout.user_id}"
        )
        return () if to_sending is None or was is _S.REVIEW else (*to_sending, _S.REVIEW), problem
    return () if to_sending is None else (*to_sending, _S.PAID), None


def _apply(scope: Scope, one: MatchedReference) -> None:
    """Move a payout to the state in the provider's list, step by step on the state graph."""
    payout = _adopt(scope, one) if one.payout_id is None else payout_states.lock(scope, one.payout_id)
    if payout is None:
        raise LookupError(f"payout {one.payout_id} was locked, and is gone")
    for to in one.path:
        payout = payout_states.move(
            scope,
            payout,
            to,
            what="matched",
            claims=to is _S.SENDING,
            next_attempt_in=delivery_rules.RETURN_CHECK_AFTER if to is _S.PAID and to is one.path[-1] else None,
            problem=one.problem if to is _S.REVIEW else None,
        )


def _adopt(scope: Scope, one: MatchedReference) -> PayoutRow:
    """Insert the payout that the books have lost, with its ledger line."""
    adopted = scope.session.execute(
        _ADOPT,
        {
            "tenant_id": scope.tenant_id,
            "user_id": one.user_id,
            "currency": one.currency,
            "amount": one.amount,
            "provider": one.provider,
            "reference": one.reference,
            "detail": "found in the provider's list",
            "actor": scope.actor.name,
            "now": scope.now,
        },
    )
    return rows.one(PayoutRow, adopted)
