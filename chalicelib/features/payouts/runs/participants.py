"""Who had a part in a payout that waits for approval, and whether the caller may therefore approve it.

Whoever started its run, made or decided a sale that it pays, or set the bank details that it goes to; and its payee.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import four_eyes
from chalicelib.backing.database import Record, statement
from chalicelib.four_eyes import Participants, Participation
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import PayoutStatus

_HANDS = text(statement(__file__, "hands"))


def of_payouts(scope: Scope, payout_ids: Sequence[UUID]) -> dict[UUID, list[Participants]]:
    """Return everybody who had a part in each of some payouts, by payout."""
    rows = scope.session.execute(_HANDS, {"tenant_id": scope.tenant_id, "payout_ids": list(payout_ids)})
    return {row.id: _parts(row) for row in rows}


def with_approval(scope: Scope, payouts: Sequence[Record]) -> list[Record]:
    """Add to each payout `may_approve` and `because` (why not), for the caller."""
    held = [payout["id"] for payout in payouts if payout["status"] == PayoutStatus.HELD]
    hands = of_payouts(scope, held) if held and "payouts.decide" in scope.grants else {}
    found = []
    for payout in payouts:
        because = _why_not(scope, payout, hands)
        found.append({**payout, "may_approve": because is None, "because": because})
    return found


def _why_not(scope: Scope, payout: Record, hands: dict[UUID, list[Participants]]) -> str | None:
    if payout["status"] != PayoutStatus.HELD:
        return f"It is {payout['status']}; only a payout that is held is approved."
    if "payouts.decide" not in scope.grants:
        return f"The role {scope.actor.role} may not approve (it needs payouts.decide)."
    return four_eyes.why_not(scope, hands[payout["id"]])


def _parts(row: Any) -> list[Participants]:
    return [
        Participants(Participation.PREPARED, row.prepared_by_ids),
        Participants(Participation.PAYEE, [row.user_id]),
        Participants(Participation.MADE_SALE, row.made_sale),
        Participants(Participation.DECIDED_SALE, row.decided_sale),
        Participants(Participation.SET_DESTINATION, row.set_destination),
    ]
