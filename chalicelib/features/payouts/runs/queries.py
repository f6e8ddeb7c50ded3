"""Reads of payouts."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select, text

from chalicelib.backing.database import Record, statement
from chalicelib.entry.paging import page_of
from chalicelib.features.payouts.delivery.providers import abilities_of
from chalicelib.features.payouts.models import payout_events, payouts
from chalicelib.features.payouts.runs import participants
from chalicelib.features.payouts.runs.schemas import PayoutQuery
from chalicelib.features.people.destinations.models import payout_destinations
from chalicelib.features.people.destinations.queries import CHANGED_AT
from chalicelib.features.people.users.queries import get_user
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.states import IN_FLIGHT, PayoutStatus
from chalicelib.ledger.models import entries

# Why what is owed to a person cannot be paid now, or null; over aliases o (owed) and d (destination).
BLOCKED_BY = statement(__file__, "blocked_by")


def page_of_payouts(scope: Scope, query: PayoutQuery) -> Record:
    """Read one page of payouts, oldest first."""
    rows = _with_destination().where(
        payouts.c.tenant_id == scope.tenant_id, scope.within("payouts.read", payouts.c.user_id)
    )
    if query.user_id is not None:
        get_user(scope, query.user_id, "payouts.read")
        rows = rows.where(payouts.c.user_id == query.user_id)
    if query.status is not None:
        rows = rows.where(payouts.c.status == query.status)
    if query.provider is not None:
        rows = rows.where(payouts.c.provider == query.provider)
    page = page_of(scope, rows, key=payouts.c.id, query=query)
    return {**page, "items": participants.with_approval(scope, [_nested(row) for row in page["items"]])}


def _with_destination() -> Select[Any]:
    """Select payouts with the bank details that each goes to."""
    table = payout_destinations
    shown = (table.c.kind, table.c.holder, table.c.masked, CHANGED_AT)
    return select(payouts, *(column.label(f"destination_{column.name}") for column in shown)).select_from(
        payouts.outerjoin(table, and_(table.c.tenant_id == payouts.c.tenant_id, table.c.id == payouts.c.destination_id))
    )


def _nested(row: Record) -> Record:
    parts = {name: row[f"destination_{name}"] for name in ("kind", "holder", "masked", "changed_at")}
    return {**row, "destination": parts if parts["kind"] else None}


def get_payout(scope: Scope, payout_id: UUID) -> Record:
    """Read one payout with its lines, attempts, events and ledger."""
    row = (
        scope.session.execute(
            _with_destination().where(
                payouts.c.tenant_id == scope.tenant_id,
                payouts.c.id == payout_id,
                scope.within("payouts.read", payouts.c.user_id),
            )
        )
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound("There is no such payout.")
    events = _events(scope, payout_id)
    [shown] = participants.with_approval(scope, [_nested(dict(row))])
    return {
        **shown,
        "lines": _lines(scope, dict(row)),
        "attempts": _attempts(events),
        "events": events,
        "ledger": _ledger(scope, dict(row)),
    }


def _lines(scope: Scope, payout: Record) -> list[Record]:
    """Read what a payout pays: its payslip, or what was booked since the payout before. It sums to the amount."""
    rows = scope.session.execute(
        text("select * from payout_lines(:tenant_id, :payout_id) order by number"),
        {"tenant_id": scope.tenant_id, "payout_id": payout["id"]},
    ).mappings()
    return [dict(row) for row in rows]


def _ledger(scope: Scope, payout: Record) -> list[Record]:
    rows = scope.session.execute(
        select(entries)
        .where(entries.c.tenant_id == scope.tenant_id, entries.c.subject_id == payout["id"])
        .order_by(entries.c.number)
    ).mappings()
    return [dict(row) for row in rows]


def _events(scope: Scope, payout_id: UUID) -> list[Record]:
    rows = scope.session.execute(
        select(payout_events)
        .where(payout_events.c.tenant_id == scope.tenant_id, payout_events.c.payout_id == payout_id)
        .order_by(payout_events.c.number)
    ).mappings()
    return [dict(row) for row in rows]


def _attempts(events: list[Record]) -> list[Record]:
    """Report of each claim what was done under it and what came of it; null while nobody knows."""
    answers = {event["fence"]: event for event in events if event["what"] == "answered"}
    return [
        {
            "number": event["fence"],
            "what": event["what"],
            "started_at": event["at"],
            "ended_at": answers[event["fence"]]["at"] if event["fence"] in answers else None,
            "outcome": answers[event["fence"]]["status"] if event["fence"] in answers else None,
            "detail": answers[event["fence"]]["detail"] if event["fence"] in answers else None,
        }
        for event in events
        if event["what"] in ("sent", "asked")
    ]


def sum_run(scope: Scope, job_id: UUID) -> dict[str, Any]:
    """Sum up what a run made: payouts, how many of them are held, and the amount in each currency."""
    rows = scope.session.execute(
        select(
            payouts.c.currency,
            func.count().label("payouts"),
            func.count().filter(payouts.c.status == PayoutStatus.HELD).label("held"),
            func.sum(payouts.c.amount).label("amount"),
        )
        .where(payouts.c.tenant_id == scope.tenant_id, payouts.c.job_id == job_id)
        .group_by(payouts.c.currency)
        .order_by(payouts.c.currency)
    ).all()
    return {
        "payouts": sum(row.payouts for row in rows),
        "held": sum(row.held for row in rows),
        "amounts": {row.currency: str(row.amount) for row in rows},
    }


_WAITING = text(
    """
    with earmarked as (
        select user_id, currency, sum(amount - netted) as amount from payable_earmarks
        where tenant_id = :tenant_id and waits group by user_id, currency
    ), owed as (
        -- what a run of payouts finds; what payslips booked waits for the pay of their own run
        select a.owner_id, a.currency, -a.balance - coalesce(e.amount, 0) as amount from ledger_accounts a
        left join earmarked e on e.user_id = a.owner_id and e.currency = a.currency
        where a.tenant_id = :tenant_id and a.kind = 'payable' and a.balance < 0
    )
    select count(*) filter (where currency = :currency and amount < :minimum) as below_minimum,
        count(*) filter (where blocked_by = 'no_bank_account') as without_bank_details,
        count(*) filter (where blocked_by = 'destination_held') as changed_bank_details
    from (
        select o.*, {blocked_by} as blocked_by from owed o
        left join payout_destinations d on d.tenant_id = :tenant_id and d.user_id = o.owner_id
            and d.superseded_at is null
        where o.amount > 0
    ) waiting""".replace("{blocked_by}", BLOCKED_BY)
)


def destination_values(scope: Scope) -> dict[str, Any]:
    """Return the values of blocked_by.sql: what the tenant's policy says of how people are paid."""
    policy = scope.tenant.policy
    return {
        "needs_destination": abilities_of(policy.payout_provider).needs_destination,
        "is_manual_without_account": policy.manual_without_bank_account,
        "now": scope.now,
    }


def count_waiting(scope: Scope) -> dict[str, int]:
    """Count the debts that a run leaves, by why; reasons without any are left out."""
    row = (
        scope.session.execute(
            _WAITING,
            {
                "tenant_id": scope.tenant_id,
                "currency": scope.tenant.currency,
                "minimum": scope.tenant.policy.minimum_payout,
                **destination_values(scope),
            },
        )
        .mappings()
        .one()
    )
    return {why: number for why, number in row.items() if number}


def sum_for(scope: Scope, user_id: UUID) -> dict[str, dict[str, Any]]:
    """Sum a person's payouts by currency: on their way, and arrived."""
    rows = scope.session.execute(
        select(
            payouts.c.currency,
            func.coalesce(func.sum(payouts.c.amount).filter(payouts.c.status.in_(IN_FLIGHT)), 0).label("in_flight"),
            func.coalesce(func.sum(payouts.c.amount).filter(payouts.c.status == PayoutStatus.PAID), 0).label(
                "paid_total"
            ),
        )
        .where(payouts.c.tenant_id == scope.tenant_id, payouts.c.user_id == user_id)
        .group_by(payouts.c.currency)
    ).mappings()
    return {row["currency"]: dict(row) for row in rows}
