"""Reads of balances."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Label, and_, literal_column, select

from chalicelib.backing import rows
from chalicelib.entry.paging import PageQuery, RowPage, page_rows
from chalicelib.features.balances.models import balances
from chalicelib.features.pay_register.models import pay_registers
from chalicelib.identity.scope import Scope

# A balance and the register row it came from are written in one transaction, so the totals are read where they stand.
_REGISTERS = pay_registers.alias("r")
_SAME_ROW = and_(*(_REGISTERS.c[name] == balances.c[name] for name in ("tenant_id", "month", "user_id")))
_TOTALS: Label[Any] = literal_column("register_totals(r)").label("totals")


@dataclass(frozen=True, slots=True)
class LatestBalanceRow:
    """What an employee has earned in the latest computed period; the lines are as `BalanceLine`."""

    month: str
    as_of: date
    currency: str
    earned_to_date: Decimal
    lines: list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """What an employee has earned in a period so far, with the totals of the register row it came from."""

    user_id: UUID
    as_of: date
    currency: str
    earned_to_date: Decimal
    totals: Mapping[str, Any]
    lines: list[Mapping[str, Any]]


def page_of_balances(scope: Scope, *, month: str, query: PageQuery) -> RowPage[BalanceRow]:
    """Read one page of a period's balances, in the order of employees' ids."""
    select_balances = (
        select(balances, balances.c.earned.label("earned_to_date"), _TOTALS)
        .join(_REGISTERS, _SAME_ROW)
        .where(
            balances.c.tenant_id == scope.tenant_id,
            balances.c.month == month,
            scope.within("balances.read", balances.c.user_id),
        )
    )
    return page_rows(scope, select_balances, kind=BalanceRow, key=balances.c.user_id, query=query)


def find_latest_balance(scope: Scope, user_id: UUID) -> LatestBalanceRow | None:
    """Return what an employee has earned in the latest computed period, or None."""
    result = scope.session.execute(
        select(balances, balances.c.earned.label("earned_to_date"))
        .where(balances.c.tenant_id == scope.tenant_id, balances.c.user_id == user_id)
        .order_by(balances.c.month.desc())
        .limit(1)
    )
    return rows.first(LatestBalanceRow, result)
