"""Queue consumers of payouts: a run's hour, a run's chunk, and one payout's next step."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.messages import SideEffect, consumes
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.runs import actions
from chalicelib.features.payouts.runs.actions import PayoutRunKind
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress

blueprint = Blueprint(__name__)


@consumes(blueprint, actions.QUEUE, batch_size=1, at_once=10, when_failed=progress.fail, uses=("vault",))
def run_payouts(scope: Scope, *, message: dict[str, Any]) -> None:
    """Start the run of an hour, or do one chunk of a run; what is done already is not done again."""
    if "slot" in message:
        actions.run_slot(scope, PayoutRunKind(message["kind"]), datetime.fromisoformat(message["slot"]))
        return
    chunk = progress.find_chunk(scope, UUID(message["job_id"]), message["chunk"])
    if chunk is not None:
        actions.do_chunk(scope, message, chunk)


# nothing new is sent for a suspended tenant; what is in doubt is still found out
@consumes(blueprint, delivery_actions.QUEUE, at_once=20, while_suspended=True, uses=("vault",))
def move_payout(scope: Scope, *, message: dict[str, Any]) -> SideEffect | None:
    """Send one payout, or ask about it, as its state needs."""
    return delivery_actions.carry_on(scope, UUID(message["payout_id"]))
