"""Lines of a bank's answer, in whichever form it came: status reports, statements, or rows of reference and status."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from chalicelib.backing.database import Record
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
MOST_LINES = 20_000  # a report may tell of a payout more than once


class LineClaim(StrEnum):
    """What a line claims of a payout."""

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
    """Where a line comes from."""

    source: str  # pain.002, camt.053, camt.054 or rows
    report: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One line of an answer. What it claims depends on the payout, too: `claim_of`."""

    head: ReportHead
    number: int | None
    references: tuple[str, ...]
    verdict: BankVerdict
    reason: str | None  # for people
    bank_reference: str | None
    amount: Decimal | None = None  # as the bank repeats it
    currency: str | None = None
    stated: LineClaim | None = None  # by a row
    booking: Booking | None = None  # by a statement

    @property
    def reference(self) -> str:
        return self.references[0]

    def find_claim(self, payout: PayoutRow) -> LineClaim:
        """Return what the line claims of this payout."""
        if self.booking is not None:
            return _find_booking_claim(self.booking, payout)
        if self.stated in (LineClaim.PAID, LineClaim.RETURNED):
            return self.stated
        return _CLAIMS[self.verdict.outcome(was_accepted=bool((payout.bank or {}).get("is_accepted")))]

    def find_fee(self, payout: PayoutRow) -> Decimal | None:
        """Return what the bank kept of it, or added to it, where a statement shows that."""
        return self.booking.find_fee(payout.amount, payout.currency) if self.booking else None

    def describe_doubt(self, payout: PayoutRow) -> str:
        """Say what a person has to find out."""
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


@dataclass(slots=True)
class BankAnswer:
    """A whole answer before anybody's payouts are looked up: messages or rows, and what could not be read."""

    messages: list[documents.Message] = field(default_factory=list)
    rows: list[AnswerLine] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def references(self) -> set[str]:
        """Return everything that its lines are named by, in lower case as ours are."""
        named = [one.references for one in self.rows]
        for message in self.messages:
            lines = message.lines if isinstance(message, StatusReport) else message.bookings
            named += [one.references for one in lines]
        return {reference.lower() for references in named for reference in references}

    def batch_ids(self) -> set[UUID]:
        """Return the ids that might be batches of ours: of the messages answered, and of blocks booked as one sum."""
        named = [one.message_id for one in self.messages if isinstance(one, StatusReport)]
        named += [b.block for one in self.messages if isinstance(one, BankStatement) for b in one.bookings if b.block]
        return {found for one in named if (found := parse_batch_id(one))}


@dataclass(slots=True)
class MatchedLines:
    """The lines of an answer that concern us, and what they leave."""

    lines: list[AnswerLine] = field(default_factory=list)
    items: list[Record] = field(default_factory=list)  # of what moves nothing: sums that do not fit
    unmatched: int = 0


def parse_batch_id(message_id: str) -> UUID | None:
    """Return the batch whose file has this message id, or a block with it; None where it is no id of ours."""
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
    """Return the lines about these payouts: those that name one, and those that follow from a file or a sum."""
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
    """Take a sum for each of its payouts, where it is what they come to: all of the block, or those not refused."""
    of_batch = _select_batch(payouts, booking.block or "")
    names = (str(booking.block).lower(), str(booking.block).lower().replace("-", ""))
    block = [
        one
        for one in of_batch
        if any(
            one.batch_id
            and payment_block_id(one.batch_id.hex, "") == name[:32]
            and name[32:].upper() in ("", one.currency)
            for name in names
        )
    ]
    if not block:
        matched.unmatched += 1
        return
    for some in (block, [one for one in block if one.status != PayoutStatus.FAILED]):
        if _adds_up(booking, some):
            matched.lines += [_from_booking(head, _split_booking(booking, one)) for one in some]
            return
    total = sum(one.amount for one in block)
    matched.items.append(
        {
            "line": booking.number,
            "reference": booking.block,
            "result": "conflict",
            "status": None,
            "payout_id": None,
            "batch_id": block[0].batch_id,
            "detail": f"the bank booked {booking.booked.amount} {booking.booked.currency or ''} as one sum, and these"
            f" {len(block)} payouts come to {total} {block[0].currency}; ask the bank",
        }
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
