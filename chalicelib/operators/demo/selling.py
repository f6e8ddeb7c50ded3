"""The demo's marketplace: sales are put in, paid in advance, decided and paid, by the product's own actions.

Each step finds what it did before and leaves it alone, so that a load that was cut off is finished by the next.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from datetime import UTC, datetime
from io import StringIO
from logging import CRITICAL
from typing import Any
from uuid import UUID

from sqlalchemy import text

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
from chalicelib.operators.demo.market import Seller, Sold
from chalicelib.operators.demo.rows import id_of
from chalicelib.operators.demo.rows import write as write_rows

# The story's runs have an hour of their own, long gone, in which no other runs are.
ADVANCES_AT = datetime(2026, 1, 31, 18, 0, tzinfo=UTC)
FINALS_AT = datetime(2026, 1, 31, 19, 0, tzinfo=UTC)


def live(tenant_id: UUID, sellers: tuple[Seller, ...], *, mail: str) -> dict[str, Any]:
    """See to it that everything happened, and tell how much of it there is."""
    first = [sold for sold in market.sales_of(sellers) if sold.seller.is_advanced]
    second = [sold for sold in market.sales_of(sellers) if not sold.seller.is_advanced]
    with scopes.operating(tenant_id, sends=False) as scope:
        scope.advisory_lock("demo load")
        write_rows(
            scope,
            "users",
            [
                {
                    "id": id_of(scope, "user", one.number),
                    "name": one.name,
                    "language": "en",
                    "email": f"{'.'.join(one.name.lower().split())}@sellers.{mail}",
                }
                for one in sellers
            ],
        )
        _give_destinations(scope, sellers)
        _put_in(scope, first)
    _run(tenant_id, PayoutRunKind.ADVANCE, ADVANCES_AT)
    with scopes.operating(tenant_id, sends=False) as scope:
        _put_in(scope, second)
        _decide(scope, [*first, *second])
    _run(tenant_id, PayoutRunKind.FINAL, FINALS_AT)
    with scopes.operating(tenant_id, sends=False) as scope:
        scope.advisory_lock("demo load")
        _happen_later(scope, sellers)
        _put_in(scope, list(market.new_sales_of(sellers)))
    with scopes.operating(tenant_id) as scope:
        return {"sellers": len(sellers), "sales": _count(scope), "payouts": _told(scope, sellers)}


def _give_destinations(scope: Scope, sellers: tuple[Seller, ...]) -> None:
    for seller in sellers:
        if _destinations(scope, seller) == 0:
            _send_to(scope, seller, seller.destination)


def _happen_later(scope: Scope, sellers: tuple[Seller, ...]) -> None:
    for seller in sellers:
        if seller.told == "failed" and _destinations(scope, seller) == 1:
            _send_to(scope, seller, market.CORRECTED_DESTINATION)
        if seller.corrected:
            _correct(scope, seller)
        payout = _payout(scope, seller)
        if seller.told == "returned" and payout is not None and payout.status == PayoutStatus.PAID:
            decision_actions.record_return(scope, payout.id, reason="the account is closed")


def _destinations(scope: Scope, seller: Seller) -> int:
    """Count where a seller's money ever went: what somebody changed since is left as it is."""
    counted: int = scope.session.execute(
        text("select count(*) from payout_destinations where tenant_id = :tenant_id and user_id = :user_id"),
        {"tenant_id": scope.tenant_id, "user_id": id_of(scope, "user", seller.number)},
    ).scalar_one()
    return counted


def _send_to(scope: Scope, seller: Seller, said: dict[str, str]) -> None:
    destination_actions.set_destination(
        scope,
        user_id=id_of(scope, "user", seller.number),
        requested=DestinationInput.model_validate_json(json.dumps(said)),
    )


def _put_in(scope: Scope, sold: list[Sold]) -> None:
    currency = scope.tenant.currency
    said = [
        NewSaleRow(
            id_of(scope, "user", one.seller.number),
            one.brand,
            one.external_id,
            one.earning,
            one.currency or currency,
            market.when(one, scope.now),
        )
        for one in sold
    ]
    sales.add_sales(scope, said)


def _decide(scope: Scope, sold: list[Sold]) -> None:
    ids = _ids(scope)
    reasons = {"declined": "sent back by the customer"}
    items = [
        SaleDecision(sale_id=ids[one.external_id], status=SaleStatus(one.decided), reason=reasons.get(one.decided))  # type: ignore[arg-type]
        for one in sold
        if one.decided
    ]
    sales.decide(scope, items=items)


def _correct(scope: Scope, seller: Seller) -> None:
    sale_id = _ids(scope)[seller.corrected]
    times = scope.session.execute(
        text("select count(*) from sale_decisions where tenant_id = :tenant_id and sale_id = :sale_id"),
        {"tenant_id": scope.tenant_id, "sale_id": sale_id},
    ).scalar_one()
    if times == 1:
        reason = "the parcel came back after all"
        sales.decide(
            scope, items=[SaleDecision(sale_id=sale_id, status=SaleStatus.DECLINED, reason=reason, correction=True)]
        )


def _ids(scope: Scope) -> dict[str, UUID]:
    rows = scope.session.execute(
        text("select external_id, id from sales where tenant_id = :tenant_id and external_id is not null"),
        {"tenant_id": scope.tenant_id},
    )
    return dict(rows.tuples().all())


def _run(tenant_id: UUID, kind: PayoutRunKind, slot: datetime) -> None:
    with scopes.operating(tenant_id, sends=False) as scope:
        payouts.run_slot(scope, kind, slot)
    with _hushed():
        work.do_here(scope.outgoing)


@contextmanager
def _hushed() -> Iterator[None]:
    # that a payout needs a person is logged and counted as it should be, and is no news to whoever loads the story
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


def _told(scope: Scope, sellers: tuple[Seller, ...]) -> dict[str, UUID]:
    """Return the payouts that the story is about, by what became of them."""
    found = {seller.told: _payout(scope, seller) for seller in sellers if seller.told}
    return {told: payout.id for told, payout in found.items() if payout is not None}


def _payout(scope: Scope, seller: Seller) -> Any:
    return scope.session.execute(
        text(
            "select id, status from payouts where tenant_id = :tenant_id and user_id = :user_id and kind = 'final'"
            " order by id limit 1"
        ),
        {"tenant_id": scope.tenant_id, "user_id": id_of(scope, "user", seller.number)},
    ).first()
