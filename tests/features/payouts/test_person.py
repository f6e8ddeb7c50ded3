"""One person's money: what it comes to now, and how it came there."""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from chalicelib.features.payouts.payables import employee_queries
from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key, tenant
from tests.support.payouts import decide, earned, listed, policy, run, sale, seller
from tests.support.people import sql
from tests.support.stack import Stack, at

JANUARY = "?from=2026-01-01&to=2026-01-31"


def balance(cast: Cast, user_id: str) -> dict[str, str]:
    """Read the five sums of the tenant's own currency."""
    reply = cast.admin.ok("GET", f"/users/{user_id}/balance")
    return {name: reply[name] for name in reply if name not in ("salary", "other_currencies")}


def expected_balance(**sums: str) -> dict[str, str]:
    """Return a balance; sums left out are 0."""
    nothing = dict.fromkeys(("payable", "advances_outstanding", "pending_earnings", "in_flight", "paid_total"), "0.00")
    return {"currency": "BDT", **nothing, **sums}


def statement(cast: Cast, user_id: str, query: str = JANUARY) -> dict[str, Any]:
    return dict(cast.admin.ok("GET", f"/users/{user_id}/statement{query}"))


def part(statement_reply: dict[str, Any], currency: str = "BDT") -> dict[str, Any]:
    [one] = [one for one in statement_reply["currencies"] if one["currency"] == currency]
    return one


def ends(one: dict[str, Any]) -> tuple[str, ...]:
    """Return opening payable and advances, and closing payable and advances."""
    return tuple(one[when][account] for when in ("opening", "closing") for account in ("payable", "advances"))


def written(one: dict[str, Any]) -> list[str]:
    """Write lines as an accountant reads them."""
    return [
        f"{line['event']} {line['debit']}/{line['credit']} {line['amount']} {line['advance_amount']}"
        f" -> {line['payable_after']} {line['advances_after']}"
        for line in one["lines"]
    ]


def wage(cast: Cast, user_id: str, amount: str, moment: str) -> None:
    """Book something at a moment, under an event that no feature knows yet."""
    sql(
        cast,
        "insert into ledger_entries (tenant_id, user_id, subject_id, event, debit, credit, currency, amount, booked_at)"
        " values (:tenant_id, :user_id, uuidv7(), 'payslip', 'wage_cost', 'payable', 'BDT', :amount, :moment)",
        tenant_id=cast.id,
        user_id=user_id,
        amount=Decimal(amount),
        moment=moment,
    )


def paid_by_wage(cast: Cast) -> str:
    """Make a person whose accounts are open."""
    user_id = seller(cast)
    sale(cast, user_id)
    return user_id


class TestBalance:
    def test_follows_three_sales_from_advance_to_settlement(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        assert balance(acme, mina) == expected_balance()
        first, second, third = (sale(acme, mina) for _ in range(3))
        assert balance(acme, mina) == expected_balance(pending_earnings="120.00")
        run(acme, running, "advance")
        assert balance(acme, mina) == expected_balance(
            advances_outstanding="12.00", pending_earnings="120.00", paid_total="12.00"
        )
        decide(acme, "declined", first)
        # the 4.00 of the declined one are owed back
        assert balance(acme, mina) == expected_balance(
            payable="-4.00", advances_outstanding="8.00", pending_earnings="80.00", paid_total="12.00"
        )
        decide(acme, "approved", second, third)
        # 36.00 + 36.00 - 4.00
        assert balance(acme, mina) == expected_balance(payable="68.00", paid_total="12.00")
        run(acme, running, "final")
        assert balance(acme, mina) == expected_balance(paid_total="80.00")
        assert acme.admin.ok("GET", f"/users/{mina}/balance") == {
            **expected_balance(paid_total="80.00"),
            "salary": None,
            "other_currencies": [],
        }

    def test_separates_what_is_on_its_way_from_what_arrived(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        policy(acme, payout_approval_above="50.00")
        earned(acme, mina, "60.00")
        run(acme, running, "final")
        assert listed(acme) == [("60.00", "held")]
        assert balance(acme, mina) == expected_balance(in_flight="60.00")
        doubtful = seller(acme, "timeout_after")
        earned(acme, doubtful)
        run(acme, running, "final")
        assert balance(acme, doubtful) == expected_balance(in_flight="40.00")
        refused = seller(acme, "refuse")
        earned(acme, refused)
        run(acme, running, "final")
        assert balance(acme, refused) == expected_balance(payable="40.00")

    def test_does_not_count_what_came_back(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        earned(acme, mina)
        run(acme, running, "final")
        [payout] = acme.admin.ok("GET", "/payouts")["items"]
        acme.admin.ok("POST", f"/payouts/{payout['id']}/return", {"reason": "account closed"})
        assert balance(acme, mina) == expected_balance(payable="40.00")

    def test_keeps_currencies_apart_each_with_its_decimals(self, acme: Cast, running: Stack) -> None:
        policy(acme, payout_limits={"JPY": "1000", "KWD": "10.000"})
        mina = seller(acme)
        sale(acme, mina, "1000", currency="JPY")
        earned(acme, mina, "2.500", currency="KWD")
        sale(acme, mina)
        run(acme, running, "advance")
        reply = acme.admin.ok("GET", f"/users/{mina}/balance")
        assert balance(acme, mina) == expected_balance(
            advances_outstanding="4.00", pending_earnings="40.00", paid_total="4.00"
        )
        assert reply["other_currencies"] == [
            {
                "currency": "JPY",
                "payable": "0",
                "advances_outstanding": "100",
                "pending_earnings": "1000",
                "in_flight": "0",
                "paid_total": "100",
            },
            {
                "currency": "KWD",
                "payable": "0.000",
                "advances_outstanding": "0.000",
                "pending_earnings": "0.000",
                "in_flight": "0.000",
                "paid_total": "2.500",
            },
        ]

    def test_shows_the_salary_beside_it_in_its_own_currency(self, acme: Cast) -> None:
        mina = paid_by_wage(acme)
        for month, earned_so_far in (("2026-01", "100.00"), ("2026-02", "13.57")):
            sql(
                acme,
                "insert into balances (tenant_id, month, user_id, as_of, currency, earned, lines)"
                " values (:tenant_id, :month, :user_id, '2026-02-03', 'USD', :earned, '[]')",
                tenant_id=acme.id,
                month=month,
                user_id=mina,
                earned=Decimal(earned_so_far),
            )
        reply = acme.admin.ok("GET", f"/users/{mina}/balance")
        assert reply["salary"] == {
            "month": "2026-02",
            "as_of": "2026-02-03",
            "currency": "USD",
            "earned_to_date": "13.57",
            "lines": [],
        }
        assert (reply["currency"], reply["pending_earnings"]) == ("BDT", "40.00")

    def test_is_ones_own_or_hr_s(self, acme: Cast, zenith: Cast) -> None:
        mina, karim = seller(acme), seller(acme)
        caller = key(acme.id, Role.EMPLOYEE, mina)
        for what in ("balance", "statement"):
            assert caller.get(f"/users/{mina}/{what}").status == 200
            assert caller.get(f"/users/{karim}/{what}").status == 404
            assert key(acme.id, Role.MANAGER, mina).get(f"/users/{mina}/{what}").status == 200
            assert key(acme.id, Role.MANAGER, mina).get(f"/users/{karim}/{what}").status == 404
            assert zenith.admin.get(f"/users/{mina}/{what}").status == 404


class TestStatement:
    def test_shows_each_line_as_worked_by_hand(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        with at("2026-01-10T06:00:00Z"):
            first = sale(acme, mina, brand="Sun", external_id="A-1")
            second = sale(acme, mina)
            run(acme, running, "advance")
        with at("2026-01-20T06:00:00Z"):
            decide(acme, "declined", first)
            decide(acme, "approved", second)
            run(acme, running, "final")
        reply = statement(acme, mina)
        assert (reply["user_id"], reply["from"], reply["to"], reply["next_cursor"]) == (
            mina,
            "2026-01-01",
            "2026-01-31",
            None,
        )
        [one] = reply["currencies"]
        assert ends(one) == ("0.00", "0.00", "0.00", "0.00")
        assert written(one) == [
            "advance advances/payable 4.00 4.00 -> 4.00 4.00",
            "advance advances/payable 4.00 4.00 -> 8.00 8.00",
            "payout payable/cash -8.00 0.00 -> 0.00 8.00",
            "decline payable/advances -4.00 -4.00 -> -4.00 4.00",
            "approve sales_cost/advances 0.00 -4.00 -> -4.00 0.00",
            "approve sales_cost/payable 36.00 0.00 -> 32.00 0.00",
            "payout payable/cash -32.00 0.00 -> 0.00 0.00",
        ]
        assert {line["at"] for line in one["lines"][3:]} == {"2026-01-20T06:00:00Z"}
        nothing = {"brand": None, "external_id": None, "status": None}
        [of_first] = [line["concerns"] for line in one["lines"][:2] if line["concerns"]["id"] == first]
        assert of_first == {"kind": "sale", "id": first, "brand": "Sun", "external_id": "A-1", "status": None}
        assert one["lines"][4]["concerns"] == {**nothing, "kind": "sale", "id": second}
        payouts = [payout_id["id"] for payout_id in acme.admin.ok("GET", "/payouts")["items"]]
        assert [one["lines"][at_]["concerns"] for at_ in (2, 6)] == [
            {**nothing, "kind": "payout", "id": payout_id, "status": "paid"} for payout_id in payouts
        ]

    def test_opens_with_what_the_one_before_closed_with(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        with at("2026-01-10T06:00:00Z"):
            first = sale(acme, mina)
            sale(acme, mina)
            run(acme, running, "advance")
        with at("2026-01-20T06:00:00Z"):
            decide(acme, "declined", first)
        days = ["2025-12-31", "2026-01-09", "2026-01-10", "2026-01-19", "2026-01-20", "2026-02-01"]
        parts = []
        for begin, end in pairwise(days):
            after_begin = date.fromordinal(date.fromisoformat(begin).toordinal() + 1)
            parts.append(part(statement(acme, mina, f"?from={after_begin}&to={end}")))
        assert [ends(one) for one in parts] == [
            ("0.00", "0.00", "0.00", "0.00"),
            ("0.00", "0.00", "0.00", "8.00"),
            ("0.00", "8.00", "0.00", "8.00"),
            ("0.00", "8.00", "-4.00", "4.00"),
            ("-4.00", "4.00", "-4.00", "4.00"),
        ]
        assert [len(one["lines"]) for one in parts] == [0, 3, 0, 1, 0]
        for one in parts:
            for account, change in (("payable", "amount"), ("advances", "advance_amount")):
                moved = sum((Decimal(line[change]) for line in one["lines"]), Decimal(0))
                assert Decimal(one["opening"][account]) + moved == Decimal(one["closing"][account])

    def test_begins_and_ends_with_days_of_the_tenant_s_zone(self, acme: Cast) -> None:
        mina = paid_by_wage(acme)
        # Dhaka is six hours ahead: the 5th lasts from 18:00 of the 4th until 18:00
        for amount, moment in (
            ("1", "2026-01-04T17:59:59Z"),
            ("2", "2026-01-04T18:00:00Z"),
            ("4", "2026-01-05T17:59:59Z"),
            ("8", "2026-01-05T18:00:00Z"),
        ):
            wage(acme, mina, amount, moment)
        one = part(statement(acme, mina, "?from=2026-01-05&to=2026-01-05"))
        assert [line["amount"] for line in one["lines"]] == ["2.00", "4.00"]
        assert ends(one) == ("1.00", "0.00", "7.00", "0.00")

    def test_of_a_day_that_clocks_shorten_or_lengthen_misses_nothing(self, database: object) -> None:
        berlin = tenant("Berlin", timezone="Europe/Berlin", currency="BDT")
        mina = paid_by_wage(berlin)
        for moment in ("2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"):
            wage(berlin, mina, "1", moment)
        counts = [
            len(part(statement(berlin, mina, f"?from=2026-03-{day}&to=2026-03-{day}"))["lines"]) for day in (28, 29, 30)
        ]
        assert counts == [1, 2, 1]

    def test_keeps_currencies_apart_the_tenant_s_own_first(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        with at("2026-01-10T06:00:00Z"):
            sale(acme, mina, "1000", currency="JPY")
            earned(acme, mina, "2.500", currency="AED")
            run(acme, running, "advance")
        reply = statement(acme, mina)
        assert [one["currency"] for one in reply["currencies"]] == ["BDT", "AED", "JPY"]
        assert (ends(part(reply)), part(reply)["lines"]) == (("0.00",) * 4, [])
        assert written(part(reply, "JPY")) == [
            "advance advances/payable 100 100 -> 100 100",
            "payout payable/cash -100 0 -> 0 100",
        ]
        assert written(part(reply, "AED")) == [
            "approve sales_cost/payable 2.50 0.00 -> 2.50 0.00",
            "payout payable/cash -2.50 0.00 -> 0.00 0.00",
        ]
        later = statement(acme, mina, "?from=2026-02-01&to=2026-02-28")
        assert [(one["currency"], ends(one)) for one in later["currencies"]] == [
            ("BDT", ("0.00", "0.00", "0.00", "0.00")),
            ("AED", ("0.00", "0.00", "0.00", "0.00")),
            ("JPY", ("0", "100", "0", "100")),
        ]

    def test_is_of_the_current_month_unless_said(self, acme: Cast) -> None:
        mina = seller(acme)
        with at("2026-01-31T18:30:00Z"):  # the 1st of February in Dhaka
            asked = [statement(acme, mina, query) for query in ("", "?from=2026-01-15", "?to=2025-12-24")]
        assert [(one["from"], one["to"]) for one in asked] == [
            ("2026-02-01", "2026-02-28"),
            ("2026-01-15", "2026-02-28"),
            ("2025-12-01", "2025-12-24"),
        ]

    @pytest.mark.parametrize(("query", "place"), [
        ("?from=2026-01-02&to=2026-01-01", "/to"),
        ("?from=2025-01-01&to=2026-01-02", "/from"),
        ("?from=01.01.2026", "/from"),
        ("?from=1999-12-31", "/from"),
        ("?to=9999-12-31", "/to"),
        ("?to=2026-02-30", "/to"),
        ("?cursor=x", "/cursor"),
        ("?cursor=LTE=", "/cursor"),
        ("?limit=5", "/limit"),
    ])  # fmt: skip
    def test_refuses_days_that_make_no_sense(self, acme: Cast, query: str, place: str) -> None:
        reply = acme.admin.get(f"/users/{seller(acme)}/statement{query}")
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, place)

    def test_takes_a_leap_year(self, acme: Cast) -> None:
        assert statement(acme, seller(acme), "?from=2024-01-01&to=2024-12-31")["to"] == "2024-12-31"

    def test_goes_on_page_by_page(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(employee_queries, "MOST_LINES", 4)
        mina = paid_by_wage(acme)
        wage(acme, mina, "100", "2025-12-31T12:00:00Z")
        for day in range(1, 11):
            wage(acme, mina, str(day), f"2026-01-{day:02}T12:00:00Z")
        pages, query = [], JANUARY
        while True:
            page = statement(acme, mina, query)
            pages.append(part(page))
            if page["next_cursor"] is None:
                break
            query = f"{JANUARY}&cursor={page['next_cursor']}"
        assert [[line["amount"] for line in page["lines"]] for page in pages] == [
            ["1.00", "2.00", "3.00", "4.00"],
            ["5.00", "6.00", "7.00", "8.00"],
            ["9.00", "10.00"],
        ]
        # opening and closing are those of all ten; the running balance goes on from page to page
        assert {ends(page) for page in pages} == {("100.00", "0.00", "155.00", "0.00")}
        assert [page["lines"][-1]["payable_after"] for page in pages] == ["110.00", "136.00", "155.00"]

    def test_is_read_at_once_for_a_thousand_lines(self, acme: Cast) -> None:
        mina = paid_by_wage(acme)
        sql(
            acme,
            "insert into ledger_entries (tenant_id, user_id, subject_id, event, line, debit, credit, currency,"
            " amount, booked_at) select :tenant_id, :user_id, :user_id, 'payslip', n, 'wage_cost', 'payable', 'BDT',"
            " 1, '2026-01-05' from generate_series(1, 1001) n",
            tenant_id=acme.id,
            user_id=UUID(mina),
        )
        first = statement(acme, mina)
        assert (len(part(first)["lines"]), part(first)["closing"]["payable"]) == (1000, "1001.00")
        second = statement(acme, mina, f"{JANUARY}&cursor={first['next_cursor']}")
        assert ([line["payable_after"] for line in part(second)["lines"]], second["next_cursor"]) == (["1001.00"], None)

    def test_takes_lines_of_features_to_come(self, acme: Cast) -> None:
        mina = paid_by_wage(acme)
        wage(acme, mina, "9200.00", "2026-01-31T12:00:00Z")
        [line] = part(statement(acme, mina))["lines"]
        assert (line["event"], line["concerns"]["kind"], line["amount"]) == ("payslip", "other", "9200.00")
