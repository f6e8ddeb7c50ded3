"""The participants of a payout that awaits approval: nobody who had a part in it may approve it (four eyes).

They are who started its run, made or decided a sale that it pays, or set the bank details that it goes to; its payee.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from chalicelib import four_eyes
from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.four_eyes import Participants, Participation
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import PayoutStatus

_PARTICIPANTS = text(statement(__file__, "participants"))


@dataclass(frozen=True, slots=True)
class _ParticipantIds:
    """Who had a part in one payout, by what they did."""

    id: UUID
    user_id: UUID
    prepared_by_ids: Sequence[UUID]
    made_sale: Sequence[UUID]
    decided_sale: Sequence[UUID]
    set_destination: Sequence[UUID]


def load_participants(scope: Scope, payout_ids: Sequence[UUID]) -> dict[UUID, list[Participants]]:
    """Return everybody who had a part in each of these payouts, by payout."""
    payouts = rows.every(
        _ParticipantIds,
        scope.session.execute(_PARTICIPANTS, {"tenant_id": scope.tenant_id, "payout_ids": list(payout_ids)}),
    )
    return {payout.id: _to_participants(payout) for payout in payouts}


def explain_refusals(scope: Scope, statuses: Mapping[UUID, str]) -> dict[UUID, str | None]:
    """Return for each payout, given its status, why the caller may not approve it; None: they may."""
    held = [payout_id for payout_id, status in statuses.items() if status == PayoutStatus.HELD]
    participants = load_participants(scope, held) if held and "payouts.decide" in scope.grants else {}
    return {payout_id: _why_not(scope, payout_id, status, participants) for payout_id, status in statuses.items()}


def _why_not(scope: Scope, payout_id: UUID, status: str, participants: Mapping[UUID, list[Participants]]) -> str | None:
    if status != PayoutStatus.HELD:
        return f"It is {status}; only a payout that is held is approved."
    if "payouts.decide" not in scope.grants:
        return f"The role {scope.actor.role} may not approve (it needs payouts.decide)."
    return four_eyes.why_not(scope, participants[payout_id])


def _to_participants(payout: _ParticipantIds) -> list[Participants]:
    return [
        Participants(Participation.PREPARED, payout.prepared_by_ids),
        Participants(Participation.PAYEE, [payout.user_id]),
        Participants(Participation.MADE_SALE, payout.made_sale),
        Participants(Participation.DECIDED_SALE, payout.decided_sale),
        Participants(Participation.SET_DESTINATION, payout.set_destination),
    ]
