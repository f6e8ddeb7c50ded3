"""Runs: advances booked, and everybody's payable or the payslips of a payroll run turned into payouts, in chunks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit, four_eyes
from chalicelib.backing.database import Record, run, statement
from chalicelib.backing.outbox import Message
from chalicelib.features.payouts import events
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.delivery import providers
from chalicelib.features.payouts.delivery import rules as delivery_rules
from chalicelib.features.payouts.runs import queries
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


class PayoutRunKind(StrEnum):
    """What a run does; the value is also the name of its job."""

    ADVANCE = "advance-payouts"  # books what is due in advance, then pays what everybody is owed
    FINAL = "final-payouts"  # pays what everybody is owed

    @property
    def of_payout(self) -> str:
        return self.value.removesuffix("-payouts")


PAYS_OTHERS = ("sales.write", "sales.decide", "payouts.run")
PAYROLL = "payroll-payouts"  # the job that pays the payslips of one payroll run, and nothing else

# People who have a sale to advance or anything payable that is not earmarked for a payroll run, and the ranges that
# they fall into. Whether a sale has its advance already is looked up in the chunk; a run with nothing to do makes
# nothing.
_CANDIDATES = """
    with earmarked as (
        select user_id, currency, sum(amount - netted) as amount from payable_earmarks
        where tenant_id = :tenant_id and waits group by user_id, currency
    ), people as (
        select a.owner_id as user_id from ledger_accounts a
        left join earmarked e on e.user_id = a.owner_id and e.currency = a.currency
        where a.tenant_id = :tenant_id and a.kind = 'payable' and a.balance < 0
          and -a.balance > coalesce(e.amount, 0)
        union
        select distinct user_id from pending_sales where tenant_id = :tenant_id and :with_sales
    )
    select user_id from people
    where cast(:user_ids as uuid[]) is null or user_id = any(cast(:user_ids as uuid[]))"""

_CANDIDATES_OF_PAYROLL = """
    select user_id from payable_earmarks
    where tenant_id = :tenant_id and run_id = :payroll_run_id and waits"""

_EARMARKED = text("""
    select user_id from payable_earmarks
    where tenant_id = :tenant_id and run_id = :payroll_run_id and waits and user_id between :first and :last""")

_PAY = statement(__file__, "pay").replace("{blocked_by}", statement(__file__, "blocked_by"))
_PAY_OUTSIDE_RUNS, _PAY_BY_RUN = (
    text(_PAY.replace("{candidates}", statement(__file__, name))) for name in ("owed_outside_runs", "owed_by_run")
)


@dataclass(frozen=True, slots=True)
class Done:
    """What a chunk did."""

    advances: int
    payouts: int


def request_run(scope: Scope, kind: PayoutRunKind, *, user_ids: Sequence[UUID] | None = None) -> UUID:
    """Start a run now, for everybody or for named people: at once where they fit one chunk, else chunk by chunk.

    Raises NotFound where a person is not the tenant's, Conflict while payouts are switched off.
    """
    people.check_users_exist(scope, user_ids or ())
    check_open(scope)
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
    """Start a run as an operator does, who may name a date: a run always pays what is owed now."""
    if as_of is not None and as_of > scope.yesterday() + timedelta(days=1):
        raise invalid("/date", f"{as_of} is to come; a run pays what is owed now")
    return request_run(scope, kind)


def run_slot(scope: Scope, kind: PayoutRunKind, slot: datetime) -> None:
    """Start the run of an hour, once, however often and however late the schedule's message comes."""
    if not (scope.tenant.policy.payout_schedule and delivery_actions.is_open(scope)):
        return
    job_id = progress.claim(scope, kind=kind, key=f"{kind}:{slot.isoformat()}", parameters={"slot": slot})
    if job_id is not None:
        _begin(scope, job_id, kind)


def request_payroll(scope: Scope, *, payroll_run_id: UUID) -> UUID:
    """Start paying the payslips of one payroll run that wait for it; return the job.

    The caller holds the run's row, so that two requests come one after the other; each pays what is left.
    """
    check_open(scope)
    job_id = progress.create(scope, kind=PAYROLL, parameters={"payroll_run_id": payroll_run_id})
    chunks = load_chunks(scope, _CANDIDATES_OF_PAYROLL, {"payroll_run_id": payroll_run_id}, size=CHUNK_PEOPLE)
    _fan_out(scope, job_id, chunks, {"payroll_run_id": str(payroll_run_id)})
    return job_id


def check_open(scope: Scope) -> None:
    """Raise Conflict while payouts are switched off."""
    if not delivery_actions.is_open(scope):
        raise Conflict(SWITCHED_OFF)


def _begin(scope: Scope, job_id: UUID, kind: PayoutRunKind, *, user_ids: Sequence[UUID] | None = None) -> None:
    advances = kind is PayoutRunKind.ADVANCE and scope.tenant.policy.advance_rate > 0
    named = list(user_ids) if user_ids else None
    chunks = load_chunks(scope, _CANDIDATES, {"with_sales": advances, "user_ids": named}, size=CHUNK_PEOPLE)
    _fan_out(scope, job_id, chunks, {"kind": kind.value} | ({"user_ids": [str(one) for one in named]} if named else {}))


def _fan_out(scope: Scope, job_id: UUID, chunks: list[JobChunk], what: dict[str, Any]) -> None:
    """Do a run's one chunk at once, or send its chunks; `what` is `kind` and `user_ids`, or `payroll_run_id`."""
    # who prepared it travels along: a chunk's message has no caller
    plan = what | {
        "job_id": str(job_id),
        "actor": scope.actor.name,
        "actor_ids": [str(one) for one in sorted(scope.actor.all_ids)],
    }
    progress.fan_out(
        scope,
        job_id,
        chunks=chunks,
        queue=QUEUE,
        message=plan,
        do=lambda chunk: do_chunk(scope, plan, chunk),
        finish=lambda: _finish(scope, plan),
    )


def do_chunk(scope: Scope, plan: dict[str, Any], chunk: JobChunk) -> None:
    """Book the advances of a range of people and make their payouts, and finish the job with its last range."""
    job_id = UUID(plan["job_id"])
    done = pay_range(scope, job_id=job_id, chunk=chunk, plan=plan)
    if progress.finish_chunk(scope, job_id, number=chunk.number, changed=done.payouts):
        _finish(scope, plan)


def _finish(scope: Scope, plan: dict[str, Any]) -> None:
    job_id = UUID(plan["job_id"])
    result = queries.sum_run(scope, job_id)
    if not four_eyes.is_enforced(scope):
        result["four_eyes"] = False
    if "payroll_run_id" in plan:
        # netted payslips have no payout whose confirmation would tell of them
        events.payroll_moved(scope, payroll_run_id=UUID(plan["payroll_run_id"]))
    elif waiting := queries.count_waiting(scope):
        result["waiting"] = waiting
    progress.finish(scope, job_id, result=result)


def pay_range(scope: Scope, *, job_id: UUID | None, chunk: JobChunk, plan: dict[str, Any]) -> Done:
    """Do one range of people: lock their accounts, book what is due in advance, pay what they are owed.

    What was paid already is not owed any more, so doing a range twice pays nothing twice.
    """
    if "payroll_run_id" in plan:
        return Done(0, len(_pay_payslips(scope, of="payroll", job_id=job_id, chunk=chunk, plan=plan)))
    kind = PayoutRunKind(plan["kind"])
    if "user_ids" in plan:
        named = [UUID(one) for one in plan["user_ids"]]
        user_ids = [one for one in named if chunk.first_user_id <= one <= chunk.last_user_id]
        accounts.lock_for(scope, user_ids=user_ids)
    else:
        user_ids = accounts.lock_range(scope, first=chunk.first_user_id, last=chunk.last_user_id)
    advances = 0
    if kind is PayoutRunKind.ADVANCE and scope.tenant.policy.advance_rate > 0:
        advances = run(scope.session, sales.ADVANCE, {**sales.advance_values(scope), "user_ids": user_ids})
    made = _pay(scope, _PAY_OUTSIDE_RUNS, of=kind.of_payout, job_id=job_id, plan=plan, user_ids=user_ids)
    return Done(advances, len(made))


def pay_again(scope: Scope, payout: Record) -> list[UUID]:
    """Pay anew what a payout gave back, now, and return the payouts made: of its payslip, or whatever is owed."""
    check_open(scope)
    user_id = payout["user_id"]
    plan: dict[str, Any] = {"actor": scope.actor.name, "actor_ids": sorted(scope.actor.all_ids)}
    if payout["payroll_run_id"] is None:
        accounts.lock_for(scope, user_ids=[user_id])
        rows = _pay(scope, _PAY_OUTSIDE_RUNS, of="retry", job_id=None, plan=plan, user_ids=[user_id])
    else:
        plan["payroll_run_id"] = payout["payroll_run_id"]
        rows = _pay_payslips(scope, of="retry", job_id=None, chunk=JobChunk(0, user_id, user_id, 1), plan=plan)
        events.payroll_moved(scope, payroll_run_id=payout["payroll_run_id"])
    return [row.id for row in rows]


def _limits(scope: Scope) -> dict[str, Any]:
    """Return the values of pay.sql that say what is held for a second person's approval."""
    policy = scope.tenant.policy
    above, limits = policy.payout_approval_above, dict(policy.payout_limits)
    if above is not None:
        limits[scope.tenant.currency] = above
    return {
        "limits": json.dumps({currency: str(limit) for currency, limit in limits.items()}),
        "is_limited": above is not None,
        "insider_ids": [] if above is not None else four_eyes.people_who_may(scope, PAYS_OTHERS),
    }


def _pay_payslips(scope: Scope, *, of: str, job_id: UUID | None, chunk: JobChunk, plan: dict[str, Any]) -> list[Any]:
    where = {"first": chunk.first_user_id, "last": chunk.last_user_id, "payroll_run_id": plan["payroll_run_id"]}
    user_ids = list(scope.session.execute(_EARMARKED, {"tenant_id": scope.tenant_id, **where}).scalars())
    accounts.lock_for(scope, user_ids=user_ids)
    return _pay(scope, _PAY_BY_RUN, of=of, job_id=job_id, plan=plan, user_ids=user_ids)


def _pay(
    scope: Scope, payment: Any, *, of: str, job_id: UUID | None, plan: dict[str, Any], user_ids: list[UUID]
) -> list[Any]:
    policy = scope.tenant.policy
    if not delivery_actions.is_open(scope):  # switched off since the run was planned
        return []
    rows = scope.session.execute(
        payment,
        {
            "tenant_id": scope.tenant_id,
            "user_ids": user_ids,
            "payroll_run_id": plan.get("payroll_run_id"),
            "kind": of,
            "job_id": job_id,
            "currency": scope.tenant.currency,
            "minimum": policy.minimum_payout,
            **_limits(scope),
            "provider": policy.payout_provider.value,
            "provider_is_called": providers.abilities_of(policy.payout_provider).is_called,
            **queries.destination_values(scope),
            "nudge": delivery_rules.NUDGE,
            "queue": delivery_actions.QUEUE,
            "actor": plan["actor"],
            "actor_ids": plan.get("actor_ids", []),  # a message of the code before has none
            "now": scope.now,
        },
    ).all()
    scope.outgoing += [
        Message(scope.tenant_id, row.message_id, delivery_actions.QUEUE, {"payout_id": str(row.id)})
        for row in rows
        if row.is_called and not row.is_held
    ]
    return list(rows)
