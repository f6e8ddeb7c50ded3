"""Runs of payouts: book advances, and turn payables or the payslips of a payroll run into payouts, in chunks.

1. `request_run`, `run_slot` or `request_payroll` creates the job and splits it into chunks of employees
2. `do_chunk` does one chunk in one transaction: one chunk at once, more as messages of the queue payout-runs
3. `pay_chunk` locks the employees' accounts, books what is due in advance, and makes their payouts (sql/pay.sql)
4. the last chunk finishes the job with what was made

Each payout goes its own way from here: payouts.delivery.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from chalicelib import audit, four_eyes
from chalicelib.backing import rows
from chalicelib.backing.database import run, statement
from chalicelib.backing.outbox import Message
from chalicelib.features.payouts import events
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.delivery import providers
from chalicelib.features.payouts.delivery import rules as delivery_rules
from chalicelib.features.payouts.models import PayoutRow
from chalicelib.features.payouts.runs import queries
from chalicelib.features.payouts.runs.messages import JobTerms, PayoutRunKind, RunTerms
from chalicelib.features.people.users import queries as people
from chalicelib.features.sales import actions as sales
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress
from chalicelib.jobs.chunks import load_chunks
from chalicelib.jobs.progress import JobChunk
from chalicelib.kernel.errors import Conflict, invalid
from chalicelib.ledger import accounts

QUEUE = "payout-runs"
SWITCHED_OFF = "Payouts are switched off; PATCH /tenant with policy.payouts_enabled true switches them on."
CHUNK_PEOPLE = 500  # some five thousand sales, a fifth of a second under their lock; more at once is no faster
PAYS_OTHERS = ("sales.write", "sales.decide", "payouts.run")
PAYROLL = "payroll-payouts"  # the job that pays the payslips of one payroll run, and nothing else
RETRY = "retry"  # the kind of a payout that pays anew what another one released

_CANDIDATES = statement(__file__, "candidates")
_PAYROLL_CANDIDATES = """
    select user_id from payable_earmarks
    where tenant_id = :tenant_id and run_id = :payroll_run_id and waits"""
_EARMARKED = text(f"{_PAYROLL_CANDIDATES} and user_id between :first and :last")

_PAY = statement(__file__, "pay").replace("{blocked_by}", statement(__file__, "blocked_by"))
_PAY_OUTSIDE_RUNS, _PAY_BY_RUN = (
    text(_PAY.replace("{candidates}", statement(__file__, name))) for name in ("owed_outside_runs", "owed_by_run")
)


@dataclass(frozen=True, slots=True)
class ChunkTotals:
    """What a chunk did: advances booked, payouts made."""

    advances: int
    payouts: int


@dataclass(frozen=True, slots=True)
class _NewPayout:
    """A payout that pay.sql made."""

    id: UUID
    awaits_approval: bool
    is_called: bool  # its provider is called for each payout
    message_id: UUID


def request_run(scope: Scope, kind: PayoutRunKind, *, user_ids: Sequence[UUID] | None = None) -> UUID:
    """Start a run now, for all employees or for those named, and return its job. One chunk is done at once.

    Raises NotFound where an employee is not the tenant's, Conflict while payouts are switched off.
    """
    people.check_users_exist(scope, user_ids or ())
    check_enabled(scope)
    parameters = {"asked_by": scope.actor.name} | ({"user_ids": user_ids} if user_ids else {})
    job_id = progress.create(scope, kind=kind, parameters=parameters)
    _begin(scope, job_id, kind, user_ids=user_ids)
    audit.record(
        scope,
        action="payouts.run",
        entity_type="job",
        entity_id=job_id,
        after={"kind": kind} | ({"user_ids": user_ids} if user_ids else {}),
    )
    return job_id


def request_job(scope: Scope, kind: PayoutRunKind, *, as_of: date | None) -> UUID:
    """Start a run for an operator; a run always pays what is owed now. Raises Invalid for a date to come."""
    if as_of is not None and as_of > scope.yesterday() + timedelta(days=1):
        raise invalid("/date", f"{as_of} is to come; a run pays what is owed now")
    return request_run(scope, kind)


def run_slot(scope: Scope, kind: PayoutRunKind, slot: datetime) -> None:
    """Start the run of an hour, once, however often and however late the schedule's message arrives."""
    if not (scope.tenant.policy.payout_schedule and delivery_actions.is_enabled(scope)):
        return
    job_id = progress.claim(scope, kind=kind, key=f"{kind}:{slot.isoformat()}", parameters={"slot": slot})
    if job_id is not None:
        _begin(scope, job_id, kind)


def request_payroll(scope: Scope, *, payroll_run_id: UUID) -> UUID:
    """Start paying the payslips of one payroll run that wait for it; return the job.

    The caller has locked the run's row, so that two requests come one after the other; each pays what is left.
    """
    check_enabled(scope)
    job_id = progress.create(scope, kind=PAYROLL, parameters={"payroll_run_id": payroll_run_id})
    chunks = load_chunks(scope, _PAYROLL_CANDIDATES, {"payroll_run_id": payroll_run_id}, size=CHUNK_PEOPLE)
    _fan_out(scope, chunks, _make_terms(scope, job_id, payroll_run_id=payroll_run_id))
    return job_id


def check_enabled(scope: Scope) -> None:
    """Raise Conflict while payouts are switched off."""
    if not delivery_actions.is_enabled(scope):
        raise Conflict(SWITCHED_OFF)


def _begin(scope: Scope, job_id: UUID, kind: PayoutRunKind, *, user_ids: Sequence[UUID] | None = None) -> None:
    """Split a run into chunks of those who may be owed something, and do or send them."""
    with_sales = kind is PayoutRunKind.ADVANCE and scope.tenant.policy.advance_rate > 0
    named = list(user_ids) if user_ids else None
    chunks = load_chunks(scope, _CANDIDATES, {"with_sales": with_sales, "user_ids": named}, size=CHUNK_PEOPLE)
    _fan_out(scope, chunks, _make_terms(scope, job_id, kind=kind, user_ids=named))


def _make_terms(
    scope: Scope,
    job_id: UUID,
    *,
    kind: PayoutRunKind | None = None,
    user_ids: Sequence[UUID] | None = None,
    payroll_run_id: UUID | None = None,
) -> JobTerms:
    return JobTerms(
        job_id=job_id,
        actor=scope.actor.name,
        actor_ids=sorted(scope.actor.all_ids),
        kind=kind,
        user_ids=user_ids,
        payroll_run_id=payroll_run_id,
    )


def _fan_out(scope: Scope, chunks: list[JobChunk], terms: JobTerms) -> None:
    """Do a run's only chunk at once, or send its chunks as messages."""
    progress.fan_out(
        scope,
        terms.job_id,
        chunks=chunks,
        queue=QUEUE,
        message=terms.model_dump(mode="json", exclude_none=True),
        do=lambda chunk: do_chunk(scope, terms, chunk),
        finish=lambda: _finish(scope, terms),
    )


def do_chunk(scope: Scope, terms: JobTerms, chunk: JobChunk) -> None:
    """Book the advances of a chunk of employees and make their payouts; finish the job with its last chunk."""
    totals = pay_chunk(scope, terms, chunk, job_id=terms.job_id)
    if progress.finish_chunk(scope, terms.job_id, number=chunk.number, changed=totals.payouts):
        _finish(scope, terms)


def _finish(scope: Scope, terms: JobTerms) -> None:
    """Finish a run's job with what it made and what it left unpaid."""
    result = queries.sum_run(scope, terms.job_id)
    if not four_eyes.is_enforced(scope):
        result["four_eyes"] = False
    if terms.payroll_run_id is not None:
        # netted payslips have no payout whose confirmation would notify payroll
        events.notify_payroll(scope, payroll_run_id=terms.payroll_run_id)
    elif waiting := queries.count_unpaid_debts(scope):
        result["waiting"] = waiting
    progress.finish(scope, terms.job_id, result=result)


def pay_chunk(scope: Scope, terms: RunTerms, chunk: JobChunk, *, job_id: UUID | None) -> ChunkTotals:
    """Do one chunk of employees: lock their accounts, book what is due in advance, pay what they are owed.

    What was paid already is not owed any more, so doing a chunk twice pays nothing twice.
    """
    if terms.kind is None:
        return ChunkTotals(0, len(_pay_payslips(scope, terms, chunk, payout_kind="payroll", job_id=job_id)))
    if terms.user_ids is not None:
        user_ids = [user_id for user_id in terms.user_ids if chunk.first_user_id <= user_id <= chunk.last_user_id]
        accounts.lock_for(scope, user_ids=user_ids)
    else:
        user_ids = accounts.lock_range(scope, first=chunk.first_user_id, last=chunk.last_user_id)
    advances = 0
    if terms.kind is PayoutRunKind.ADVANCE and scope.tenant.policy.advance_rate > 0:
        advances = run(scope.session, sales.ADVANCE, {**sales.advance_values(scope), "user_ids": user_ids})
    payout_kind = terms.kind.payout_kind
    payouts = _pay(scope, _PAY_OUTSIDE_RUNS, terms, payout_kind=payout_kind, job_id=job_id, user_ids=user_ids)
    return ChunkTotals(advances, len(payouts))


def pay_again(scope: Scope, payout: PayoutRow) -> list[UUID]:
    """Pay anew, now, what a payout released, and return the new payouts: of its payslip, or of all that is owed."""
    check_enabled(scope)
    user_id = payout.user_id
    terms = RunTerms(
        actor=scope.actor.name, actor_ids=sorted(scope.actor.all_ids), payroll_run_id=payout.payroll_run_id
    )
    if payout.payroll_run_id is None:
        accounts.lock_for(scope, user_ids=[user_id])
        payouts = _pay(scope, _PAY_OUTSIDE_RUNS, terms, payout_kind=RETRY, job_id=None, user_ids=[user_id])
    else:
        chunk = JobChunk(0, user_id, user_id, 1)
        payouts = _pay_payslips(scope, terms, chunk, payout_kind=RETRY, job_id=None)
        events.notify_payroll(scope, payroll_run_id=payout.payroll_run_id)
    return [payout.id for payout in payouts]


def _approval_values(scope: Scope) -> dict[str, Any]:
    """Return the parameters of pay.sql by which a payout awaits a second person's approval."""
    policy = scope.tenant.policy
    above, limits = policy.payout_approval_above, dict(policy.payout_limits)
    if above is not None:
        limits[scope.tenant.currency] = above
    return {
        "limits": json.dumps({currency: str(limit) for currency, limit in limits.items()}),
        "is_limited": above is not None,
        "insider_ids": [] if above is not None else four_eyes.people_who_may(scope, PAYS_OTHERS),
    }


def _pay_payslips(
    scope: Scope, terms: RunTerms, chunk: JobChunk, *, payout_kind: str, job_id: UUID | None
) -> list[_NewPayout]:
    """Pay the payslips of a payroll run that wait for it, of a chunk of employees."""
    where = {"first": chunk.first_user_id, "last": chunk.last_user_id, "payroll_run_id": terms.payroll_run_id}
    user_ids = list(scope.session.execute(_EARMARKED, {"tenant_id": scope.tenant_id, **where}).scalars())
    accounts.lock_for(scope, user_ids=user_ids)
    return _pay(scope, _PAY_BY_RUN, terms, payout_kind=payout_kind, job_id=job_id, user_ids=user_ids)


def _pay(
    scope: Scope,
    payment: TextClause,
    terms: RunTerms,
    *,
    payout_kind: str,
    job_id: UUID | None,
    user_ids: list[UUID],
) -> list[_NewPayout]:
    """Make the payouts of these employees, and send the messages that take them to their provider."""
    policy = scope.tenant.policy
    if not delivery_actions.is_enabled(scope):  # switched off since the run was started
        return []
    payouts = rows.every(
        _NewPayout,
        scope.session.execute(
            payment,
            {
                "tenant_id": scope.tenant_id,
                "user_ids": user_ids,
                "payroll_run_id": terms.payroll_run_id,
                "kind": payout_kind,
                "job_id": job_id,
                "currency": scope.tenant.currency,
                "minimum": policy.minimum_payout,
                **_approval_values(scope),
                "provider": policy.payout_provider.value,
                "provider_is_called": providers.get_provider(policy.payout_provider).is_called,
                **queries.destination_values(scope),
                "resend_after": delivery_rules.RESEND_AFTER,
                "queue": delivery_actions.QUEUE,
                "actor": terms.actor,
                "actor_ids": list(terms.actor_ids),
                "now": scope.now,
            },
        ),
    )
    scope.outgoing += [
        Message(scope.tenant_id, payout.message_id, delivery_actions.QUEUE, {"payout_id": str(payout.id)})
        for payout in payouts
        if payout.is_called and not payout.awaits_approval
    ]
    return payouts
