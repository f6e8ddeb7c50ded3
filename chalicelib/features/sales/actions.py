"""Writes of sales: made, advanced, decided."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit, four_eyes
from chalicelib.backing.database import Record, statement
from chalicelib.features.people.users.queries import get_user
from chalicelib.features.sales import queries, rules
from chalicelib.features.sales.rules import SaidSale
from chalicelib.features.sales.schemas import NewSale, SaleDecision
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, invalid
from chalicelib.kernel.money import rounded
from chalicelib.ledger import accounts

_ADD = text(statement(__file__, "add"))
_DECIDE = text(statement(__file__, "decide"))


def add_sale(scope: Scope, *, new: NewSale) -> Record:
    """Note a sale as pending; the same sale again, by its external id, is the one that is there."""
    currency = new.currency or scope.tenant.currency
    if (wrong := rules.too_fine(new.earning, currency)) is not None:
        raise invalid("/earning", wrong)
    get_user(scope, new.user_id, "sales.write")
    four_eyes.check_not_own(scope, four_eyes.Subject.SALE, new.user_id)
    earning = rounded(new.earning, currency)
    said = SaidSale(new.user_id, new.brand, new.external_id, earning, currency, new.occurred_at)
    if added := add_sales(scope, [said]):
        sale = queries.get_sale(scope, added[0])
        audit.record(scope, action="sale.added", entity_type="sale", entity_id=sale["id"], after=new.model_dump())
        return sale
    sale = queries.get_sale_by_external_id(scope, str(new.external_id))
    if differ := rules.differences(said, sale):
        raise Conflict(rules.is_other(differ, sale))
    return sale


def add_sales(scope: Scope, sales: Sequence[SaidSale]) -> list[UUID]:
    """Write sales that are not there yet by their external ids, and give the ids of those it wrote.

    Their people and amounts are checked already; one that does not say when it was is of now.
    """
    accounts.open_for(scope, user_ids=[sale.user_id for sale in sales], currencies=[sale.currency for sale in sales])
    values = {name: [getattr(sale, name) for sale in sales] for name in SaidSale.__slots__}
    found = scope.session.execute(
        _ADD,
        {
            **values,
            "tenant_id": scope.tenant_id,
            "actor": scope.actor.name,
            "actor_ids": sorted(scope.actor.hands),
            "now": scope.now,
        },
    )
    return list(found.scalars())


def decide(scope: Scope, *, items: Sequence[SaleDecision]) -> Record:
    """Decide sales in bulk, book what follows, and tell for each item, in order, what became of it.

    The same decision again is `unchanged`; another one on a decided sale is a `conflict`, unless it is a correction.
    """
    sale_ids = [item.sale_id for item in items]
    people = queries.find_people_of(scope, sale_ids)
    accounts.hold(scope, user_ids=people)
    own_ids = four_eyes.own_ids(scope)
    rows = scope.session.execute(
        _DECIDE,
        {
            "tenant_id": scope.tenant_id,
            "sale_ids": sale_ids,
            "statuses": [item.status.value for item in items],
            "reasons": [item.reason for item in items],
            "corrections": [item.correction for item in items],
            "actor": scope.actor.name,
            "actor_ids": sorted(scope.actor.hands),
            "own_ids": own_ids,
            "now": scope.now,
        },
    ).all()
    counts = Counter(row.result for row in rows)
    if counts["ok"]:
        if not own_ids:
            four_eyes.note_own(scope, four_eyes.Subject.SALE, people)
        corrected = [
            {"sale_id": item.sale_id, "from": row.before, "to": item.status, "reason": item.reason}
            for item, row in zip(items, rows, strict=True)
            if row.result == "ok" and row.before
        ]
        audit.record(
            scope,
            action="sales.decided",
            entity_type="sale",
            entity_id=sale_ids[0] if len(items) == 1 else "many",
            after={"results": dict(counts), "corrected": corrected},
        )
    results = [
        {"sale_id": item.sale_id, "result": row.result, "detail": _why(row)}
        for item, row in zip(items, rows, strict=True)
    ]
    return {"items": results, "counts": counts}


def _why(row: Any) -> str | None:
    if row.result == "not_found":
        return "there is no such sale"
    if row.result == "forbidden":
        return four_eyes.refusal(four_eyes.Subject.SALE)
    if row.result != "conflict":
        return None
    if row.is_repeat:
        return "this call names the sale more than once; only the first counts"
    return f"it is {row.before}; to change that, send it again with correction: true and a reason"


ADVANCE = statement(__file__, "advance")


def advance_values(scope: Scope) -> dict[str, Any]:
    """Return the values of the statement `ADVANCE`, but for its `user_ids`."""
    return {
        "tenant_id": scope.tenant_id,
        "rate": scope.tenant.policy.advance_rate,
        "minor_units": queries.MINOR_UNITS_JSON,
        "now": scope.now,
    }
