"""The simulated provider: pays nobody, and misbehaves on request. The local default.

How it treats a person is said by their payout destination (`{"kind": "simulated", "behaviour": ...}`); without one it
accepts. Its books are kept apart from ours, in transactions of its own, as a bank's would be.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.features.payouts.delivery.providers import (
    Abilities,
    Answer,
    CameBack,
    Paid,
    PaymentOrder,
    PayoutRefused,
    ProviderMovement,
    Unclear,
    UnknownReference,
)
from chalicelib.features.people.destinations.rules import Behaviour

_KNOWN = text("""
    select id, status, reason, amount, currency from simulated_movements
    where tenant_id = :tenant_id and reference = :reference order by id limit 1""")

_MOVE = text("""
    insert into simulated_movements (tenant_id, reference, user_id, currency, amount, status, reason, at)
    values (:tenant_id, :reference, :user_id, :currency, :amount, :status, :reason, :at)
    returning id, status, reason, amount, currency""")

_LIST = text("""
    select reference, user_id, amount, currency, at, status = 'returned' as came_back from simulated_movements
    where tenant_id = :tenant_id and status <> 'refused' and at >= :since order by id""")


_ALONE = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
_GIVE_BACK = text("""
    update simulated_movements set status = 'returned', reason = 'account closed'
    where tenant_id = :tenant_id and reference = :reference and status = 'accepted'""")


class Simulated:
    """Keeps idempotency keys for a day and can be asked by our reference."""

    abilities = Abilities(keeps_keys_for=timedelta(hours=24), looks_up=True, needs_destination=False)

    def send(self, order: PaymentOrder, *, now: datetime) -> Answer:
        """Pay, once per reference, or misbehave as the destination says."""
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
                session.execute(_GIVE_BACK, _key(order))
            row = session.execute(_KNOWN, _key(order)).first()
        return _answer(row) if row else UnknownReference()

    def movements(self, tenant_id: UUID, *, since: datetime) -> list[ProviderMovement]:
        """List what the provider moved for a tenant since a moment, refusals left out."""
        with transaction(tenant_id=tenant_id) as session:
            rows = session.execute(_LIST, {"tenant_id": tenant_id, "since": since}).all()
        return [ProviderMovement(*row) for row in rows]


def _book(order: PaymentOrder, behaviour: Behaviour | None, now: datetime) -> Answer:
    with transaction(tenant_id=order.tenant_id) as session:
        session.execute(_ALONE, {"name": f"simulated/{order.tenant_id}/{order.reference}"})
        row = session.execute(_KNOWN, _key(order)).first()
        for _ in range(0 if row else 2 if behaviour is Behaviour.DUPLICATE else 1):
            refuses = behaviour is Behaviour.REFUSE
            row = session.execute(
                _MOVE,
                {
                    **_key(order),
                    "user_id": order.user_id,
                    "currency": order.currency,
                    "amount": order.amount * 2 if behaviour is Behaviour.OTHER_AMOUNT else order.amount,
                    "status": "refused" if refuses else "accepted",
                    "reason": "account unknown" if refuses else None,
                    "at": now,
                },
            ).one()
    return _answer(row)


def _key(order: PaymentOrder) -> dict[str, object]:
    return {"tenant_id": order.tenant_id, "reference": order.reference}


def _answer(row: Any) -> Answer:
    if row.status == "refused":
        return PayoutRefused(row.reason, "AC01")
    if row.status == "returned":
        return CameBack(row.reason)
    return Paid(str(row.id), row.amount, row.currency)


SIMULATED = Simulated()
