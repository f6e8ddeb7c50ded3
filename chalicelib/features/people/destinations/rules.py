"""What a payout destination is, how its numbers are checked, and how they are masked."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources

from stdnum import bic as bics
from stdnum import iban as ibans
from stdnum import numdb
from stdnum.exceptions import ValidationError as NotStandard

# pain.001: an account's other identification has at most 34 characters, a clearing member's or branch's 35
ACCOUNT = re.compile(r"[A-Z0-9]([A-Z0-9./-]{2,32})[A-Z0-9]")
CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,34}")
SHOWN = 4  # characters at the end, and never more than half of them


class DestinationKind(StrEnum):
    IBAN = "iban"
    ACCOUNT = "account"
    SIMULATED = "simulated"
    MANUAL = "manual"


class Method(StrEnum):
    """How somebody hands money over."""

    CASH = "cash"
    CHEQUE = "cheque"
    WALLET = "wallet"


class Behaviour(StrEnum):
    """What the simulated provider does with a payment to it."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    REFUSE_AS_DUPLICATE = "refuse_as_duplicate"  # it pays, and says that it has had this payment before
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    ERROR_AFTER = "error_after"
    DUPLICATE = "duplicate"
    LATE_RETURN = "late_return"
    OTHER_AMOUNT = "other_amount"


@dataclass(frozen=True, slots=True)
class Destination:
    """Decrypted bank details: never to be logged, returned by the API or stored. Its repr has no number."""

    kind: DestinationKind
    holder: str | None = None
    iban: str | None = field(default=None, repr=False)
    bic: str | None = None
    account_number: str | None = field(default=None, repr=False)
    bank_code: str | None = None
    branch_code: str | None = None
    bank_name: str | None = None
    country: str | None = None
    behaviour: Behaviour | None = None
    method: Method | None = None


def masked(destination: Destination) -> str:
    """Mask a destination: of an IBAN the country, check digits and last four characters are shown.

    Of a short account number less is shown, so that at least half of it stays hidden.
    """
    if destination.iban is not None:
        number = destination.iban
        hidden = number[:4] + "*" * (len(number) - 4 - SHOWN) + number[-SHOWN:]
        return " ".join(hidden[at : at + 4] for at in range(0, len(hidden), 4))
    if destination.account_number is not None:
        number = re.sub(r"[^A-Z0-9]", "", destination.account_number)
        return f"{destination.country} **** {number[-min(SHOWN, len(number) // 2) :]}"
    return str(destination.method or destination.behaviour)


def checked_iban(text: str) -> str:
    """Return an IBAN in its electronic form, or raise ValueError (ISO 13616)."""
    number = ibans.compact(text)
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+", number):
        raise ValueError("is not an IBAN: it begins with two letters for the country and two digits")
    country, length = _iban_of(number[:2])
    if len(number) != length:
        raise ValueError(f"has {len(number)} characters, and IBANs of {country} have {length}; copy it once more")
    # 00, 01 and 99 leave the same remainder as 97, 98 and 02, which alone are given out
    if ibans.calc_check_digits(number) != number[2:4]:
        raise ValueError("has check digits that do not fit; a character is wrong, or two have changed places")
    try:
        # not what some countries' modules check besides: Belgium's refuses banks that its list does not have yet
        return ibans.validate(number, check_country=False)
    except NotStandard:
        raise ValueError(f"is not built as IBANs of {country} are; copy it once more") from None


def checked_bic(text: str) -> str:
    """Return a BIC in capitals, or raise ValueError (ISO 9362)."""
    try:
        return bics.validate(text)
    except NotStandard:
        raise ValueError("is not a BIC; it has 8 or 11 characters, such as COBADEFFXXX") from None


def checked_account(text: str) -> str:
    """Return a local account number without its spaces, or raise ValueError."""
    number = "".join(text.split()).upper()
    if not ACCOUNT.fullmatch(number) or not re.search(r"[0-9]", number):
        raise ValueError("is not an account number; it has 4 to 34 letters, digits, dots, dashes or slashes")
    return number


def checked_code(text: str) -> str:
    """Return a bank's or branch's code without its spaces, or raise ValueError."""
    code = "".join(text.split()).upper()
    if not CODE.fullmatch(code):
        raise ValueError("is not such a code; it has at most 35 letters, digits or dashes")
    return code


def checked_country(text: str) -> str:
    """Return a country's code of ISO 3166, or raise ValueError."""
    if text not in _countries():
        raise ValueError("is not a country of ISO 3166 in two capital letters, such as BD")
    return text


def repeats(number: str, shown: str) -> bool:
    """Tell whether text that is shown contains the number that is masked."""
    return re.sub(r"[^A-Z0-9]", "", number) in re.sub(r"[^A-Z0-9]", "", shown.upper())


def _iban_of(code: str) -> tuple[str, int]:
    """Return a country's name and the length of its IBANs, from the registry."""
    for _, entry in numdb.get("iban").info(code):
        if "bban" in entry:
            # such as 8!n10!n: eight digits, then ten
            return entry["country"], 4 + sum(int(part) for part in re.findall(r"(\d+)!", entry["bban"]))
    raise ValueError(f"begins with {code}, where there are no IBANs; give a local account (kind account) instead")


@cache
def _countries() -> frozenset[str]:
    table = resources.files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line[:2] for line in table.splitlines() if line and not line.startswith("#"))
