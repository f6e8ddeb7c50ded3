"""Reads of what people are owed: how much, what of it is in flight, and what the rest waits for."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import Record, statement
from chalicelib.entry.paging import decode_cursor, encode_cursor
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.payables.schemas import PayableQuery
from chalicelib.features.payouts.runs import queries as run_queries
from chalicelib.features.people.users.queries import get_user
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.money import rounded

_PAYABLES = statement(__file__, "payables").replace("{blocked_by}", run_queries.BLOCKED_BY)


def page_of_payables(scope: Scope, query: PayableQuery) -> Record:
    """Read one page of the people within reach who are owed something, in the order of their ids."""
    if query.user_id is not None:
        get_user(scope, query.user_id, "payouts.read")
    owed_within, actor = scope.reach("payouts.read", "a.owner_id")
    flying_within, _ = scope.reach("payouts.read", "p.user_id")
    statement_of = text(_PAYABLES.replace("{owed_within}", owed_within).replace("{flying_within}", flying_within))
    after = _after(query.cursor)
    rows = scope.session.execute(
        statement_of,
        {
            "tenant_id": scope.tenant_id,
            "user_id": query.user_id,
            "only_currency": query.currency,
            "because": query.because,
            "after_user_id": after and after[0],
            "after_currency": after and after[1],
            "limit": query.limit + 1,
            # a reason is known only when it is worked out, so everybody's is
            "most": None if query.because else query.limit + 1,
            "currency": scope.tenant.currency,
            "minimum": scope.tenant.policy.minimum_payout,
            **payment_values(scope),
            **actor,
        },
    ).mappings()
    found = [_nested(row) for row in rows]
    items = found[: query.limit]
    return {"items": items, "next_cursor": _cursor(items[-1]) if len(found) > query.limit else None}


def payment_values(scope: Scope) -> dict[str, Any]:
    """Return the values of blocked_by.sql, and whether payouts are made at all."""
    return {**run_queries.destination_values(scope), "is_open": delivery_actions.is_enabled(scope)}


def _nested(row: Any) -> Record:
    user = {"id": row["user_id"], "name": row["name"], "employee_no": row["employee_no"]}
    sums = {name: rounded(row[name], row["currency"]) for name in ("owed", "in_flight")}
    return {**row, **sums, "user": user}


def _cursor(row: Record) -> str:
    return encode_cursor(f"{row['user']['id']}/{row['currency']}")


def _after(text_of: str | None) -> tuple[UUID, str] | None:
    """Return the last row of the page before: its person and currency."""
    if text_of is None:
        return None
    user_id, _, currency = str(decode_cursor(text_of, str)).partition("/")
    try:
        return UUID(user_id), currency
    except ValueError:
        raise invalid("/cursor", "is not a cursor that this list gave out; leave it away to start over") from None
