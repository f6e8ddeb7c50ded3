"""Whoever pays: what each can do, and the words in which it is asked and answers.

Each provider is one module here:
    simulated.py  pays nobody, and misbehaves on request; the local default
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from chalicelib.features.payouts.delivery.outcomes import BankVerdict
from chalicelib.features.people.destinations.rules import Destination


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a provider can do; how a doubt about a payout is settled follows from it."""

    keeps_keys_for: timedelta | None  # the same idempotency key pays once for so long; None: it knows no keys
    looks_up: bool  # tells what became of our reference
    needs_destination: bool
    takes_batches: bool = False  # is not called for each payout, but handed files
    is_person: bool = False  # somebody hands the money over, and confirms it with a reference

    @property
    def is_called(self) -> bool:
        """Whether its adapter is called for each payout."""
        return not (self.takes_batches or self.is_person)


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """One payment to be made. `reference` is the idempotency key; `attempt` counts the claims, this one included."""

    tenant_id: UUID
    user_id: UUID
    reference: str
    amount: Decimal
    currency: str
    attempt: int
    destination: Destination | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Paid:
    """The provider moved money."""

    provider_reference: str
    amount: Decimal
    currency: str


# What an adapter says where its provider refuses for good and has no code for it: ISO 20022's "no reason given".
NO_REASON = "MS03"


@dataclass(frozen=True, slots=True)
class PayoutRefused:
    """The provider refused this: it gives the money back where its verdict is a refusal for good."""

    reason: str
    code: str = NO_REASON  # of bank_files/status_reasons.csv: the adapter translates its provider's own

    @property
    def verdict(self) -> BankVerdict:
        return BankVerdict("RJCT", (self.code,), self.reason)


@dataclass(frozen=True, slots=True)
class CameBack:
    """The provider had paid, and the money came back."""

    reason: str
    code: str = NO_REASON

    @property
    def verdict(self) -> BankVerdict:
        return BankVerdict("BOOK", (self.code,), self.reason)


@dataclass(frozen=True, slots=True)
class Unclear:
    """Time-out, reset, 5xx, 429, a body that cannot be read: it may or may not have paid."""

    why: str


@dataclass(frozen=True, slots=True)
class UnknownReference:
    """A look-up knows nothing of it. It may still arrive: this is a doubt, not an answer."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """We did not ask, because our right to had ended by then."""

    why: str


Answer = Paid | PayoutRefused | CameBack | Unclear | UnknownReference | NotSent


@dataclass(frozen=True, slots=True)
class ProviderMovement:
    """One line of the provider's own list."""

    reference: str
    user_id: UUID
    amount: Decimal
    currency: str
    at: datetime
    came_back: bool


class Provider(Protocol):
    """What a provider's adapter does. None of it raises: whatever goes wrong outside is Unclear."""

    abilities: Abilities

    def send(self, order: PaymentOrder, *, now: datetime) -> Answer: ...

    def find(self, order: PaymentOrder, *, now: datetime) -> Answer: ...

    def movements(self, tenant_id: UUID, *, since: datetime) -> list[ProviderMovement]: ...


def get_provider(name: str) -> Provider:
    """Return the adapter of a provider that is called for each payout."""
    return _known()[name]


def abilities_of(name: str) -> Abilities:
    """Return what a provider can do."""
    return _NOT_CALLED.get(name) or get_provider(name).abilities


def listed() -> Mapping[str, Provider]:
    """Return the adapters whose provider has a list of what it moved, by name."""
    return _known()


BANK_FILE = Abilities(keeps_keys_for=None, looks_up=False, needs_destination=True, takes_batches=True)
MANUAL = Abilities(keeps_keys_for=None, looks_up=False, needs_destination=False, is_person=True)
_NOT_CALLED = {"bank_file": BANK_FILE, "manual": MANUAL}


def _known() -> Mapping[str, Provider]:
    from chalicelib.features.payouts.delivery.providers.simulated import SIMULATED

    return {"simulated": SIMULATED}
