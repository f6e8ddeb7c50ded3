"""Reads of what employees are owed: how much, what of it is in flight, and what the rest waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.entry.paging import RowPage, decode_cursor, encode_cursor
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.payables.schemas import Payable, PayableQuery, Payee
from chalicelib.features.payouts.runs import queries as run_queries
from chalicelib.features.people.users.queries import get_user
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.money import rounded

_PAYABLES = statement(__file__, "payables").replace("{blocked_by}", run_queries.BLOCKED_BY)


@dataclass(frozen=True, slots=True)
class PayableRow:
    """An employee who is owed something in one currency; the parts are as schemas.PayablePart."""

    user_id: UUID
    name: str
    employee_no: str | None
    currency: str
    owed: Decimal
    in_flight: Decimal
    parts: Sequence[Mapping[str, Any]]


def page_of_payables(scope: Scope, query: PayableQuery) -> RowPage[Payable]:
    """Read one page of the employees within reach who are owed something, in the order of their ids."""
    if query.user_id is not None:
        get_user(scope, query.user_id, "payouts.read")
    owed_filter, actor = scope.reach("payouts.read", "a.owner_id")
    in_flight_filter, _ = scope.reach("payouts.read", "p.user_id")
    payables = text(_PAYABLES.replace("{owed_filter}", owed_filter).replace("{in_flight_filter}", in_flight_filter))
    after_user_id, after_currency = _decode_cursor(query.cursor)
    rows_read = rows.every(
        PayableRow,
        scope.session.execute(
            payables,
            {
                "tenant_id": scope.tenant_id,
                "user_id": query.user_id,
                "only_currency": query.currency,
                "because": query.because,
                "after_user_id": after_user_id,
                "after_currency": after_currency,
                "limit": query.limit + 1,
                # the reason is known only once it is computed, so that a filter by reason computes all of them
                "most": None if query.because else query.limit + 1,
                "currency": scope.tenant.currency,
                "minimum": scope.tenant.policy.minimum_payout,
                **payment_values(scope),
                **actor,
            },
        ),
    )
    items = rows_read[: query.limit]
    next_cursor = _encode_cursor(items[-1]) if len(rows_read) > query.limit else None
    return RowPage([_to_payable(row) for row in items], next_cursor)


def payment_values(scope: Scope) -> dict[str, Any]:
    """Return the parameters of blocked_by.sql, and whether payouts are enabled."""
    return {**run_queries.destination_values(scope), "is_open": delivery_actions.is_enabled(scope)}


def _to_payable(row: PayableRow) -> Payable:
    """Return a row as callers see it."""
    return Payable.model_validate(
        {
            "user": Payee(id=row.user_id, name=row.name, employee_no=row.employee_no),
            "currency": row.currency,
            "owed": rounded(row.owed, row.currency),
            "in_flight": rounded(row.in_flight, row.currency),
            "parts": row.parts,
        }
    )


def _encode_cursor(row: PayableRow) -> str:
    return encode_cursor(f"{row.user_id}/{row.currency}")


def _decode_cursor(cursor: str | None) -> tuple[UUID | None, str | None]:
    """Return the employee and the currency of the last row of the page before. Raises Invalid."""
    if cursor is None:
        return None, None
    user_id, _, currency = decode_cursor(cursor, str).partition("/")
    try:
        return UUID(user_id), currency
    except ValueError:
        raise invalid("/cursor", "is not a cursor that this list gave out; leave it away to start over") from None
