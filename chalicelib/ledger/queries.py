"""Reads of one employee's ledger: balances and statement."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, text

from chalicelib.backing.database import statement
from chalicelib.backing.rows import from_row
from chalicelib.identity.scope import Scope
from chalicelib.ledger.models import LedgerAccount, accounts

_STATEMENT = text(statement(__file__, "statement"))


def find_balances(scope: Scope, user_id: UUID) -> dict[str, dict[LedgerAccount, Decimal]]:
    """Return by currency what an employee is owed (`payable`; negative: they owe us) and has had in advance."""
    rows = scope.session.execute(
        select(accounts.c.currency, accounts.c.kind, accounts.c.balance).where(
            accounts.c.tenant_id == scope.tenant_id,
            accounts.c.owner_id == user_id,
            accounts.c.kind.in_((LedgerAccount.PAYABLE, LedgerAccount.ADVANCES)),
        )
    )
    balances: dict[str, dict[LedgerAccount, Decimal]] = {}
    for row in rows:
        # a balance is debits less credits, and payable is owed to the employee where it is in credit
        balance = -row.balance if row.kind == LedgerAccount.PAYABLE else row.balance
        balances.setdefault(row.currency, {})[LedgerAccount(row.kind)] = balance
    return balances


@dataclass(frozen=True, slots=True)
class CurrencySums:
    """What an employee's two accounts stood at before and after the time of a statement, as the employee sees it."""

    opening_payable: Decimal
    opening_advances: Decimal
    closing_payable: Decimal
    closing_advances: Decimal


@dataclass(frozen=True, slots=True)
class LedgerStatementLine:
    """A line of an employee's statement: what it adds to each account, and what that came to."""

    number: int
    subject_id: UUID
    event: str
    debit: str
    credit: str
    currency: str
    booked_at: datetime
    payable: Decimal
    advances: Decimal
    payable_after: Decimal
    advances_after: Decimal


@dataclass(frozen=True, slots=True)
class LedgerStatement:
    """One page of an employee's statement; `sums`, by currency, are of all pages together."""

    sums: dict[str, CurrencySums]
    lines: list[LedgerStatementLine]


def find_statement(
    scope: Scope, user_id: UUID, *, since: datetime, until: datetime, after: int, limit: int
) -> LedgerStatement:
    """Return an employee's lines posted from `since` to before `until`, in order, after the line number `after`."""
    values = {
        "tenant_id": scope.tenant_id,
        "user_id": user_id,
        "since": since,
        "until": until,
        "after": after,
        "limit": limit,
    }
    # a row has a line and the sums of its currency; a currency without lines on this page has one row without a line
    rows = scope.session.execute(_STATEMENT, values).all()
    return LedgerStatement(
        sums={row.currency: from_row(CurrencySums, row) for row in rows},
        lines=[from_row(LedgerStatementLine, row) for row in rows if row.number is not None],
    )
