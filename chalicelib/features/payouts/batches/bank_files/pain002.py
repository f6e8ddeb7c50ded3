"""ISO 20022 customer payment status report, pain.002: the status of a file, of its blocks and of single transfers.

What a status means for the money is judged by delivery.outcomes. The nearest status counts: transfer, block, file. A
refusal without a reason takes that of the block or file that it is in, whose refusal may also weaken it to a doubt.
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
    """The status of one transfer; `money` only where the bank repeats it."""

    number: int | None  # its place among the report's transfers; None where the status is its block's or file's
    references: tuple[str, ...]  # the ids that name the transfer, the best first
    verdict: BankVerdict
    money: Money | None = None
    bank_reference: str | None = None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A bank's answer to one message: the status of the whole, of its payment blocks by id, and of single transfers."""

    message_id: str
    created_at: datetime | None
    group: BankVerdict | None
    payments: Mapping[str, BankVerdict]
    lines: Sequence[StatusLine]
    faults: Sequence[UnreadableLine]

    def complete(self, block_ids: Mapping[str, str]) -> list[StatusLine]:
        """Return the lines, with one for each transfer of ours that has none, by the status of its block or file.

        `block_ids` are the blocks of our transfers by reference. If a line could not be read, it may be about any
        transfer, so that nothing is concluded about those without a line.
        """
        named = {reference.upper() for line in self.lines for reference in line.references}
        unnamed = [] if self.faults else [reference for reference in block_ids if reference.upper() not in named]
        verdicts = [(reference, self.payments.get(block_ids[reference]) or self.group) for reference in unnamed]
        return [*self.lines, *(StatusLine(None, (reference,), verdict) for reference, verdict in verdicts if verdict)]


@dataclass(slots=True)
class StatusReader:
    """Reads one report from its elements, in the order in which they end."""

    message_id: str | None = None
    group: BankVerdict | None = None
    payments: dict[str, BankVerdict] = field(default_factory=dict)
    lines: list[StatusLine] = field(default_factory=list)
    faults: list[UnreadableLine] = field(default_factory=list)
    read: int = 0  # transfers
    in_block: int = 0  # where the lines of the block that is being read begin

    def take(self, part: XmlElement) -> None:
        """Read one complete element."""
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
        """Return the report; refusals within a refused file know of it."""
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
    """Read the status of one transfer; None where it has none of its own and shares its block's."""
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
    """Read a status with all its reasons; version 2 of the message has other names for them."""
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
