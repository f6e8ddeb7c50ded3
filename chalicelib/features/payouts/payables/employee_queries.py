"""Reads of one employee's money: where it is now, and how it got there."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from chalicelib.backing import clock
from chalicelib.entry.paging import decode_cursor, encode_cursor
from chalicelib.features.balances.queries import find_latest_balance
from chalicelib.features.balances.schemas import SalarySoFar
from chalicelib.features.payouts.models import payouts
from chalicelib.features.payouts.payables import employee_schemas as schemas
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
_ZERO = Decimal(0)


def get_balance(scope: Scope, user_id: UUID) -> schemas.PersonBalance:
    """Return what an employee has earned, is owed, may still earn, is being paid and was paid, by currency."""
    get_user(scope, user_id, "balances.read")
    owed, pending, paid = (
        find_balances(scope, user_id),
        sum_pending(scope, user_id),
        sum_employee_payouts(scope, user_id),
    )

    def sum_currency(currency: str) -> schemas.CurrencyBalance:
        accounts, payments = owed.get(currency, {}), paid.get(currency)
        return schemas.CurrencyBalance(
            currency=currency,
            payable=rounded(accounts.get(LedgerAccount.PAYABLE, _ZERO), currency),
            advances_outstanding=rounded(accounts.get(LedgerAccount.ADVANCES, _ZERO), currency),
            pending_earnings=rounded(pending.get(currency, _ZERO), currency),
            in_flight=rounded(payments.in_flight if payments else _ZERO, currency),
            paid_total=rounded(payments.paid_total if payments else _ZERO, currency),
        )

    first, *others = _sort_currencies(scope, {*owed, *pending, *paid})
    salary = find_latest_balance(scope, user_id)
    return schemas.PersonBalance(
        **dict(sum_currency(first)),
        salary=SalarySoFar.model_validate(salary) if salary else None,
        other_currencies=[sum_currency(currency) for currency in others],
    )


def get_statement(scope: Scope, user_id: UUID, *, query: StatementQuery) -> schemas.EmployeeStatement:
    """Read a page of an employee's ledger lines between two days, with the balances before and after all of them."""
    get_user(scope, user_id, "balances.read")
    first, last = _choose_days(scope, query)
    after = decode_cursor(query.cursor, int) if query.cursor else 0
    statement = find_statement(
        scope,
        user_id,
        since=_start_of_day(scope, first),
        until=_start_of_day(scope, last + timedelta(days=1)),
        after=after,
        limit=MOST_LINES + 1,
    )
    page = statement.lines[:MOST_LINES]
    concerns = _load_concerns(scope, page)
    return schemas.EmployeeStatement(
        user_id=user_id,
        from_=first,
        to=last,
        currencies=[
            _to_currency_statement(
                currency,
                statement.sums.get(currency),
                [line for line in page if line.currency == currency],
                concerns,
            )
            for currency in _sort_currencies(scope, statement.sums)
        ],
        next_cursor=encode_cursor(page[-1].number) if len(statement.lines) > MOST_LINES else None,
    )


def _to_currency_statement(
    currency: str,
    sums: CurrencySums | None,
    lines: Iterable[LedgerStatementLine],
    concerns: Mapping[UUID, schemas.Concern],
) -> schemas.CurrencyStatement:
    """Return the part of a statement in one currency, its amounts rounded."""

    def to_standing(payable: Decimal, advances: Decimal) -> schemas.AccountsStanding:
        return schemas.AccountsStanding(payable=rounded(payable, currency), advances=rounded(advances, currency))

    sums = sums or CurrencySums(_ZERO, _ZERO, _ZERO, _ZERO)
    return schemas.CurrencyStatement(
        currency=currency,
        opening=to_standing(sums.opening_payable, sums.opening_advances),
        closing=to_standing(sums.closing_payable, sums.closing_advances),
        lines=[
            schemas.StatementLine(
                at=line.booked_at,
                event=line.event,
                concerns=concerns.get(line.subject_id) or schemas.Concern(kind="other", id=line.subject_id),
                debit=line.debit,
                credit=line.credit,
                amount=rounded(line.payable, currency),
                advance_amount=rounded(line.advances, currency),
                payable_after=rounded(line.payable_after, currency),
                advances_after=rounded(line.advances_after, currency),
            )
            for line in lines
        ],
    )


def _load_concerns(scope: Scope, lines: Collection[LedgerStatementLine]) -> dict[UUID, schemas.Concern]:
    """Return what the lines are about, by the id of their subject."""
    subject_ids = {line.subject_id for line in lines}
    select_sales = select(sales.c.id, sales.c.brand, sales.c.external_id).where(
        sales.c.tenant_id == scope.tenant_id, sales.c.id.in_(subject_ids)
    )
    select_payouts = select(payouts.c.id, payouts.c.status).where(
        payouts.c.tenant_id == scope.tenant_id, payouts.c.id.in_(subject_ids)
    )
    concerns = {
        # payslips belong to a feature above this one, and the event of their line says what it is about
        line.subject_id: schemas.Concern(kind="payslip", id=line.subject_id)
        for line in lines
        if line.event == LedgerEvent.PAYROLL
    }
    for sale in scope.session.execute(select_sales):
        concerns[sale.id] = schemas.Concern(kind="sale", id=sale.id, brand=sale.brand, external_id=sale.external_id)
    for payout in scope.session.execute(select_payouts):
        concerns[payout.id] = schemas.Concern(kind="payout", id=payout.id, status=payout.status)
    return concerns


def _choose_days(scope: Scope, query: StatementQuery) -> tuple[date, date]:
    """Return the first and the last day of a statement, the current month by default. Raises Invalid."""
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


def _start_of_day(scope: Scope, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(scope.tenant.timezone))


def _sort_currencies(scope: Scope, currencies: Iterable[str]) -> list[str]:
    """Return the currencies with the tenant's own first, which is always there."""
    return [scope.tenant.currency, *sorted({*currencies} - {scope.tenant.currency})]
