"""Words and small decisions of payroll."""

from decimal import Decimal
from enum import StrEnum


class Anomaly(StrEnum):
    """What somebody should look at before a run is approved."""

    NET_UP = "net_up"
    NET_DOWN = "net_down"
    ZERO_NET = "zero_net"
    NEGATIVE_NET = "negative_net"
    NO_VALUE = "no_value"  # a component could not be computed, or came out below 0, and counts 0
    OTHER_CURRENCY = "other_currency"  # something is for the person, but in another currency than their pay
    NO_BANK_DETAILS = "no_bank_details"


class OneOffKind(StrEnum):
    """Lines that no component made."""

    ARREARS = "arrears"  # what a period that was paid already is worth more or less by now
    ADJUSTMENT = "adjustment"
    CARRIED_OVER = "carried_over"  # what a net below 0 has left to be deducted


def worded(what: str, code: str, name: str | None) -> str:
    """Return in a sentence why a formula has no value, or not its own; `code` is formulas.Warning's."""
    match code:
        case "division_by_zero":
            return f"{what} divides by 0: it has no value, and counts 0."
        case "missing":
            return f"{what} needs {name}, which has no value: it counts 0."
        case "below":
            return f"{what} comes out below 0, and counts 0; what takes away is a deduction."
    return f"{what} comes to more than can be paid, and counts 0."


def anomalies_of(
    *, net: Decimal, previous_net: Decimal | None, limit: Decimal | None, has_bank_details: bool
) -> list[Anomaly]:
    """Return what is remarkable about a net pay, beside the one of the run before."""
    found = []
    if net == 0:
        found.append(Anomaly.ZERO_NET)
    elif net < 0:
        found.append(Anomaly.NEGATIVE_NET)
    elif not has_bank_details:
        found.append(Anomaly.NO_BANK_DETAILS)
    if previous_net is not None and limit is not None and abs(net - previous_net) > limit * abs(previous_net):
        found.append(Anomaly.NET_UP if net > previous_net else Anomaly.NET_DOWN)
    return found
