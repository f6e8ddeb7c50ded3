"""Laws of paying runs beside sales, whatever happens in whichever order.

`WAGEBOOK_EXAMPLES=1000 .venv/bin/pytest tests/features/payroll/test_payment_laws.py` looks longer.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from chalicelib.features.payouts.runs.messages import PayoutRunKind
from chalicelib.features.payroll.approval import posting
from chalicelib.features.payroll.payments import actions as payment_actions
from chalicelib.jobs.progress import JobChunk
from chalicelib.kernel.errors import AlreadyDecided
from chalicelib.kernel.states import IN_FLIGHT
from tests.features.payouts.test_laws import MANY, SMALLEST, WHICH, Office, Wallet
from tests.features.payroll.runs import calculated, payslip
from tests.support.cast import tenant
from tests.support.people import row, sql

pytestmark = pytest.mark.usefixtures("database")
D = Decimal


@dataclass
class PayingOffice(Office):
    """An office that also pays payroll runs, each of some people's nets."""

    runs: dict[UUID, dict[Wallet, Decimal]] = field(default_factory=dict)

    def book(self, coins: int, currency: str, *, both: bool) -> None:
        """Book an approved run of one or two payslips."""
        people = self.people if both else self.people[:1]
        run_id = calculated(self.cast, kind="off_cycle", user_ids=self.people)
        nets = {(one, currency): (coins + n) * SMALLEST[currency] for n, one in enumerate(people)}
        for (user_id, _), net in nets.items():
            payslip(self.cast, run_id, user_id, salary=str(net), currency=currency)
        sql(
            self.cast,
            "update payroll_runs set status = 'approved', approved_at = now(), posted_at = now() where id = :id",
            id=run_id,
        )
        with self.scope() as scope:
            posting.post(scope, run_id=run_id, chunk=JobChunk(0, min(people), max(people), len(people)))
        self.runs[run_id] = nets

    def pay(self, which: int) -> None:
        """Pay a run, if there is one."""
        if not self.runs:
            return
        run_id = list(self.runs)[which % len(self.runs)]
        others = self.of_others(run_id)
        with self.scope() as scope:
            try:
                payment_actions.pay(scope, run_id=run_id)
            except AlreadyDecided:
                event("paid already")
        assert self.of_others(run_id) == others, "it pays this run and nothing else"

    def of_others(self, run_id: UUID) -> list[Any]:
        """Read the payouts that are not of a run."""
        return sql(
            self.cast, "select id, amount from payouts where payroll_run_id is distinct from :id order by id", id=run_id
        )

    def settle_runs(self) -> dict[UUID, str]:
        """Do what the messages of moved payouts do, and read the states."""
        for run_id in self.runs:
            with self.scope() as scope:
                payment_actions.settle(scope, run_id=run_id)
        return {one.id: one.status for one in sql(self.cast, "select id, status from payroll_runs")}


def check(office: PayingOffice) -> None:
    """Check what must hold at every moment."""
    worth: dict[Wallet, Decimal] = defaultdict(Decimal)
    for one in office.sold:
        worth[one.user_id, one.currency] += one.worth
    for nets in office.runs.values():
        for wallet, net in nets.items():
            worth[wallet] += net
    have: dict[Wallet, Decimal] = defaultdict(Decimal)
    for account in sql(office.cast, "select user_id, currency, balance from ledger_accounts where kind = 'payable'"):
        have[account.user_id, account.currency] -= account.balance
    for payout in office.payouts():
        if payout.status == "paid" or payout.status in IN_FLIGHT:
            have[payout.user_id, payout.currency] += payout.amount
    assert have == worth | dict.fromkeys(have.keys() - worth.keys(), D(0))
    # what a payout pays comes to its amount
    assert (
        sql(
            office.cast,
            "select p.id from payouts p where p.amount <> (select coalesce(sum(l.amount), 0)"
            " from payout_lines(p.tenant_id, p.id) l)",
        )
        == []
    )
    # the sum of a run's payouts, of what was netted and of what waits is what it booked
    for found in sql(office.cast, _OF_RUNS):
        assert found.booked == found.netted + found.waits + found.paid, found
    states = office.settle_runs()
    for found in sql(office.cast, _OF_RUNS):
        if states[found.run_id] != "approved":
            assert (states[found.run_id] == "paid") == (found.waits == 0 and found.in_flight == 0)


_OF_RUNS = """
    select k.run_id, sum(k.amount) as booked, sum(k.netted) as netted,
        coalesce(sum(k.amount - k.netted) filter (where k.waits), 0) as waits,
        coalesce(sum(p.paid), 0) as paid, coalesce(sum(p.in_flight), 0) as in_flight
    from payable_earmarks k
    cross join lateral (
        select sum(amount) as paid, count(*) filter (where status <> 'paid') as in_flight from payouts p
        where p.payslip_id = k.payslip_id and p.status not in ('failed', 'cancelled', 'returned')) p
    group by k.run_id"""

STEPS = st.one_of(
    st.tuples(st.just("sell"), st.integers(0, 1), st.integers(1, 20_000), st.sampled_from(["BDT", "JPY"])),
    st.tuples(st.just("run"), st.sampled_from(PayoutRunKind)),
    st.tuples(st.just("decide"), WHICH, st.sampled_from(["approved", "declined"]), st.booleans()),
    st.tuples(st.just("book"), st.integers(1, 3_000), st.sampled_from(["BDT", "BDT", "JPY"]), st.booleans()),
    st.tuples(st.just("pay"), WHICH),
    st.tuples(st.just("answer"), WHICH, st.sampled_from(["paid", "paid", "refused", "unclear", "back"])),
    st.tuples(st.just("judge"), WHICH, st.sampled_from(["return", "paid", "failed"])),
)


@MANY
@given(st.lists(STEPS, min_size=6, max_size=20))
def test_payouts_of_runs_and_payable_are_what_was_booked(steps: list[tuple[Any, ...]]) -> None:
    cast = tenant("Acme")
    office = PayingOffice(cast, [row(cast, "users", {"name": name}) for name in ("Mina", "Rana")])
    for verb, *said in steps:
        if verb in ("decide", "book"):
            last = {"decide": "correct", "book": "both"}[verb]
            getattr(office, verb)(*said[:-1], **{last: said[-1]})
        else:
            getattr(office, verb)(*said)
        check(office)
    # in the end everybody has what they are worth, and each run is paid
    for place in range(len(office.runs)):
        office.pay(place)
    for kind in PayoutRunKind:
        office.run(kind)
        office.settle_all()
    check(office)
    assert {*office.settle_runs().values()} <= {"paid"}
    for account in sql(cast, "select balance from ledger_accounts where kind = 'payable'"):
        assert account.balance >= 0
