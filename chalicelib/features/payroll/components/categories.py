"""Component categories as data: which total each is summed in, what it does to gross and net, and how it is labelled.

Code, payslips, summaries, exports and documents follow from this table. Three things do not, and a new category is
added to each by hand: the constraints of the database (a migration), the totals in runs/schemas.py, and the operators'
checks (operators/sql), which compute a payslip a second time on purpose. docs/contributing.md has the recipe.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from chalicelib.ledger.models import LedgerAccount


class Category(StrEnum):
    """What kind of line a component makes."""

    EARNING = "earning"
    DEDUCTION = "deduction"
    TAX = "tax"
    BENEFIT = "benefit"  # shown on the payslip, not paid out


@dataclass(frozen=True, slots=True)
class CategoryRule:
    """What a category does to a payslip."""

    category: Category
    total: str  # the payslip's total of its lines: a column of `payslips`, and its name in the API
    sign: int  # in the net: 1 adds, -1 takes away, 0 is only shown
    in_gross: bool  # whether the variable `gross` of formulas has it in its sum
    titles: tuple[str, str]  # of its part of the payslip, in English and Bengali
    total_labels: tuple[str, str]  # of its total
    withheld_on: LedgerAccount | None = None  # account of the third party it is owed to, credited by ledger/postings.py


# in the order in which a payslip shows them
CATEGORIES = (
    CategoryRule(Category.EARNING, "gross", 1, True, ("Earnings", "উপার্জন"), ("Gross pay", "মোট উপার্জন")),
    CategoryRule(
        Category.DEDUCTION,
        "deductions",
        -1,
        False,
        ("Deductions", "কর্তন"),
        ("Total deductions", "মোট কর্তন"),
        LedgerAccount.DEDUCTIONS_WITHHELD,
    ),
    CategoryRule(
        Category.TAX, "taxes", -1, False, ("Taxes", "কর"), ("Total taxes", "মোট কর"), LedgerAccount.TAXES_WITHHELD
    ),
    CategoryRule(
        Category.BENEFIT,
        "benefits",
        0,
        False,
        ("Benefits, not paid out", "সুবিধা (নগদে দেওয়া হয় না)"),
        ("Total benefits", "মোট সুবিধা"),
    ),
)

RULES = {rule.category: rule for rule in CATEGORIES}
TOTALS = tuple(rule.total for rule in CATEGORIES)
GROSS_CATEGORIES = frozenset(rule.category for rule in CATEGORIES if rule.in_gross)


def net_of(totals: Iterable[Decimal]) -> Decimal:
    """Return the net of totals in the order of CATEGORIES."""
    return sum((rule.sign * total for rule, total in zip(CATEGORIES, totals, strict=True)), Decimal(0))
