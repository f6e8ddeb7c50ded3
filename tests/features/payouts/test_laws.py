"""Laws of payouts, whatever happens in whichever order.

`WAGEBOOK_EXAMPLES=1000 .venv/bin/pytest tests/features/payouts/test_laws.py` looks longer, with another seed each time.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from chalicelib.backing import clock
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.delivery.providers import Answer, CameBack, Paid, PayoutRefused, Unclear
from chalicelib.features.payouts.runs import actions as run_actions
from chalicelib.features.payouts.runs import decision_actions
from chalicelib.features.payouts.runs.messages import PayoutRunKind
from chalicelib.features.payouts.runs.schemas import Resolution
from chalicelib.features.sales import actions as sales
from chalicelib.features.sales.schemas import NewSale, SaleDecision
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin, Scope
from chalicelib.kernel.errors import AlreadyDecided
from chalicelib.kernel.states import IN_FLIGHT, PayoutStatus
from tests.support.cast import Cast, tenant
from tests.support.people import row, sql

EXAMPLES = int(os.environ.get("WAGEBOOK_EXAMPLES", "0"))
pytestmark = pytest.mark.usefixtures("database")
D = Decimal
SMALLEST = {"BDT": D("0.01"), "JPY": D("1"), "KWD": D("0.001")}
Wallet = tuple[UUID, str]


@dataclass
class Sold:
    """A sale as the rules see it."""

    id: UUID
    user_id: UUID
    earning: Decimal
    currency: str
    status: str = "pending"
    advance: Decimal = Decimal("0")
    was_advanced: bool = False

    @property
    def worth(self) -> Decimal:
        """What the employee must have received of it, once everything is paid."""
        return {"pending": self.advance, "approved": self.earning, "declined": D(0)}[self.status]


@dataclass
class Office:
    """A tenant, what was done there, and how to do more of it."""

    cast: Cast
    people: list[UUID]
    sold: list[Sold] = field(default_factory=list)

    @contextmanager
    def scope(self) -> Iterator[Scope]:
        with job_scope(self.cast.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
            yield scope
            for last in scope.at_commit:
                last()

    def sell(self, who: int, coins: int, currency: str) -> None:
        user_id, earning = self.people[who], coins * SMALLEST[currency]
        with self.scope() as scope:
            sale = sales.add_sale(scope, new=NewSale(user_id=user_id, earning=earning, currency=currency))
        self.sold.append(Sold(sale.id, user_id, earning, currency))

    def run(self, kind: PayoutRunKind) -> None:
        with self.scope() as scope:
            run_actions.request_run(scope, kind)
        for one in self.sold if kind is PayoutRunKind.ADVANCE else ():
            if one.status == "pending" and not one.was_advanced:
                # 10 %, rounded down; nothing is no advance, and is looked at again
                one.advance = (one.earning * D("0.10")).quantize(SMALLEST[one.currency], rounding=ROUND_DOWN)
                one.was_advanced = one.advance > 0

    def decide(self, which: int, status: str, *, correct: bool) -> None:
        if not self.sold:
            return
        one = self.sold[which % len(self.sold)]
        reason = "wrong" if correct else None
        with self.scope() as scope:
            outcome = sales.decide(
                scope,
                items=[SaleDecision(sale_id=one.id, status=status, correction=correct, reason=reason)],  # type: ignore[arg-type]
            )
        before = one.status
        if before == "pending" or correct:
            one.status = status
        expected = "unchanged" if before == status else "ok" if one.status == status else "conflict"
        assert outcome.items[0].result == expected

    def answer(self, which: int, answer: str) -> None:
        """Let the provider answer about a payout, if there is any to ask about."""
        payouts = self.payouts()
        if not payouts:
            return
        payout = payouts[which % len(payouts)]
        said: dict[str, Answer] = {
            "paid": Paid("theirs", payout.amount, payout.currency),
            "other": Paid("theirs", payout.amount + 1, payout.currency),
            "refused": PayoutRefused("no"),
            "unclear": Unclear("no answer"),
            "back": CameBack("account closed"),
        }
        with self.scope() as scope:
            side_effect = delivery_actions.take_next_step(scope, payout.id)
        while side_effect is not None:
            with self.scope() as scope:
                side_effect = side_effect.settle(scope, said[answer])

    def judge(self, which: int, verb: str) -> None:
        """Let a person return or resolve a payout, if its state allows it."""
        payouts = self.payouts()
        if not payouts:
            return
        payout = payouts[which % len(payouts)]
        with self.scope() as scope:
            try:
                if verb == "return":
                    decision_actions.record_return(scope, payout.id, reason="came back")
                else:
                    outcome = PayoutStatus(verb)
                    resolution = Resolution(outcome=outcome, reason="asked them")  # type: ignore[arg-type]
                    decision_actions.resolve(scope, payout.id, resolution=resolution)
            except AlreadyDecided:
                event(f"{verb} refused")
            else:
                event(f"{verb} done")

    def payouts(self) -> list[Any]:
        return sql(
            self.cast,
            "select id, user_id, amount, currency, status, after_number, through_number from payouts order by id",
        )

    def settle_all(self) -> None:
        """Let every open payout be paid."""
        for place, payout in enumerate(self.payouts()):
            if payout.status == "review":
                self.judge(place, "paid")
            elif payout.status in IN_FLIGHT:
                self.answer(place, "paid")

    def state(self) -> tuple[Any, ...]:
        """Return all that there is to be changed."""
        return (
            sql(self.cast, "select id, status, amount, fence from payouts order by id"),
            sql(self.cast, "select number, amount from ledger_entries order by number"),
            sql(self.cast, "select kind, owner_id, currency, balance from ledger_accounts order by 1, 2, 3"),
            sql(self.cast, "select * from sale_decisions order by sale_id, revision"),
        )


def check(office: Office) -> None:
    """Check what must hold at every moment."""
    worth: dict[Wallet, Decimal] = defaultdict(Decimal)
    for one in office.sold:
        worth[one.user_id, one.currency] += one.worth
    have: dict[Wallet, Decimal] = defaultdict(Decimal)
    for account in sql(office.cast, "select user_id, currency, balance from ledger_accounts where kind = 'payable'"):
        have[account.user_id, account.currency] -= account.balance
    for payout in office.payouts():
        assert payout.amount > 0
        if payout.status == "paid" or payout.status in IN_FLIGHT:
            have[payout.user_id, payout.currency] += payout.amount
    assert have == worth | dict.fromkeys(have.keys() - worth.keys(), D(0))
    assert sql(office.cast, "select currency from ledger_accounts group by 1 having sum(balance) <> 0") == []
    lines = sql(
        office.cast,
        """
        select p.id from payouts p left join ledger_entries e
            on e.user_id = p.user_id and e.currency = p.currency and 'payable' in (e.debit, e.credit)
            and e.number > p.after_number and e.number <= p.through_number
        group by p.id, p.amount
        having p.amount <> coalesce(sum(case e.credit when 'payable' then e.amount else -e.amount end), 0)""",
    )
    assert lines == []


WHICH = st.integers(0, 30)
STEPS = st.one_of(
    st.tuples(st.just("sell"), st.integers(0, 1), st.integers(1, 20_000), st.sampled_from(list(SMALLEST))),
    st.tuples(st.just("sell"), st.just(0), st.integers(1, 2_000), st.just("BDT")),
    st.tuples(st.just("run"), st.sampled_from(PayoutRunKind)),
    st.tuples(st.just("decide"), WHICH, st.sampled_from(["approved", "declined"]), st.booleans()),
    st.tuples(st.just("answer"), WHICH, st.sampled_from(["paid", "paid", "refused", "unclear", "back", "other"])),
    st.tuples(st.just("judge"), WHICH, st.sampled_from(["return", "paid", "failed"])),
)
MANY = settings(
    max_examples=EXAMPLES or 60,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@MANY
@given(st.lists(STEPS, min_size=6, max_size=25))
def test_nobody_has_more_or_less_than_their_sales_are_worth_and_twice_is_once(steps: list[tuple[Any, ...]]) -> None:
    cast = tenant("Acme")
    office = Office(cast, [row(cast, "users", {"name": name}) for name in ("Mina", "Rana")])
    for verb, *arguments in steps:
        if verb == "decide":
            office.decide(arguments[0], arguments[1], correct=arguments[2])
        else:
            getattr(office, verb)(*arguments)
        check(office)
    # in the end everybody has what they are worth, or owes what they had too much
    for kind in PayoutRunKind:
        office.run(kind)
        office.settle_all()
    check(office)
    for account in sql(cast, "select balance from ledger_accounts where kind = 'payable'"):
        assert account.balance >= 0
    state = office.state()
    for kind in PayoutRunKind:
        office.run(kind)
        office.settle_all()
    for one in office.sold:
        if one.status != "pending":
            office.decide(office.sold.index(one), one.status, correct=True)
    assert office.state() == state
