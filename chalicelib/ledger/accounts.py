"""Open and lock accounts: what every posting does first."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import statement
from chalicelib.identity.scope import Scope

_OPEN = text(statement(__file__, "open_accounts"))

_LOCK = text("""
    select from ledger_accounts
    where tenant_id = :tenant_id and kind = 'payable' and owner_id = any(:user_ids)
    order by owner_id, currency for update""")

_LOCK_RANGE = text("""
    select owner_id from ledger_accounts
    where tenant_id = :tenant_id and kind = 'payable' and owner_id between :first and :last
    order by owner_id, currency for update""")


def open_for(scope: Scope, *, user_ids: Sequence[UUID], currencies: Sequence[str]) -> None:
    """Open the accounts of each employee, in the currency at the same index of the other list."""
    scope.session.execute(
        _OPEN, {"tenant_id": scope.tenant_id, "user_ids": list(user_ids), "currencies": list(currencies)}
    )


def lock_for(scope: Scope, *, user_ids: Sequence[UUID]) -> None:
    """Lock these employees' accounts: no other transaction moves their money until this one ends."""
    scope.session.execute(_LOCK, {"tenant_id": scope.tenant_id, "user_ids": list(user_ids)})


def lock_range(scope: Scope, *, first: UUID, last: UUID) -> list[UUID]:
    """Lock the accounts of all employees from one id to another, and return the employees that have one.

    Post for these only: an account opened a moment later is not locked, and its money may be moving.
    """
    rows = scope.session.execute(_LOCK_RANGE, {"tenant_id": scope.tenant_id, "first": first, "last": last})
    return list(dict.fromkeys(rows.scalars()))
