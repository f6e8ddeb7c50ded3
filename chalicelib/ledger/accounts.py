"""Opening and holding accounts: what everybody does before booking."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from chalicelib.identity.scope import Scope

# A person's two accounts and the tenant's own, in each currency. Most are there already.
_OPEN = text("""
    insert into ledger_accounts (tenant_id, kind, user_id, currency)
    select :tenant_id, k.kind, case when k.is_personal then w.user_id end, w.currency
    from (select distinct * from unnest(cast(:user_ids as uuid[]), cast(:currencies as text[]))) w (user_id, currency)
    cross join (values ('payable', true), ('advances', true), ('sales_cost', false), ('wage_cost', false),
                       ('cash', false), ('taxes_withheld', false), ('deductions_withheld', false),
                       ('pay_carried', false)) k (kind, is_personal)
    where not exists (
        select from ledger_accounts a where a.tenant_id = :tenant_id and a.kind = k.kind and a.currency = w.currency
          and a.owner_id = case when k.is_personal then w.user_id else :tenant_id end)
    group by 1, 2, 3, 4 order by 2, 3, 4
    on conflict do nothing""")

_LOCK = text("""
    select from ledger_accounts
    where tenant_id = :tenant_id and kind = 'payable' and owner_id = any(:user_ids)
    order by owner_id, currency for update""")

_LOCK_RANGE = text("""
    select owner_id from ledger_accounts
    where tenant_id = :tenant_id and kind = 'payable' and owner_id between :first and :last
    order by owner_id, currency for update""")


def open_for(scope: Scope, *, user_ids: Sequence[UUID], currencies: Sequence[str]) -> None:
    """Open the accounts of each person in the currency at the same place of the other list."""
    scope.session.execute(
        _OPEN, {"tenant_id": scope.tenant_id, "user_ids": list(user_ids), "currencies": list(currencies)}
    )


def lock_for(scope: Scope, *, user_ids: Sequence[UUID]) -> None:
    """Keep everybody else from moving these people's money until the transaction ends."""
    scope.session.execute(_LOCK, {"tenant_id": scope.tenant_id, "user_ids": list(user_ids)})


def lock_range(scope: Scope, *, first: UUID, last: UUID) -> list[UUID]:
    """Do the same for everybody with an account from one id to another, and list whom it holds.

    Only they may be booked for: an account opened a moment later is not held, and its person's money may be moving.
    """
    rows = scope.session.execute(_LOCK_RANGE, {"tenant_id": scope.tenant_id, "first": first, "last": last})
    return list(dict.fromkeys(rows.scalars()))
