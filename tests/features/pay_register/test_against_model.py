"""The product against the independent model: scenarios by hand, and thousands of employees by chance."""

from random import Random

import pytest

from tests.model.chance import random_cases
from tests.model.facts import Case
from tests.scenarios.loader import Scenario, load
from tests.support import cases as put

pytestmark = pytest.mark.usefixtures("database")

SCENARIOS = load("register.yaml") + load("hours.yaml") + load("balances.yaml")


def computed(cases: list[Case]) -> list[put.Outcome]:
    """Return the product's outcome for each case of one company; nobody's row is missing."""
    tenant = put.company(cases[0])
    with put.open_scope(tenant.id) as scope:
        user_ids = put.place(scope.session, tenant.id, cases)
        put.compute(scope, cases, user_ids)
        assert put.compute(scope, cases, user_ids) == 0, "computing twice changes nothing"
        outcome = put.outcomes(scope, cases[0])
    empty = put.Outcome([], {}, [], [])
    return [outcome.get(user_id, empty) for user_id in user_ids]


def agree(case: Case, outcome: put.Outcome) -> None:
    """Hold one employee's outcome against the model's; who is not in the period has no row."""
    expected = put.expected(case)
    if not outcome.halves:
        assert {half[0] for half in expected.halves} == {"blank"}
        assert sum(line[4] for line in expected.lines) == 0
        return
    assert outcome.halves == expected.halves
    assert outcome.totals == expected.totals
    assert outcome.days == expected.days
    assert outcome.lines == expected.lines


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_scenario_comes_out_as_worked_by_hand(scenario: Scenario) -> None:
    [outcome] = computed([scenario.case])
    if outcome.halves:
        assert {name: outcome.totals[name] for name in scenario.expect.totals} == scenario.expect.totals
    if scenario.expect.amount is not None:
        assert sum(line[4] for line in outcome.lines) == scenario.expect.amount
    agree(scenario.case, outcome)


@pytest.mark.parametrize("seed", range(60))
def test_employees_by_chance_come_out_as_the_model_says(seed: int) -> None:
    cases = random_cases(Random(seed), 50)
    for case, outcome in zip(cases, computed(cases), strict=True):
        agree(case, outcome)
