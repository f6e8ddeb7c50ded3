"""ISO 20022 customer payment status report, pain.002: what it says of the file, of its blocks and of transfers.

What a status is worth is judged elsewhere (verdicts). The nearest status counts: transfer, block, file; a refusal
without a reason has that of what it is in, and a refusal around it may weaken it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from xml.etree.ElementTree import Element

from chalicelib.features.payouts.batches.bank_files.reports import (
    LineFault,
    Money,
    UnreadableLine,
    XmlElement,
    child_text,
    read_moment,
    read_money,
    read_references,
    shorten,
)
from chalicelib.features.payouts.delivery.outcomes import BankVerdict
from chalicelib.kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class StatusLine:
    """What a report says of one transfer; amount and currency only where the bank repeats them."""

    number: int | None  # its place among the report's transfers; None where it follows from its block or file
    references: tuple[str, ...]  # what it is named by, the best first
    verdict: BankVerdict
    money: Money | None = None
    bank_reference: str | None = None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A bank's answer to one message: of the whole, of its payment blocks by id, and of single transfers."""

    message_id: str
    created_at: datetime | None
    group: BankVerdict | None
    payments: Mapping[str, BankVerdict]
    lines: Sequence[StatusLine]
    faults: Sequence[UnreadableLine]

    def complete(self, block_ids: Mapping[str, str]) -> list[StatusLine]:
        """Add a line for each transfer of ours that is not named, from its block's status or the group's.

        `payment_of` gives the block of each of our references. Where a line could not be read, nobody knows which
        transfer it was about, and nothing is concluded of those that are not named.
        """
        named = {reference.upper() for line in self.lines for reference in line.references}
        silent = [] if self.faults else [one for one in block_ids if one.upper() not in named]
        verdicts = [(one, self.payments.get(block_ids[one]) or self.group) for one in silent]
        return [*self.lines, *(StatusLine(None, (one,), verdict) for one, verdict in verdicts if verdict)]


@dataclass(slots=True)
class StatusReader:
    """Collects one report from its elements, in the order in which they end."""

    message_id: str | None = None
    group: BankVerdict | None = None
    payments: dict[str, BankVerdict] = field(default_factory=dict)
    lines: list[StatusLine] = field(default_factory=list)
    faults: list[UnreadableLine] = field(default_factory=list)
    read: int = 0  # transfers
    in_block: int = 0  # where the lines of the block that is being read begin

    def take(self, part: XmlElement) -> None:
        """Take in one element that was read whole."""
        match part.name:
            case "OrgnlGrpInfAndSts":
                self.message_id = child_text(part.element, "OrgnlMsgId") or self.message_id
                self.group = read_verdict(part.element, "GrpSts")
            case "TxInfAndSts":
                self._take_transfer(part.element)
                if part.parent is not None:
                    part.parent.remove(part.element)
            case "OrgnlPmtInfAndSts":
                self._take_block(part.element)

    def finish(self, root: Element) -> StatusReport:
        """Return the report, its transfers judged together with what they are in."""
        if not self.message_id:
            raise Invalid("The report does not say which message it answers (OrgnlGrpInfAndSts/OrgnlMsgId).")
        created_at = read_moment(root, "GrpHdr/CreDtTm")
        payments = {one: _within(verdict, self.group) for one, verdict in self.payments.items()}
        lines = [replace(line, verdict=_within(line.verdict, self.group)) for line in self.lines]
        return StatusReport(self.message_id, created_at, self.group, payments, lines, self.faults)

    def _take_transfer(self, element: Element) -> None:
        self.read += 1
        try:
            line = _read_line(self.read, element)
        except LineFault as fault:
            self.faults.append(UnreadableLine(self.read, fault.element, fault.detail))
            return
        if line is not None:
            self.lines.append(line)

    def _take_block(self, element: Element) -> None:
        payment, verdict = child_text(element, "OrgnlPmtInfId"), read_verdict(element, "PmtInfSts")
        if payment and verdict:
            self.payments[payment] = verdict
        for place in range(self.in_block, len(self.lines)):
            line = self.lines[place]
            self.lines[place] = replace(line, verdict=_within(line.verdict, verdict))
        self.in_block = len(self.lines)


def _within(verdict: BankVerdict, around: BankVerdict | None) -> BankVerdict:
    if around is None or not (verdict.is_refusal and around.is_refusal):
        return verdict
    return replace(verdict, around=(*verdict.around, around))


def _read_line(number: int, element: Element) -> StatusLine | None:
    """Read what is said of one transfer; without a status of its own it shares its block's."""
    verdict = read_verdict(element, "TxSts")
    if verdict is None:
        return None
    references = read_references(element, "OrgnlEndToEndId", "OrgnlInstrId", "OrgnlTxId")
    if not references:
        raise LineFault("OrgnlEndToEndId", f"this transfer is {verdict.status[:35]}, and the report does not say which")
    return StatusLine(
        number, references, verdict, read_money(element, "OrgnlTxRef/Amt/InstdAmt"), child_text(element, "AcctSvcrRef")
    )


def read_verdict(element: Element, status: str) -> BankVerdict | None:
    """Read a status with all its reasons; version 2 of the message calls them otherwise."""
    code = child_text(element, status)
    if code is None:
        return None
    reasons, words = [], []
    for one in element.findall("{*}StsRsnInf"):
        paths = ("Rsn/Cd", "Rsn/Prtry", "StsRsn/Cd", "StsRsn/Prtry")
        reasons += [reason for path in paths if (reason := child_text(one, path))]
        words += [
            inner.text or "" for inner in one if str(inner.tag).rpartition("}")[2] in ("AddtlInf", "AddtlStsRsnInf")
        ]
    return BankVerdict(code, tuple(dict.fromkeys(reasons)), shorten(" ".join(words)))
