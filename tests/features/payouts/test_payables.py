"""Who is owed, what of it is in flight, and what the rest waits for."""

from decimal import Decimal
from typing import Any

import pytest

from chalicelib.identity.permissions import Role
from tests.features.payroll.runs import approve, calculated, components, payslip
from tests.support.cast import Cast, key
from tests.support.payouts import decide, earned, once, policy, run, sale, start, whole
from tests.support.people import employee, sql
from tests.support.stack import Stack

pytestmark = pytest.mark.usefixtures("running")
D = Decimal


def listed(cast: Cast, query: str = "") -> dict[str, Any]:
    """Read what everybody is owed, by name and currency: owed, in flight, and the parts."""
    items = cast.admin.ok("GET", f"/payables{query}")["items"]
    for one in items:  # the law of the list
        assert sum(D(part["amount"]) for part in one["parts"]) == D(one["owed"]) + D(one["in_flight"])
    return {
        f"{one['user']['name']} {one['currency']}": (
            one["owed"],
            one["in_flight"],
            [(part["because"], part["amount"]) for part in one["parts"]],
        )
        for one in items
    }


def person(cast: Cast, name: str, number: int, **to: str) -> str:
    """Make an employee, with a destination where one is given."""
    user_id = employee(cast, name=name, employee_no=f"E-{number}")
    if to:
        cast.admin.ok("PUT", f"/users/{user_id}/payout-destination", to)
    return str(user_id)


class TestList:
    def test_says_why_each_part_is_not_paid(self, acme: Cast, running: Stack) -> None:
        components(acme)
        policy(acme, payout_provider="bank_file", minimum_payout="10.00", payout_approval_above="1000.00")
        iban = {"kind": "iban", "holder": "X", "iban": "DE89370400440532013000"}
        ann, cat, eve = (person(acme, name, n, **iban) for n, name in ((1, "Ann"), (3, "Cat"), (5, "Eve")))
        bob, dan = person(acme, "Bob", 2), person(acme, "Dan", 4, kind="manual", method="cash")
        run_id = calculated(acme)
        for user_id, net in ((ann, "500.00"), (bob, "600.00")):
            payslip(acme, run_id, user_id, salary=net)  # type: ignore[arg-type]
        approve(acme, run_id)
        for user_id, earning in ((ann, "40.00"), (cat, "7.00"), (dan, "55.00"), (eve, "5000.00")):
            earned(acme, user_id, earning)
        before = listed(acme)
        assert before == {
            "Ann BDT": ("540.00", "0.00", [("next_run", "40.00"), ("run_not_paid", "500.00")]),
            "Bob BDT": ("600.00", "0.00", [("no_bank_account", "600.00")]),
            "Cat BDT": ("7.00", "0.00", [("below_minimum", "7.00")]),
            "Dan BDT": ("55.00", "0.00", [("next_run", "55.00")]),
            "Eve BDT": ("5000.00", "0.00", [("next_run", "5000.00")]),
        }
        start(acme, "final")
        acme.admin.ok("POST", f"/payroll-runs/{run_id}/pay", headers=once())
        assert listed(acme) == {
            "Ann BDT": ("0.00", "540.00", [("waits_for_bank_file", "500.00"), ("waits_for_bank_file", "40.00")]),
            "Bob BDT": ("600.00", "0.00", [("no_bank_account", "600.00")]),
            "Cat BDT": ("7.00", "0.00", [("below_minimum", "7.00")]),
            "Dan BDT": ("0.00", "55.00", [("waits_for_confirmation", "55.00")]),
            "Eve BDT": ("0.00", "5000.00", [("held", "5000.00")]),
        }
        assert list(listed(acme, "?because=no_bank_account")) == ["Bob BDT"]
        assert list(listed(acme, f"?user_id={dan}")) == ["Dan BDT"]
        assert list(listed(acme, "?currency=USD")) == []
        policy(acme, payouts_enabled=False)
        assert listed(acme)["Bob BDT"] == ("600.00", "0.00", [("payouts_disabled", "600.00")])

    def test_shows_what_is_netted_and_what_was_refused(self, acme: Cast, running: Stack) -> None:
        components(acme)
        ann = person(acme, "Ann", 1)
        bob = person(acme, "Bob", 2, kind="simulated", behaviour="refuse")
        advanced = sale(acme, ann, "5000.00")
        run(acme, running, "advance")
        decide(acme, "declined", advanced)
        run_id = calculated(acme)
        for user_id in (ann, bob):
            payslip(acme, run_id, user_id, salary="1000.00")  # type: ignore[arg-type]
        approve(acme, run_id)
        assert listed(acme)["Ann BDT"] == ("500.00", "0.00", [("netted", "-500.00"), ("run_not_paid", "1000.00")])
        acme.admin.ok("POST", f"/payroll-runs/{run_id}/pay", headers=once())
        running.drain()
        assert listed(acme) == {"Bob BDT": ("1000.00", "0.00", [("refused", "1000.00")])}

    def test_pages_by_person_and_currency_and_stays_within_reach(self, acme: Cast, zenith: Cast) -> None:
        people = [person(acme, f"P{n}", n) for n in range(5)]
        for user_id in people:
            earned(acme, user_id, "40.00")
            earned(acme, user_id, "3.00", currency="USD")
        earned(zenith, person(zenith, "Z", 1), "1.00")
        seen, query = [], "?limit=3"
        while True:
            page = acme.admin.ok("GET", f"/payables{query}")
            seen += [(one["user"]["id"], one["currency"]) for one in page["items"]]
            if page["next_cursor"] is None:
                break
            query = f"?limit=3&cursor={page['next_cursor']}"
        assert seen == [(user_id, currency) for user_id in people for currency in ("BDT", "USD")]
        own = key(acme.id, Role.EMPLOYEE, people[1]).ok("GET", "/payables")["items"]
        assert {one["user"]["id"] for one in own} == {people[1]}
        assert acme.admin.get("/payables?cursor=bm9uc2Vuc2U=").status == 422
        assert zenith.admin.get(f"/payables?user_id={people[0]}").status == 404
        assert sql(acme, "select count(*) from ledger_accounts where kind = 'payable' and balance < 0")[0][0] >= 10

    def test_leaves_out_who_is_owed_nothing(self, acme: Cast, running: Stack) -> None:
        ann = person(acme, "Ann", 1)
        earned(acme, ann)
        run(acme, running, "final")
        assert listed(acme) == {}
        [payout] = acme.admin.ok("GET", "/payouts")["items"]
        assert whole(acme, payout["id"])["status"] == "paid"
