"""The register over HTTP: read, sync, edit, undo, lock, export; and tenant isolation."""

import base64
import csv
import io
from datetime import date
from uuid import uuid4

import openpyxl
import pytest

from chalicelib.identity.permissions import Role
from tests.features.pay_register.conftest import WORKING, Acme, attend, pay
from tests.support.cast import Cast, key
from tests.support.people import employee, row, sql

GRID = "/pay-register/2026-01"


def synced(acme: Acme) -> dict:
    """Sync January and give Rahim's row."""
    acme.cast.hr.ok("POST", f"{GRID}/sync", {})
    return acme.cast.hr.ok("GET", f"{GRID}/{acme.rahim}")


def earned(acme: Acme) -> str:
    [balance] = [b for b in acme.cast.hr.ok("GET", "/balances/2026-01")["items"] if b["user_id"] == str(acme.rahim)]
    return balance["earned_to_date"]


class TestGet:
    def test_reads_a_stub_and_writes_nothing_before_the_first_sync(self, acme: Acme) -> None:
        page = acme.cast.hr.ok("GET", GRID)
        assert page["total"] == 1
        assert page["period"]["total_days"] == 31
        assert page["period"]["status"] == "open"
        assert page["days"][0] == "2026-01-01"
        [stub] = page["items"]
        assert stub["user"]["name"] == "Rahim"
        assert stub["daily_records"] == []
        assert stub["totals"]["present_days"] == 0
        assert stub["totals"]["leave_by_type"] == {}
        assert sql(acme.cast, "select 1 from pay_periods union all select 1 from pay_registers") == []

    def test_shows_codes_for_grids(self, acme: Acme) -> None:
        attend(acme.cast, acme.rahim, WORKING[:2])
        synced(acme)
        [employee] = acme.cast.hr.ok("GET", f"{GRID}?view=codes")["items"]
        assert employee["halves"] == "PPWWWWPP" + "AAAAAAAA" + "WWWW" + "AAAAAAAAAAWWWW" * 2 + "AAAAAAAAAAWWWW"
        assert len(employee["halves"]) == 62
        assert employee["details"] == {}

    def test_filters_searches_and_pages(self, acme: Acme) -> None:
        sewing = row(acme.cast, "departments", {"name": "Sewing"})
        employee(acme.cast, name="Karim 100%", employee_no="E-2", department_id=sewing)
        employee(acme.cast, name="Left", employee_no="E-3", left_on=date(2025, 12, 31))
        names = lambda query: [i["user"]["name"] for i in acme.cast.hr.ok("GET", GRID + query)["items"]]  # noqa: E731
        assert names("") == ["Rahim", "Karim 100%"]
        assert names(f"?department_id={sewing}") == ["Karim 100%"]
        assert names("?search=karim") == ["Karim 100%"]
        assert names("?search=0%25") == ["Karim 100%"]
        assert names("?search=e-1") == ["Rahim"]
        assert names("?limit=1&page=2") == ["Karim 100%"]
        assert names("?limit=1&page=3") == []

    def test_keeps_employees_to_themselves_and_managers_to_their_people(self, acme: Acme) -> None:
        boss = employee(acme.cast, name="Boss", employee_no="B")
        mine = employee(acme.cast, name="Mine", employee_no="M", manager_id=boss)
        below = employee(acme.cast, name="Below", employee_no="W", manager_id=mine)
        manager = key(acme.cast.id, Role.MANAGER, boss)
        own = key(acme.cast.id, Role.EMPLOYEE, acme.rahim)
        assert [i["user"]["name"] for i in manager.ok("GET", GRID)["items"]] == ["Boss", "Mine", "Below"]
        assert [i["user"]["name"] for i in own.ok("GET", GRID)["items"]] == ["Rahim"]
        assert manager.get(f"{GRID}/{below}").status == 200
        assert manager.get(f"{GRID}/{acme.rahim}").status == 404
        assert own.post(f"{GRID}/sync", {}).status == 403

    @pytest.mark.parametrize("query", ["?limit=0", "?limit=201", "?page=0", "?view=all", "?nonsense=1",
                                       "?department_id=x", "?limit=1&limit=2"])  # fmt: skip
    def test_refuses_nonsense(self, acme: Acme, query: str) -> None:
        assert acme.cast.hr.get(GRID + query).status == 422

    @pytest.mark.parametrize("month", ["2026-13", "2026-1", "january", "2026-00"])
    def test_refuses_a_month_that_is_none(self, acme: Acme, month: str) -> None:
        assert acme.cast.hr.get(f"/pay-register/{month}").status == 422


class TestSync:
    def test_pays_13571_43_for_two_unpaid_days_of_21(self, acme: Acme) -> None:
        attend(acme.cast, acme.rahim, WORKING[2:])
        balance = synced(acme)
        assert balance["totals"]["present_days"] == 19
        assert balance["totals"]["absent_days"] == 2
        assert balance["totals"]["week_offs"] == 10
        assert earned(acme) == "13571.43"
        first = balance["daily_records"][0]
        assert first["first_half"] == {
            "status": "absent",
            "source": "policy",
            "leave_type_id": None,
            "leave_nature": None,
        }

    def test_answers_with_a_job_that_is_done(self, acme: Acme) -> None:
        started = acme.cast.hr.post(f"{GRID}/sync", {})
        assert started.status == 202
        job = acme.cast.hr.ok("GET", started.json["status_url"])
        assert job["status"] == "succeeded"
        assert job["progress"] == {"done": 1, "total": 1}

    def test_of_some_leaves_the_others_alone(self, acme: Acme) -> None:
        other = employee(acme.cast, name="Karim", employee_no="E-2")
        acme.cast.hr.ok("POST", f"{GRID}/sync", {"user_ids": [str(acme.rahim)]})
        assert acme.cast.hr.ok("GET", f"{GRID}/{acme.rahim}")["daily_records"] != []
        assert acme.cast.hr.ok("GET", f"{GRID}/{other}")["daily_records"] == []
        assert acme.cast.hr.post(f"{GRID}/sync", {"user_ids": [str(uuid4())]}).status == 404

    def test_drops_the_row_of_an_employee_who_turns_out_not_to_be_in_the_period(self, acme: Acme) -> None:
        synced(acme)
        sql(acme.cast, "update employments set joined_on = '2026-02-01' where user_id = :u", u=acme.rahim)
        acme.cast.hr.ok("POST", f"{GRID}/sync", {})
        assert sql(acme.cast, "select 1 from pay_registers union all select 1 from balances") == []


class TestEdit:
    def test_wins_over_every_sync_until_it_is_cleared(self, acme: Acme) -> None:
        attend(acme.cast, acme.rahim, WORKING[2:])
        synced(acme)
        day = f"{GRID}/{acme.rahim}/days/2026-01-01"
        edited = acme.cast.hr.ok("PUT", day, {"status": "present"})
        assert edited["totals"]["present_days"] == 20
        assert edited["daily_records"][0]["first_half"]["source"] == "manual"
        assert earned(acme) == "14285.71"
        assert synced(acme)["totals"]["present_days"] == 20
        cleared = acme.cast.hr.ok("DELETE", day)
        assert cleared["totals"]["present_days"] == 19
        assert earned(acme) == "13571.43"
        assert acme.cast.hr.ok("DELETE", day)["totals"]["present_days"] == 19

    def test_takes_halves_hours_and_extra_days(self, acme: Acme) -> None:
        attend(acme.cast, acme.rahim, WORKING)
        sick = row(acme.cast, "leave_types", {"name": "Unpaid", "is_paid": False})
        reply = acme.cast.hr.ok(
            "PUT",
            f"{GRID}/{acme.rahim}/days/2026-01-04",
            {
                "second_half": {"status": "leave", "leave_type_id": str(sick)},
                "ot_hours": 2.5,
                "extra_days": 1,
                "remarks": "asked for",
            },
        )
        fourth = reply["daily_records"][3]
        assert fourth["first_half"]["status"] == "present"
        assert fourth["second_half"] == {
            "status": "leave",
            "source": "manual",
            "leave_type_id": str(sick),
            "leave_nature": "lop",
        }
        assert (fourth["ot_hours"], fourth["extra_days"], fourth["remarks"]) == (2.5, 1, "asked for")
        totals = reply["totals"]
        assert (totals["lop_days"], totals["ot_hours"], totals["extra_days"]) == (0.5, 2.5, 1)
        assert totals["leave_by_type"] == {str(sick): 0.5}
        # 20.5 paid days and 1 extra of 21: 15000 x 21.5 / 21
        assert earned(acme) == "15357.14"

    def test_keeps_its_history(self, acme: Acme) -> None:
        day = f"{GRID}/{acme.rahim}/days/2026-01-01"
        acme.cast.hr.ok("PUT", day, {"status": "present"})
        acme.cast.admin.ok("PUT", day, {"status": "od"})
        acme.cast.hr.ok("DELETE", day)
        history = acme.cast.hr.ok("GET", f"{GRID}/{acme.rahim}/history")["items"]
        assert [(e["first_half"], e["edited_by"], e["superseded_by"]) for e in history] == [
            ("od", "tenant_admin key", "hr key"),
            ("present", "hr key", "tenant_admin key"),
        ]
        rows = acme.cast.admin.ok("GET", "/audit-logs?entity_type=pay_register")["items"]
        assert [r["action"] for r in rows] == ["pay_register.cleared", "pay_register.edited", "pay_register.edited"]
        assert rows[1]["after"]["first_half"]["status"] == "od"

    @pytest.mark.parametrize("body", [
        {}, {"status": "sick"}, {"status": "present", "first_half": {"status": "absent"}},
        {"first_half": {"status": "present", "leave_nature": "paid"}}, {"ot_hours": 25}, {"extra_days": -1},
        {"leave_nature": "paid"}, {"status": None}, {"remarks": "nul \u0000"},
    ])  # fmt: skip
    def test_refuses_nonsense(self, acme: Acme, body: dict) -> None:
        assert acme.cast.hr.put(f"{GRID}/{acme.rahim}/days/2026-01-01", body).status == 422

    def test_refuses_a_day_of_another_month(self, acme: Acme) -> None:
        reply = acme.cast.hr.put(f"{GRID}/{acme.rahim}/days/2026-02-01", {"status": "present"})
        assert reply.status == 422
        assert "2026-01-01 to 2026-01-31" in reply.json["detail"]

    def test_of_a_leave_type_that_is_not_ours_is_not_found(self, acme: Acme, zenith: Cast) -> None:
        zenith_type = row(zenith, "leave_types", {"name": "Annual"})
        for unknown in (zenith_type, uuid4()):
            body = {"status": "leave", "leave_type_id": str(unknown)}
            assert acme.cast.hr.put(f"{GRID}/{acme.rahim}/days/2026-01-01", body).status == 404


class TestLock:
    def test_keeps_what_was_paid_and_notes_late_corrections(self, acme: Acme) -> None:
        attend(acme.cast, acme.rahim, WORKING[2:])
        synced(acme)
        assert acme.cast.admin.ok("POST", f"{GRID}/lock", {})["status"] == "locked"
        assert acme.cast.hr.post(f"{GRID}/sync", {}).status == 409
        assert acme.cast.hr.post(f"{GRID}/{acme.rahim}/recalculate", {}).status == 409
        edited = acme.cast.hr.ok("PUT", f"{GRID}/{acme.rahim}/days/2026-01-01", {"status": "present"})
        assert edited["late_correction"] is True
        assert edited["totals"]["present_days"] == 19
        assert earned(acme) == "13571.43"
        assert sql(acme.cast, "select month, user_id, day, what from late_corrections") == [
            ("2026-01", acme.rahim, date(2026, 1, 1), "edit")
        ]

    def test_is_undone_with_a_reason(self, acme: Acme) -> None:
        synced(acme)
        acme.cast.admin.ok("POST", f"{GRID}/lock", {})
        acme.cast.hr.ok("PUT", f"{GRID}/{acme.rahim}/days/2026-01-01", {"status": "present"})
        assert acme.cast.admin.post(f"{GRID}/lock", {}).status == 409
        assert acme.cast.admin.post(f"{GRID}/unlock", {}).status == 422
        assert acme.cast.hr.post(f"{GRID}/unlock", {"reason": "x"}).status == 403
        opened = acme.cast.admin.ok("POST", f"{GRID}/unlock", {"reason": "forgot a day"})
        assert (opened["status"], opened["is_stale"]) == ("open", True)
        assert acme.cast.admin.post(f"{GRID}/unlock", {"reason": "again"}).status == 409
        assert synced(acme)["totals"]["present_days"] == 1
        assert sql(acme.cast, "select 1 from late_corrections") == []


class TestExport:
    def test_writes_csv_that_is_safe_to_open(self, acme: Acme) -> None:
        employee(acme.cast, name="=HYPERLINK(1)", employee_no="E-2")
        attend(acme.cast, acme.rahim, [date(2026, 1, 1)])
        acme.cast.hr.ok("PUT", f"{GRID}/{acme.rahim}/days/2026-01-04", {"first_half": {"status": "od"}})
        reply = acme.cast.hr.get(f"{GRID}/export?format=csv")
        assert reply.headers["Content-Type"].startswith("text/csv")
        first, second = csv.DictReader(io.StringIO(reply.text))
        assert (first["name"], first["2026-01-01"], first["2026-01-02"], first["2026-01-04"]) == (
            "Rahim",
            "P",
            "WO",
            "OD/A",
        )
        assert float(first["present_days"]) == 1.5
        assert (second["name"], second["2026-01-01"]) == ("'=HYPERLINK(1)", "")

    def test_writes_xlsx(self, acme: Acme) -> None:
        synced(acme)
        reply = acme.cast.hr.get(f"{GRID}/export?format=xlsx", headers={"accept": "*/*"})
        sheet = openpyxl.load_workbook(io.BytesIO(base64.b64decode(reply.text))).active
        head, line = sheet.iter_rows(values_only=True)
        assert (head[0], line[0], line[1], line[head.index("2026-01-01")]) == ("employee_no", "E-1", "Rahim", "A")


class TestTenantIsolation:
    @pytest.mark.parametrize(("method", "path", "body"), [
        ("GET", "/{user}", None), ("POST", "/{user}", {}), ("POST", "/{user}/recalculate", {}),
        ("GET", "/{user}/history", None), ("PUT", "/{user}/days/2026-01-01", {"status": "present"}),
        ("DELETE", "/{user}/days/2026-01-01", None), ("POST", "/sync", {"user_ids": ["{user}"]}),
        ("GET", "?department_id={department}", None), ("GET", "?division_id={division}", None),
        ("GET", "/export?department_id={department}", None),
    ])  # fmt: skip
    def test_gets_404_as_for_an_unknown_id(
        self, acme: Acme, zenith: Cast, method: str, path: str, body: dict | None
    ) -> None:
        synced(acme)
        ids = {
            "user": acme.rahim,
            "department": row(acme.cast, "departments", {"name": "D"}),
            "division": row(acme.cast, "divisions", {"name": "V"}),
        }
        valid_body = body and {
            name: [v.format(**ids) for v in value] if isinstance(value, list) else value for name, value in body.items()
        }
        assert zenith.admin.call(method, GRID + path.format(**ids), valid_body).status == 404
        unknown = dict.fromkeys(ids, uuid4())
        if body != {"user_ids": ["{user}"]}:
            assert acme.cast.admin.call(method, GRID + path.format(**unknown), valid_body).status == 404

    def test_sees_nothing_of_ours(self, acme: Acme, zenith: Cast) -> None:
        synced(acme)
        assert zenith.admin.ok("GET", GRID)["items"] == []
        assert zenith.admin.ok("GET", "/balances/2026-01")["items"] == []
        assert zenith.admin.get(f"/users/{acme.rahim}/balance").status == 404


def test_weekly_and_daily_salaries_come_out_to_the_cent(acme: Acme) -> None:
    weekly = employee(acme.cast, name="Weekly", employee_no="E-2")
    daily = employee(acme.cast, name="Daily", employee_no="E-3")
    pay(acme.cast, weekly, "3500.00", "weekly")
    pay(acme.cast, daily, "500.00", "daily")
    # seed 001: four of the five weeks ending in January have presence; none in the third
    attend(acme.cast, weekly, [date(2026, 1, d) for d in (1, 4, 5, 18, 19, 25)])
    attend(acme.cast, daily, WORKING[:20])
    attend(acme.cast, daily, WORKING[20:], "half_day")
    synced(acme)
    balances = {b["user_id"]: b for b in acme.cast.hr.ok("GET", "/balances/2026-01")["items"]}
    assert balances[str(weekly)]["earned_to_date"] == "14000.00"
    assert balances[str(daily)]["earned_to_date"] == "10250.00"
    assert balances[str(daily)]["lines"][0]["formula"] == "500.00 x 20.5"
    balance = acme.cast.hr.ok("GET", f"/users/{daily}/balance")
    assert balance["salary"]["earned_to_date"] == "10250.00"
    assert balance["salary"]["month"] == "2026-01"


class TestCycleStartDay:
    def test_drops_open_periods_with_their_rows_and_balances(self, acme: Acme) -> None:
        attend(acme.cast, acme.rahim, WORKING[:5])
        acme.cast.hr.ok("POST", f"{GRID}/sync", {})
        everything = "select 1 from pay_periods union all select 1 from pay_registers union all select 1 from balances"
        assert len(sql(acme.cast, everything)) == 3
        acme.cast.admin.ok("PATCH", "/tenant", {"cycle_start_day": 26})
        assert sql(acme.cast, everything) == []
        assert acme.cast.hr.ok("GET", GRID)["period"]["start_date"] == "2025-12-26"

    def test_refuses_while_a_period_is_locked(self, acme: Acme) -> None:
        acme.cast.hr.ok("POST", f"{GRID}/sync", {})
        acme.cast.admin.ok("POST", f"{GRID}/lock", {})
        reply = acme.cast.admin.patch("/tenant", {"cycle_start_day": 26})
        assert (reply.status, "1 pay periods are locked" in reply.json["detail"]) == (409, True)
