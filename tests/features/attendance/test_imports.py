"""Importing many attendance rows: good ones kept, wrong ones told by line."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from chalicelib.backing import clock
from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key, tenant
from tests.support.people import branch, employee, lock_period, roster, shift, sql

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 1, 7, 6, 0, tzinfo=UTC)
CSV = {"headers": {"content-type": "text/csv"}}


@pytest.fixture(autouse=True)
def _frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="rahim")
def _rahim(acme: Cast) -> UUID:
    return employee(acme, shift_id=shift(acme, "09:00", "18:00"))


def load(acme: Cast, *rows: dict[str, Any], dry_run: bool = False) -> dict[str, Any]:
    path = "/attendance/import" + ("?dry_run=true" if dry_run else "")
    found: dict[str, Any] = acme.hr.ok("POST", path, list(rows))
    return found


def days(acme: Cast, user_id: UUID, month: str = "2026-01") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = acme.hr.ok("GET", f"/users/{user_id}/attendance?month={month}")["items"]
    return found


def said(day: str = "2026-01-05", **cells: object) -> dict[str, object]:
    return {"employee_no": "E-1", "date": day, **cells}


def people(acme: Cast, count: int) -> None:
    """Employ many at once, P-1 and so on."""
    sql(
        acme,
        "with made as (insert into users (tenant_id, name)"
        " select :tenant_id, 'P-' || n from generate_series(1, :count) n returning id, name)"
        " insert into employments (tenant_id, user_id, employee_no, joined_on)"
        " select :tenant_id, id, name, '2025-01-01' from made",
        tenant_id=acme.id,
        count=count,
    )


class TestImport:
    def test_adds_corrects_and_leaves_alone(self, acme: Cast, rahim: UUID) -> None:
        file = [said("2026-01-04", check_in="09:10", check_out="18:10"), said("2026-01-05", worked_minutes=540)]
        first = load(acme, *file)
        assert first == {
            "dry_run": False,
            "rows": 2,
            "added": 2,
            "corrected": 0,
            "unchanged": 0,
            "late_corrections": 0,
            "errors": [],
        }
        again = load(acme, *file)
        assert (again["added"], again["corrected"], again["unchanged"]) == (0, 0, 2)
        file[1] = said("2026-01-05", status="half_day", half="second")
        mixed = load(acme, *file, said("2026-01-06", status="absent"))
        assert (mixed["added"], mixed["corrected"], mixed["unchanged"]) == (1, 1, 1)
        assert [(day["date"], day["status"], day["late_minutes"], day["version"]) for day in days(acme, rahim)] == [
            ("2026-01-04", "present", 10, 1),
            ("2026-01-05", "half_day", 0, 2),
            ("2026-01-06", "absent", 0, 1),
        ]

    def test_keeps_the_good_rows_and_tells_the_others_by_line(self, acme: Cast, rahim: UUID) -> None:
        employee(acme, employee_no="E-2", joined_on=date(2026, 1, 5), left_on=date(2026, 1, 5))
        found = load(
            acme,
            said(status="present"),
            {"employee_no": "E-9", "date": "2026-01-05", "status": "present"},
            {"date": "2026-01-05", "status": "present"},
            said("05/01/2026", status="present"),
            said("2026-01-09", status="present"),
            {"employee_no": "E-2", "date": "2026-01-04", "status": "present"},
            {"employee_no": "E-2", "date": "2026-01-06", "status": "present"},
            said("2026-01-03", status="late"),
            said("2026-01-03", status="present", half="first"),
            said("2026-01-02", check_out="18:00"),
            said("2026-01-01", check_in="9 o'clock"),
            said("2025-12-31"),
            said("2025-12-30", status="absent", check_in="09:00"),
            said("2025-12-29", status="present", colour="blue"),
            "not a row",  # type: ignore[arg-type]
            said("2025-12-28", worked_minutes="540"),
        )
        assert (found["rows"], found["added"]) == (16, 2)
        assert [(error["line"], error["column"]) for error in found["errors"]] == [
            (2, "employee_no"),
            (3, None),
            (4, "date"),
            (5, "date"),
            (6, "date"),
            (7, "date"),
            (8, "status"),
            (9, "half"),
            (10, "check_out"),
            (11, "check_in"),
            (12, None),
            (13, "status"),
            (14, "colour"),
            (15, None),
        ]
        assert found["errors"][0]["detail"] == "there is no employee E-9"
        assert found["errors"][4]["detail"] == "is before E-2 joined, on 2026-01-05"
        assert [day["date"] for day in days(acme, rahim)] == ["2026-01-05"]

    def test_takes_none_of_two_rows_about_the_same_day(self, acme: Cast, rahim: UUID) -> None:
        found = load(
            acme,
            said("2026-01-04", status="present"),
            said("2026-01-05", status="present"),
            {"user_id": str(rahim), "date": "2026-01-05", "status": "absent"},
        )
        assert found["added"] == 1
        assert [(error["line"], error["detail"]) for error in found["errors"]] == [
            (2, "the same employee and date are also on line 3; keep one of them"),
            (3, "the same employee and date are also on line 2; keep one of them"),
        ]

    def test_refuses_a_number_and_an_id_of_different_people(self, acme: Cast, rahim: UUID) -> None:
        karim = employee(acme, employee_no="E-2")
        assert load(acme, said(user_id=str(karim), status="present"))["errors"][0]["column"] == "user_id"
        assert load(acme, said(user_id=str(rahim), status="present"))["errors"] == []

    def test_writes_nothing_on_a_dry_run(self, acme: Cast, rahim: UUID) -> None:
        load(acme, said("2026-01-04", status="present"), said("2026-01-05", status="present"))
        rows = [
            said("2026-01-04", status="absent"),
            said("2026-01-05", status="present"),
            said("2026-01-06", status="present"),
            said("2026-01-99", status="present"),
        ]
        lock_period(acme, "2026-01", date(2026, 1, 1), date(2026, 1, 31))
        dry = load(acme, *rows, dry_run=True)
        assert (dry["dry_run"], dry["added"], dry["corrected"], dry["unchanged"]) == (True, 1, 1, 1)
        assert (dry["late_corrections"], len(dry["errors"])) == (2, 1)
        assert [day["status"] for day in days(acme, rahim)] == ["present", "present"]
        assert sql(acme, "select count(*) from late_corrections")[0][0] == 0
        assert sql(acme, "select count(*) from audit_logs")[0][0] == 1
        assert load(acme, *rows) == {**dry, "dry_run": False}

    def test_counts_what_falls_in_a_locked_period(self, acme: Cast, rahim: UUID) -> None:
        load(acme, said("2025-12-29", status="present"))
        lock_period(acme, "2025-12", date(2025, 12, 1), date(2025, 12, 31))
        found = load(
            acme,
            said("2025-12-29", status="present"),
            said("2025-12-10", status="present"),
            said("2026-01-20", status="present"),
            said("2026-01-05", status="present"),
        )
        assert (found["added"], found["unchanged"], found["late_corrections"]) == (2, 1, 1)
        noted = sql(acme, "select month, user_id, day, what from late_corrections where day < '2026-01-01'")
        assert [tuple(row) for row in noted] == [("2025-12", rahim, date(2025, 12, 10), "attendance")]

    def test_keeps_what_corrected_rows_said_before(self, acme: Cast, rahim: UUID) -> None:
        load(acme, said(worked_minutes=539))
        load(acme, said(worked_minutes=540))
        found = sql(acme, "select action, before, after from audit_logs order by seq")
        assert [row.action for row in found] == ["attendance.imported", "attendance.imported", "attendance.corrected"]
        assert found[1].after == {
            "rows": 1,
            "added": 0,
            "corrected": 1,
            "unchanged": 0,
            "late_corrections": 0,
            "errors": 0,
        }
        assert found[2].before == {f"{rahim}/2026-01-05": {"worked_minutes": 539}}
        assert found[2].after == {f"{rahim}/2026-01-05": {"worked_minutes": 540}}

    def test_replaces_punches(self, acme: Cast, rahim: UUID) -> None:
        acme.hr.ok("POST", f"/users/{rahim}/checkin", {"at": "2026-01-05T09:00:00+06:00"})
        assert load(acme, said(check_in="09:00", check_out="18:00"))["corrected"] == 1
        assert days(acme, rahim)[0]["status"] == "present"


class TestTimes:
    def test_end_on_the_next_day_when_earlier(self, acme: Cast) -> None:
        guard = employee(acme, employee_no="N-1", shift_id=shift(acme, "22:00", "06:00"))
        roster(acme, guard, date(2026, 1, 4), shift(acme, "09:00", "18:00"))
        found = load(
            acme,
            {"employee_no": "N-1", "date": "2026-01-03", "check_in": "22:12", "check_out": "06:00"},
            {"employee_no": "N-1", "date": "2026-01-02", "check_in": "00:12", "check_out": "06:00"},
            {"employee_no": "N-1", "date": "2026-01-04", "check_in": "00:12", "check_out": "09:12"},
            {
                "employee_no": "N-1",
                "date": "2026-01-05",
                "check_in": "2026-01-06T01:00:00+06:00",
                "check_out": "2026-01-06T00:30:00Z",
            },
        )
        assert found["errors"] == []
        assert [
            (day["check_in"], day["check_out"], day["worked_minutes"], day["late_minutes"], day["status"])
            for day in days(acme, guard)
        ] == [
            ("2026-01-02T18:12:00Z", "2026-01-03T00:00:00Z", 348, 132, "absent"),  # twelve past midnight, at night
            ("2026-01-03T16:12:00Z", "2026-01-04T00:00:00Z", 468, 12, "absent"),
            ("2026-01-03T18:12:00Z", "2026-01-04T03:12:00Z", 540, 0, "present"),  # on the day shift's own morning
            ("2026-01-05T19:00:00Z", "2026-01-06T00:30:00Z", 330, 180, "absent"),
        ]

    def test_are_the_branch_s_and_count_the_hours_that_were(self, acme: Cast) -> None:
        greta = employee(acme, employee_no="B-1", branch_id=branch(acme))
        load(
            acme,
            {"employee_no": "B-1", "date": "2025-03-29", "check_in": "22:00", "check_out": "07:00"},
            {"employee_no": "B-1", "date": "2025-10-25", "check_in": "22:00", "check_out": "06:00"},
        )
        assert [
            (day["check_in"], day["worked_minutes"], day["status"])
            for month in ("2025-03", "2025-10")
            for day in days(acme, greta, month)
        ] == [
            ("2025-03-29T21:00:00Z", 480, "absent"),  # the hour that clocks skipped nobody worked
            ("2025-10-25T20:00:00Z", 540, "present"),  # the hour that came twice everybody did
        ]


class TestFiles:
    def test_are_csv_with_a_byte_order_mark_and_quotes(self, acme: Cast, rahim: UUID) -> None:
        text = (
            "\ufeffEmployee No,Date,Check In,Check Out,Worked Minutes,Status,Half\r\n"
            '"E-1",2026-01-04,09:00,18:00,,,\r\n'
            "\r\n"
            "E-1,2026-01-05,,,,Half_Day,Second\r\n"
            "E-7,2026-01-05,,,540,,\r\n"
        )
        found = acme.hr.ok("POST", "/attendance/import", text, **CSV)
        assert (found["rows"], found["added"]) == (3, 2)
        assert found["errors"] == [{"line": 5, "column": "employee_no", "detail": "there is no employee E-7"}]
        assert [day["present_halves"] for day in days(acme, rahim)] == [["first", "second"], ["second"]]

    def test_are_json_with_the_rows_under_their_name(self, acme: Cast, rahim: UUID) -> None:
        found = acme.hr.ok("POST", "/attendance/import", {"rows": [said(status="present")]})
        assert found["added"] == 1
        assert acme.hr.post("/attendance/import", {"rows": [], "more": 1}).status == 422
        assert acme.hr.post("/attendance/import", {"rows": 5}).status == 422

    def test_are_refused_when_too_long_or_unreadable(self, acme: Cast, rahim: UUID) -> None:
        assert acme.hr.post("/attendance/import", "E-1").status == 400
        assert acme.hr.post("/attendance/import", "employee,date\nE-1,2026-01-05", **CSV).status == 422
        assert acme.hr.post("/attendance/import", "employee_no\nE-1", **CSV).status == 422
        assert acme.hr.post("/attendance/import", json.dumps([{}] * 20_001)).status == 413
        assert acme.hr.post("/attendance/import", "date\n" + "x\n" * 20_001, **CSV).status == 413
        assert acme.hr.ok("POST", "/attendance/import", [])["rows"] == 0

    def test_of_thousands_of_rows_are_one_batch(self, acme: Cast) -> None:
        people(acme, 400)
        rows = [
            {
                "employee_no": f"P-{n}",
                "date": f"2025-12-{day:02}",
                "check_in": "09:00",
                "check_out": f"{17 + day % 2}:{n % 60:02}",
            }
            for n in range(1, 401)
            for day in range(1, 26)
        ]
        rows[777]["employee_no"] = "nobody"
        found = acme.hr.ok("POST", "/attendance/import", rows)
        assert (found["added"], [error["line"] for error in found["errors"]]) == (9_999, [778])
        # of 400 x 25 days the odd ones, 18:00 and later, are whole days; row 778 is person 32 on the 3rd
        assert sql(acme, "select count(*) from attendance where present = 3")[0][0] == 400 * 13 - 1
        again = acme.hr.ok("POST", "/attendance/import", rows)
        assert (again["added"], again["corrected"], again["unchanged"]) == (0, 0, 9_999)


class TestReach:
    def test_is_hr_s_and_admins_only(self, acme: Cast, rahim: UUID) -> None:
        for role in (Role.MANAGER, Role.EMPLOYEE):
            assert key(acme.id, role, rahim).post("/attendance/import", [said(status="present")]).status == 403

    def test_tells_a_stranger_what_nobody_is_told(self, acme: Cast, rahim: UUID) -> None:
        zenith = tenant("Zenith")
        employee(zenith, employee_no="Z-1")
        nobody = uuid4()
        found = load(
            zenith,
            said(status="present"),
            {"user_id": str(rahim), "date": "2026-01-05", "worked_minutes": 1},
            {"user_id": str(nobody), "date": "2026-01-05", "worked_minutes": 1},
        )
        assert found["added"] == 0
        assert [error["detail"] for error in found["errors"]] == [
            "there is no employee E-1",
            f"there is no employee {rahim}",
            f"there is no employee {nobody}",
        ]
        assert days(acme, rahim) == []
