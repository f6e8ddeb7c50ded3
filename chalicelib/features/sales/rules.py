"""When a sale that is sent is one that exists already. Pure."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from chalicelib.kernel.money import MINOR_UNITS, fits


@dataclass(frozen=True, slots=True)
class NewSaleRow:
    """A sale as it was sent, its earning in whole minor units; None where it was left out."""

    user_id: UUID
    brand: str | None
    external_id: str | None
    earning: Decimal
    currency: str
    occurred_at: datetime | None


class StoredSale(Protocol):
    """What is compared of a sale that exists."""

    @property
    def user_id(self) -> UUID: ...
    @property
    def brand(self) -> str | None: ...
    @property
    def external_id(self) -> str | None: ...
    @property
    def earning(self) -> Decimal: ...
    @property
    def currency(self) -> str: ...
    @property
    def occurred_at(self) -> datetime | None: ...


def differences(sale: NewSaleRow, stored: StoredSale) -> list[str]:
    """Name what differs between a sale that is sent and the one that exists; what was left out does not differ."""
    differ = [name for name in ("earning", "currency") if getattr(sale, name) != getattr(stored, name)]
    differ += [name for name in ("brand", "occurred_at") if getattr(sale, name) not in (None, getattr(stored, name))]
    return ["person"] * (sale.user_id != stored.user_id) + differ


def describe_conflict(differ: list[str], stored: StoredSale) -> str:
    """Say that a sale exists already under this external id, and is another one."""
    return (
        f"{stored.external_id} is there already, a sale of {format(stored.earning, 'f')} {stored.currency},"
        f" and is told otherwise here: {', '.join(differ)}. A sale does not change; decline it and send the right one"
        " under a new external id."
    )


def too_fine(earning: Decimal, currency: str) -> str | None:
    """Return what is wrong with an earning that has more decimals than its currency."""
    if fits(earning, currency):
        return None
    return f"has more decimals than {currency} has ({MINOR_UNITS[currency]})"
