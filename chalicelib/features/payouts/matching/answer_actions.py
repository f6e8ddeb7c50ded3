"""The bank's answers: to one file, or about several in one report."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from chalicelib import audit
from chalicelib.entry.bodies import RawBody
from chalicelib.entry.rows import RowError
from chalicelib.features.payouts.batches import queries
from chalicelib.features.payouts.batches.bank_files.pain002 import StatusReport
from chalicelib.features.payouts.matching.bank_lines import BankAnswer, LineResult, match_lines, read_answer
from chalicelib.features.payouts.matching.settlement import Settlement
from chalicelib.features.payouts.models import PayoutRow
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Invalid, TooLarge

MOST_PAYOUTS = 2_000  # settled in one call, as many as are in one file
_AUDITED = frozenset({"ok", "review", "conflict"})  # results that a user may want to look up later


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """A batch that an answer is about; `open` are its payouts that the bank has not answered for yet."""

    id: UUID
    number: int
    open: int


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    """The results of an answer's lines, and the batches that it is about."""

    items: Sequence[LineResult]
    counts: Mapping[str, int]  # by result
    unmatched: int
    errors: Sequence[RowError]
    batches: Sequence[BatchOutcome]

    @property
    def open(self) -> int:
        return sum(batch.open for batch in self.batches)


def settle_batch_answer(scope: Scope, *, batch_id: UUID, body: RawBody) -> AnswerOutcome:
    """Settle the payouts of one batch by the bank's answer, and return the result of each line."""
    queries.get_batch_row(scope, batch_id)
    answer = read_answer(body, now=scope.now)
    _check_message_id(answer, batch_id)
    outcome = _settle(scope, answer, queries.lock_payouts(scope, batch_id))
    if _AUDITED & outcome.counts.keys():
        audit.record(
            scope,
            action="payout_batch.answered",
            entity_type="payout_batch",
            entity_id=batch_id,
            after={"results": dict(outcome.counts), "unreadable": len(answer.errors)},
        )
    return outcome


def settle_report(scope: Scope, *, body: RawBody) -> AnswerOutcome:
    """Settle the payouts of whatever batches a report is about, and count its lines that are not about ours."""
    answer = read_answer(body, now=scope.now)
    payouts = queries.lock_reported(
        scope, references=answer.references(), batch_ids=answer.batch_ids(), limit=MOST_PAYOUTS + 1
    )
    if len(payouts) > MOST_PAYOUTS:
        raise TooLarge(
            f"The report concerns more than {MOST_PAYOUTS:,} payouts; send it in parts, or to each batch by itself."
        )
    outcome = _settle(scope, answer, payouts)
    if _AUDITED & outcome.counts.keys():
        audit.record(
            scope,
            action="payouts.reported",
            entity_type="tenant",
            entity_id=scope.tenant_id,
            after={
                "results": dict(outcome.counts),
                "unmatched": outcome.unmatched,
                "unreadable": len(answer.errors),
                "batches": [batch.id for batch in outcome.batches],
            },
        )
    return outcome


def _check_message_id(answer: BankAnswer, batch_id: UUID) -> None:
    """Check that the status reports answer this batch's file. Raises Invalid."""
    for message in answer.messages:
        if isinstance(message, StatusReport) and message.message_id.replace("-", "").lower() != batch_id.hex:
            raise Invalid(
                f"The report answers the message {message.message_id[:35]}, and this batch's file is {batch_id.hex};"
                " send it to the batch that it is about, or to POST /payouts/bank-reports."
            )


def _settle(scope: Scope, answer: BankAnswer, payouts: Collection[PayoutRow]) -> AnswerOutcome:
    """Settle locked payouts by the lines of an answer that are about them."""
    matched = match_lines(answer, payouts, now=scope.now)
    items = [*Settlement(scope, payouts).settle(matched.lines), *matched.conflicts]
    counts = Counter(item.result for item in items)
    numbers = queries.load_numbers(scope, {payout.batch_id for payout in payouts if payout.batch_id})
    open_by_batch = queries.count_open(scope, numbers.keys())
    return AnswerOutcome(
        items=items,
        counts=counts,
        unmatched=matched.unmatched + counts["not_found"],
        errors=answer.errors,
        batches=[
            BatchOutcome(batch_id, number, open_by_batch.get(batch_id, 0)) for batch_id, number in numbers.items()
        ],
    )
