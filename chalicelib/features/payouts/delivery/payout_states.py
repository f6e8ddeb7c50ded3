"""The one place that changes a payout's state: compare and set, its event, and the money that follows."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import false, func, insert, select, text, update

from chalicelib.backing.database import Record
from chalicelib.backing.log import count, logger
from chalicelib.features.payouts import events
from chalicelib.features.payouts.models import payable_earmarks, payout_events, payouts
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict
from chalicelib.kernel.states import PAYOUT_MOVES, PayoutStatus, check_move
from chalicelib.ledger import accounts
from chalicelib.ledger.models import LedgerEvent, entries
from chalicelib.ledger.postings import posting_of

GIVES_BACK = frozenset({PayoutStatus.FAILED, PayoutStatus.CANCELLED, PayoutStatus.RETURNED})

# Named, because a migration that adds a column would fail statements prepared before it that give whatever there is.
COLUMNS = ", ".join(column.name for column in payouts.c)

# Compare and set: the state and the fence that the caller saw. Times are the database's own.
_MOVE = text(f"""
    update payouts set
        status = :to, fence = fence + :claims,
        lease_until = case when cast(:lease as interval) is not null then clock_timestamp() + :lease end,
        look_at = case when cast(:look_in as interval) is not null then clock_timestamp() + :look_in end,
        looks = case when :to = 'unknown' then looks + 1 - :claims when :to = 'sending' then looks else 0 end,
        first_sent_at = case when :to = 'sending' then coalesce(first_sent_at, clock_timestamp())
            when :to = 'queued' then null else first_sent_at end,
        unknown_since = case when :to in ('unknown', 'sending', 'review')
            then coalesce(unknown_since, case when :to = 'unknown' then clock_timestamp() end) end,
        problem = :problem,
        provider_reference = coalesce(:provider_reference, provider_reference),
        approved_by = coalesce(:approved_by, approved_by),
        approved_by_ids = case when cast(:approved_by as text) is null then approved_by_ids
            else cast(:approved_by_ids as uuid[]) end,
        settled_at = case when :to = status then settled_at
            when :to in ('paid', 'failed', 'returned', 'cancelled') then clock_timestamp() end
    where tenant_id = :tenant_id and id = :id and status = :since and fence = :fence
    returning {COLUMNS}""")


def move(
    scope: Scope,
    payout: Record,
    to: PayoutStatus,
    *,
    what: str,
    claims: bool = False,
    lease: timedelta | None = None,
    look_in: timedelta | None = None,
    problem: str | None = None,
    provider_reference: str | None = None,
    is_approved: bool = False,
) -> Record:
    """Move a payout, or only claim it where it stays what it is, and note the event.

    Money that did not reach the person is back in payable in the same transaction. A payout that somebody else moved
    since it was read is refused with Conflict: whoever holds the later fence knows more.
    """
    since = PayoutStatus(payout["status"])
    if since is not to:
        check_move(PAYOUT_MOVES, now=since, to=to, what="payout")
    if to in GIVES_BACK:
        accounts.lock_for(scope, user_ids=[payout["user_id"]])
    moved = (
        scope.session.execute(
            _MOVE,
            {
                "tenant_id": scope.tenant_id,
                "id": payout["id"],
                "since": since,
                "fence": payout["fence"],
                "to": to,
                "claims": int(claims),
                "lease": lease,
                "look_in": look_in,
                "problem": problem,
                "provider_reference": provider_reference,
                "approved_by": scope.actor.name if is_approved else None,
                "approved_by_ids": sorted(scope.actor.all_ids),
            },
        )
        .mappings()
        .first()
    )
    if moved is None:
        raise Conflict("This payout was just moved by somebody else; look again.")
    if to in GIVES_BACK:
        _give_back(scope, payout)
    if payout["payroll_run_id"] is not None and (to in GIVES_BACK or to is PayoutStatus.PAID) and since is not to:
        events.payroll_moved(scope, payroll_run_id=payout["payroll_run_id"])
    note(scope, dict(moved), what=what, detail=problem or provider_reference)
    events.moved(scope, dict(moved), since=since)
    if to is PayoutStatus.REVIEW:
        logger.error("a payout needs a person", payout_id=str(payout["id"]), problem=problem)
        count("PayoutsInReview")
    return dict(moved)


def postpone(scope: Scope, payout: Record, wait: timedelta) -> None:
    """Look at a payout again later, as nothing may be done with it now."""
    scope.session.execute(
        text("update payouts set look_at = clock_timestamp() + :wait where tenant_id = :tenant_id and id = :id"),
        {"tenant_id": scope.tenant_id, "id": payout["id"], "wait": wait},
    )


def note(scope: Scope, payout: Record, *, what: str, detail: str | None = None) -> None:
    """Append an event to a payout's history."""
    scope.session.execute(
        insert(payout_events).values(
            tenant_id=scope.tenant_id,
            payout_id=payout["id"],
            what=what,
            status=payout["status"],
            fence=payout["fence"],
            detail=detail,
            actor=scope.actor.name,
        )
    )


def _give_back(scope: Scope, payout: Record) -> None:
    posting = posting_of(LedgerEvent.RELEASE)
    scope.session.execute(
        insert(entries).values(
            tenant_id=scope.tenant_id,
            user_id=payout["user_id"],
            subject_id=payout["id"],
            event=posting.event,
            revision=1,
            line=posting.line,
            debit=posting.debit,
            credit=posting.credit,
            currency=payout["currency"],
            amount=payout["amount"],
            booked_at=scope.now,
        )
    )
    if payout["payroll_run_id"] is not None:
        # its payslip waits for the run's pay again, and runs of payouts leave it out
        scope.session.execute(
            update(payable_earmarks)
            .where(
                payable_earmarks.c.tenant_id == scope.tenant_id,
                payable_earmarks.c.run_id == payout["payroll_run_id"],
                payable_earmarks.c.user_id == payout["user_id"],
                payable_earmarks.c.payout_id == payout["id"],
            )
            .values(waits=True)
        )


def lock(scope: Scope, payout_id: UUID) -> Record | None:
    """Read a payout and keep others from moving it until the transaction ends.

    By the database's clock, `lease_left` is what is left of its lease, null where it has none, and `is_due` whether
    the time to look at it again has come.
    """
    lease_left = (payouts.c.lease_until - text("clock_timestamp()")).label("lease_left")
    is_due = func.coalesce(payouts.c.look_at <= text("clock_timestamp()"), false()).label("is_due")
    row: Any = scope.session.execute(
        select(payouts, lease_left, is_due)
        .where(payouts.c.tenant_id == scope.tenant_id, payouts.c.id == payout_id)
        .with_for_update(of=payouts)
    ).mappings()
    return dict(found) if (found := row.first()) else None
