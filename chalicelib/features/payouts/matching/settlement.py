"""Settling payouts by the lines of a bank's answer; each line is judged by itself.

The same answer again changes nothing. Neither does a line that contradicts what is known: it is a conflict to look
into, as money that is released by mistake is paid twice. A refusal that may be about an earlier instruction releases
nothing: the payout goes to review.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import four_eyes
from chalicelib.backing.database import statement
from chalicelib.features.payouts.batches.bank_files.camt import EntryMovement
from chalicelib.features.payouts.delivery import payout_states
from chalicelib.features.payouts.delivery.outcomes import ACCEPTED, find_name_check, load_reasons
from chalicelib.features.payouts.matching.bank_lines import AnswerLine, LineClaim, LineResult
from chalicelib.features.payouts.models import PayoutRow
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import IN_FLIGHT, PayoutStatus
from chalicelib.ledger import accounts

_KEEP = text(statement(__file__, "keep_bank_status"))
_AFTER = {
    LineClaim.PAID: PayoutStatus.PAID,
    LineClaim.FAILED: PayoutStatus.FAILED,
    LineClaim.RETURNED: PayoutStatus.RETURNED,
}
# The claims that may stand together about one payout. Paid and then returned is possible; either of them with failed is
# a contradiction, and neither is right by being first.
_TOGETHER: tuple[set[LineClaim], ...] = (
    {LineClaim.PAID, LineClaim.RETURNED},
    {LineClaim.PAID},
    {LineClaim.FAILED},
    {LineClaim.RETURNED},
    set(),
)
# A report may list a payment and its return in any order; they are settled in this one. A doubt about what was paid is
# none.
_ORDER = (LineClaim.ON_ITS_WAY, LineClaim.PAID, LineClaim.FAILED, LineClaim.DOUBT, LineClaim.RETURNED)
_DOUBTFUL = frozenset({PayoutStatus.SENDING, PayoutStatus.UNKNOWN})
_CONFLICTS = {
    PayoutStatus.PAID: "it was paid; if the money came back, say returned",
    PayoutStatus.FAILED: "it failed and its money was given back; ask the bank before anything is paid again",
    PayoutStatus.RETURNED: "it was paid and came back already",
}
_CONTRADICTS = "this answer says that it was paid or returned, and that it failed; ask the bank which"
_TWICE = "the bank booked it twice; ask for one of the two back"
_ONE_BACK = "the bank booked it twice, and one of the two came back: the person has been paid once"


@dataclass(slots=True)
class _ReportedStatus:
    """What one answer says of a payout: JSON for the column `bank`."""

    id: str
    latest: dict[str, Any] = field(default_factory=dict)
    lasting: dict[str, Any] = field(default_factory=dict)


class Settlement:
    """Settles one answer: its payouts as they are by now, by reference in lower case."""

    def __init__(self, scope: Scope, payouts: Iterable[PayoutRow]) -> None:
        self.scope = scope
        self.payouts = {payout.reference.lower(): payout for payout in payouts}
        self.own_ids = set(four_eyes.own_ids(scope))
        self.debits: dict[str, set[str | None]] = defaultdict(set)  # the bank's references of the debits of a payout

    def settle(self, lines: Sequence[AnswerLine]) -> list[LineResult]:
        """Settle the payouts by the lines, and return the result of each line, in their order."""
        named = [self._find_payout(line) for line in lines]
        claims = [line.find_claim(payout) if payout else None for line, payout in zip(lines, named, strict=True)]
        claims = _weaken_refusals(named, claims)
        together: dict[str, set[LineClaim]] = defaultdict(set)
        for payout, claim in zip(named, claims, strict=True):
            if payout is not None and claim not in (None, LineClaim.ON_ITS_WAY, LineClaim.DOUBT):
                together[payout.reference].add(claim)
        # all whose money may come back, in one call: accounts are locked in one order
        back = [
            payout.user_id
            for payout, claim in zip(named, claims, strict=True)
            if payout is not None and claim in (LineClaim.FAILED, LineClaim.RETURNED)
        ]
        accounts.lock_for(self.scope, user_ids=back)
        results: dict[int, LineResult] = {}
        for place in sorted(range(len(lines)), key=lambda at: _ORDER.index(claims[at] or LineClaim.ON_ITS_WAY)):
            line, payout, claim = lines[place], named[place], claims[place]
            contradicts = payout is not None and together[payout.reference] not in _TOGETHER
            result, detail = self._judge(line, payout, claim, contradicts=contradicts)
            results[place] = self._to_result(line, payout, result, detail)
        _keep_bank_status(self.scope, lines, named)
        return [results[place] for place in range(len(lines))]

    def _find_payout(self, line: AnswerLine) -> PayoutRow | None:
        return next((self.payouts[one.lower()] for one in line.references if one.lower() in self.payouts), None)

    def _to_result(self, line: AnswerLine, payout: PayoutRow | None, result: str, detail: str | None) -> LineResult:
        """Return the result of a line with its payout as it is by now."""
        now = self.payouts[payout.reference.lower()] if payout else None
        return LineResult(
            line=line.number,
            reference=now.reference if now and line.booking else line.reference,
            result=result,
            status=now.status if now else None,
            detail=detail,
            payout_id=now.id if now else None,
            batch_id=now.batch_id if now else None,
        )

    def _judge(
        self, line: AnswerLine, payout: PayoutRow | None, claim: LineClaim | None, *, contradicts: bool
    ) -> tuple[str, str | None]:
        """Settle a line's payout, if nothing contradicts; return the result and its detail."""
        if payout is None or claim is None:
            return "not_found", "there is no payout of yours in a bank file with this reference"
        payout = self.payouts[payout.reference.lower()]
        if claim in (LineClaim.FAILED, LineClaim.RETURNED) and payout.user_id in self.own_ids:
            # what comes back is paid again: nobody may report it of their own payout
            return "forbidden", four_eyes.refusal(four_eyes.Subject.PAYOUT)
        if claim is LineClaim.ON_ITS_WAY:
            return "unchanged", f"{line.reason or line.verdict.status}: on its way, as far as the bank says"
        if contradicts:
            return "conflict", _CONTRADICTS
        if other := _find_difference(line, payout):
            return "conflict", other
        if claim is LineClaim.DOUBT:
            return self._settle_doubt(line, payout)
        if twice := self._booked_twice(line, payout, claim):
            return "conflict", twice
        now, after = PayoutStatus(payout.status), _AFTER[claim]
        if now is after or (now is PayoutStatus.RETURNED and after is PayoutStatus.PAID):
            return "unchanged", None
        if now not in IN_FLIGHT and (now, after) != (PayoutStatus.PAID, PayoutStatus.RETURNED):
            return "conflict", _CONFLICTS[now]
        self._move(line, payout, after)
        return "ok", None

    def _settle_doubt(self, line: AnswerLine, payout: PayoutRow) -> tuple[str, str | None]:
        """Send a payout whose outcome the line puts in doubt to review; return the result and its detail."""
        now, doubt = PayoutStatus(payout.status), line.describe_doubt(payout)
        if now in _DOUBTFUL:
            problem = f"{doubt}; find out whether it was paid, and say so"
            self._replace(
                payout_states.move(
                    self.scope,
                    payout,
                    PayoutStatus.REVIEW,
                    what="answered",
                    problem=problem,
                    provider_reference=line.bank_reference,
                )
            )
            return "review", doubt
        if now is PayoutStatus.REVIEW:
            return "unchanged", doubt
        # a refusal is no news of a payout that failed, nor is that of a duplicate of one that was paid
        is_known = line.booking is None and (now is not PayoutStatus.PAID or line.verdict.speaks_of_earlier)
        return ("unchanged" if is_known else "conflict"), doubt

    def _booked_twice(self, line: AnswerLine, payout: PayoutRow, claim: LineClaim) -> str | None:
        """Return the conflict of two debits booked for one payout, or None; of two, one may come back."""
        if line.booking is None:
            return None
        debits = self.debits[payout.reference]
        known = (payout.bank or {}).get("debits", {}).get(line.head.source)
        if claim is LineClaim.RETURNED:
            return _ONE_BACK if len(debits | ({known} - {None})) > 1 and _is_paid(payout) else None
        debits.add(line.bank_reference)
        return _TWICE if len(debits | ({known} - {None})) > 1 else None

    def _move(self, line: AnswerLine, payout: PayoutRow, after: PayoutStatus) -> None:
        """Move a payout to the state that the line claims."""
        if after is PayoutStatus.RETURNED and payout.status != PayoutStatus.PAID:
            # money that came back had been paid, also if the bank did not report that
            payout = payout_states.move(
                self.scope, payout, PayoutStatus.PAID, what="answered", provider_reference=line.bank_reference
            )
        problem = {
            PayoutStatus.PAID: None,
            PayoutStatus.FAILED: f"refused: {line.reason or 'the bank gave no reason'}",
            PayoutStatus.RETURNED: f"came back: {line.reason or 'the bank gave no reason'}",
        }[after]
        self._replace(
            payout_states.move(
                self.scope, payout, after, what="answered", problem=problem, provider_reference=line.bank_reference
            )
        )

    def _replace(self, payout: PayoutRow) -> None:
        self.payouts[payout.reference.lower()] = payout


def _is_paid(payout: PayoutRow) -> bool:
    return bool(payout.status == PayoutStatus.PAID)


def _weaken_refusals(named: Sequence[PayoutRow | None], claims: Sequence[LineClaim | None]) -> list[LineClaim | None]:
    """Turn a refusal into a doubt if another line of the same payout is one."""
    doubted = {payout.id for payout, claim in zip(named, claims, strict=True) if payout and claim is LineClaim.DOUBT}
    return [
        LineClaim.DOUBT if claim is LineClaim.FAILED and payout is not None and payout.id in doubted else claim
        for payout, claim in zip(named, claims, strict=True)
    ]


def _find_difference(line: AnswerLine, payout: PayoutRow) -> str | None:
    """Return how the amount that the bank repeats differs from the payout's, or None."""
    if line.currency is not None and line.currency != payout.currency:
        return f"the bank says {line.currency}, and the payout is in {payout.currency}; ask the bank"
    if line.amount is not None and line.amount != payout.amount:
        return f"the bank says {line.amount}, and the payout is of {payout.amount}; ask the bank"
    return None


def _keep_bank_status(scope: Scope, lines: Sequence[AnswerLine], named: Sequence[PayoutRow | None]) -> None:
    """Keep the bank's latest status of each payout, in one statement."""
    reported: dict[UUID, _ReportedStatus] = {}
    for line, payout in zip(lines, named, strict=True):
        if payout is None:
            continue
        status = reported.setdefault(payout.id, _ReportedStatus(str(payout.id)))
        latest = _to_bank_status(line, payout)
        if not status.latest or status.latest["at"] <= latest["at"]:
            status.latest = latest
        status.lasting |= _find_lasting_facts(line)
    if reported:
        documents = json.dumps([asdict(status) for status in reported.values()])
        scope.session.execute(_KEEP, {"tenant_id": scope.tenant_id, "reported": documents})


def _to_bank_status(line: AnswerLine, payout: PayoutRow) -> dict[str, Any]:
    """Return the bank's status as the column `bank` has it (schemas.BankWord)."""
    explained, fee = line.verdict.explained, line.find_fee(payout)
    return {
        "source": line.head.source,
        "report": line.head.report,
        "at": line.head.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "status": (line.stated or line.verdict.status)[:35],
        "reasons": [code[:35] for code in explained.reasons],
        "meanings": [load_reasons()[code].meaning for code in explained.reasons if code in load_reasons()],
        "text": explained.text,
        "fee": format(fee, "f") if fee else None,
    }


def _find_lasting_facts(line: AnswerLine) -> dict[str, Any]:
    """Return what stays in the column `bank` whatever the bank reports later."""
    lasting: dict[str, Any] = {}
    if line.verdict.status in ACCEPTED:
        lasting["is_accepted"] = True
    if check := find_name_check(line.verdict):
        lasting |= {"name_check": check, "name_text": line.verdict.explained.text}
    if line.booking is not None and line.bank_reference and line.booking.movement is EntryMovement.PAID:
        lasting["debits"] = {line.head.source: line.bank_reference}
    return lasting
