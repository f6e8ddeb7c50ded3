"""Reads of balances."""

from typing import Any
from uuid import UUID

from sqlalchemy import Label, and_, column, literal_column, select, table

from chalicelib.backing.database import Record
from chalicelib.entry.paging import PageQuery, page_of
from chalicelib.features.balances.models import balances
from chalicelib.identity.scope import Scope

# A balance and the register row it came from are written in one transaction, so the totals are read where they stand.
_REGISTERS = table("pay_registers", column("tenant_id"), column("month"), column("user_id")).alias("r")
_SAME_ROW = and_(*(_REGISTERS.c[name] == balances.c[name] for name in ("tenant_id", "month", "user_id")))
_TOTALS: Label[Any] = literal_column("register_totals(r)").label("totals")


def page_of_balances(scope: Scope, *, month: str, query: PageQuery) -> Record:
    """Read one page of a period's balances, in the order of people's ids."""
    rows = (
        select(balances, balances.c.earned.label("earned_to_date"), _TOTALS)
        .join(_REGISTERS, _SAME_ROW)
        .where(
            balances.c.tenant_id == scope.tenant_id,
            balances.c.month == month,
            scope.within("balances.read", balances.c.user_id),
        )
    )
    return page_of(scope, rows, key=balances.c.user_id, query=query)


def find_latest_balance(scope: Scope, user_id: UUID) -> Record | None:
    """Read what a person has earned in their latest computed period."""
    rows = scope.session.execute(
        select(balances, balances.c.earned.label("earned_to_date"))
        .where(balances.c.tenant_id == scope.tenant_id, balances.c.user_id == user_id)
        .order_by(balances.c.month.desc())
        .limit(1)
    ).mappings()
    return dict(found) if (found := rows.first()) else None
