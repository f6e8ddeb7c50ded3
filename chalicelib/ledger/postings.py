"""Every posting of the ledger in one table: which accounts an event debits and credits, line by line.

The statements that post are with their features, each one statement with what it posts about:
sales/sql/{advance,decide}.sql, payroll/approval/sql/post.sql, payouts/runs/sql/pay.sql,
payouts/matching/sql/adopt.sql, payouts/delivery/payout_states.py. tests/ledger/test_postings.py reads them all and
holds them against this table in both directions: a new posting is a line here and its statement.
"""

from dataclasses import dataclass

from chalicelib.ledger.models import LedgerAccount, LedgerEvent


@dataclass(frozen=True, slots=True)
class Posting:
    """One line that an event posts. A line of zero is left out."""

    event: LedgerEvent
    line: int
    debit: LedgerAccount
    credit: LedgerAccount
    meaning: str
    either_way: bool = False  # a negative amount is posted with debit and credit swapped


# event, line, debit, credit, meaning
POSTINGS = (
    Posting(LedgerEvent.ADVANCE, 1, LedgerAccount.ADVANCES,    LedgerAccount.PAYABLE,  "advance on a pending sale"),
    Posting(LedgerEvent.APPROVE, 1, LedgerAccount.SALES_COST,  LedgerAccount.ADVANCES, "earning that was advanced"),
    Posting(LedgerEvent.APPROVE, 2, LedgerAccount.SALES_COST,  LedgerAccount.PAYABLE,  "the rest of the earning"),
    Posting(LedgerEvent.DECLINE, 1, LedgerAccount.PAYABLE,     LedgerAccount.ADVANCES, "the advance is owed back"),
    Posting(LedgerEvent.PAYOUT,  1, LedgerAccount.PAYABLE,     LedgerAccount.CASH,     "amount of a payout"),
    Posting(LedgerEvent.RELEASE, 1, LedgerAccount.CASH,        LedgerAccount.PAYABLE,  "payout not paid after all"),
    Posting(LedgerEvent.PAYROLL, 1, LedgerAccount.WAGE_COST,   LedgerAccount.PAYABLE,  "net pay"),
    Posting(LedgerEvent.PAYROLL, 2, LedgerAccount.WAGE_COST,   LedgerAccount.TAXES_WITHHELD, "taxes", either_way=True),
    Posting(LedgerEvent.PAYROLL, 3, LedgerAccount.WAGE_COST,   LedgerAccount.DEDUCTIONS_WITHHELD, "other deductions",
            either_way=True),
    Posting(LedgerEvent.PAYROLL, 4, LedgerAccount.WAGE_COST,   LedgerAccount.PAY_CARRIED,
            "negative pay of an earlier payslip, taken back", either_way=True),
    Posting(LedgerEvent.PAYROLL, 5, LedgerAccount.PAY_CARRIED, LedgerAccount.WAGE_COST, "negative pay, carried over"),
)  # fmt: skip

# Events that LedgerEvent.REVERSE takes back: the same lines, with debit and credit swapped.
REVERSED = (LedgerEvent.APPROVE, LedgerEvent.DECLINE)


def posting_of(event: LedgerEvent, line: int = 1) -> Posting:
    """Return an event's posting by its line. Raises KeyError where there is none."""
    return _BY_LINE[event, line]


_BY_LINE = {(posting.event, posting.line): posting for posting in POSTINGS}
