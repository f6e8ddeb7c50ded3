"""Every statement that posts uses a row of the table of postings, and every row has its statement."""

import re
from pathlib import Path

import chalicelib
from chalicelib.ledger.models import LedgerAccount, LedgerEvent
from chalicelib.ledger.postings import POSTINGS, REVERSED, posting_of

PRODUCT = Path(chalicelib.__path__[0])
_EVENTS, _ACCOUNTS = "|".join(LedgerEvent), "|".join(LedgerAccount)
# what a statement says one after the other: an event, a line's number, debit and credit
_EVENT = re.compile(rf"'({_EVENTS})'")
_LINE = re.compile(r"(?<![\w.])(\d)(?:::smallint)?(?: as line)?,")
_SIDES = re.compile(rf"'({_ACCOUNTS})'(?: as debit)?,\s+'({_ACCOUNTS})'(?: as credit)?")

Line = tuple[str, int, str, str]


def posting_statements() -> dict[str, str]:
    """Return the text of every SQL file of the product that posts."""
    files = [file for file in PRODUCT.rglob("*.sql") if "insert into ledger_entries" in file.read_text()]
    return {file.relative_to(PRODUCT).as_posix(): re.sub(r"--.*", "", file.read_text()) for file in files}


def lines_in(sql: str) -> set[Line]:
    """Read the lines that a statement posts: each pair of accounts with the event and the number before it."""
    lines = set()
    for sides in _SIDES.finditer(sql):
        event = list(_EVENT.finditer(sql, 0, sides.start()))[-1]
        numbers = _LINE.findall(sql, event.end(), sides.start())
        lines.add((event[1], int(numbers[-1]) if numbers else 1, sides[1], sides[2]))
    return lines


class TestPostings:
    def test_are_what_the_statements_post_and_nothing_else(self) -> None:
        posted = {name: lines_in(sql) for name, sql in posting_statements().items()}
        assert {name: len(lines) for name, lines in posted.items()} == {
            "features/sales/sql/advance.sql": 1,
            "features/sales/sql/decide.sql": 3,
            "features/payroll/approval/sql/post.sql": 5,
            "features/payouts/runs/sql/pay.sql": 1,
            "features/payouts/matching/sql/adopt.sql": 1,
        }
        release = posting_of(LedgerEvent.RELEASE)  # posted by Core, with this row
        assert set().union(*posted.values()) | {(release.event, 1, release.debit, release.credit)} == {
            (one.event, one.line, one.debit, one.credit) for one in POSTINGS
        }

    def test_are_posted_by_core_in_one_place_with_a_row_of_the_table(self) -> None:
        places = [file for file in PRODUCT.rglob("*.py") if "insert(entries)" in file.read_text()]
        assert [file.relative_to(PRODUCT).as_posix() for file in places] == [
            "features/payouts/delivery/payout_states.py"
        ]
        assert "posting_of(LedgerEvent.RELEASE)" in places[0].read_text()

    def test_of_payslips_say_which_go_either_way(self) -> None:
        # a line whose amount may be below zero: everything but what `greatest` keeps at zero or more
        sql = posting_statements()["features/payroll/approval/sql/post.sql"]
        one_way = {int(line) for line in re.findall(r"\((\d), '\w+', '\w+', greatest\(", sql)}
        payroll = [one for one in POSTINGS if one.event is LedgerEvent.PAYROLL]
        assert {one.line for one in payroll if not one.either_way} == one_way == {1, 5}

    def test_of_decisions_are_the_ones_that_are_reversed(self) -> None:
        sql = posting_statements()["features/sales/sql/decide.sql"]
        [events] = re.findall(r"e\.event in \(([^)]+)\)", sql)
        assert re.findall(r"'(\w+)'", events) == list(REVERSED)
        assert "e.credit as debit, e.debit as credit" in sql

    def test_have_every_event_and_number_their_lines_from_one(self) -> None:
        assert {one.event for one in POSTINGS} | {LedgerEvent.REVERSE} == set(LedgerEvent)
        for event in {one.event for one in POSTINGS}:
            numbers = [one.line for one in POSTINGS if one.event is event]
            assert numbers == list(range(1, len(numbers) + 1))

    def test_use_every_account_and_no_other_is_opened(self) -> None:
        used = {account for one in POSTINGS for account in (one.debit, one.credit)}
        opened = re.findall(r"'(\w+)', (?:true|false)", (PRODUCT / "ledger/sql/open_accounts.sql").read_text())
        assert used == set(LedgerAccount) == set(opened)
