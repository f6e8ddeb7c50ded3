"""The worked examples of tests/scenarios/payouts, run as an office would: over the API, with the queues running."""

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.scenarios.loader import ExactLoader, known
from tests.support.cast import Cast, tenant
from tests.support.payouts import books, decide, look, pass_time, payable, policy, run, sale, seller
from tests.support.people import sql
from tests.support.stack import Stack

FOLDER = Path(__file__).parents[2] / "scenarios" / "payouts"
Amounts = dict[tuple[str, str], Decimal]


def load() -> list[dict[str, Any]]:
    """Read all scenarios."""
    files = [file.read_text() for file in sorted(FOLDER.glob("*.yaml"))]
    scenarios = [one for text in files for one in yaml.load(text, Loader=ExactLoader)]  # noqa: S506 - a SafeLoader
    for one in scenarios:
        known(one, "name", "sentence", "currency", "policy", "bank", "steps")
    return scenarios


SCENARIOS = load()


class Office:
    """A tenant and what a scenario says of it; one method per word."""

    def __init__(self, scenario: dict[str, Any], running: Stack) -> None:
        self.running = running
        self.currency = scenario.get("currency", "BDT")
        self.cast: Cast = tenant("Acme", currency=self.currency)
        if "policy" in scenario:
            policy(self.cast, **scenario["policy"])
        self.people: dict[str, str] = {}
        self.sales: dict[str, str] = {}
        for person, behaviour in scenario.get("bank", {}).items():
            self.people[person] = seller(self.cast, behaviour, name=person)
        self.before: Counter[tuple[str, str]] = Counter()

    def do_sales(self, said: dict[str, str]) -> None:
        for name, words in said.items():
            person, earning, *currency = words.split()
            user_id = self.people.setdefault(person, "") or seller(self.cast, name=person)
            self.people[person] = user_id
            self.sales[name] = sale(self.cast, user_id, earning, currency=currency[0] if currency else self.currency)

    def do_run(self, kind: str) -> None:
        self.before = self.arrived()
        run(self.cast, self.running, kind)

    def do_pays(self, said: dict[str, Any]) -> None:
        paid = self.arrived()
        paid.subtract(self.before)
        assert {wallet: amount for wallet, amount in paid.items() if amount} == self.amounts(said)

    def do_approve(self, names: list[str]) -> None:
        assert decide(self.cast, "approved", *(self.sales[name] for name in names)) == {"ok": len(names)}

    def do_decline(self, names: list[str]) -> None:
        assert decide(self.cast, "declined", *(self.sales[name] for name in names)) == {"ok": len(names)}

    def do_correct(self, said: dict[str, str]) -> None:
        for name, status in said.items():
            assert decide(self.cast, status, self.sales[name], correction=True, reason="by mistake") == {"ok": 1}

    def do_account(self, said: dict[str, str]) -> None:
        for person, behaviour in said.items():
            to = {"kind": "simulated", "behaviour": behaviour}
            self.cast.admin.ok("PUT", f"/users/{self.people[person]}/payout-destination", to)

    def do_returned(self, people: list[str]) -> None:
        for person in people:
            payouts = self.cast.admin.ok("GET", f"/payouts?user_id={self.people[person]}&status=paid")["items"]
            self.cast.admin.ok("POST", f"/payouts/{payouts[-1]['id']}/return", {})

    def do_hours(self, hours: int) -> None:
        pass_time(self.cast, hours=hours)
        look(self.running)

    def do_owed(self, said: dict[str, Any]) -> None:
        for (person, currency), amount in self.amounts(said).items():
            assert payable(self.cast, self.people[person], currency) == amount

    def do_had(self, said: dict[str, Any]) -> None:
        assert dict(self.arrived()) == self.amounts(said)

    def arrived(self) -> "Counter[tuple[str, str]]":
        """Return what people have had, by the provider's own list, where we say so too."""
        names = {user_id: person for person, user_id in self.people.items()}
        rows = sql(
            self.cast,
            """
            select p.user_id, p.currency, sum(m.amount) as amount from payouts p
            join simulated_movements m on m.reference = p.reference and m.status = 'accepted'
            where p.status = 'paid' group by 1, 2""",
        )
        return Counter({(names[str(row.user_id)], row.currency): row.amount for row in rows})

    def amounts(self, said: dict[str, Any]) -> Amounts:
        sums: Amounts = {}
        for person, written in said.items():
            for one in written if isinstance(written, list) else [written]:
                amount, *currency = str(one).split()
                sums[person, currency[0] if currency else self.currency] = Decimal(amount)
        return sums


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_it_comes_out_as_written(scenario: dict[str, Any], running: Stack) -> None:
    office = Office(scenario, running)
    for step in scenario["steps"]:
        [(word, said)] = step.items()
        getattr(office, f"do_{word}")(said)
        assert sum(amount for name, amount in books(office.cast).items() if name.endswith(office.currency)) == 0


def test_there_are_enough_and_each_has_a_name_and_a_sentence() -> None:
    names = [one["name"] for one in SCENARIOS]
    assert len(set(names)) == len(names) >= 25
    for one in SCENARIOS:
        assert one["sentence"].endswith("."), one["name"]
