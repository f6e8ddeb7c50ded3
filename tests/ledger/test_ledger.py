"""The database's own rules: lines never change, balances follow them, nothing is posted twice or without an account."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from chalicelib.ledger import accounts
from migrations.setup import Urls
from tests.ledger.books import at_work, balances, book, booked, line, person, sums
from tests.support.cast import Cast, tenant
from tests.support.people import sql
from tests.support.waiting import until_lock_wait

pytestmark = pytest.mark.usefixtures("database")

OWN = ("cash", "deductions_withheld", "pay_carried", "sales_cost", "taxes_withheld", "wage_cost")


class TestLines:
    @pytest.mark.parametrize("statement", [
        "update ledger_entries set amount = amount + 1",
        "update ledger_entries set amount = amount",
        "update ledger_entries set debit = 'cash' where false",
        "delete from ledger_entries",
        "truncate ledger_entries",
        "insert into ledger_entries overriding system value select * from ledger_entries"
        " on conflict (tenant_id, user_id, number) do update set amount = 0",
        "merge into ledger_entries e using (select 1) on true when matched then delete",
    ])  # fmt: skip
    def test_are_never_changed_by_the_application(self, acme: Cast, statement: str) -> None:
        booked(acme, line(person(acme), "wage_cost", "payable", "10.00"))
        with pytest.raises(DBAPIError, match="permission denied"):
            sql(acme, statement)
        assert sql(acme, "select debit, amount from ledger_entries") == [("wage_cost", Decimal("10.00"))]

    @pytest.mark.parametrize("statement", [
        "update ledger_entries set booked_at = now()", "delete from ledger_entries", "truncate ledger_entries",
    ])  # fmt: skip
    def test_are_not_even_changed_by_the_owner(self, acme: Cast, server: str, database: Urls, statement: str) -> None:
        booked(acme, line(person(acme), "wage_cost", "payable", "10.00"))
        refused = pytest.raises(psycopg.errors.RaiseException, match="never changed or deleted; book the reverse")
        with psycopg.connect(server, dbname=database.application.rpartition("/")[2]) as admin, refused:
            admin.execute(statement)  # type: ignore[arg-type]

    @pytest.mark.parametrize(("debit", "credit", "amount"), [
        ("wage_cost", "payable", "0"), ("wage_cost", "payable", "-1.00"), ("payable", "payable", "1.00"),
    ])  # fmt: skip
    def test_have_a_positive_amount_and_two_sides(self, acme: Cast, debit: str, credit: str, amount: str) -> None:
        with pytest.raises(DBAPIError, match="violates check constraint"):
            booked(acme, line(person(acme), debit, credit, amount))
        assert balances(acme) == {}

    def test_are_booked_once_under_their_natural_key(self, acme: Cast) -> None:
        mina, subject = person(acme), uuid4()
        once = line(mina, "wage_cost", "payable", "10.00", subject_id=subject)
        booked(acme, once)
        with pytest.raises(DBAPIError, match="duplicate key"):
            booked(acme, {**once, "amount": Decimal("11.00"), "debit": "sales_cost"})
        with pytest.raises(DBAPIError, match="duplicate key"):
            booked(acme, {**once, "line": 2}, {**once, "line": 2})
        assert balances(acme) == {("wage_cost", str(acme.id), "BDT"): 10, ("payable", str(mina), "BDT"): -10}
        booked(acme, {**once, "line": 2}, {**once, "revision": 2}, {**once, "event": "other"})
        assert balances(acme)["payable", str(mina), "BDT"] == -40

    def test_keep_the_order_in_which_they_were_given(self, acme: Cast) -> None:
        mina = person(acme)
        booked(acme, *(line(mina, "wage_cost", "payable", str(n)) for n in range(1, 6)))
        assert [row.amount for row in sql(acme, "select amount from ledger_entries order by number")] == [1, 2, 3, 4, 5]


class TestAccounts:
    @pytest.mark.parametrize("more", [{"currency": "USD"}, {"user_id": ...}, {"debit": "tips"}], ids=str)
    def test_that_were_not_opened_take_nothing(self, acme: Cast, more: dict) -> None:
        mina = person(acme)
        if "user_id" in more:
            more = {"user_id": uuid4()}
        good, bad = line(mina, "wage_cost", "payable", "10.00"), line(mina, "wage_cost", "payable", "1.00")
        with pytest.raises(DBAPIError, match="names an account that was not opened"):
            booked(acme, good, {**bad, **more})
        with pytest.raises(DBAPIError, match="not opened"), at_work(acme) as scope:  # noqa: PT012  # one transaction
            book(scope, good)
            book(scope, {**bad, **more})
        assert sql(acme, "select count(*) from ledger_entries")[0][0] == 0
        assert balances(acme) == {}

    @pytest.mark.parametrize("statement", [
        "update ledger_accounts set balance = 0",
        "update ledger_accounts set balance = balance + 1 where kind = 'payable'",
        "update ledger_accounts set user_id = user_id",
        "insert into ledger_accounts (tenant_id, kind, currency, balance) values (:tenant_id, 'cash', 'USD', 1)",
        "insert into ledger_accounts (tenant_id, kind, currency) values (:tenant_id, 'cash', 'BDT')"
        " on conflict (tenant_id, kind, owner_id, currency) do update set balance = 1",
        "delete from ledger_accounts",
        "truncate ledger_accounts",
        "alter table ledger_entries disable trigger balances",
        "drop trigger balances on ledger_entries",
        "create or replace function ledger_keep() returns trigger language plpgsql as 'begin return null; end'",
    ])  # fmt: skip
    def test_have_balances_that_the_application_cannot_write(self, acme: Cast, statement: str) -> None:
        mina = person(acme)
        booked(acme, line(mina, "wage_cost", "payable", "10.00"))
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            sql(acme, statement, **({"tenant_id": acme.id} if ":tenant_id" in statement else {}))
        assert balances(acme) == {("wage_cost", str(acme.id), "BDT"): 10, ("payable", str(mina), "BDT"): -10}

    def test_are_opened_once_however_often_asked(self, acme: Cast) -> None:
        mina = person(acme, "BDT", "USD")
        booked(acme, line(mina, "wage_cost", "payable", "10.00"))
        with at_work(acme) as scope:
            accounts.open_for(scope, user_ids=[mina, mina], currencies=["BDT", "BDT"])
        rows = sql(acme, "select kind, currency, user_id is null from ledger_accounts order by 2, 3, 1")
        assert [tuple(row) for row in rows] == [
            (kind, currency, is_own)
            for currency in ("BDT", "USD")
            for is_own, kinds in ((False, ("advances", "payable")), (True, OWN))
            for kind in kinds
        ]
        assert balances(acme)["payable", str(mina), "BDT"] == -10

    def test_are_opened_by_many_at_once(self, acme: Cast) -> None:
        people = [person(acme, "BDT") for _ in range(60)]
        ready = threading.Barrier(4)

        def open_usd(turn: int) -> None:
            with at_work(acme) as scope:
                ready.wait(10)
                accounts.open_for(scope, user_ids=people[:: 1 if turn % 2 else -1], currencies=["USD"] * 60)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(open_usd, range(4)))
        assert sql(acme, "select count(*) from ledger_accounts where currency = 'USD'")[0][0] == 60 * 2 + len(OWN)

    def test_are_opened_once_by_concurrent_transactions(self, acme: Cast) -> None:
        mina = person(acme)

        def open_usd() -> None:
            with at_work(acme) as scope:
                accounts.open_for(scope, user_ids=[mina], currencies=["USD"])

        with ThreadPoolExecutor(1) as pool:
            with at_work(acme) as scope:
                accounts.open_for(scope, user_ids=[mina], currencies=["USD"])
                waiting = pool.submit(open_usd)
                until_lock_wait(acme)
            waiting.result(timeout=10)

    def test_of_tenants_stand_apart(self, acme: Cast, zenith: Cast) -> None:
        mina, ana = person(acme), person(zenith)
        booked(acme, line(mina, "wage_cost", "payable", "10.00"))
        booked(zenith, line(ana, "wage_cost", "payable", "7.00"))
        assert balances(acme) == {("wage_cost", str(acme.id), "BDT"): 10, ("payable", str(mina), "BDT"): -10}
        assert balances(zenith) == {("wage_cost", str(zenith.id), "BDT"): 7, ("payable", str(ana), "BDT"): -7}
        with pytest.raises(DBAPIError, match="names an account that was not opened"):
            booked(acme, line(ana, "wage_cost", "payable", "1.00"))
        with pytest.raises(DBAPIError, match="row-level security"):
            booked(acme, {**line(ana, "wage_cost", "payable", "1.00"), "tenant_id": zenith.id})
        assert balances(zenith)["payable", str(ana), "BDT"] == -7


KINDS = ("payable", "advances", *OWN)
MINOR = {"BDT": 2, "JPY": 0, "KWD": 3}
one_line = st.tuples(
    st.integers(0, 2),
    st.permutations(KINDS).map(lambda kinds: kinds[:2]),
    st.sampled_from(sorted(MINOR)),
    st.integers(1, 10**9),
)
bookings = st.lists(st.lists(one_line, min_size=1, max_size=8), min_size=1, max_size=5)


class TestBalances:
    @given(bookings)
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_are_the_sums_of_the_lines(self, database: Urls, groups: list) -> None:
        acme = tenant("Acme")
        people = [person(acme, *MINOR) for _ in range(3)]
        for several in groups:
            booked(
                acme,
                *(
                    line(people[who], debit, credit, Decimal(units).scaleb(-MINOR[currency]), currency=currency)
                    for who, (debit, credit), currency, units in several
                ),
            )
        assert balances(acme) == sums(acme)
        by_currency: dict[str, Decimal] = {}
        for (_, _, currency), balance in balances(acme).items():
            by_currency[currency] = by_currency.get(currency, Decimal(0)) + balance
        assert set(by_currency.values()) <= {Decimal(0)}

    def test_come_out_right_when_many_book_at_once(self, acme: Cast) -> None:
        people = [person(acme) for _ in range(6)]

        def work(turn: int) -> None:
            # all employees are in every posting, in another order each time
            order = people[turn % 6 :] + people[: turn % 6]
            for who in (order, order[::-1]):
                booked(
                    acme,
                    *(line(one, "wage_cost", "payable", "1.00") for one in who),
                    *(line(one, "payable", "cash", "0.25") for one in who),
                )

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(24)))
        # 24 x 2 bookings of 1.00 - 0.25 for each of six people
        assert balances(acme) == {
            **{("payable", str(one), "BDT"): Decimal(-36) for one in people},
            ("wage_cost", str(acme.id), "BDT"): Decimal(288),
            ("cash", str(acme.id), "BDT"): Decimal(-72),
        }

    def test_let_bookings_of_different_people_go_on_without_waiting_for_the_lock_of_a_person(self, acme: Cast) -> None:
        mina, karim = person(acme), person(acme)
        with at_work(acme) as scope:
            accounts.lock_for(scope, user_ids=[mina])
            with ThreadPoolExecutor(1) as pool:
                pool.submit(booked, acme, line(karim, "wage_cost", "payable", "1.00")).result(timeout=10)


class TestLock:
    def test_keeps_a_second_booker_waiting_until_the_first_is_done(self, acme: Cast) -> None:
        mina, seen = person(acme, "BDT", "USD"), []

        def second() -> None:
            with at_work(acme) as scope:
                accounts.lock_for(scope, user_ids=[mina])
                seen.append(balances(acme))

        with ThreadPoolExecutor(1) as pool:
            with at_work(acme) as scope:
                book(scope, line(mina, "wage_cost", "payable", "1.00"))
                waiting = pool.submit(second)
                until_lock_wait(acme)
                assert seen == []
            waiting.result(timeout=10)
        assert seen[0]["payable", str(mina), "BDT"] == -1

    def test_returns_the_employees_locked_in_a_range(self, acme: Cast, zenith: Cast) -> None:
        people = sorted(person(acme, "BDT", "USD") for _ in range(3))
        person(zenith)
        with at_work(acme) as scope:
            assert accounts.lock_range(scope, first=people[0], last=people[1]) == people[:2]


class TestPayroll:
    """The interface as payroll needs it: a payslip of several lines, taken back, and paid in a later revision."""

    def test_books_a_payslip_of_several_lines(self, acme: Cast) -> None:
        mina, payslip = person(acme), uuid4()
        wages = ("14285.71", "1500.00", "250.00")  # salary, overtime, arrears
        booked(
            acme,
            *(
                line(mina, "wage_cost", "payable", amount, subject_id=payslip, event="payslip", line=number)
                for number, amount in enumerate(wages, start=1)
            ),
            line(mina, "payable", "wage_cost", "35.71", subject_id=payslip, event="payslip", line=4),
        )
        # 14285.71 + 1500.00 + 250.00 - 35.71
        assert balances(acme)["payable", str(mina), "BDT"] == Decimal("-16000.00")
        with pytest.raises(DBAPIError, match="duplicate key"):
            booked(acme, line(mina, "wage_cost", "payable", "1.00", subject_id=payslip, event="payslip", line=4))

    def test_books_thousands_of_payslips_in_one_statement(self, acme: Cast) -> None:
        sql(acme, "insert into users (tenant_id, name) select :id, 'P' from generate_series(1, 2000)", id=acme.id)
        people = [row.id for row in sql(acme, "select id from users")]
        with at_work(acme) as scope:
            accounts.open_for(scope, user_ids=people, currencies=["BDT"] * len(people))
            accounts.lock_for(scope, user_ids=people)
            scope.session.exec_driver_sql(
                "insert into ledger_entries (tenant_id, user_id, subject_id, event, line, debit, credit, currency,"
                " amount, booked_at) select u.tenant_id, u.id, u.id, 'payslip', l.line, 'wage_cost', 'payable', 'BDT',"
                " l.amount, now() from users u cross join (values (1, 15000.00), (2, 13.50)) l (line, amount)"
                f" where u.tenant_id = '{acme.id}'"
            )
        assert balances(acme)["wage_cost", str(acme.id), "BDT"] == Decimal("30027000.00")
        assert set(balances(acme).values()) == {Decimal("30027000.00"), Decimal("-15013.50")}
