"""Reads of one person's money: where it is now, and how it came there."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from chalicelib.backing import clock
from chalicelib.backing.database import Record
from chalicelib.entry.paging import decode_cursor, encode_cursor
from chalicelib.features.balances.queries import find_latest_balance
from chalicelib.features.payouts.models import payouts
from chalicelib.features.payouts.payables.employee_schemas import StatementQuery
from chalicelib.features.payouts.runs.queries import sum_employee_payouts
from chalicelib.features.people.users.queries import get_user
from chalicelib.features.sales.models import sales
from chalicelib.features.sales.queries import sum_pending
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.money import rounded
from chalicelib.ledger.models import LedgerAccount, LedgerEvent
from chalicelib.ledger.queries import CurrencySums, LedgerStatementLine, find_balances, find_statement

MOST_DAYS = 366
MOST_LINES = 1000


def get_balance(scope: Scope, user_id: UUID) -> Record:
    """Return what a person has earned, is owed, may still earn, is being paid and was paid, by currency."""
    get_user(scope, user_id, "balances.read")
    owed, pending, paid = (
        find_balances(scope, user_id),
        sum_pending(scope, user_id),
        sum_employee_payouts(scope, user_id),
    )

    def sums(currency: str) -> Record:
        accounts, payouts_made = owed.get(currency, {}), paid.get(currency)
        found = {
            "payable": accounts.get(LedgerAccount.PAYABLE, Decimal(0)),
            "advances_outstanding": accounts.get(LedgerAccount.ADVANCES, Decimal(0)),
            "pending_earnings": pending.get(currency, Decimal(0)),
            "in_flight": payouts_made.in_flight if payouts_made else Decimal(0),
            "paid_total": payouts_made.paid_total if payouts_made else Decimal(0),
        }
        return {"currency": currency, **{name: rounded(amount, currency) for name, amount in found.items()}}

    first, *others = _own_first(scope, {*owed, *pending, *paid})
    return {
        **sums(first),
        "salary": find_latest_balance(scope, user_id),
        "other_currencies": [sums(currency) for currency in others],
    }


def get_statement(scope: Scope, user_id: UUID, *, query: StatementQuery) -> Record:
    """Read a page of a person's lines between two days, with what stood before and after all of them."""
    get_user(scope, user_id, "balances.read")
    first, last = _days(scope, query)
    after = decode_cursor(query.cursor, int) if query.cursor else 0
    statement = find_statement(
        scope,
        user_id,
        since=_begin(scope, first),
        until=_begin(scope, last + timedelta(days=1)),
        after=after,
        limit=MOST_LINES + 1,
    )
    page = statement.lines[:MOST_LINES]
    concerns = _concerns(scope, page)
    return {
        "user_id": user_id,
        "from_": first,
        "to": last,
        "currencies": [
            _part(currency, statement.sums.get(currency), [row for row in page if row.currency == currency], concerns)
            for currency in _own_first(scope, statement.sums)
        ],
        "next_cursor": encode_cursor(page[-1].number) if len(statement.lines) > MOST_LINES else None,
    }


def _part(
    currency: str, sums: CurrencySums | None, lines: Iterable[LedgerStatementLine], concerns: dict[UUID, Record]
) -> Record:
    def money(amount: Decimal) -> Decimal:
        return rounded(amount, currency)

    def standing(payable: Decimal, advances: Decimal) -> Record:
        return {"payable": money(payable), "advances": money(advances)}

    sums = sums or CurrencySums(Decimal(0), Decimal(0), Decimal(0), Decimal(0))
    return {
        "currency": currency,
        "opening": standing(sums.opening_payable, sums.opening_advances),
        "closing": standing(sums.closing_payable, sums.closing_advances),
        "lines": [
            {
                "at": row.booked_at,
                "event": row.event,
                "concerns": concerns.get(row.subject_id, {"kind": "other", "id": row.subject_id}),
                "debit": row.debit,
                "credit": row.credit,
                "amount": money(row.payable),
                "advance_amount": money(row.advances),
                "payable_after": money(row.payable_after),
                "advances_after": money(row.advances_after),
            }
            for row in lines
        ],
    }


def _concerns(scope: Scope, lines: Collection[LedgerStatementLine]) -> dict[UUID, Record]:
    subject_ids = {line.subject_id for line in lines}
    of_sales = select(sales.c.id, sales.c.brand, sales.c.external_id).where(
        sales.c.tenant_id == scope.tenant_id, sales.c.id.in_(subject_ids)
    )
    of_payouts = select(payouts.c.id, payouts.c.status).where(
        payouts.c.tenant_id == scope.tenant_id, payouts.c.id.in_(subject_ids)
    )
    found: dict[UUID, Record] = {
        # payslips are a feature's above this one, and their line says what it is about
        line.subject_id: {"kind": "payslip", "id": line.subject_id}
        for line in lines
        if line.event == LedgerEvent.PAYROLL
    }
    for kind, rows in (("sale", of_sales), ("payout", of_payouts)):
        found |= {row["id"]: {**row, "kind": kind} for row in scope.session.execute(rows).mappings()}
    return found


def _days(scope: Scope, query: StatementQuery) -> tuple[date, date]:
    today = clock.local_day(scope.now, scope.tenant.timezone)
    last = query.to or _end_of_month(today)
    first = query.from_ or last.replace(day=1)
    if last < first:
        raise invalid("/to", f"is {last}, which is before from ({first})")
    if (last - first).days >= MOST_DAYS:
        raise invalid("/from", f"{first} to {last} is more than {MOST_DAYS} days; ask for less at once")
    return first, last


def _end_of_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _begin(scope: Scope, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(scope.tenant.timezone))


def _own_first(scope: Scope, currencies: Iterable[str]) -> list[Any]:
    return [scope.tenant.currency, *sorted({*currencies} - {scope.tenant.currency})]
