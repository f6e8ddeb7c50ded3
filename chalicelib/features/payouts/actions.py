"""Runs: advances booked, and everybody's payable turned into payouts, in chunks of people."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit
from chalicelib.backing.database import run, statement
from chalicelib.backing.outbox import Message
from chalicelib.features.payouts import providers, queries, rules, sending
from chalicelib.features.sales import actions as sales
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress
from chalicelib.jobs.progress import Chunk
from chalicelib.kernel.errors import Conflict, invalid
from chalicelib.ledger import accounts

QUEUE = "payout-runs"
SWITCHED_OFF = "Payouts are switched off; PATCH /tenant with policy.payouts_enabled true switches them on."
CHUNK_PEOPLE = 500  # some five thousand sales, a fifth of a second under their lock; more at once is no faster


class Kind(StrEnum):
    """What a run does; the value is also the name of its job."""

    ADVANCE = "advance-payouts"  # books what is due in advance, then pays what everybody is owed
    FINAL = "final-payouts"  # pays what everybody is owed

    @property
    def of_payout(self) -> str:
        return self.value.removesuffix("-payouts")


# People who have a sale to advance or anything payable, and the ranges that they fall into. Whether a sale has its
# advance already is looked up in the chunk; a run with nothing to do makes nothing.
_PLAN = text("""
    with people as (
        select owner_id from ledger_accounts
        where tenant_id = :tenant_id and kind = 'payable' and balance < 0
        union
        select distinct user_id from pending_sales where tenant_id = :tenant_id and :with_sales
    ), numbered as (
        select owner_id, (row_number() over (order by owner_id) - 1) / :size as chunk from people
    )
    -- array_agg, as there is no min(uuid)
    select (array_agg(owner_id order by owner_id))[1] as first, (array_agg(owner_id order by owner_id desc))[1] as last,
        count(*) as people
    from numbered group by chunk order by chunk""")

_PAY = text(statement(__file__, "pay"))


@dataclass(frozen=True, slots=True)
class Done:
    """What a chunk did."""

    advances: int
    payouts: int


def request_run(scope: Scope, kind: Kind) -> UUID:
    """This will start a run now, as somebody asked: at once where the people fit one chunk, else chunk by chunk."""
    if not sending.is_open(scope):
        raise Conflict(SWITCHED_OFF)
    job_id = progress.create(scope, kind=kind, parameters={"asked_by": scope.actor.name})
    _begin(scope, job_id, kind)
    audit.record(scope, action="payouts.run", entity_type="job", entity_id=job_id, after={"kind": kind})
    return job_id


def request_job(scope: Scope, kind: Kind, *, as_of: date | None) -> UUID:
    """This will start a run as an operator does, who may name a date: a run always pays what is owed now."""
    if as_of is not None and as_of > scope.yesterday() + timedelta(days=1):
        raise invalid("/date", f"{as_of} is to come; a run pays what is owed now")
    return request_run(scope, kind)


def run_slot(scope: Scope, kind: Kind, slot: datetime) -> None:
    """This will start the run of an hour, once, however often and however late the schedule's message comes."""
    if not (scope.tenant.policy.payout_schedule and sending.is_open(scope)):
        return
    job_id = progress.claim(scope, kind=kind, key=f"{kind}:{slot.isoformat()}", parameters={"slot": slot})
    if job_id is not None:
        _begin(scope, job_id, kind)


def _begin(scope: Scope, job_id: UUID, kind: Kind) -> None:
    advances = kind is Kind.ADVANCE and scope.tenant.policy.advance_rate > 0
    rows = scope.session.execute(
        _PLAN, {"tenant_id": scope.tenant_id, "size": CHUNK_PEOPLE, "with_sales": advances}
    ).all()
    chunks = [Chunk(number, row.first, row.last, row.people) for number, row in enumerate(rows)]
    # who prepared it travels along: a chunk's message has no caller
    plan = {
        "job_id": str(job_id),
        "kind": kind.value,
        "actor": scope.actor.name,
        "actor_ids": [str(one) for one in sorted(scope.actor.hands)],
    }
    progress.spread(
        scope, job_id, chunks=chunks, queue=QUEUE, message=plan,
        do=lambda chunk: do_chunk(scope, plan, chunk), finish=lambda: _finish(scope, job_id),
    )  # fmt: skip


def do_chunk(scope: Scope, plan: dict[str, Any], chunk: Chunk) -> None:
    """This will book the advances of a range of people and make their payouts, and finish the job with its last."""
    job_id = UUID(plan["job_id"])
    done = pay_range(scope, Kind(plan["kind"]), job_id=job_id, chunk=chunk, plan=plan)
    if progress.finish_chunk(scope, job_id, number=chunk.number, changed=done.payouts):
        _finish(scope, job_id)


def _finish(scope: Scope, job_id: UUID) -> None:
    result = queries.sum_run(scope, job_id)
    if waiting := queries.count_waiting(scope):
        result["waiting"] = waiting
    progress.finish(scope, job_id, result=result)


def pay_range(scope: Scope, kind: Kind, *, job_id: UUID | None, chunk: Chunk, plan: dict[str, Any]) -> Done:
    """This will do one range of people: hold them, book what is due in advance, pay what they are owed.

    What was paid already is not owed any more, so doing a range twice pays nothing twice.
    """
    user_ids = accounts.hold_range(scope, first=chunk.first_user_id, last=chunk.last_user_id)
    advances = 0
    if kind is Kind.ADVANCE and scope.tenant.policy.advance_rate > 0:
        advances = run(scope.session, sales.ADVANCE, {**sales.advance_values(scope), "user_ids": user_ids})
    made = _pay(scope, of=kind.of_payout, job_id=job_id, plan=plan, user_ids=user_ids)
    return Done(advances, len(made))


def pay_person(scope: Scope, user_id: UUID) -> list[UUID]:
    """This will pay one person what they are owed, now, and give the payouts it made."""
    if not sending.is_open(scope):
        raise Conflict(SWITCHED_OFF)
    accounts.hold(scope, user_ids=[user_id])
    plan = {"actor": scope.actor.name, "actor_ids": sorted(scope.actor.hands)}
    return [row.id for row in _pay(scope, of="retry", job_id=None, plan=plan, user_ids=[user_id])]


def _pay(scope: Scope, *, of: str, job_id: UUID | None, plan: dict[str, Any], user_ids: list[UUID]) -> list[Any]:
    policy = scope.tenant.policy
    abilities = providers.abilities_of(policy.payout_provider)
    if not sending.is_open(scope):  # switched off since the run was planned
        return []
    rows = scope.session.execute(
        _PAY,
        {
            "tenant_id": scope.tenant_id,
            "user_ids": user_ids,
            "kind": of,
            "job_id": job_id,
            "currency": scope.tenant.currency,
            "minimum": policy.minimum_payout,
            "approval_above": policy.payout_approval_above,
            "provider": policy.payout_provider.value,
            "needs_destination": abilities.needs_destination,
            "takes_batches": abilities.takes_batches,
            "nudge": rules.NUDGE,
            "queue": sending.QUEUE,
            "actor": plan["actor"],
            "actor_ids": plan.get("actor_ids", []),  # a message of the code before has none
            "now": scope.now,
        },
    ).all()
    scope.outgoing += [
        Message(scope.tenant_id, row.message_id, sending.QUEUE, {"payout_id": str(row.id)})
        for row in rows
        if not (row.is_held or abilities.takes_batches)
    ]
    return list(rows)
