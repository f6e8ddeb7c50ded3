"""Lines of a bank's answer, the same for status reports, statements, and rows of reference and status."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from chalicelib.entry.bodies import RawBody
from chalicelib.entry.rows import RowError, read_rows, validate_rows
from chalicelib.features.payouts.batches.bank_files import documents
from chalicelib.features.payouts.batches.bank_files.camt import BankStatement, Booking, EntryMovement
from chalicelib.features.payouts.batches.bank_files.delimited import OPTIONAL, REQUIRED, AnswerRow
from chalicelib.features.payouts.batches.bank_files.pain001 import payment_block_id
from chalicelib.features.payouts.batches.bank_files.pain002 import StatusLine, StatusReport
from chalicelib.features.payouts.batches.bank_files.reports import Money, UnreadableLine
from chalicelib.features.payouts.delivery.outcomes import BankVerdict, MoneyOutcome, describe_code, parse_refusal
from chalicelib.features.payouts.models import PayoutRow
from chalicelib.kernel.states import PayoutStatus

XML = ("application/xml", "text/xml")
MOST_LINES = 20_000  # a report may have several lines about a payout


class LineClaim(StrEnum):
    """What a line claims about its payout."""

    PAID = "paid"
    FAILED = "failed"
    DOUBT = "doubt"
    RETURNED = "returned"
    ON_ITS_WAY = "on_its_way"


_CLAIMS = {
    MoneyOutcome.PAID: LineClaim.PAID, MoneyOutcome.REFUSED: LineClaim.FAILED, MoneyOutcome.DOUBT: LineClaim.DOUBT,
    MoneyOutcome.ON_ITS_WAY: LineClaim.ON_ITS_WAY,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReportHead:
    """The report that a line is from."""

    source: str  # pain.002, camt.053, camt.054 or rows
    report: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One line of an answer. What it claims depends also on the payout: `find_claim`."""

    head: ReportHead
    number: int | None
    references: tuple[str, ...]
    verdict: BankVerdict
    reason: str | None  # to be shown to users
    bank_reference: str | None
    amount: Decimal | None = None  # as the bank repeats it
    currency: str | None = None
    stated: LineClaim | None = None  # of a row
    booking: Booking | None = None  # of a statement

    @property
    def reference(self) -> str:
        return self.references[0]

    def find_claim(self, payout: PayoutRow) -> LineClaim:
        """Return what the line claims about this payout."""
        if self.booking is not None:
            return _find_booking_claim(self.booking, payout)
        if self.stated in (LineClaim.PAID, LineClaim.RETURNED):
            return self.stated
        return _CLAIMS[self.verdict.outcome(was_accepted=bool((payout.bank or {}).get("is_accepted")))]

    def find_fee(self, payout: PayoutRow) -> Decimal | None:
        """Return the fee that the bank took, where a statement shows it."""
        return self.booking.find_fee(payout.amount, payout.currency) if self.booking else None

    def describe_doubt(self, payout: PayoutRow) -> str:
        """Return what a person has to find out."""
        if self.booking is None:
            codes = ", ".join(map(describe_code, self.verdict.explained.reasons)) or "no reason"
            return f"the bank refused it with {codes}, which does not say that it was never paid{self._bank_text}"
        booked = f"{self.booking.booked.amount} {self.booking.booked.currency or ''}".strip()
        if self.booking.movement is EntryMovement.UNCLEAR:
            reason = f" with {self.reason}" if self.reason else ""
            return f"the bank booked {booked} under its reference{reason}, and not as a payment or its return"
        verb = "debited" if self.booking.movement is EntryMovement.PAID else "returned"
        return f"the bank {verb} {booked} instead of {payout.amount} {payout.currency}"

    @property
    def _bank_text(self) -> str:
        return f" ({self.verdict.explained.text})" if self.verdict.explained.text else ""


def _find_booking_claim(booking: Booking, payout: PayoutRow) -> LineClaim:
    if booking.movement is EntryMovement.NOT_BOOKED:
        return LineClaim.ON_ITS_WAY
    if booking.movement is EntryMovement.UNCLEAR or booking.find_fee(payout.amount, payout.currency) is None:
        return LineClaim.DOUBT
    return LineClaim.PAID if booking.movement is EntryMovement.PAID else LineClaim.RETURNED


@dataclass(frozen=True, slots=True)
class LineResult:
    """The consequence of one line; `result` is that of schemas.AnswerItem."""

    line: int | None
    reference: str
    result: str
    status: str | None  # of the payout, after it
    detail: str | None
    payout_id: UUID | None
    batch_id: UUID | None


@dataclass(slots=True)
class BankAnswer:
    """A whole answer before its payouts are loaded: messages or rows, and what could not be read."""

    messages: list[documents.Message] = field(default_factory=list)
    rows: list[AnswerLine] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def references(self) -> set[str]:
        """Return the references of all its lines, in lower case as ours are."""
        named = [one.references for one in self.rows]
        for message in self.messages:
            lines = message.lines if isinstance(message, StatusReport) else message.bookings
            named += [one.references for one in lines]
        return {reference.lower() for references in named for reference in references}

    def batch_ids(self) -> set[UUID]:
        """Return the ids that may be batches of ours: of the messages answered, and of blocks booked as one sum."""
        named = [one.message_id for one in self.messages if isinstance(one, StatusReport)]
        named += [b.block for one in self.messages if isinstance(one, BankStatement) for b in one.bookings if b.block]
        return {batch_id for message_id in named if (batch_id := parse_batch_id(message_id))}


@dataclass(slots=True)
class MatchedLines:
    """The lines of an answer that are about our payouts, and the number of others."""

    lines: list[AnswerLine] = field(default_factory=list)
    conflicts: list[LineResult] = field(default_factory=list)  # sums that do not fit, and settle nothing
    unmatched: int = 0


def parse_batch_id(message_id: str) -> UUID | None:
    """Return the batch whose file or block has this id, or None if it is no id of ours."""
    try:
        return UUID(hex=message_id.replace("-", "")[:32])
    except ValueError:
        return None


def read_answer(body: RawBody, *, now: datetime) -> BankAnswer:
    """Read an answer as XML, CSV or JSON."""
    if body.content_type.partition(";")[0].strip().lower() in XML:
        messages = documents.read(body.data)
        return BankAnswer(messages, errors=[_to_row_error(fault) for one in messages for fault in one.faults])
    rows, errors = validate_rows(AnswerRow, read_rows(body, required=REQUIRED, optional=OPTIONAL, limit=MOST_LINES))
    head = ReportHead("rows", None, now)
    return BankAnswer([], [_from_row(head, number, row) for number, row in rows], errors)


def match_lines(answer: BankAnswer, payouts: Collection[PayoutRow], *, now: datetime) -> MatchedLines:
    """Return the lines about these payouts: those that name one, and those that a file's status or a sum implies."""
    matched = MatchedLines(list(answer.rows))
    ours = {payout.reference for payout in payouts}
    for message in answer.messages:
        if isinstance(message, StatusReport):
            _add_statuses(matched, message, _select_batch(payouts, message.message_id), now)
        else:
            _add_bookings(matched, message, payouts, ours, now)
    return matched


def _to_row_error(fault: UnreadableLine) -> RowError:
    return RowError(line=fault.line, column=fault.element, detail=fault.detail)


def _from_row(head: ReportHead, number: int, row: AnswerRow) -> AnswerLine:
    stated = LineClaim(row.status)
    verdict = parse_refusal(row.reason) if stated is LineClaim.FAILED else BankVerdict(row.status, (), row.reason)
    return AnswerLine(
        head, number, (row.reference,), verdict, row.reason, row.bank_reference, row.amount, row.currency, stated
    )


def _select_batch(payouts: Iterable[PayoutRow], message_id: str) -> list[PayoutRow]:
    batch_id = parse_batch_id(message_id)
    return [payout for payout in payouts if batch_id is not None and payout.batch_id == batch_id]


def _add_statuses(matched: MatchedLines, report: StatusReport, payouts: Sequence[PayoutRow], now: datetime) -> None:
    head = ReportHead("pain.002", report.message_id, report.created_at or now)
    if not payouts and (report.group or report.payments):
        matched.unmatched += 1
    blocks = {one.reference: payment_block_id(one.batch_id.hex, one.currency) for one in payouts if one.batch_id}
    matched.lines += [_from_status(head, one) for one in report.complete(blocks)]


def _from_status(head: ReportHead, line: StatusLine) -> AnswerLine:
    amount, currency = (line.money.amount, line.money.currency) if line.money else (None, None)
    return AnswerLine(
        head, line.number, line.references, line.verdict, str(line.verdict), line.bank_reference, amount, currency
    )


def _add_bookings(
    matched: MatchedLines,
    statement: BankStatement,
    payouts: Collection[PayoutRow],
    ours: Collection[str],
    now: datetime,
) -> None:
    head = ReportHead(statement.kind, statement.message_id, statement.created_at or now)
    matched.unmatched += statement.unnamed
    for booking in statement.bookings:
        if booking.block is not None:
            _add_sum(matched, head, booking, payouts)
        elif any(reference.lower() in ours for reference in booking.references):
            matched.lines.append(_from_booking(head, booking))
        else:
            matched.unmatched += 1


def _from_booking(head: ReportHead, booking: Booking) -> AnswerLine:
    parts = (", ".join(booking.verdict.reasons), booking.verdict.text)
    reason = ": ".join(part for part in parts if part)
    return AnswerLine(
        head,
        booking.number,
        booking.references,
        booking.verdict,
        reason or None,
        booking.bank_reference,
        booking=booking,
    )


def _add_sum(matched: MatchedLines, head: ReportHead, booking: Booking, payouts: Collection[PayoutRow]) -> None:
    """Add a line per payout of a block whose sum was booked, if it adds up: all of them, or those not refused."""
    block_id = (booking.block or "").lower()
    block_ids = (block_id, block_id.replace("-", ""))
    block = [
        payout
        for payout in _select_batch(payouts, booking.block or "")
        if any(_is_in_block(payout, each) for each in block_ids)
    ]
    if not block:
        matched.unmatched += 1
        return
    for part in (block, [one for one in block if one.status != PayoutStatus.FAILED]):
        if _adds_up(booking, part):
            matched.lines += [_from_booking(head, _split_booking(booking, one)) for one in part]
            return
    total = sum(one.amount for one in block)
    matched.conflicts.append(
        LineResult(
            line=booking.number,
            reference=str(booking.block),
            result="conflict",
            status=None,
            payout_id=None,
            batch_id=block[0].batch_id,
            detail=f"the bank booked {booking.booked.amount} {booking.booked.currency or ''} as one sum, and these"
            f" {len(block)} payouts come to {total} {block[0].currency}; ask the bank",
        )
    )


def _is_in_block(payout: PayoutRow, block_id: str) -> bool:
    """Return whether a block's id names the payout's file, and its currency or none."""
    return (
        payout.batch_id is not None
        and payment_block_id(payout.batch_id.hex, "") == block_id[:32]
        and block_id[32:].upper() in ("", payout.currency)
    )


def _adds_up(booking: Booking, payouts: Sequence[PayoutRow]) -> bool:
    booked = {one.currency for one in payouts}
    return (
        booked == {booking.booked.currency}
        and booking.transfers in (None, len(payouts))
        and booking.booked.amount == sum(one.amount for one in payouts)
    )


def _split_booking(booking: Booking, payout: PayoutRow) -> Booking:
    money = Money(payout.amount, payout.currency)
    return replace(booking, references=(payout.reference,), booked=money, block=None)
