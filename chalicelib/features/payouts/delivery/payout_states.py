"""The state machine of payouts, and the one place that changes a payout's state.

Each change is a compare-and-set on the status and the fencing token that the caller saw, with its event, and with the
money that follows from it, in one transaction. The allowed moves are kernel.states.PAYOUT_MOVES.
"""

from dataclasses import fields
from datetime import timedelta
from uuid import UUID

from sqlalchemy import false, func, insert, select, text, update

from chalicelib.backing import rows
from chalicelib.backing.log import count, logger
from chalicelib.features.payouts import events
from chalicelib.features.payouts.models import LockedPayout, PayoutRow, payable_earmarks, payout_events, payouts
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict
from chalicelib.kernel.states import PAYOUT_MOVES, PayoutStatus, check_move
from chalicelib.ledger import accounts
from chalicelib.ledger.models import LedgerEvent, entries
from chalicelib.ledger.postings import posting_of

RELEASES = frozenset({PayoutStatus.FAILED, PayoutStatus.CANCELLED, PayoutStatus.RETURNED})


# Named one by one: a migration that adds a column would fail statements prepared before it that return "*".
COLUMNS = ", ".join(field.name for field in fields(PayoutRow))

# Compare and set: the state and the fencing token that the caller saw. Times are the database's own.
_MOVE = text(f"""
    update payouts set
        status = :to, fence = fence + :claims,
        lease_until = case when cast(:lease as interval) is not null then clock_timestamp() + :lease end,
        look_at = case when cast(:next_attempt_in as interval) is not null
            then clock_timestamp() + :next_attempt_in end,
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
    payout: PayoutRow,
    to: PayoutStatus,
    *,
    what: str,
    claims: bool = False,
    lease: timedelta | None = None,
    next_attempt_in: timedelta | None = None,
    problem: str | None = None,
    provider_reference: str | None = None,
    is_approved: bool = False,
) -> PayoutRow:
    """Move a payout to a state, or claim it in the state it has, and append the event; return it as it is then.

    Money that did not reach the employee is back in payable in the same transaction. Raises Conflict where another
    transaction moved the payout since it was read: the later fencing token knows more.
    """
    since = PayoutStatus(payout.status)
    if since is not to:
        check_move(PAYOUT_MOVES, now=since, to=to, what="payout")
    if to in RELEASES:
        accounts.lock_for(scope, user_ids=[payout.user_id])
    moved = rows.first(
        PayoutRow,
        scope.session.execute(
            _MOVE,
            {
                "tenant_id": scope.tenant_id,
                "id": payout.id,
                "since": since,
                "fence": payout.fence,
                "to": to,
                "claims": int(claims),
                "lease": lease,
                "next_attempt_in": next_attempt_in,
                "problem": problem,
                "provider_reference": provider_reference,
                "approved_by": scope.actor.name if is_approved else None,
                "approved_by_ids": sorted(scope.actor.all_ids),
            },
        ),
    )
    if moved is None:
        raise Conflict("This payout was just moved by somebody else; look again.")
    if to in RELEASES:
        _release(scope, payout)
    if payout.payroll_run_id is not None and (to in RELEASES or to is PayoutStatus.PAID) and since is not to:
        events.notify_payroll(scope, payroll_run_id=payout.payroll_run_id)
    append_event(scope, moved, what=what, detail=problem or provider_reference)
    events.publish_status(scope, moved, since=since)
    if to is PayoutStatus.REVIEW:
        logger.error("a payout needs a person", payout_id=str(payout.id), problem=problem)
        count("PayoutsInReview")
    return moved


def postpone(scope: Scope, payout: PayoutRow, wait: timedelta) -> None:
    """Set the next attempt of a payout that nothing may be done with now."""
    scope.session.execute(
        text("update payouts set look_at = clock_timestamp() + :wait where tenant_id = :tenant_id and id = :id"),
        {"tenant_id": scope.tenant_id, "id": payout.id, "wait": wait},
    )


def append_event(scope: Scope, payout: PayoutRow, *, what: str, detail: str | None = None) -> None:
    """Append an event to a payout's history."""
    scope.session.execute(
        insert(payout_events).values(
            tenant_id=scope.tenant_id,
            payout_id=payout.id,
            what=what,
            status=payout.status,
            fence=payout.fence,
            detail=detail,
            actor=scope.actor.name,
        )
    )


def _release(scope: Scope, payout: PayoutRow) -> None:
    """Post the payout's money back to payable, and let its payslip wait for the run's pay again."""
    posting = posting_of(LedgerEvent.RELEASE)
    scope.session.execute(
        insert(entries).values(
            tenant_id=scope.tenant_id,
            user_id=payout.user_id,
            subject_id=payout.id,
            event=posting.event,
            revision=1,
            line=posting.line,
            debit=posting.debit,
            credit=posting.credit,
            currency=payout.currency,
            amount=payout.amount,
            booked_at=scope.now,
        )
    )
    if payout.payroll_run_id is not None:
        # runs of payouts leave out what a payslip earmarks
        scope.session.execute(
            update(payable_earmarks)
            .where(
                payable_earmarks.c.tenant_id == scope.tenant_id,
                payable_earmarks.c.run_id == payout.payroll_run_id,
                payable_earmarks.c.user_id == payout.user_id,
                payable_earmarks.c.payout_id == payout.id,
            )
            .values(waits=True)
        )


def lock(scope: Scope, payout_id: UUID) -> LockedPayout | None:
    """Read a payout for update: nobody else moves it until the transaction ends."""
    now = text("clock_timestamp()")
    return rows.first(
        LockedPayout,
        scope.session.execute(
            select(
                payouts,
                func.coalesce(payouts.c.lease_until > now, false()).label("is_leased"),
                func.coalesce(payouts.c.look_at <= now, false()).label("is_due"),
            )
            .where(payouts.c.tenant_id == scope.tenant_id, payouts.c.id == payout_id)
            .with_for_update(of=payouts)
        ),
    )
