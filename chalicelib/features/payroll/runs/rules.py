"""Pure rules of payroll: anomalies, kinds of one-off lines, wording of warnings."""

from decimal import Decimal
from enum import StrEnum


class Anomaly(StrEnum):
    """What an approver should look at."""

    NET_UP = "net_up"
    NET_DOWN = "net_down"
    ZERO_NET = "zero_net"
    NEGATIVE_NET = "negative_net"
    NO_VALUE = "no_value"  # a component could not be computed, or came out below 0, and counts 0
    OTHER_CURRENCY = "other_currency"  # something is for the person, but in another currency than their pay
    NO_BANK_DETAILS = "no_bank_details"


class OneOffKind(StrEnum):
    """The kinds of payslip lines that no component made."""

    ARREARS = "arrears"  # what a period that was paid already is worth more or less by now
    ADJUSTMENT = "adjustment"
    CARRIED_OVER = "carried_over"  # what a net below 0 has left to be deducted


def describe_warning(what: str, code: str, name: str | None) -> str:
    """Return a sentence on why a formula has no value, or a replaced one; `code` is that of formulas.Warning."""
    match code:
        case "division_by_zero":
            return f"{what} divides by 0: it has no value, and counts 0."
        case "missing":
            return f"{what} needs {name}, which has no value: it counts 0."
        case "below":
            return f"{what} comes out below 0, and counts 0; what takes away is a deduction."
    return f"{what} comes to more than can be paid, and counts 0."


def find_anomalies(
    *, net: Decimal, previous_net: Decimal | None, limit: Decimal | None, has_bank_details: bool
) -> list[Anomaly]:
    """Return the anomalies of a net pay, compared with that of the run before."""
    anomalies = []
    if net == 0:
        anomalies.append(Anomaly.ZERO_NET)
    elif net < 0:
        anomalies.append(Anomaly.NEGATIVE_NET)
    elif not has_bank_details:
        anomalies.append(Anomaly.NO_BANK_DETAILS)
    if previous_net is not None and limit is not None and abs(net - previous_net) > limit * abs(previous_net):
        anomalies.append(Anomaly.NET_UP if net > previous_net else Anomaly.NET_DOWN)
    return anomalies
