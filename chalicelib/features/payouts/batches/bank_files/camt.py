"""ISO 20022 account statement (camt.053) and notification (camt.054): the bookings of our transfers.

A booked debit confirms a transfer. A booked credit returns it, if the bank gives a return reason or a code of a return,
or marks it as the reversal of a debit. Any other entry with our reference is unclear, and a person decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from xml.etree.ElementTree import Element

from chalicelib.features.payouts.batches.bank_files.reports import (
    LineFault,
    Money,
    UnreadableLine,
    XmlElement,
    child_text,
    local_name,
    read_moment,
    read_money,
    read_references,
    shorten,
)
from chalicelib.features.payouts.delivery.outcomes import BankVerdict

BOOKED = "BOOK"
RETURNS = frozenset(
    {"RRTN", "RPCR"}
)  # sub-families of bank transaction codes: return, and reversal after a cancellation
DEBIT, CREDIT = "DBIT", "CRDT"
LARGEST_FEE = Decimal("0.5")  # share of a returned amount, where the bank does not show the fee


class EntryMovement(StrEnum):
    """What an entry means for a transfer."""

    PAID = "paid"
    RETURNED = "returned"
    UNCLEAR = "unclear"
    NOT_BOOKED = "not_booked"


@dataclass(frozen=True, slots=True)
class Booking:
    """One transfer of an entry, or a whole block booked as one sum (then without `references`)."""

    number: int
    references: tuple[str, ...]
    block: str | None  # the payment block's id or the message's
    transfers: int | None  # in the block, where the bank counts them
    movement: EntryMovement
    verdict: BankVerdict  # BOOK or PDNG, and the return reason
    booked: Money
    instructed: Money | None
    charges: Decimal  # in the currency of `booked`
    bank_reference: str | None

    def find_fee(self, amount: Decimal, currency: str) -> Decimal | None:
        """Return the fee that the bank took of a transfer of this amount, mostly 0; None if the amounts do not fit."""
        is_instructed = self.instructed == Money(amount, currency)
        if self.movement is EntryMovement.PAID and self.instructed is not None and not is_instructed:
            return None
        if self.booked.currency != currency:
            return Decimal(0) if self.movement is EntryMovement.PAID and is_instructed else None
        fee = (self.booked.amount - amount) if self.movement is EntryMovement.PAID else (amount - self.booked.amount)
        is_shown = is_instructed or fee == self.charges
        is_small = self.movement is EntryMovement.RETURNED and fee < amount * LARGEST_FEE
        return fee if fee == 0 or (fee > 0 and (is_shown or is_small)) else None


@dataclass(frozen=True, slots=True)
class BankStatement:
    """The bookings of a statement or a notification; `kind` is camt.053 or camt.054."""

    kind: str
    message_id: str | None
    created_at: datetime | None
    bookings: Sequence[Booking]
    unnamed: int  # entries without any transfer
    faults: Sequence[UnreadableLine]


@dataclass(slots=True)
class StatementReader:
    """Reads the bookings of one message from its entries."""

    kind: str
    bookings: list[Booking] = field(default_factory=list)
    faults: list[UnreadableLine] = field(default_factory=list)
    unnamed: int = 0
    read: int = 0  # entries

    def take(self, part: XmlElement) -> None:
        """Read one complete element."""
        if part.name != "Ntry":
            return
        self.read += 1
        try:
            self.bookings += (bookings := _read_bookings(self.read, part.element))
            self.unnamed += not bookings
        except LineFault as fault:
            self.faults.append(UnreadableLine(self.read, fault.element, fault.detail))
        if part.parent is not None:
            part.parent.remove(part.element)

    def finish(self, root: Element) -> BankStatement:
        created_at = read_moment(root, "GrpHdr/CreDtTm")
        message_id = child_text(root, "GrpHdr/MsgId")
        return BankStatement(self.kind, message_id, created_at, self.bookings, self.unnamed, self.faults)


def _read_bookings(number: int, entry: Element) -> list[Booking]:
    """Read the transfers of an entry, or the block that it books as one sum."""
    details = entry.findall("{*}NtryDtls/{*}TxDtls")
    bookings = [_read_detail(number, entry, one, is_only=len(details) == 1) for one in details]
    named = [one for one in bookings if one is not None]
    if named or len(details) > 1:
        return named
    whole = _read_block(number, entry)
    return [whole] if whole is not None else []


def _read_detail(number: int, entry: Element, detail: Element, *, is_only: bool) -> Booking | None:
    """Read one transfer of an entry; None if nothing names it. Raises LineFault."""
    references = read_references(detail, "Refs/EndToEndId", "Refs/InstrId", "Refs/TxId")
    if not references:
        return None
    booked = read_money(detail, "Amt") or read_money(detail, "AmtDtls/TxAmt/Amt")
    instructed = read_money(detail, "AmtDtls/InstdAmt/Amt")
    if booked is None:
        booked = read_money(entry, "Amt") if is_only else instructed
    if booked is None:
        raise LineFault("Amt", "the entry has no amount")
    charges = _sum_charges(detail) or (_sum_charges(entry) if is_only else Decimal(0))
    bank_reference = child_text(detail, "Refs/AcctSvcrRef") or child_text(entry, "AcctSvcrRef")
    verdict = _read_verdict(entry, detail)
    return Booking(
        number,
        references,
        None,
        None,
        _movement(entry, detail, verdict),
        verdict,
        booked,
        instructed,
        charges,
        bank_reference,
    )


def _read_block(number: int, entry: Element) -> Booking | None:
    """Read an entry that books a whole block as one sum; None if it names no block."""
    paths = ("PmtInfId", "MsgId")
    named = [child_text(entry, f"NtryDtls/{place}/{path}") for place in ("Btch", "TxDtls/Refs") for path in paths]
    block = next((one for one in named if one), None)
    booked = read_money(entry, "NtryDtls/Btch/TtlAmt") or read_money(entry, "Amt")
    if block is None or booked is None:
        return None
    transfers = child_text(entry, "NtryDtls/Btch/NbOfTxs") or ""
    verdict = _read_verdict(entry, entry)
    return Booking(
        number,
        (),
        block,
        int(transfers) if transfers.isascii() and transfers.isdigit() else None,
        _movement(entry, entry, verdict),
        verdict,
        booked,
        None,
        Decimal(0),
        child_text(entry, "AcctSvcrRef"),
    )


def _read_verdict(entry: Element, detail: Element) -> BankVerdict:
    status = child_text(entry, "Sts/Cd") or child_text(entry, "Sts") or "?"
    reason = child_text(detail, "RtrInf/Rsn/Cd") or child_text(detail, "RtrInf/Rsn/Prtry")
    words = [one.text or "" for one in detail.findall("{*}RtrInf/{*}AddtlInf")]
    return BankVerdict(status, (reason,) if reason else (), shorten(" ".join(words)))


def _movement(entry: Element, detail: Element, verdict: BankVerdict) -> EntryMovement:
    """Return what a transfer's booking means: side, reversal, return reason and transaction code."""
    if verdict.status != BOOKED:
        return EntryMovement.NOT_BOOKED
    side = child_text(detail, "CdtDbtInd") or child_text(entry, "CdtDbtInd")
    is_reversal = (child_text(entry, "RvslInd") or "").lower() in ("true", "1")
    if side == DEBIT:
        return EntryMovement.UNCLEAR if is_reversal else EntryMovement.PAID
    code = child_text(detail, "BkTxCd/Domn/Fmly/SubFmlyCd") or child_text(entry, "BkTxCd/Domn/Fmly/SubFmlyCd")
    is_return = detail.find("{*}RtrInf") is not None or is_reversal or code in RETURNS
    # if a duplicate was returned, the original payment still stands
    return (
        EntryMovement.RETURNED
        if side == CREDIT and is_return and not verdict.speaks_of_earlier
        else EntryMovement.UNCLEAR
    )


def _sum_charges(element: Element) -> Decimal:
    """Sum the charges of an entry or a transfer: its total, or else its records."""
    charges = element.findall("{*}Chrgs")
    totals = [money for one in charges if (money := read_money(one, "TtlChrgsAndTaxAmt"))]
    parts = [part for one in charges for part in (one, *(r for r in one if local_name(r) == "Rcrd"))]
    amounts = totals or [money for part in parts if (money := read_money(part, "Amt"))]
    return sum((one.amount for one in amounts), Decimal(0))
