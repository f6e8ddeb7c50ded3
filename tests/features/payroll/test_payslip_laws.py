"""Payslips by chance, hundreds of them: each as the slow model says, and adding up, whatever is repeated or moved."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest

from chalicelib.features.payroll.runs import queries as run_queries
from migrations.setup import Urls
from tests.model import payroll as model
from tests.model.chance import Company, random_case, random_company
from tests.model.components import Made, random_amount, random_components, random_own, reordered
from tests.model.paper import same
from tests.model.payslip import CATEGORIES
from tests.model.workdays import period_of
from tests.support import cases as put
from tests.support import stack
from tests.support.cast import Cast
from tests.support.payroll_words import calculation_of, lines_of
from tests.support.people import sql
from tests.support.stack import Stack, at

EMPLOYEES, COMPONENTS = 30, 12


@pytest.fixture(scope="module", name="running")
def _running(database: Urls) -> Iterator[Stack]:
    with stack.running() as started:
        yield started


class Office:
    """A company made by chance, in the database and in the model; nobody's facts change once they are there."""

    def __init__(self, seed: int, running: Stack) -> None:
        self.chance, self.running = Random(seed), running
        company = random_company(self.chance)
        minor_units = self.chance.choice((2, 2, 0, 3))
        tenant = replace(company.tenant, minor_units=minor_units)
        company = Company(
            tenant, company.branches, company.holidays, company.month, period_of(tenant, company.month)[1]
        )
        self.cases = [random_case(self.chance, company) for _ in range(EMPLOYEES)]
        self.month, (_, self.end) = company.month, period_of(tenant, company.month)
        self.model = model.Payroll(tenant, company.holidays)
        self.cast: Cast = put.company(self.cases[0])
        self.minor_units = minor_units
        self.ids = self._place()
        self.names = {user_id: name for name, user_id in self.ids.items()}
        self.made = random_components(self.chance, COMPONENTS, minor_units)
        self.types: dict[str, UUID] = {}

    def _place(self) -> dict[str, UUID]:
        with put.open_scope(self.cast.id) as scope:
            found = put.place(scope.session, self.cast.id, self.cases)
            put.compute(scope, self.cases, found)
        # the model is told who was late, so the product must not decide it again
        policy = self.model.tenant.policy
        stamp = f"{policy.full_day_minutes}:{policy.half_day_minutes}"
        sql(self.cast, "update pay_periods set decided_under = :stamp", stamp=stamp)
        for number, case in enumerate(self.cases):
            score = self.chance.choice((None, None, Decimal(self.chance.randint(0, 2000)).scaleb(-2)))
            self.model.people[f"Employee {number}"] = model.Person(case.employee, case.facts, score)
        return dict(zip(self.model.people, found, strict=True))

    def define(self, made: Made) -> None:
        """Make the components over the API."""
        since = self.end - timedelta(days=40)
        for one in made.components:
            self.model.define(one, since)
            body = {
                "code": one.code,
                "name": one.code,
                "category": one.category,
                "applies_to_all": one.for_everybody,
                "effective_from": str(since),
                **calculation_of(one),
            }
            self.types[one.code] = self.cast.hr.ok("POST", "/payment-types", body)["id"]

    def settle(self) -> None:
        """Return some people scores, some something of their own, and some a bonus or a fine."""
        for name, person in self.model.people.items():
            if person.kpi_score is not None:
                self._score(name, person.kpi_score)
            for one in self.made.components:
                if self.chance.random() < 0.15:
                    own = random_own(self.chance, one, self.minor_units)
                    since = self.end - timedelta(days=self.chance.randint(0, 9))
                    self.model.own[name, one.code] = [(since, None, own)]
                    sql(
                        self.cast,
                        "insert into payment_type_assignments values"
                        " (:tenant_id, :user_id, :type_id, :since, null, :applies, :amount, :percent, 'test', now())",
                        tenant_id=self.cast.id,
                        user_id=self.ids[name],
                        type_id=self.types[one.code],
                        since=since,
                        applies=own.included,
                        amount=own.amount,
                        percent=own.percent,
                    )
            if self.chance.random() < 0.3:
                self._adjust(name, random_amount(self.chance, self.minor_units) * self.chance.choice((1, -1)))

    def _adjust(self, name: str, amount: Decimal) -> None:
        self.model.adjustments.append(model.Adjustment(name, "Other: Chance", amount, self.end))
        body = {
            "user_id": str(self.ids[name]),
            "kind": "other",
            "amount": str(amount),
            "reason": "Chance",
            "effective_date": str(self.end),
        }
        self.cast.hr.ok("POST", "/payroll-adjustments", body)

    def _score(self, name: str, score: Decimal) -> None:
        values = {
            "tenant_id": self.cast.id,
            "user_id": self.ids[name],
            "end": self.end,
            "score": score,
            "code": f"k{name[9:]}",
        }
        sql(
            self.cast,
            """
            with d as (
                insert into kpi_definitions (tenant_id, code, name, metric_type, source, created_by, created_at)
                values (:tenant_id, :code, :code, 'numeric', 'manual_entry', 'test', now()) returning id
            ), a as (
                insert into kpi_assignments (tenant_id, definition_id, user_id, cycle_start_on, cycle_end_on,
                    assigned_by, assigned_at)
                select :tenant_id, d.id, :user_id, cast(:end as date) - 5, :end, 'test', now() from d returning id
            )
            insert into kpi_scores (tenant_id, assignment_id, value, target, weight)
            select :tenant_id, a.id, :score, 1, 1 from a""",
            **values,
        )

    def run(self) -> tuple[str, model.Run]:
        """Make a run with some amounts given, calculate it, and have the model do the same."""
        run_id = self.cast.hr.ok("POST", "/payroll-runs", {"month": self.month})["id"]
        given: dict[str, dict[str, Decimal]] = {}
        for one in self.made.dynamic:
            for name in self.chance.sample(sorted(self.ids), 5):
                given.setdefault(name, {})[one.code] = random_amount(self.chance, self.minor_units)
        rows = [
            {"user_id": str(self.ids[name]), "payment_type": code, "amount": str(amount)}
            for name, amounts in given.items()
            for code, amount in amounts.items()
        ]
        if rows:
            assert not self.cast.hr.ok("POST", f"/payroll-runs/{run_id}/amounts", rows)["errors"]
        self.calculate(run_id)
        return run_id, self.model.calculate(self.month, given=given)

    def calculate(self, run_id: str) -> None:
        """Calculate, once more perhaps."""
        self.cast.hr.ok("POST", f"/payroll-runs/{run_id}/calculate", {})
        self.running.drain()
        assert self.cast.hr.ok("GET", f"/payroll-runs/{run_id}")["status"] == "calculated"

    def read(self, run_id: str) -> dict[str, dict[str, Any]]:
        """Read all payslips of a run, by person."""
        with put.open_scope(self.cast.id) as scope:
            found = run_queries.read_payslips(scope, run_id=UUID(run_id), user_ids=list(self.ids.values()))
        return {self.names[one.user.id]: {**one.model_dump(), "totals": dict(one.totals)} for one in found}


def lines_and_totals(payslips: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: (lines_of(one), one["totals"]) for name, one in payslips.items()}


@pytest.mark.parametrize("seed", range(10))
def test_every_payslip_is_as_the_model_says_and_adds_up(seed: int, running: Stack) -> None:
    with at("2027-06-01T12:00:00+00:00"):
        office = Office(seed, running)
        office.define(office.made)
        office.settle()
        run_id, wanted = office.run()
        found = office.read(run_id)
        office.calculate(run_id)
        assert lines_and_totals(office.read(run_id)) == lines_and_totals(found), "twice is once"
    assert sorted(found) == sorted(wanted.slips)
    assert len(found) > EMPLOYEES / 2
    for name, payslip in found.items():
        expected, lines, totals = wanted.slips[name].payslip, lines_of(payslip), payslip["totals"]
        if "salary" not in expected.lines["earning"]:  # whether a salary of 0 is told is the book's business
            assert lines["earning"].pop("salary", 0) == 0
        same(lines, expected.lines, name)
        sums = [sum(lines[category].values(), Decimal(0)) for category in CATEGORIES]
        assert sums == [totals[total] for total in ("gross", "deductions", "taxes", "benefits")]
        assert totals["net"] == totals["gross"] - totals["deductions"] - totals["taxes"] == expected.net
        warned = {line["code"] for line in payslip["lines"] if line["warnings"]}
        assert warned == expected.warnings.keys(), name


@pytest.mark.parametrize("seed", range(20, 22))
def test_the_order_in_which_components_were_made_makes_no_difference(seed: int, running: Stack) -> None:
    payslips = []
    with at("2027-06-01T12:00:00+00:00"):
        for order in (None, Random(seed)):
            office = Office(seed, running)
            made = office.made if order is None else reordered(office.made, order)
            assert (made == office.made) is (order is None)
            office.define(made)
            office.settle()
            payslips.append(lines_and_totals(office.read(office.run()[0])))
    assert payslips[0] == payslips[1]
