"""An order to a bank: on which day, how much, to whom. Every file format is written from it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from chalicelib.kernel.errors import Invalid, TooLarge
from chalicelib.kernel.money import MINOR_UNITS, fits

LONGEST_REFERENCE = 35  # an ISO 20022 identification is Max35Text
MOST_DIGITS = 18  # of an amount or a sum, in ISO 20022
TOO_MUCH = Decimal(10) ** 15  # with three decimals it would exceed MOST_DIGITS
_REFERENCE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9+?:().,'-]|/(?!/|$)){0,34}")  # no slash first, last or doubled
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{0,33}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,34}")


@dataclass(frozen=True, slots=True)
class BankAccount:
    """A bank account: its IBAN, or its national number. Neither is in its repr."""

    holder: str
    iban: str | None = field(default=None, repr=False)
    number: str | None = field(default=None, repr=False)
    bic: str | None = None
    bank_code: str | None = None
    branch_code: str | None = None
    bank_name: str | None = None

    def find_fault(self) -> str | None:
        """Return why no bank could find this account, or None; the text never repeats the number."""
        if not self.holder.strip():
            return "there is no holder's name"
        if not (self.iban or self.number):
            return "there is neither an IBAN nor an account number"
        for value, pattern, what in (
            (self.iban, _IBAN, "IBAN"),
            (self.number, _NUMBER, "account number"),
            (self.bic, _BIC, "BIC"),
            (self.bank_code, _CODE, "bank code"),
            (self.branch_code, _CODE, "branch code"),
        ):
            if value is not None and not pattern.fullmatch(value):
                return f"the {what} has characters or a length that no {what} has"
        return None


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment. The bank repeats `reference` in its answer; the payee reads `remittance`."""

    reference: str
    amount: Decimal
    currency: str
    creditor: BankAccount
    remittance: str | None = None

    def find_fault(self) -> str | None:
        """Return why this transfer cannot be ordered, or None."""
        if not _REFERENCE.fullmatch(self.reference):
            return f"the reference must be 1 to {LONGEST_REFERENCE} letters, digits and signs that banks take"
        if self.currency not in MINOR_UNITS:
            return f"{self.currency} is not a currency that we know"
        if not (self.amount.is_finite() and 0 < self.amount < TOO_MUCH):
            return "the amount must be above zero and below a thousand million million"
        if not fits(self.amount, self.currency):
            return f"the amount has more decimals than {self.currency} has ({MINOR_UNITS[self.currency]})"
        return self.creditor.find_fault()


@dataclass(frozen=True, slots=True)
class FileOrder:
    """The content of one file."""

    message_id: str
    created_at: datetime
    execution_on: date
    transfers: Sequence[Transfer]


def check_order(order: FileOrder) -> None:
    """Check an order for what no format can express. Raises Invalid that names the first faulty transfer."""
    if not _REFERENCE.fullmatch(order.message_id):
        raise Invalid(f"The message id must be 1 to {LONGEST_REFERENCE} letters, digits and signs that banks take.")
    if order.created_at.tzinfo is None:
        raise ValueError("the moment of creation says no time zone")
    if not order.transfers:
        raise Invalid("There is nothing to transfer.")
    references: set[str] = set()
    for transfer in order.transfers:
        if fault := transfer.find_fault():
            raise Invalid(f"Transfer {transfer.reference}: {fault}.")
        # a bank may ignore case, and its answer could not distinguish two payments with one reference
        if transfer.reference.upper() in references:
            raise Invalid(f"Transfer {transfer.reference} is there twice.")
        references.add(transfer.reference.upper())


def control_sum(transfers: Sequence[Transfer]) -> Decimal:
    """Return the control sum of ISO 20022: all amounts added up, whatever their currencies."""
    total = sum((transfer.amount for transfer in transfers), Decimal(0))
    places = max((MINOR_UNITS[transfer.currency] for transfer in transfers), default=0)
    total = total.quantize(Decimal(1).scaleb(-places))
    if len(total.as_tuple().digits) > MOST_DIGITS:
        raise TooLarge(f"The amounts add up to more than {MOST_DIGITS} digits; make smaller batches.")
    return total


def format_amount(amount: Decimal, currency: str) -> str:
    """Write an amount with exactly the decimals of its currency: 12.00 BDT, 500 JPY, 1.250 KWD."""
    return format(amount, f".{MINOR_UNITS[currency]}f")


def format_minor_units(amount: Decimal, currency: str) -> str:
    """Write an amount in minor units: 1200, 500, 1250."""
    return str(int(amount.scaleb(MINOR_UNITS[currency])))
