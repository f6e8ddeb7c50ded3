"""Run the scenario files against the model."""

from datetime import date
from decimal import Decimal

import pytest

from tests.model.earned import earned, lines_sum
from tests.model.facts import Employee, Facts, Tenant
from tests.model.register import register, totals
from tests.scenarios.loader import Scenario, days_of, facts_of, load

REGISTER, BALANCES = load("register.yaml") + load("hours.yaml"), load("balances.yaml")


@pytest.mark.parametrize("scenario", REGISTER + BALANCES, ids=lambda scenario: scenario.name)
class TestScenario:
    def test_totals_are_as_worked_by_hand(self, scenario: Scenario) -> None:
        rows = register(*arguments(scenario))
        sums = totals(rows)
        assert {name: sums[name] for name in scenario.expect.totals} == scenario.expect.totals
        days = sums["present_days"] + sums["absent_days"] + sums["leave_days"]
        assert days + sums["holidays"] + sums["week_offs"] + sums["blank_days"] == len(rows)

    def test_halves_are_as_worked_by_hand(self, scenario: Scenario) -> None:
        rows = register(*arguments(scenario))
        for day, halves in scenario.expect.halves.items():
            assert tuple((half.status, half.source) for half in rows[day].halves) == halves

    def test_lines_and_amount_are_as_worked_by_hand(self, scenario: Scenario) -> None:
        lines = earned(*arguments(scenario))
        if scenario.expect.lines is not None:
            wanted = [(x.rate, x.frequency, x.starts_on, x.ends_on, x.amount) for x in scenario.expect.lines]
            assert [(x.rate, x.frequency, x.starts_on, x.ends_on, x.amount) for x in lines] == wanted
        if scenario.expect.amount is not None:
            assert lines_sum(lines) == scenario.expect.amount


def arguments(scenario: Scenario) -> tuple[Tenant, Employee, Facts, str, date]:
    return scenario.tenant, scenario.employee, scenario.facts, scenario.month, scenario.as_of


class TestLoad:
    def test_finds_enough_scenarios_that_expect_something(self) -> None:
        assert len(REGISTER) >= 15
        assert len(BALANCES) >= 25
        assert all(scenario.expect.totals for scenario in REGISTER)
        assert all(scenario.expect.amount is not None for scenario in BALANCES)

    def test_refuses_a_word_it_does_not_know(self) -> None:
        with pytest.raises(ValueError, match="presnet"):
            facts_of({"presnet": date(2026, 1, 1)}, (), {})

    def test_refuses_what_is_not_a_day(self) -> None:
        with pytest.raises(ValueError, match="not a day"):
            days_of("2026-01-32")

    def test_keeps_money_exact(self) -> None:
        assert all(type(scenario.expect.amount) is Decimal for scenario in BALANCES)

    def test_covers_every_policy_switch(self) -> None:
        policies = [scenario.tenant.policy for scenario in REGISTER + BALANCES]
        for name in ("missing_attendance", "proration_basis", "daily_paid_holidays", "weekly_rule"):
            assert len({getattr(policy, name) for policy in policies}) == 2, name
        for name in ("full_day_minutes", "half_day_minutes"):
            assert len({getattr(policy, name) for policy in policies}) > 1, name
