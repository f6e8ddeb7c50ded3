"""Helpers that post as a feature does, and read the accounts as an auditor does."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert

from chalicelib.backing import clock
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin, Scope
from chalicelib.ledger import accounts
from chalicelib.ledger.models import entries
from tests.support.cast import Cast
from tests.support.people import row, sql


@contextmanager
def at_work(cast: Cast) -> Iterator[Scope]:
    """Open a transaction of the tenant, as a job does."""
    with job_scope(cast.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
        yield scope


def person(cast: Cast, *currencies: str) -> UUID:
    """Make an employee with open accounts, in BDT by default."""
    user_id: UUID = row(cast, "users", {"name": "Mina"})
    opened = currencies or ("BDT",)
    with at_work(cast) as scope:
        accounts.open_for(scope, user_ids=[user_id] * len(opened), currencies=opened)
    return user_id


def line(user_id: UUID, debit: str, credit: str, amount: str | Decimal, **more: Any) -> dict[str, Any]:
    """Return one line; its subject is new by default."""
    return {
        "user_id": user_id,
        "subject_id": uuid4(),
        "event": "test",
        "revision": 1,
        "line": 1,
        "debit": debit,
        "credit": credit,
        "currency": "BDT",
        "amount": Decimal(amount),
        **more,
    }


def book(scope: Scope, *lines: dict[str, Any]) -> None:
    """Lock the employees' accounts and insert the lines in one statement."""
    accounts.lock_for(scope, user_ids=list({one["user_id"] for one in lines}))
    whole = [{"tenant_id": scope.tenant_id, "booked_at": scope.now, **one} for one in lines]
    scope.session.execute(insert(entries).values(whole))


def booked(cast: Cast, *lines: dict[str, Any]) -> None:
    """Post in a transaction of its own."""
    with at_work(cast) as scope:
        book(scope, *lines)


def balances(cast: Cast) -> dict[tuple[str, str, str], Decimal]:
    """Read the balance of every account that is not at zero, by kind, owner and currency."""
    rows = sql(cast, "select kind, owner_id, currency, balance from ledger_accounts where balance <> 0")
    return {(row.kind, str(row.owner_id), row.currency): row.balance for row in rows}


def sums(cast: Cast) -> dict[tuple[str, str, str], Decimal]:
    """Add up what the balances should be from nothing but the lines, slowly."""
    balances_by_account: dict[tuple[str, str, str], Decimal] = {}
    for one in sql(cast, "select * from ledger_entries"):
        for kind, amount in ((one.debit, one.amount), (one.credit, -one.amount)):
            owner = one.user_id if kind in ("payable", "advances") else cast.id
            place = (kind, str(owner), one.currency)
            balances_by_account[place] = balances_by_account.get(place, Decimal(0)) + amount
    return {place: amount for place, amount in balances_by_account.items() if amount}
