"""What adjustments there are, and which way each goes."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID


class AdjustmentKind(StrEnum):
    """Why somebody's pay differs from what their days are worth."""

    LEAVE_ENCASHMENT = "leave_encashment"
    BONUS = "bonus"
    FINE = "fine"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class NewAdjustmentRow:
    """One amount to be added; where it comes from something, that is its source, and it is added once."""

    user_id: UUID
    kind: AdjustmentKind
    amount: Decimal
    currency: str
    reason: str
    effective_on: date
    explanation: dict[str, Any] | None = None
    source: tuple[str, str] | None = field(default=None)  # type and id


def wrong_sign(kind: AdjustmentKind, amount: Decimal) -> str | None:
    """Return what is wrong with an amount's sign: a fine takes away, the others but `other` give."""
    if amount == 0:
        return "must not be 0"
    if kind is AdjustmentKind.FINE and amount > 0:
        return f"a fine is taken off the pay, so it is below 0: write -{amount}"
    if kind in (AdjustmentKind.BONUS, AdjustmentKind.LEAVE_ENCASHMENT) and amount < 0:
        return "is paid to the person, so it is above 0; what is taken off their pay is a fine, or other"
    return None
