"""The simulated payment provider. Whatever it answers, its own books are the truth about where money went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

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
from infra.labs.crash.baton import Hub
from infra.labs.crash.faults import PROVIDER, Crash

LATEST = 30  # minutes that a request may be in flight
WHY = {
    Crash.TIMEOUT_BEFORE: "no answer within 30 s",
    Crash.TIMEOUT_AFTER: "no answer within 30 s",
    Crash.LANDS_LATE: "no answer within 30 s",
    Crash.REFUSED_UNSEEN: "connection reset",
    Crash.ERROR_AFTER: "HTTP 502 Bad Gateway",
    Crash.TOO_MANY: "HTTP 429 Too Many Requests",
    Crash.UNREADABLE: "an answer that is no JSON",
}


@dataclass
class Entry:
    """One line of the provider's books: a request for which it moved money, or refused to."""

    tenant_id: UUID
    user_id: UUID
    reference: str
    amount: Decimal
    currency: str
    at: datetime
    was_refused: bool = False
    came_back: bool = False
    comes_back_at: datetime | None = None
    was_undone: bool = False  # a wrong amount, reversed after a complaint
    reported_amount: Decimal | None = None  # where it reports another amount than it moved

    @property
    def moved(self) -> bool:
        return not self.was_refused and not self.was_undone

    @property
    def is_there(self) -> bool:
        """Whether the employee has the money."""
        return self.moved and not self.came_back


class Bank:
    """A provider and its adapter in one; the product sees `abilities`, `send`, `find`, `movements`."""

    def __init__(self, hub: Hub, abilities: Abilities) -> None:
        self.hub, self.abilities = hub, abilities
        self.entries: list[Entry] = []
        self.in_flight: list[tuple[datetime, PaymentOrder]] = []
        self.sent = 0  # how many orders it received
        self.complaints: list[str] = []  # what a client must never do, and did
        self.is_calm = False
        self._keys: dict[str, tuple[datetime, Entry, tuple[object, ...]]] = {}
        hub.at_time.append(self._time_moved)

    # What the product calls

    def send(self, order: PaymentOrder, *, now: datetime) -> Answer:
        """Execute a payment order, or fail in a drawn way."""
        actor = self.hub.current
        if actor is not None:
            # no switch here: time between the product's last look at the clock and the provider's receipt is the
            # request's time in flight, which is LANDS_LATE and has its bound
            actor.point(Crash.BEFORE_CALL, switches=False)
            actor.has_called_provider = True
        self.sent += 1
        fault = self._fault()
        self.hub.note(f"bank: send {order.amount} {order.currency} {fault or ''}")
        answer = self._send(order, fault)
        if actor is not None:
            actor.point(Crash.BEFORE_SETTLE)
        return answer

    def find(self, order: PaymentOrder, *, now: datetime) -> Answer:
        """Return the outcome of a reference (look-up)."""
        if not self.abilities.supports_lookup:
            self.complaints.append("asked for a reference, although this provider has no look-up")
        actor = self.hub.current
        if actor is not None:
            actor.point(Crash.BEFORE_CALL)
            actor.has_called_provider = True
        if not self.is_calm and self.hub.rng.random() < self.hub.faults.provider / 3:
            self.hub.count(Crash.NO_LOOK_UP)
            answer: Answer = Unclear("no answer within 30 s")
        else:
            answer = next(
                (self._answer(one) for one in self.entries if one.reference == order.reference), UnknownReference()
            )
        self.hub.note(f"bank: find {type(answer).__name__}")
        if actor is not None:
            actor.point(Crash.BEFORE_SETTLE)
        return answer

    def movements(self, tenant_id: UUID, *, since: datetime, credentials: object = None) -> list[ProviderMovement]:
        """Return the movements of a tenant, for matching after a restore."""
        return [
            ProviderMovement(one.reference, one.user_id, one.amount, one.currency, one.at, one.came_back)
            for one in self.entries
            if one.moved and one.tenant_id == tenant_id and one.at >= since
        ]

    # What the operator learns by telephone

    def known_as(self, reference: str) -> list[Entry]:
        """Return the entries of a reference."""
        return [one for one in self.entries if one.reference == reference]

    def is_expecting(self, reference: str) -> bool:
        """Return whether a request with this reference is still in flight."""
        return any(order.reference == reference for _, order in self.in_flight)

    # Internal

    def _fault(self) -> Crash | None:
        if self.is_calm or self.hub.rng.random() >= self.hub.faults.provider:
            return None
        fault = self.hub.rng.choice(PROVIDER)
        self.hub.count(fault)
        return fault

    def _send(self, order: PaymentOrder, fault: Crash | None) -> Answer:
        """Execute an order, with a fault if one was drawn, and return the answer."""
        match fault:
            case Crash.TIMEOUT_BEFORE | Crash.TOO_MANY:
                return Unclear(WHY[fault])
            case Crash.LANDS_LATE:
                late = timedelta(minutes=self.hub.rng.choice((1, 3, 10, LATEST, LATEST)))
                self.in_flight.append((self.hub.now + late, order))
                return Unclear(WHY[fault])
            case Crash.TIMEOUT_AFTER | Crash.ERROR_AFTER | Crash.UNREADABLE | Crash.REFUSED_UNSEEN:
                self._take(order, refuse=fault is Crash.REFUSED_UNSEEN)
                return Unclear(WHY[fault])
            case Crash.REFUSED:
                return self._answer(self._take(order, refuse=True))
            case Crash.SAYS_OTHER_AMOUNT:
                return self._answer(self._take(order, reported_amount=order.amount + 1))
            case Crash.PAYS_OTHER_AMOUNT:
                return self._answer(self._take(order, amount=order.amount * 2))
            case Crash.COMES_BACK:
                late = timedelta(minutes=self.hub.rng.choice((0, 5, 600)))
                return self._answer(self._take(order, comes_back_at=self.hub.now + late))
        return self._answer(self._take(order))

    def _take(
        self,
        order: PaymentOrder,
        *,
        refuse: bool = False,
        amount: Decimal | None = None,
        reported_amount: Decimal | None = None,
        comes_back_at: datetime | None = None,
        at: datetime | None = None,
    ) -> Entry:
        """Enter an order into the books; an idempotency key that is still kept returns its first entry."""
        at = at or self.hub.now
        what = (order.tenant_id, order.user_id, order.amount, order.currency)
        if self.abilities.keeps_keys_for is not None and (known := self._keys.get(order.reference)):
            first, entry, before = known
            if what != before:
                self.complaints.append("the same key was used for another payment")
            if at - first < self.abilities.keeps_keys_for:
                return entry
            self.hub.note("bank: a key expired")
        entry = Entry(
            order.tenant_id,
            order.user_id,
            order.reference,
            amount or order.amount,
            order.currency,
            at,
            was_refused=refuse,
            reported_amount=reported_amount,
            comes_back_at=comes_back_at,
        )
        self.entries.append(entry)
        self._keys[order.reference] = (at, entry, what)
        return entry

    def _answer(self, entry: Entry) -> Answer:
        if entry.was_refused:
            return PayoutRefused("account closed")
        if entry.came_back:
            return CameBack("account closed")
        return Paid(f"B{self.entries.index(entry)}", entry.reported_amount or entry.amount, entry.currency)

    def _time_moved(self) -> None:
        """Let late requests arrive and money come back when they are due."""
        for landing in sorted((one for one in self.in_flight if one[0] <= self.hub.now), key=lambda one: one[0]):
            self.in_flight.remove(landing)
            self.hub.note("bank: a late request landed")
            self._take(landing[1], at=landing[0])  # at its own time, even if the clock jumped further
        for entry in self.entries:
            if entry.comes_back_at is not None and entry.comes_back_at <= self.hub.now and not entry.came_back:
                entry.came_back = True
                self.hub.note("bank: money came back")

    def key_ends(self) -> list[datetime]:
        """Return when the idempotency keys of payments expire."""
        keeps = self.abilities.keeps_keys_for
        return [] if keeps is None else [first + keeps for first, _, _ in self._keys.values()]
