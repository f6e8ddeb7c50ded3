"""Arrears by chance: whatever is corrected after a month was paid, each run has the lines that the slow model has."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest

from chalicelib.backing.database import transaction
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.operators import checks
from migrations.setup import Urls
from tests.features.payroll.test_payslip_laws import Office
from tests.model.chance import RATES
from tests.model.facts import Salary
from tests.model.paper import same
from tests.model.payroll import called
from tests.model.payslip import CATEGORIES
from tests.model.workdays import period_of
from tests.support import stack
from tests.support.payouts import once
from tests.support.payroll_words import lines_of, salary_of
from tests.support.stack import Stack, at

CHECKS = ("payslips", "payroll", "runs", "owed", "ledger")


@pytest.fixture(scope="module", name="running")
def _running(database: Urls) -> Iterator[Stack]:
    with stack.running() as started:
        yield started


class CorrectingOffice(Office):
    """An office that has paid a month and learns about it afterwards."""

    def approve(self, run_id: str, run: Any) -> None:
        """Approve a run in the product and in the model."""
        self.cast.admin.ok("POST", f"/payroll-runs/{run_id}/approve", headers=once())
        self.running.drain()
        self.model.approve(run)

    def correct_salaries(self) -> None:
        """Give some people another salary from somewhere in the paid period on."""
        start, _ = period_of(self.model.tenant, self.month)
        for name in self.chance.sample(sorted(self.ids), 8):
            since = start + timedelta(days=self.chance.choice((0, 0, 9, 17)))
            frequency = self.chance.choice(("monthly", "daily"))
            amount = Decimal(self.chance.choice(RATES[frequency])).quantize(Decimal(1).scaleb(-self.minor_units))
            salary = Salary(max(amount, Decimal(1)), frequency, since)
            person = self.model.people[name]
            kept = [one for one in person.employee.salaries if one.effective_from != since]
            person.employee = replace(person.employee, salaries=(*kept, salary))
            self.cast.hr.ok("POST", f"/users/{self.ids[name]}/salaries", salary_of(salary))

    def correct(self) -> tuple[str, Any]:
        """Make the run that pays corrections in the month after, in the product and in the model."""
        month = f"{date.fromisoformat(f'{self.month}-01') + timedelta(days=31):%Y-%m}"
        body = {"month": month, "kind": RunKind.OFF_CYCLE.value, "title": "Corrections"}
        run_id = self.cast.hr.ok("POST", "/payroll-runs", body)["id"]
        self.calculate(run_id)
        return run_id, self.model.calculate(month, is_regular=False)


def as_called(payslip: dict[str, Any]) -> dict[str, Any]:
    """Return a payslip whose arrears are named as the model names them: components are called by their code here."""
    lines = [
        {**line, "name": f"Arrears {line['detail']['month']}: {called(line['detail']['component'])}"}
        if line["kind"] == "arrears"
        else line
        for line in payslip["lines"]
    ]
    return {**payslip, "lines": lines}


@pytest.mark.parametrize("seed", range(40, 43))
def test_each_correction_is_paid_once_in_its_categories(seed: int, running: Stack) -> None:
    # the facts say themselves who was late, and the product must not decide it again
    decided = mock.patch("chalicelib.features.payroll.payslips.arrears.attendance.decide_pairs")
    with decided, at("2027-06-01T12:00:00+00:00"):
        office = CorrectingOffice(seed, running)
        office.define(office.made)
        office.settle()
        office.approve(*office.run())
        seen = set()
        for _ in range(3):
            office.correct_salaries()
            run_id, wanted = office.correct()
            found = office.read(run_id)
            assert found.keys() == wanted.slips.keys()
            for name, payslip in found.items():
                expected, lines, totals = wanted.slips[name].payslip, lines_of(as_called(payslip)), payslip["totals"]
                same(lines, expected.lines, name)
                sums = [sum(lines[category].values(), Decimal(0)) for category in CATEGORIES]
                assert sums == [totals[total] for total in ("gross", "deductions", "taxes", "benefits")]
                assert totals["net"] == totals["gross"] - totals["deductions"] - totals["taxes"] == expected.net
                seen |= {line["category"] for line in payslip["lines"] if line["kind"] == "arrears"}
            office.approve(run_id, wanted)
            with transaction(tenant_id=office.cast.id) as session:
                problems = [checks.check_tenant(session, name, office.cast.id).problems for name in CHECKS]
            assert problems == [[]] * len(CHECKS)
        assert seen, "corrections moved something"
        run_id, _ = office.correct()
        again = [line["kind"] for payslip in office.read(run_id).values() for line in payslip["lines"]]
        assert "arrears" not in again
