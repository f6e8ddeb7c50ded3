"""Writes of sales: added, advanced, decided."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit, four_eyes
from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.features.people.users.queries import get_user
from chalicelib.features.sales import queries, rules
from chalicelib.features.sales.queries import SaleDetails
from chalicelib.features.sales.rules import NewSaleRow
from chalicelib.features.sales.schemas import NewSale, SaleDecision
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, invalid
from chalicelib.kernel.money import rounded
from chalicelib.ledger import accounts

_ADD = text(statement(__file__, "add"))
_DECIDE = text(statement(__file__, "decide"))


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """What became of one item of a reconciliation (sql/decide.sql)."""

    result: str
    before: str | None  # the sale's status, where it was decided already
    is_repeat: bool  # the call named the sale before


@dataclass(frozen=True, slots=True)
class DecisionOutcome:
    """What became of one item, with the explanation that goes out."""

    sale_id: UUID
    result: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class ReconciliationOutcome:
    """What became of each item, and how many had each result."""

    items: list[DecisionOutcome]
    counts: Mapping[str, int]


def add_sale(scope: Scope, *, new: NewSale) -> SaleDetails:
    """Add a sale as pending; the same sale again, by its external id, returns the one that exists."""
    currency = new.currency or scope.tenant.currency
    if (wrong := rules.too_fine(new.earning, currency)) is not None:
        raise invalid("/earning", wrong)
    get_user(scope, new.user_id, "sales.write")
    four_eyes.check_not_own(scope, four_eyes.Subject.SALE, new.user_id)
    earning = rounded(new.earning, currency)
    row = NewSaleRow(new.user_id, new.brand, new.external_id, earning, currency, new.occurred_at)
    if added := add_sales(scope, [row]):
        sale = queries.get_sale(scope, added[0])
        audit.record(scope, action="sale.added", entity_type="sale", entity_id=sale.id, after=new.model_dump())
        return sale
    sale = queries.get_sale_by_external_id(scope, str(new.external_id))
    if differ := rules.differences(row, sale):
        raise Conflict(rules.describe_conflict(differ, sale))
    return sale


def add_sales(scope: Scope, sales: Sequence[NewSaleRow]) -> list[UUID]:
    """Write sales that do not exist yet under their external ids, and return the ids of those written.

    Their sellers and amounts are checked already; one without a moment is of now.
    """
    accounts.open_for(scope, user_ids=[sale.user_id for sale in sales], currencies=[sale.currency for sale in sales])
    values = {name: [getattr(sale, name) for sale in sales] for name in NewSaleRow.__slots__}
    added = scope.session.execute(
        _ADD,
        {
            **values,
            "tenant_id": scope.tenant_id,
            "actor": scope.actor.name,
            "actor_ids": sorted(scope.actor.all_ids),
            "now": scope.now,
        },
    )
    return list(added.scalars())


def decide(scope: Scope, *, items: Sequence[SaleDecision]) -> ReconciliationOutcome:
    """Decide sales in bulk, post what follows to the ledger, and return what became of each item, in order.

    The same decision again is `unchanged`; another one on a decided sale is a `conflict`, unless it is a correction.
    """
    sale_ids = [item.sale_id for item in items]
    seller_ids = queries.list_sellers(scope, sale_ids)
    accounts.lock_for(scope, user_ids=seller_ids)
    own_ids = four_eyes.own_ids(scope)
    values = {
        "tenant_id": scope.tenant_id,
        "sale_ids": sale_ids,
        "statuses": [item.status.value for item in items],
        "reasons": [item.reason for item in items],
        "corrections": [item.correction for item in items],
        "actor": scope.actor.name,
        "actor_ids": sorted(scope.actor.all_ids),
        "own_ids": own_ids,
        "now": scope.now,
    }
    decisions = rows.every(DecisionRow, scope.session.execute(_DECIDE, values))
    counts = Counter(decision.result for decision in decisions)
    if counts["ok"]:
        if not own_ids:
            four_eyes.note_own(scope, four_eyes.Subject.SALE, seller_ids)
        corrected = [
            {"sale_id": item.sale_id, "from": decision.before, "to": item.status, "reason": item.reason}
            for item, decision in zip(items, decisions, strict=True)
            if decision.result == "ok" and decision.before
        ]
        audit.record(
            scope,
            action="sales.decided",
            entity_type="sale",
            entity_id=sale_ids[0] if len(items) == 1 else "many",
            after={"results": dict(counts), "corrected": corrected},
        )
    outcomes = [
        DecisionOutcome(item.sale_id, decision.result, _explain(decision))
        for item, decision in zip(items, decisions, strict=True)
    ]
    return ReconciliationOutcome(outcomes, counts)


def _explain(decision: DecisionRow) -> str | None:
    """Say why an item was not done; None where there is nothing to explain."""
    if decision.result == "not_found":
        return "there is no such sale"
    if decision.result == "forbidden":
        return four_eyes.refusal(four_eyes.Subject.SALE)
    if decision.result != "conflict":
        return None
    if decision.is_repeat:
        return "this call names the sale more than once; only the first counts"
    return f"it is {decision.before}; to change that, send it again with correction: true and a reason"


ADVANCE = statement(__file__, "advance")


def advance_values(scope: Scope) -> dict[str, Any]:
    """Return the parameters of the statement `ADVANCE`, without its `user_ids`."""
    return {
        "tenant_id": scope.tenant_id,
        "rate": scope.tenant.policy.advance_rate,
        "minor_units": queries.MINOR_UNITS_JSON,
        "now": scope.now,
    }
