"""The bank's answer to a file: each line settles one payout, or says why it does not.

Lines are judged by themselves. The same answer again changes nothing, and neither does a line that contradicts what
is known: it is a conflict, to be looked into, because money that is given back on a wrong word is paid twice.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from chalicelib import audit, four_eyes
from chalicelib.backing.database import Record
from chalicelib.entry.bodies import RawBody
from chalicelib.entry.gate import get_row
from chalicelib.entry.rows import RowError, checked, read_rows
from chalicelib.features.payouts import batch_queries as queries
from chalicelib.features.payouts import moving
from chalicelib.features.payouts.bank_files import pain002
from chalicelib.features.payouts.bank_files.delimited import OPTIONAL, REQUIRED, AnswerRow
from chalicelib.features.payouts.bank_files.pain001 import payment_id
from chalicelib.features.payouts.bank_files.pain002 import Fate
from chalicelib.features.payouts.batch_models import payout_batches
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Invalid
from chalicelib.kernel.states import IN_FLIGHT, PayoutStatus
from chalicelib.ledger import accounts

XML = ("application/xml", "text/xml")
MOST_LINES = 20_000  # a report may tell of a payout more than once


class Said(StrEnum):
    """What a line says of a payout."""

    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"
    ON_ITS_WAY = "on_its_way"


GIVES_BACK = (Said.FAILED, Said.RETURNED)
_OF_FATE = {Fate.PAID: Said.PAID, Fate.REFUSED: Said.FAILED, Fate.ON_ITS_WAY: Said.ON_ITS_WAY}
_AFTER = {Said.PAID: PayoutStatus.PAID, Said.FAILED: PayoutStatus.FAILED, Said.RETURNED: PayoutStatus.RETURNED}
# Paid and then returned is a story; each of these with failed is not, and neither is right by being first.
_TOGETHER: tuple[set[Said], ...] = ({Said.PAID, Said.RETURNED}, {Said.PAID}, {Said.FAILED}, {Said.RETURNED}, set())


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answer, from whichever form it came in."""

    number: int | None
    reference: str
    said: Said
    reason: str | None
    bank_reference: str | None
    amount: Decimal | None
    currency: str | None


def take_answer(scope: Scope, *, batch_id: UUID, body: RawBody) -> Record:
    """This will settle the payouts of a batch as the bank's answer says, and tell of each line what became of it."""
    get_row(scope, payout_batches, batch_id, what="batch")
    payouts = {payout["reference"].lower(): payout for payout in queries.lock_payouts(scope, batch_id)}
    lines, errors = _read(batch_id, body, payouts)
    items = _settle(scope, lines, payouts)
    counts = Counter(item["result"] for item in items)
    if counts["ok"]:
        audit.record(
            scope, action="payout_batch.answered", entity_type="payout_batch", entity_id=batch_id,
            after={"results": dict(counts), "unreadable": len(errors)},
        )  # fmt: skip
    waiting = sum(payout["status"] in IN_FLIGHT for payout in payouts.values())
    return {"items": items, "counts": counts, "errors": errors, "open": waiting}


def _read(batch_id: UUID, body: RawBody, payouts: Mapping[str, Record]) -> tuple[list[Line], list[RowError]]:
    if body.content_type.partition(";")[0].strip().lower() in XML:
        return _of_report(batch_id, pain002.read(body.data), payouts), []
    rows, errors = checked(AnswerRow, read_rows(body, required=REQUIRED, optional=OPTIONAL, limit=MOST_LINES))
    lines = [
        Line(number, row.reference, Said(row.status), row.reason, row.bank_reference, row.amount, row.currency)
        for number, row in rows
    ]
    return lines, errors


def _of_report(batch_id: UUID, report: pain002.Report, payouts: Mapping[str, Record]) -> list[Line]:
    if report.message_id.replace("-", "").lower() != batch_id.hex:
        raise Invalid(
            f"The report answers the message {report.message_id[:35]}, and this batch's file is {batch_id.hex};"
            " send it to the batch that it is about."
        )
    blocks = {payout["reference"]: payment_id(batch_id.hex, payout["currency"]) for payout in payouts.values()}
    named = len(report.lines)
    return [
        Line(
            number if number <= named else None,
            one.reference,
            _OF_FATE[one.verdict.fate],
            ": ".join(part for part in (one.verdict.code, one.verdict.reason, one.verdict.said) if part),
            one.bank_reference,
            one.amount,
            one.currency,
        )
        for number, one in enumerate(report.complete(blocks), start=1)
    ]


def _settle(scope: Scope, lines: Sequence[Line], payouts: dict[str, Record]) -> list[Record]:
    said: dict[str, set[Said]] = defaultdict(set)
    for line in lines:
        said[line.reference.lower()] |= {line.said} - {Said.ON_ITS_WAY}
    # everybody whose money may come back, together: people's accounts are held in one order
    back = {line.reference.lower() for line in lines if line.said in GIVES_BACK}
    accounts.hold(scope, user_ids=[payouts[reference]["user_id"] for reference in back & payouts.keys()])
    own_ids = set(four_eyes.own_ids(scope))
    results: dict[int, Record] = {}
    # what was paid and came back is told in whichever order, and is done in this one
    for place, line in sorted(enumerate(lines), key=lambda numbered: numbered[1].said is Said.RETURNED):
        reference = line.reference.lower()
        if line.said in GIVES_BACK and reference in payouts and payouts[reference]["user_id"] in own_ids:
            # money that comes back is paid again: nobody says so of their own
            judged: tuple[str, str | None] = ("forbidden", four_eyes.refusal(four_eyes.Subject.PAYOUT))
        else:
            judged = _judged(scope, line, payouts, contradicts=said[reference] not in _TOGETHER)
        result, detail = judged
        status = payouts[reference]["status"] if reference in payouts else None
        results[place] = {"line": line.number, "reference": line.reference, "result": result, "status": status,
                          "detail": detail}  # fmt: skip
    return [results[place] for place in range(len(lines))]


def _judged(
    scope: Scope, line: Line, payouts: dict[str, Record], *, contradicts: bool
) -> tuple[str, str | None]:  # fmt: skip
    payout = payouts.get(line.reference.lower())
    if payout is None:
        return "not_found", "there is no payout with this reference in the batch"
    if contradicts:
        return "conflict", "this answer says that it was paid or returned, and that it failed; ask the bank which"
    if other := _other_amount(line, payout):
        return "conflict", other
    if line.said is Said.ON_ITS_WAY:
        return "unchanged", f"{line.reason}: on its way, as far as the bank says"
    now, after = PayoutStatus(payout["status"]), _AFTER[line.said]
    if now is after or (now is PayoutStatus.RETURNED and after is PayoutStatus.PAID):
        return "unchanged", None
    if now not in IN_FLIGHT and (now, after) != (PayoutStatus.PAID, PayoutStatus.RETURNED):
        return "conflict", _CONFLICTS[now]
    payouts[line.reference.lower()] = _moved(scope, payout, line, after)
    return "ok", None


def _moved(scope: Scope, payout: Record, line: Line, after: PayoutStatus) -> Record:
    if after is PayoutStatus.RETURNED and payout["status"] != PayoutStatus.PAID:
        # money that came back had been paid, and the bank need not say so twice
        payout = moving.move(scope, payout, PayoutStatus.PAID, what="answered", provider_reference=line.bank_reference)
    problem = {
        PayoutStatus.PAID: None,
        PayoutStatus.FAILED: f"refused: {line.reason or 'the bank gave no reason'}",
        PayoutStatus.RETURNED: f"came back: {line.reason or 'the bank gave no reason'}",
    }[after]
    return moving.move(scope, payout, after, what="answered", problem=problem, provider_reference=line.bank_reference)


def _other_amount(line: Line, payout: Record) -> str | None:
    if line.currency is not None and line.currency != payout["currency"]:
        return f"the bank says {line.currency}, and the payout is in {payout['currency']}; ask the bank"
    if line.amount is not None and line.amount != payout["amount"]:
        return f"the bank says {line.amount}, and the payout is of {payout['amount']}; ask the bank"
    return None


_CONFLICTS = {
    PayoutStatus.PAID: "it was paid; if the money came back, say returned",
    PayoutStatus.FAILED: "it failed and its money was given back; ask the bank before anything is paid again",
    PayoutStatus.RETURNED: "it was paid and came back already",
}
