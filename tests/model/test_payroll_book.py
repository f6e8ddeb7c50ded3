"""The stories of payroll on paper, and what the loader of them refuses."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from tests.model.expressions import Evaluation, parse, round_to
from tests.model.paper import PaperOffice
from tests.scenarios.payroll_loader import Story, load, own_of, stories_of

STORIES = load()
WHOLE = """
- name: one
  sentence: One.
  components: {transport: {earning: {fixed: 1000.00}}}
  steps:
    - facts: {rahim: {absent: [2026-01-05]}}
    - run: 2026-01
    - payslips: {rahim: {earnings: {salary: 14285.71, transport: 1000.00}, gross: 15285.71, net: 15285.71}}
"""


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_it_comes_out_on_paper_as_written(story: Story) -> None:
    tell(story)


def tell(story: Story) -> None:
    office = PaperOffice(story)
    for step in story.steps:
        office.do(step)


class TestLoad:
    def test_reads_a_story(self) -> None:
        [story] = stories_of(WHOLE)
        assert [step.word for step in story.steps] == ["facts", "run", "payslips"]
        tell(story)

    @pytest.mark.parametrize(
        ("right", "wrong"),
        [
            ("sentence", "sentense"),
            ("run: 2026-01", "rum: 2026-01"),
            ("absent", "absend"),
            ("earning: {", "earnings: {"),
            ("{fixed: 1000.00}", "{fixt: 1000.00}"),
            ("{fixed: 1000.00}", "{dynamic: perhaps}"),
            ("{fixed: 1000.00}", "{fixed: 1000.00, percent: 5}"),
            ("}}\n  steps", "}, for: many}\n  steps"),
            ("earnings: {salary", "incomes: {salary"),
            ("run: 2026-01", "{run: 2026-01, approve: 2026-01}"),
            ("run: 2026-01", "run: {month: 2026-01, people: [rahim]}"),
            ("run: 2026-01", "off cycle: {month: 2026-01, persons: [rahim]}"),
            ("run: 2026-01", 'adjust: {rahim: {"Gift: Eid": 5}}'),
            ("run: 2026-01", "salary: {rahim: 15000 monthly}"),
            ("run: 2026-01", "assign: {transport: {rahim: perhaps}}"),
        ],
    )
    def test_refuses_what_it_does_not_know(self, right: str, wrong: str) -> None:
        assert right in WHOLE
        with pytest.raises((ValueError, ArithmeticError)):
            stories_of(WHOLE.replace(right, wrong, 1))

    def test_refuses_a_payslip_without_its_totals(self) -> None:
        with pytest.raises(KeyError, match="net"):
            stories_of(WHOLE.replace(", net: 15285.71", ""))

    @pytest.mark.parametrize("wrong", ["14285.70", "14285.71, bonus: 0.00"])
    def test_makes_stories_that_fail_when_a_line_is_another(self, wrong: str) -> None:
        [story] = stories_of(WHOLE.replace("14285.71", wrong, 1))
        with pytest.raises(AssertionError, match="rahim"):
            tell(story)

    def test_reads_until_when_an_assignment_is(self) -> None:
        own, since, until = own_of("7.5% from 2026-02-01 to 2026-02-28")
        assert (own.percent, since, until) == (Decimal("7.5"), date(2026, 2, 1), date(2026, 2, 28))


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("1 + 2 * 3 - 4 / 2", "5"),
        ("2 / 3", "0.6666666667"),
        ("-2 / 3", "-0.6666666667"),
        ("15% * 200", "30"),
        ("-2 * -3", "6"),
        ("IF(1 < 2 and not 2 < 1, 10, 1 / 0)", "10"),
        ("ROUND(2.345, 2) + ROUND(-2.5) + ROUND(1250, -2)", "1299.35"),
        ("FLOOR(-2.5) + CEIL(2.1) + ABS(-5)", "5"),
        ("MIN(3, nothing, 2) + MAX(1, nothing) + SUM(1, nothing, 2)", "6"),
        ("BRACKET(60000, 0, 0%, 25000, 10%, 50000, 20%)", "4500"),
        ("1 / 0", None),
        ("nothing + 1", None),
        ("IF(nothing > 1 or 2 > 1, 7, 8)", "7"),
        ("IF(nothing > 1 and 2 > 1, 7, 8)", None),
    ],
)
def test_a_formula_comes_to_what_is_worked_by_hand(formula: str, value: str | None) -> None:
    found = Evaluation({"nothing": None}.__getitem__).value(parse(formula))
    assert found == (None if value is None else Fraction(value))


@pytest.mark.parametrize(
    ("exact", "places", "rounded"), [("0.005", 2, "0.01"), ("-0.005", 2, "-0.01"), ("15", -1, "20")]
)
def test_halves_are_rounded_away_from_zero(exact: str, places: int, rounded: str) -> None:
    assert round_to(Fraction(exact), places) == Fraction(rounded)
