"""What makes two tellings of a sale the same sale. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chalicelib.kernel.money import MINOR_UNITS, fits


@dataclass(frozen=True, slots=True)
class SaidSale:
    """A sale as somebody told it, its earning in whole minor units; what is None was not said."""

    user_id: UUID
    brand: str | None
    external_id: str | None
    earning: Decimal
    currency: str
    occurred_at: datetime | None


def differences(said: SaidSale, there: Mapping[str, Any]) -> list[str]:
    """Return what is told otherwise of a sale that is there; what was not said is not otherwise."""
    differ = [name for name in ("earning", "currency") if getattr(said, name) != there[name]]
    differ += [name for name in ("brand", "occurred_at") if getattr(said, name) not in (None, there[name])]
    return ["person"] * (said.user_id != there["user_id"]) + differ


def is_other(differ: list[str], there: Mapping[str, Any]) -> str:
    """Notify somebody that their sale is there already, and is another."""
    return (
        f"{there['external_id']} is there already, a sale of {format(there['earning'], 'f')} {there['currency']},"
        f" and is told otherwise here: {', '.join(differ)}. A sale does not change; decline it and send the right one"
        " under a new external id."
    )


def too_fine(earning: Decimal, currency: str) -> str | None:
    """Return what is wrong with an earning that has more decimals than its currency."""
    if fits(earning, currency):
        return None
    return f"has more decimals than {currency} has ({MINOR_UNITS[currency]})"
