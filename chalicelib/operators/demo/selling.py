"""The demo's marketplace, by the product's own actions: sales are added, advanced, decided and paid.

Each step is idempotent, so that an interrupted load is completed by the next.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from logging import CRITICAL
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import rows
from chalicelib.backing.log import logger
from chalicelib.features.payouts.runs import actions as payouts
from chalicelib.features.payouts.runs import decision_actions
from chalicelib.features.payouts.runs.messages import PayoutRunKind
from chalicelib.features.people.destinations import actions as destination_actions
from chalicelib.features.people.destinations.schemas import DestinationInput
from chalicelib.features.sales import actions as sales
from chalicelib.features.sales.rules import NewSaleRow
from chalicelib.features.sales.schemas import SaleDecision
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import PayoutStatus, SaleStatus
from chalicelib.operators import scopes, work
from chalicelib.operators.demo import market
from chalicelib.operators.demo.market import DemoSale, Seller
from chalicelib.operators.demo.rows import id_of
from chalicelib.operators.demo.rows import write as write_rows

# The story's payout runs have slots of their own in the past, in which there are no other runs.
ADVANCES_AT = datetime(2026, 1, 31, 18, 0, tzinfo=UTC)
FINALS_AT = datetime(2026, 1, 31, 19, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DemoPayout:
    """A payout of the story."""

    id: UUID
    status: str


def load_marketplace(tenant_id: UUID, sellers: tuple[Seller, ...], *, mail: str) -> dict[str, Any]:
    """Load what is missing of the marketplace, and return its summary."""
    advanced = [sale for sale in market.draw_sales(sellers) if sale.seller.is_advanced]
    others = [sale for sale in market.draw_sales(sellers) if not sale.seller.is_advanced]
    with scopes.operating(tenant_id, sends=False) as scope:
        scope.advisory_lock("demo load")
        write_rows(
            scope,
            "users",
            [
                {
                    "id": id_of(scope, "user", seller.number),
                    "name": seller.name,
                    "language": "en",
                    "email": f"{'.'.join(seller.name.lower().split())}@sellers.{mail}",
                }
                for seller in sellers
            ],
        )
        _set_first_destinations(scope, sellers)
        _add_sales(scope, advanced)
    _run_payouts(tenant_id, PayoutRunKind.ADVANCE, ADVANCES_AT)
    with scopes.operating(tenant_id, sends=False) as scope:
        _add_sales(scope, others)
        _decide(scope, [*advanced, *others])
    _run_payouts(tenant_id, PayoutRunKind.FINAL, FINALS_AT)
    with scopes.operating(tenant_id, sends=False) as scope:
        scope.advisory_lock("demo load")
        _apply_later_events(scope, sellers)
        _add_sales(scope, list(market.draw_new_sales(sellers)))
    with scopes.operating(tenant_id) as scope:
        return {"sellers": len(sellers), "sales": _count(scope), "payouts": _find_payouts(scope, sellers)}


def _set_first_destinations(scope: Scope, sellers: tuple[Seller, ...]) -> None:
    for seller in sellers:
        if _count_destinations(scope, seller) == 0:
            _set_destination(scope, seller, seller.destination)


def _apply_later_events(scope: Scope, sellers: tuple[Seller, ...]) -> None:
    for seller in sellers:
        if seller.outcome == "failed" and _count_destinations(scope, seller) == 1:
            _set_destination(scope, seller, market.CORRECTED_DESTINATION)
        if seller.corrected:
            _correct(scope, seller)
        payout = _find_payout(scope, seller)
        if seller.outcome == "returned" and payout is not None and payout.status == PayoutStatus.PAID:
            decision_actions.record_return(scope, payout.id, reason="the account is closed")


def _count_destinations(scope: Scope, seller: Seller) -> int:
    """Return how many payout destinations a seller ever had: later changes by users are left alone."""
    counted: int = scope.session.execute(
        text("select count(*) from payout_destinations where tenant_id = :tenant_id and user_id = :user_id"),
        {"tenant_id": scope.tenant_id, "user_id": id_of(scope, "user", seller.number)},
    ).scalar_one()
    return counted


def _set_destination(scope: Scope, seller: Seller, destination: dict[str, str]) -> None:
    destination_actions.set_destination(
        scope,
        user_id=id_of(scope, "user", seller.number),
        requested=DestinationInput.model_validate_json(json.dumps(destination)),
    )


def _add_sales(scope: Scope, demo_sales: list[DemoSale]) -> None:
    currency = scope.tenant.currency
    sale_rows = [
        NewSaleRow(
            id_of(scope, "user", sale.seller.number),
            sale.brand,
            sale.external_id,
            sale.earning,
            sale.currency or currency,
            market.occurred_at(sale, scope.now),
        )
        for sale in demo_sales
    ]
    sales.add_sales(scope, sale_rows)


def _decide(scope: Scope, demo_sales: list[DemoSale]) -> None:
    ids = _load_sale_ids(scope)
    reasons = {"declined": "sent back by the customer"}
    items = [
        SaleDecision(sale_id=ids[sale.external_id], status=SaleStatus(sale.decided), reason=reasons.get(sale.decided))  # type: ignore[arg-type]
        for sale in demo_sales
        if sale.decided
    ]
    sales.decide(scope, items=items)


def _correct(scope: Scope, seller: Seller) -> None:
    sale_id = _load_sale_ids(scope)[seller.corrected]
    times = scope.session.execute(
        text("select count(*) from sale_decisions where tenant_id = :tenant_id and sale_id = :sale_id"),
        {"tenant_id": scope.tenant_id, "sale_id": sale_id},
    ).scalar_one()
    if times == 1:
        reason = "the parcel came back after all"
        sales.decide(
            scope, items=[SaleDecision(sale_id=sale_id, status=SaleStatus.DECLINED, reason=reason, correction=True)]
        )


def _load_sale_ids(scope: Scope) -> dict[str, UUID]:
    rows = scope.session.execute(
        text("select external_id, id from sales where tenant_id = :tenant_id and external_id is not null"),
        {"tenant_id": scope.tenant_id},
    )
    return dict(rows.tuples().all())


def _run_payouts(tenant_id: UUID, kind: PayoutRunKind, slot: datetime) -> None:
    with scopes.operating(tenant_id, sends=False) as scope:
        payouts.run_slot(scope, kind, slot)
    with _logs_silenced():
        work.process_here(scope.outgoing)


@contextmanager
def _logs_silenced() -> Iterator[None]:
    # the story has payouts that need a person: their warnings would mislead who loads the demo
    level = logger.log_level
    logger.setLevel(CRITICAL)
    try:
        with redirect_stderr(StringIO()):
            yield
    finally:
        logger.setLevel(level)


def _count(scope: Scope) -> int:
    counted: int = scope.session.execute(
        text("select count(*) from sales where tenant_id = :tenant_id"), {"tenant_id": scope.tenant_id}
    ).scalar_one()
    return counted


def _find_payouts(scope: Scope, sellers: tuple[Seller, ...]) -> dict[str, UUID]:
    """Return the ids of the story's payouts by outcome."""
    payouts_by_outcome = {seller.outcome: _find_payout(scope, seller) for seller in sellers if seller.outcome}
    return {outcome: payout.id for outcome, payout in payouts_by_outcome.items() if payout is not None}


def _find_payout(scope: Scope, seller: Seller) -> DemoPayout | None:
    """Return a seller's first final payout, or None."""
    result = scope.session.execute(
        text(
            "select id, status from payouts where tenant_id = :tenant_id and user_id = :user_id and kind = 'final'"
            " order by id limit 1"
        ),
        {"tenant_id": scope.tenant_id, "user_id": id_of(scope, "user", seller.number)},
    )
    return rows.first(DemoPayout, result)
