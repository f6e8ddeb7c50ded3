"""The bank's answers: to one file, or about several in one report."""

from collections import Counter
from collections.abc import Collection
from uuid import UUID

from chalicelib import audit
from chalicelib.backing.database import Record
from chalicelib.entry.bodies import RawBody
from chalicelib.entry.get_or_404 import get_row
from chalicelib.features.payouts.batches import queries
from chalicelib.features.payouts.batches.bank_files.pain002 import StatusReport
from chalicelib.features.payouts.batches.models import payout_batches
from chalicelib.features.payouts.matching.bank_lines import BankAnswer, match_lines, read_answer
from chalicelib.features.payouts.matching.settlement import Settlement
from chalicelib.features.payouts.models import PayoutRow
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Invalid, TooLarge

MOST_PAYOUTS = 2_000  # settled in one call, as many as are in one file
_TELLS = frozenset({"ok", "review", "conflict"})  # what a person may want to look up later


def take_answer(scope: Scope, *, batch_id: UUID, body: RawBody) -> Record:
    """Settle the payouts of one batch as the bank's answer says, and return what became of each line."""
    get_row(scope, payout_batches, batch_id, what="batch")
    answer = read_answer(body, now=scope.now)
    _check_about(answer, batch_id)
    payouts = queries.lock_payouts(scope, batch_id)
    found = _settle(scope, answer, payouts)
    if _TELLS & found["counts"].keys():
        audit.record(
            scope,
            action="payout_batch.answered",
            entity_type="payout_batch",
            entity_id=batch_id,
            after={"results": dict(found["counts"]), "unreadable": len(answer.errors)},
        )
    return {**found, "open": sum(batch["open"] for batch in found["batches"])}


def take_report(scope: Scope, *, body: RawBody) -> Record:
    """Settle the payouts of whatever batches a report concerns, and count what is not ours."""
    answer = read_answer(body, now=scope.now)
    payouts = queries.lock_reported(
        scope, references=answer.references(), batch_ids=answer.batch_ids(), limit=MOST_PAYOUTS + 1
    )
    if len(payouts) > MOST_PAYOUTS:
        raise TooLarge(
            f"The report concerns more than {MOST_PAYOUTS:,} payouts; send it in parts, or to each batch by itself."
        )
    found = _settle(scope, answer, payouts)
    if _TELLS & found["counts"].keys():
        audit.record(
            scope,
            action="payouts.reported",
            entity_type="tenant",
            entity_id=scope.tenant_id,
            after={
                "results": dict(found["counts"]),
                "unmatched": found["unmatched"],
                "unreadable": len(answer.errors),
                "batches": [batch["id"] for batch in found["batches"]],
            },
        )
    return {**found, "open": sum(batch["open"] for batch in found["batches"])}


def _check_about(answer: BankAnswer, batch_id: UUID) -> None:
    for message in answer.messages:
        if isinstance(message, StatusReport) and message.message_id.replace("-", "").lower() != batch_id.hex:
            raise Invalid(
                f"The report answers the message {message.message_id[:35]}, and this batch's file is {batch_id.hex};"
                " send it to the batch that it is about, or to POST /payouts/bank-reports."
            )


def _settle(scope: Scope, answer: BankAnswer, payouts: Collection[PayoutRow]) -> Record:
    matched = match_lines(answer, payouts, now=scope.now)
    settlement = Settlement(scope, payouts)
    items = [*settlement.settle(matched.lines), *matched.items]
    counts = Counter(item["result"] for item in items)
    numbers = queries.numbers_of(scope, {payout.batch_id for payout in payouts if payout.batch_id})
    waiting = queries.count_open(scope, numbers.keys())
    return {
        "items": items,
        "counts": counts,
        "unmatched": matched.unmatched + counts["not_found"],
        "errors": answer.errors,
        "batches": [
            {"id": batch_id, "number": number, "open": waiting.get(batch_id, 0)} for batch_id, number in numbers.items()
        ],
    }
