"""Reads of the ledger that are about one person."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chalicelib.backing.database import Record, statement
from chalicelib.identity.scope import Scope
from chalicelib.ledger.models import LedgerAccount, accounts

_STATEMENT = text(statement(__file__, "statement"))


def find_balances(scope: Scope, user_id: UUID) -> dict[str, dict[LedgerAccount, Decimal]]:
    """Return, by currency, what a person is owed (`payable`; negative: they owe) and has had in advance."""
    rows = scope.session.execute(
        select(accounts.c.currency, accounts.c.kind, accounts.c.balance).where(
            accounts.c.tenant_id == scope.tenant_id,
            accounts.c.owner_id == user_id,
            accounts.c.kind.in_((LedgerAccount.PAYABLE, LedgerAccount.ADVANCES)),
        )
    )
    balances: dict[str, dict[LedgerAccount, Decimal]] = {}
    for row in rows:
        # a balance is debits less credits, and payable is owed to the person where it is in credit
        balance = -row.balance if row.kind == LedgerAccount.PAYABLE else row.balance
        balances.setdefault(row.currency, {})[LedgerAccount(row.kind)] = balance
    return balances


def find_statement(
    scope: Scope, user_id: UUID, *, since: datetime, until: datetime, after: int, limit: int
) -> list[Record]:
    """Read a person's lines booked from one moment to before another, in the order of booking.

    A row is a line with its currency's sums (`opening_`, `closing_`), which are of all lines, also of those that lie
    before the number `after` or beyond the limit. A currency without a line among these has one row, whose `number`
    is null.
    """
    values: dict[str, Any] = {
        "tenant_id": scope.tenant_id,
        "user_id": user_id,
        "since": since,
        "until": until,
        "after": after,
        "limit": limit,
    }
    return [dict(row) for row in scope.session.execute(_STATEMENT, values).mappings()]
