"""Laws of statements: whichever days they are cut at and however they are paged, nothing is lost and all adds up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.identity.scope import Scope
from chalicelib.ledger.queries import LedgerStatement, find_balances, find_statement
from migrations.setup import Urls
from tests.ledger.books import at_work, booked, line, person
from tests.support.cast import tenant

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = ("payable", "advances", "sales_cost", "wage_cost", "cash", "taxes_withheld", "pay_carried")
EFFECT = {"payable": ("credit", "debit"), "advances": ("debit", "credit")}  # the side that adds, and the other

lines = st.lists(
    st.tuples(
        st.permutations(KINDS).map(lambda kinds: kinds[:2]),
        st.sampled_from(["BDT", "JPY"]),
        st.integers(1, 10**6),
        st.integers(0, 6),
        st.booleans(),
    ),
    max_size=25,
)


def pages(scope: Scope, user_id: UUID, since: datetime, until: datetime, size: int) -> list[LedgerStatement]:
    """Read a statement page by page."""
    result, after = [], 0
    while True:
        page = find_statement(scope, user_id, since=since, until=until, after=after, limit=size)
        result.append(page)
        numbers = [line.number for line in page.lines]
        if len(numbers) < size:
            return result
        assert numbers[0] > after, "a page does not go on after the one before"
        after = numbers[-1]


@given(lines, st.lists(st.integers(0, 7), max_size=4), st.integers(1, 7))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_statements_add_up_wherever_they_are_cut(database: Urls, postings: list, cuts: list, size: int) -> None:
    acme = tenant("Acme")
    mina, karim = person(acme, "BDT", "JPY"), person(acme, "BDT", "JPY")
    for (debit, credit), currency, units, day, is_mina in postings:
        amount = Decimal(units) if currency == "JPY" else Decimal(units) / 100
        booked(
            acme,
            line(
                mina if is_mina else karim,
                debit,
                credit,
                amount,
                currency=currency,
                booked_at=BEGIN + timedelta(days=day),
            ),
        )
    days = [BEGIN + timedelta(days=day) for day in sorted({0, *cuts, 7})]
    with at_work(acme) as scope:
        stood: dict[tuple[str, str], Decimal] = {}  # by currency and account, worked line by line
        seen = 0
        for since, until in pairwise(days):
            opening = dict(stood)
            of_pages = pages(scope, mina, since, until, size)
            for row in (row for page in of_pages for row in page.lines):
                seen += 1
                assert since <= row.booked_at < until
                for account, (adds, takes) in EFFECT.items():
                    place = row.currency, account
                    change = getattr(row, account)
                    assert (change > 0) == (getattr(row, adds) == account)
                    assert (change < 0) == (getattr(row, takes) == account)
                    stood[place] = stood.get(place, Decimal(0)) + change
                    assert getattr(row, f"{account}_after") == stood[place]
            for currency, sums in ((currency, sums) for page in of_pages for currency, sums in page.sums.items()):
                for account in EFFECT:
                    place = currency, account
                    assert getattr(sums, f"opening_{account}") == opening.get(place, 0)
                    assert getattr(sums, f"closing_{account}") == stood.get(place, 0)
        now = find_balances(scope, mina)
    touching = [one for one in postings if one[4] and {"payable", "advances"} & {*one[0]}]
    assert seen == len(touching)
    assert {place: amount for place, amount in stood.items() if amount} == {
        (currency, kind): amount for currency, kinds in now.items() for kind, amount in kinds.items() if amount
    }
