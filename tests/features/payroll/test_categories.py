"""What follows from the table of component categories only by hand: ledger postings and the operators' checks."""

from pathlib import Path

import pytest

from chalicelib import operators
from chalicelib.features.payroll.components.categories import CATEGORIES, Category, CategoryRule
from chalicelib.features.payroll.runs.schemas import PayslipTotals
from chalicelib.ledger.models import LedgerEvent
from chalicelib.ledger.postings import POSTINGS

CHECKS = Path(operators.__file__).parent / "sql"
each_category = pytest.mark.parametrize("rule", CATEGORIES, ids=lambda rule: rule.category.value)


def test_every_category_has_one_rule() -> None:
    assert [rule.category for rule in CATEGORIES] == list(Category)
    assert len({rule.total for rule in CATEGORIES}) == len(CATEGORIES)


@each_category
def test_what_is_taken_away_is_posted_to_an_account(rule: CategoryRule) -> None:
    assert (rule.withheld_on is not None) == (rule.sign < 0)
    if rule.withheld_on is not None:
        credited = {posting.credit for posting in POSTINGS if posting.event is LedgerEvent.PAYROLL}
        assert rule.withheld_on in credited


@each_category
def test_every_total_is_in_the_api(rule: CategoryRule) -> None:
    assert rule.total in PayslipTotals.model_fields


@each_category
@pytest.mark.parametrize("check", ["payslips", "runs", "payroll"])
def test_the_operators_checks_know_every_category_of_the_net(rule: CategoryRule, check: str) -> None:
    if rule.sign or check != "payroll":  # what is in no net is not posted
        assert f"p.{rule.total}" in (CHECKS / f"{check}.sql").read_text()
