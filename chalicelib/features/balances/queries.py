"""Reads of balances."""

from uuid import UUID

from sqlalchemy import select

from chalicelib.backing.database import Record
from chalicelib.entry.paging import PageQuery, page_of
from chalicelib.features.balances.models import balances
from chalicelib.features.people.queries import get_user
from chalicelib.identity.scope import Scope


def page_of_balances(scope: Scope, *, month: str, query: PageQuery) -> Record:
    """This will read one page of a period's balances, in the order of people's ids."""
    rows = select(balances, balances.c.earned.label("earned_to_date")).where(
        balances.c.tenant_id == scope.tenant_id,
        balances.c.month == month,
        scope.within("balances.read", balances.c.user_id),
    )
    return page_of(scope, rows, key=balances.c.user_id, query=query)


def get_user_balance(scope: Scope, user_id: UUID) -> Record:
    """This will read a person's latest computed period."""
    get_user(scope, user_id, "balances.read")
    row = scope.session.execute(
        select(balances, balances.c.earned.label("earned_to_date"))
        .where(balances.c.tenant_id == scope.tenant_id, balances.c.user_id == user_id)
        .order_by(balances.c.month.desc())
        .limit(1)
    ).mappings()
    found = row.first()
    return {"currency": found["currency"] if found else scope.tenant.currency, "salary": found}
