"""Payout providers: the port that their adapters implement, and the registry of all of them.

Each provider is one module here, which declares it as `PROVIDER`; the module's name is the provider's. The registry
finds the modules by itself, and kernel.policy.PayoutProvider is the choice that tenants have.
    simulated.py  pays nobody, and misbehaves on request; the local default
    bank_file.py  transfers in files that a person brings to the bank; settled by the bank's answer (payouts.matching)
    manual.py  a person hands the money over, and confirms it with a reference

An adapter is called with no transaction open. For HTTP it takes provider_http.py, which is pinned and bounded, and
turns what is no answer into Unclear. The credentials that a tenant has at the provider come with the payment order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel

from chalicelib.features.payouts.delivery.outcomes import BankVerdict
from chalicelib.features.people.destinations.rules import Destination, DestinationKind

C = TypeVar("C", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a provider can do; how a doubt about a payout is settled follows from it."""

    keeps_keys_for: timedelta | None  # the same idempotency key pays once for so long; None: it knows no keys
    supports_lookup: bool  # can be asked what became of our reference
    pays_to: frozenset[DestinationKind] = frozenset()  # it needs a destination of these kinds; empty: it needs none
    sends_files: bool = False  # is handed files, and answers by files
    is_manual: bool = False  # a person hands the money over, and confirms it with a reference

    @property
    def needs_destination(self) -> bool:
        return bool(self.pays_to)


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
    credentials: BaseModel | None = field(default=None, repr=False)

    def credentials_as(self, kind: type[C]) -> C:
        """Return the tenant's credentials as the model that the provider declares."""
        if not isinstance(self.credentials, kind):
            raise TypeError(f"the order has no {kind.__name__}")
        return self.credentials


@dataclass(frozen=True, slots=True)
class Paid:
    """The provider moved money."""

    provider_reference: str
    amount: Decimal
    currency: str


# What an adapter gives as code where its provider refuses for good and has none: ISO 20022's "no reason given".
NO_REASON = "MS03"


@dataclass(frozen=True, slots=True)
class PayoutRefused:
    """The provider refused the payment: the money is released where its verdict is a refusal for good."""

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
    """A look-up knows nothing of the payment. It may still arrive: this is a doubt, not an answer."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """The provider was not called, because the right to call it had ended by then."""

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


class ProviderAdapter(Protocol):
    """The port: calls to one provider. `send` and `find` do not raise: whatever goes wrong outside is Unclear."""

    def send(self, order: PaymentOrder, *, now: datetime) -> Answer:
        """Order a payment."""
        ...

    def find(self, order: PaymentOrder, *, now: datetime) -> Answer:
        """Ask what became of a payment that may have been ordered."""
        ...

    def movements(
        self, tenant_id: UUID, *, since: datetime, credentials: BaseModel | None = None
    ) -> list[ProviderMovement]:
        """List what the provider moved for a tenant since a moment, refusals left out.

        Raises Busy where the provider does not answer: a list that is not whole must not be matched.
        """
        ...


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider, as its module declares it."""

    abilities: Abilities
    adapter: ProviderAdapter | None = None  # None: it is not called for each payout
    credentials: type[BaseModel] | None = None  # what it needs of each tenant; set by `providers set-credentials`

    @property
    def is_called(self) -> bool:
        return self.adapter is not None


@cache
def registry() -> Mapping[str, Provider]:
    """Return all providers by name: each module of this package is one."""
    return {module.name: _load(module.name) for module in iter_modules(__path__)}


def get_provider(name: str) -> Provider:
    """Return a provider by its name."""
    return registry()[name]


def get_abilities(name: str) -> Abilities:
    """Return what a provider can do."""
    return get_provider(name).abilities


def get_adapter(name: str) -> ProviderAdapter:
    """Return the adapter of a provider that is called for each payout."""
    adapter = get_provider(name).adapter
    if adapter is None:
        raise TypeError(f"the provider {name} is not called")
    return adapter


def list_payable_kinds(name: str) -> list[str]:
    """Return the kinds of destination that can be paid to where a tenant's provider is this one.

    An employee can be paid by hand whichever provider the tenant has.
    """
    return sorted({*get_abilities(name).pays_to, DestinationKind.MANUAL})


def _load(name: str) -> Provider:
    provider: Provider = import_module(f"{__name__}.{name}").PROVIDER
    return provider
