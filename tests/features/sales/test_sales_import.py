"""Importing many sales: good rows kept, wrong ones reported by line, and nothing changed by a file sent twice."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key
from tests.support.payouts import decide, sale, seller
from tests.support.people import employee, sql
from tests.support.stack import at
from tests.support.waiting import until_lock_wait

CSV = {"headers": {"content-type": "text/csv"}}


@pytest.fixture(name="mina")
def _mina(acme: Cast) -> UUID:
    return employee(acme, name="Mina", employee_no="E-1", email="mina@acme.example")


def load(cast: Cast, *rows: Any, dry_run: bool = False) -> dict[str, Any]:
    return dict(cast.hr.ok("POST", "/sales/import" + ("?dry_run=true" if dry_run else ""), list(rows)))


def sale_row(**cells: object) -> dict[str, object]:
    return {"employee_no": "E-1", "earning": "40.00", "external_id": "A-1", **cells}


def sales(cast: Cast) -> list[tuple[Any, ...]]:
    rows = sql(cast, "select external_id, brand, earning, currency from sales order by id")
    return [(row.external_id, row.brand, str(row.earning), row.currency) for row in rows]


class TestImport:
    def test_adds_pending_sales_in_the_order_of_the_rows(self, acme: Cast, mina: UUID) -> None:
        with at("2026-01-05T08:30:00Z"):
            report = load(
                acme,
                sale_row(brand="Sun", occurred_at="2026-01-04T10:00:00+06:00"),
                {"user_id": str(mina), "earning": "25.5", "external_id": 77},
                {"email": "Mina@ACME.example", "earning": "7", "currency": "JPY"},
            )
        assert report == {
            "dry_run": False,
            "rows": 3,
            "added": 3,
            "unchanged": 0,
            "without_external_id": 1,
            "errors": [],
        }
        assert sales(acme) == [("A-1", "Sun", "40.00", "BDT"), ("77", None, "25.50", "BDT"), (None, None, "7", "JPY")]
        items = acme.admin.ok("GET", "/sales?status=pending")["items"]
        assert [one["occurred_at"] for one in items] == [
            "2026-01-04T04:00:00Z",
            "2026-01-05T08:30:00Z",
            "2026-01-05T08:30:00Z",
        ]
        assert {one["user_id"] for one in items} == {str(mina)}
        assert decide(acme, "approved", *(one["id"] for one in items)) == {"ok": 3}

    def test_changes_nothing_the_second_time(self, acme: Cast, mina: UUID) -> None:
        rows = [sale_row(external_id=f"A-{n}", brand="Sun") for n in range(3)]
        load(acme, *rows)
        decide(acme, "approved", acme.admin.ok("GET", "/sales")["items"][0]["id"])
        again = load(acme, *rows, sale_row(external_id="A-9"))
        assert (again["added"], again["unchanged"], again["errors"]) == (1, 3, [])
        assert load(acme, *rows)["added"] == 0
        assert len(sales(acme)) == 4
        rows = sql(acme, "select after from audit_logs where action = 'sales.imported' order by seq")
        assert [row.after for row in rows] == [
            {"rows": 3, "added": 3, "unchanged": 0, "without_external_id": 0, "errors": 0},
            {"rows": 4, "added": 1, "unchanged": 3, "without_external_id": 0, "errors": 0},
        ]

    def test_refuses_other_content_under_a_known_id(self, acme: Cast, mina: UUID) -> None:
        employee(acme, name="Karim", employee_no="E-2")
        sale(acme, str(mina), external_id="A-1", brand="Sun", occurred_at="2026-01-05T08:30:00Z")
        report = load(
            acme,
            sale_row(),
            sale_row(brand="Sun", occurred_at="2026-01-05T14:30:00+06:00"),
            sale_row(earning="40.01"),
            sale_row(currency="USD"),
            sale_row(brand="Moon"),
            sale_row(employee_no="E-2"),
            sale_row(occurred_at="2026-01-05T08:30:01Z"),
        )
        assert (report["added"], report["unchanged"]) == (0, 2)
        assert [(error["line"], error["column"]) for error in report["errors"]] == [
            (line, "external_id") for line in (3, 4, 5, 6, 7)
        ]
        assert [error["detail"].split(": ")[1].split(".")[0] for error in report["errors"]] == [
            "earning",
            "currency",
            "brand",
            "person",
            "occurred_at",
        ]
        assert report["errors"][0]["detail"] == (
            "A-1 is there already, a sale of 40.00 BDT, and is told otherwise here: earning. A sale does not change;"
            " decline it and send the right one under a new external id."
        )
        assert len(sales(acme)) == 1

    def test_counts_the_first_of_rows_with_the_same_id(self, acme: Cast, mina: UUID) -> None:
        report = load(
            acme,
            sale_row(earning="x"),
            sale_row(brand="Sun"),
            sale_row(brand="Sun"),
            sale_row(brand="Sun", earning="41"),
        )
        assert (report["rows"], report["added"], report["unchanged"]) == (4, 1, 1)
        assert [(error["line"], error["column"]) for error in report["errors"]] == [(1, "earning"), (4, "external_id")]
        assert report["errors"][1]["detail"] == "A-1 stands on line 2 already, with other content: earning"
        assert sales(acme) == [("A-1", "Sun", "40.00", "BDT")]

    def test_keeps_the_good_rows_and_reports_the_others_by_line(self, acme: Cast, mina: UUID) -> None:
        karim = employee(acme, name="Karim", employee_no="E-2")
        report = load(
            acme,
            sale_row(),
            sale_row(employee_no="E-9", external_id="A-2"),
            {"earning": "1.00"},
            {"email": "nobody@acme.example", "earning": "1.00"},
            sale_row(user_id=str(karim)),
            sale_row(earning="0"),
            sale_row(earning="40.005"),
            sale_row(earning="40,00"),
            sale_row(earning="1.5", currency="JPY"),
            sale_row(currency="XXX"),
            sale_row(occurred_at="2026-01-05T10:00:00"),
            sale_row(occurred_at="20260105"),
            sale_row(occurred_at=1767580000),
            sale_row(occurred_at="9999-12-31T23:59:59-14:00"),
            sale_row(colour="blue"),
            "not a row",
            {"employee_no": "E-1"},
            sale_row(earning=True),
            sale_row(external_id="x" * 201),
            sale_row(external_id="A-3", earning="0.01"),
        )
        assert (report["rows"], report["added"]) == (20, 2)
        assert [(error["line"], error["column"]) for error in report["errors"]] == [
            (2, "employee_no"),
            (3, None),
            (4, "email"),
            (5, None),
            (6, "earning"),
            (7, "earning"),
            (8, "earning"),
            (9, "earning"),
            (10, "currency"),
            (11, "occurred_at"),
            (12, "occurred_at"),
            (13, "occurred_at"),
            (14, "occurred_at"),
            (15, "colour"),
            (16, None),
            (17, "earning"),
            (18, "earning"),
            (19, "external_id"),
        ]
        errors = {error["line"]: error["detail"] for error in report["errors"]}
        assert errors[2] == "there is no person with the employee_no E-9"
        assert errors[3] == "says for nobody: give employee_no, user_id or email"
        assert errors[5] == "employee_no and user_id are of different people"
        assert errors[7] == "has more decimals than BDT has (2)"
        assert errors[12] == "is not a moment like 2026-01-31T14:30:00+06:00"
        assert [row[0] for row in sales(acme)] == ["A-1", "A-3"]

    def test_writes_nothing_on_a_dry_run(self, acme: Cast, mina: UUID) -> None:
        load(acme, sale_row())
        rows = [
            sale_row(),
            sale_row(external_id="A-2"),
            sale_row(external_id="A-2", brand="Moon"),
            sale_row(earning="2.00"),
        ]
        dry = load(acme, *rows, dry_run=True)
        assert (dry["dry_run"], dry["added"], dry["unchanged"], len(dry["errors"])) == (True, 1, 1, 2)
        assert len(sales(acme)) == 1
        assert sql(acme, "select count(*) from audit_logs where action = 'sales.imported'")[0][0] == 1
        assert load(acme, *rows) == {**dry, "dry_run": False}


class TestAtOnce:
    def test_of_the_same_file_adds_it_once(self, acme: Cast, mina: UUID) -> None:
        rows = [sale_row(external_id=f"A-{n}") for n in range(300)]
        with ThreadPoolExecutor(4) as pool:
            reports = list(pool.map(lambda turn: load(acme, *rows[:: 1 if turn % 2 else -1]), range(4)))
        assert sorted((one["added"], one["unchanged"], len(one["errors"])) for one in reports) == [
            (0, 300, 0),
            (0, 300, 0),
            (0, 300, 0),
            (300, 0, 0),
        ]
        assert len(sales(acme)) == 300

    def test_judges_anew_what_another_call_adds_meanwhile(self, acme: Cast, mina: UUID) -> None:
        # POST /sales has written and not committed while the import looks, and finds neither
        written, go_on = threading.Event(), threading.Event()

        def note() -> None:
            with transaction(tenant_id=acme.id) as session:
                session.execute(
                    text(
                        "insert into sales (tenant_id, user_id, external_id, earning, currency, occurred_at,"
                        " created_by, created_at) select :tenant_id, :user_id, id, 40.00, 'BDT', now(), 'x', now()"
                        " from unnest(array['A-1', 'A-2']) id"
                    ),
                    {"tenant_id": acme.id, "user_id": mina},
                )
                written.set()
                go_on.wait(10)

        with ThreadPoolExecutor(2) as pool:
            noting = pool.submit(note)
            written.wait(10)
            loading = pool.submit(
                load, acme, sale_row(), sale_row(external_id="A-2", earning="2.00"), sale_row(external_id="A-3")
            )
            until_lock_wait(acme)
            go_on.set()
            noting.result(10)
            report = loading.result(10)
        assert (report["added"], report["unchanged"]) == (1, 1)
        assert [(error["line"], error["column"]) for error in report["errors"]] == [(2, "external_id")]


class TestFiles:
    def test_are_csv(self, acme: Cast, mina: UUID) -> None:
        file = (
            "\ufeffEmail;Earning;External Id;Brand;Currency;Occurred At\r\n"
            'mina@acme.example;40.00;A-1;"Sun; Moon";;2026-01-05T10:00:00+06:00\r\n'
            "\r\n"
            "mina@acme.example;0.999;A-2;;KWD;\r\n"
            "karim@acme.example;1.00;A-3;;;\r\n"
        )
        report = acme.hr.ok("POST", "/sales/import", file, **CSV)
        assert (report["rows"], report["added"]) == (3, 2)
        detail = "there is no person with the email karim@acme.example"
        assert report["errors"] == [{"line": 5, "column": "email", "detail": detail}]
        assert sales(acme) == [("A-1", "Sun; Moon", "40.00", "BDT"), ("A-2", None, "0.999", "KWD")]

    def test_are_json_with_the_rows_under_their_name(self, acme: Cast, mina: UUID) -> None:
        assert acme.hr.ok("POST", "/sales/import", {"rows": [sale_row()]})["added"] == 1
        assert acme.hr.post("/sales/import", {"rows": [], "more": 1}).status == 422

    def test_are_refused_when_too_long_or_unreadable(self, acme: Cast, mina: UUID) -> None:
        assert acme.hr.post("/sales/import", "E-1").status == 400
        assert acme.hr.post("/sales/import", "employee_no\nE-1", **CSV).status == 422
        assert acme.hr.post("/sales/import", "earning,colour\n1,blue", **CSV).status == 422
        assert acme.hr.post("/sales/import", json.dumps([{}] * 20_001)).status == 413
        assert acme.hr.ok("POST", "/sales/import", [])["rows"] == 0

    def test_of_twenty_thousand_rows_are_one_batch(self, acme: Cast) -> None:
        sql(
            acme,
            "insert into users (tenant_id, name, email)"
            " select :tenant_id, 'P', 'p' || n || '@acme.example' from generate_series(0, 499) n",
            tenant_id=acme.id,
        )
        lines = [f"p{n % 500}@acme.example,{n % 100}.10,T-{n}" for n in range(20_000)]
        lines[777] = "p0@acme.example,1.001,T-777"
        file = "\n".join(["email,earning,external_id", *lines])
        report = acme.hr.ok("POST", "/sales/import", file, **CSV)
        assert (report["added"], [error["line"] for error in report["errors"]]) == (19_999, [779])
        # 200 times the sum of 0.10 .. 99.10, which is 4,960.00, without row 777's 77.10
        assert sql(acme, "select sum(earning) from sales")[0][0] == Decimal("991922.90")
        again = acme.hr.ok("POST", "/sales/import", file, **CSV)
        assert (again["added"], again["unchanged"]) == (0, 19_999)


class TestReach:
    def test_is_hr_s_and_admins_only(self, acme: Cast, mina: UUID) -> None:
        for role in (Role.MANAGER, Role.EMPLOYEE):
            assert key(acme.id, role, mina).post("/sales/import", [sale_row()]).status == 403

    def test_answers_another_tenant_as_for_an_unknown_id(self, acme: Cast, zenith: Cast, mina: UUID) -> None:
        load(acme, sale_row())
        nobody = uuid4()
        report = load(
            zenith,
            sale_row(),
            {"user_id": str(mina), "earning": "1.00"},
            {"email": "mina@acme.example", "earning": "1.00"},
            {"user_id": str(nobody), "earning": "1.00"},
            {"user_id": seller(zenith), "earning": "1.00", "external_id": "A-1"},
        )
        assert (report["added"], [error["detail"] for error in report["errors"]]) == (
            1,
            [
                "there is no person with the employee_no E-1",
                f"there is no person with the user_id {mina}",
                "there is no person with the email mina@acme.example",
                f"there is no person with the user_id {nobody}",
            ],
        )
