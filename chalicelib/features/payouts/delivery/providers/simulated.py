"""The simulated provider: pays nobody, and misbehaves on request. The local default.

An employee's payout destination (`{"kind": "simulated", "behaviour": ...}`) decides how it treats payments to them;
without one it accepts. Its books are kept apart from ours, in transactions of its own, as a bank's would be.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text

from chalicelib.backing import rows
from chalicelib.backing.database import transaction
from chalicelib.features.payouts.delivery.providers import (
    Abilities,
    Answer,
    CameBack,
    Paid,
    PaymentOrder,
    PayoutRefused,
    Provider,
    ProviderMovement,
    Unclear,
    UnknownReference,
)
from chalicelib.features.people.destinations.rules import Behaviour

NAME = "simulated"

_FIND = text("""
    select id, status, reason, amount, currency from simulated_movements
    where tenant_id = :tenant_id and reference = :reference order by id limit 1""")

_INSERT = text("""
    insert into simulated_movements (tenant_id, reference, user_id, currency, amount, status, reason, at)
    values (:tenant_id, :reference, :user_id, :currency, :amount, :status, :reason, :at)
    returning id, status, reason, amount, currency""")

_LIST = text("""
    select reference, user_id, amount, currency, at, status = 'returned' as came_back from simulated_movements
    where tenant_id = :tenant_id and status <> 'refused' and at >= :since order by id""")


_ADVISORY_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
_RETURN = text("""
    update simulated_movements set status = 'returned', reason = 'account closed'
    where tenant_id = :tenant_id and reference = :reference and status = 'accepted'""")


@dataclass(frozen=True, slots=True)
class _Movement:
    """One row of the provider's books: accepted, refused or returned."""

    id: UUID
    status: str
    reason: str | None
    amount: Decimal
    currency: str


class SimulatedAdapter:
    """Plays the provider: each reference is paid once, unless the destination asks for misbehaviour."""

    def send(self, order: PaymentOrder, *, now: datetime) -> Answer:
        """Pay, once per reference, or misbehave as the destination asks."""
        behaviour = order.destination.behaviour if order.destination else None
        if behaviour is Behaviour.TIMEOUT_BEFORE and order.attempt == 1:
            return Unclear("no answer within 30 s")
        answer = _book(order, behaviour, now)
        if behaviour is Behaviour.TIMEOUT_AFTER:
            return Unclear("no answer within 30 s")
        if behaviour is Behaviour.ERROR_AFTER:
            return Unclear("HTTP 502 Bad Gateway")
        if behaviour is Behaviour.REFUSE_AS_DUPLICATE:
            return PayoutRefused("received before", "AM05")  # and the one before was paid
        return answer

    def find(self, order: PaymentOrder, *, now: datetime) -> Answer:
        """Return what became of a reference; money that is to come back late has come back by then."""
        with transaction(tenant_id=order.tenant_id) as session:
            if order.destination and order.destination.behaviour is Behaviour.LATE_RETURN:
                session.execute(_RETURN, _key(order))
            movement = rows.first(_Movement, session.execute(_FIND, _key(order)))
        return _answer(movement) if movement else UnknownReference()

    def movements(
        self, tenant_id: UUID, *, since: datetime, credentials: BaseModel | None = None
    ) -> list[ProviderMovement]:
        """List what the provider moved for a tenant since a moment, refusals left out."""
        with transaction(tenant_id=tenant_id) as session:
            return rows.every(ProviderMovement, session.execute(_LIST, {"tenant_id": tenant_id, "since": since}))


def _book(order: PaymentOrder, behaviour: Behaviour | None, now: datetime) -> Answer:
    """Write the payment into the provider's books, unless its reference is in them; return the answer."""
    with transaction(tenant_id=order.tenant_id) as session:
        session.execute(_ADVISORY_LOCK, {"name": f"{NAME}/{order.tenant_id}/{order.reference}"})
        movement = rows.first(_Movement, session.execute(_FIND, _key(order)))
        if movement is not None:
            return _answer(movement)
        is_refused = behaviour is Behaviour.REFUSE
        values = {
            **_key(order),
            "user_id": order.user_id,
            "currency": order.currency,
            "amount": order.amount * 2 if behaviour is Behaviour.OTHER_AMOUNT else order.amount,
            "status": "refused" if is_refused else "accepted",
            "reason": "account unknown" if is_refused else None,
            "at": now,
        }
        if behaviour is Behaviour.DUPLICATE:
            session.execute(_INSERT, values)
        return _answer(rows.one(_Movement, session.execute(_INSERT, values)))


def _key(order: PaymentOrder) -> dict[str, object]:
    return {"tenant_id": order.tenant_id, "reference": order.reference}


def _answer(movement: _Movement) -> Answer:
    if movement.status == "refused":
        return PayoutRefused(movement.reason or "", "AC01")
    if movement.status == "returned":
        return CameBack(movement.reason or "")
    return Paid(str(movement.id), movement.amount, movement.currency)


PROVIDER = Provider(
    # keeps idempotency keys for a day, and can be asked by our reference
    Abilities(keeps_keys_for=timedelta(hours=24), supports_lookup=True),
    SimulatedAdapter(),
)
