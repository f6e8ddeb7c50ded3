"""What follows from a changed fact: the register and the balance say it when the answer comes, and stay fresh."""

import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from chalicelib.features.pay_register import calculation as pay_register_calculation
from chalicelib.identity.permissions import Role
from tests.features.pay_register.conftest import WORKING, Acme, attend, pay
from tests.support.api import Api
from tests.support.cast import key
from tests.support.people import employee, row, sql
from tests.support.stack import at

GRID = "/pay-register/2026-01"


@pytest.fixture(autouse=True)
def _computed(acme: Acme) -> None:
    """Have Rahim present on all working days but the 20th and the 21st, and January computed."""
    attend(acme.cast, acme.rahim, [day for day in WORKING if day.day not in (20, 21)])
    with at("2026-02-01T00:35:00+06:00"):
        acme.cast.hr.ok("POST", f"{GRID}/sync", {})


@pytest.fixture(name="boss")
def _boss(acme: Acme) -> Api:
    return key(acme.cast.id, Role.HR, employee(acme.cast, name="Boss", employee_no="B-1"))


def state(acme: Acme) -> tuple[str, bool]:
    """Return what Rahim has earned, and whether the period is stale."""
    items = acme.cast.hr.ok("GET", "/balances/2026-01")["items"]
    [own] = [one["earned_to_date"] for one in items if one["user_id"] == str(acme.rahim)]
    return own, acme.cast.hr.ok("GET", GRID)["period"]["is_stale"]


def totals(acme: Acme) -> dict[str, Any]:
    register_totals: dict[str, Any] = acme.cast.hr.ok("GET", f"{GRID}/{acme.rahim}")["totals"]
    return register_totals


def asked(acme: Acme, path: str, **body: Any) -> str:
    return f"{path}/" + acme.cast.hr.ok("POST", path, {"user_id": str(acme.rahim), **body})["id"]


class TestApproved:
    def test_leave_is_on_the_register_and_in_the_balance(self, acme: Acme, boss: Api) -> None:
        unpaid = row(acme.cast, "leave_types", {"name": "Unpaid", "is_paid": False, "is_limited": False})
        request = asked(
            acme, "/leave-requests", leave_type_id=str(unpaid), start_date="2026-01-12", end_date="2026-01-13"
        )
        assert state(acme) == ("13571.43", False)
        boss.ok("PATCH", request, {"status": "approved"})
        # 17 of 21 days
        assert state(acme) == ("12142.86", False)
        assert totals(acme)["lop_days"] == 2
        boss.ok("PATCH", request, {"end_date": "2026-01-12"})
        assert (state(acme), totals(acme)["lop_days"]) == (("12857.14", False), 1)
        boss.ok("PATCH", request, {"status": "cancelled"})
        assert (state(acme), totals(acme)["lop_days"]) == (("13571.43", False), 0)

    def test_on_duty_is(self, acme: Acme, boss: Api) -> None:
        request = asked(acme, "/on-duty", start_date="2026-01-20", end_date="2026-01-21")
        boss.ok("PATCH", request, {"status": "approved"})
        assert (state(acme), totals(acme)["od_days"]) == (("15000.00", False), 2)
        boss.ok("PATCH", request, {"status": "cancelled"})
        assert (state(acme), totals(acme)["od_days"]) == (("13571.43", False), 0)

    def test_overtime_is(self, acme: Acme, boss: Api) -> None:
        request = asked(acme, "/overtime", date="2026-01-19", hours=2.5)
        boss.ok("PATCH", request, {"status": "approved"})
        assert (totals(acme)["ot_hours"], state(acme)[1]) == (2.5, False)
        boss.ok("PATCH", request, {"status": "cancelled"})
        assert (totals(acme)["ot_hours"], state(acme)[1]) == (0, False)

    def test_makes_the_row_in_every_period_that_has_begun_and_in_no_later_one(self, acme: Acme, boss: Api) -> None:
        with at("2026-02-10T12:00:00+06:00"):
            request = asked(acme, "/on-duty", start_date="2026-01-29", end_date="2026-02-25")
            boss.ok("PATCH", request, {"status": "approved"})
            later = asked(acme, "/on-duty", start_date="2026-03-01", end_date="2026-03-02")
            boss.ok("PATCH", later, {"status": "approved"})
            rows = sql(
                acme.cast,
                "select month, as_of, od_days from pay_registers where user_id = :user_id order by 1",
                user_id=acme.rahim,
            )
        # 29 to 31 January; 1 to 25 February: on-duty wins over days off
        assert [tuple(one) for one in rows] == [("2026-01", date(2026, 1, 31), 3), ("2026-02", date(2026, 2, 9), 25)]

    def test_in_a_locked_period_is_paid_later(self, acme: Acme, boss: Api) -> None:
        request = asked(acme, "/on-duty", start_date="2026-01-20", end_date="2026-01-20")
        acme.cast.admin.ok("POST", f"{GRID}/lock", {})
        boss.ok("PATCH", request, {"status": "approved"})
        assert (state(acme)[0], totals(acme)["od_days"]) == ("13571.43", 0)
        assert sql(acme.cast, "select what from late_corrections") == [("on_duty",)]


class TestCorrected:
    def test_attendance_is_on_the_register_and_in_the_balance(self, acme: Acme) -> None:
        day = f"/users/{acme.rahim}/attendance/2026-01-20"
        acme.cast.hr.ok("PUT", day, {"status": "present", "reason": "device was off"})
        assert state(acme) == ("14285.71", False)
        acme.cast.hr.ok("DELETE", f"{day}?reason=wrong")
        assert state(acme) == ("13571.43", False)


class TestFresh:
    def test_a_period_stays_with_an_edit_and_does_not_with_other_facts(self, acme: Acme) -> None:
        acme.cast.hr.ok("PUT", f"{GRID}/{acme.rahim}/days/2026-01-20", {"status": "present"})
        assert state(acme) == ("14285.71", False)
        body = [{"employee_no": "E-1", "date": "2026-01-21", "status": "present"}]
        acme.cast.hr.ok("POST", "/attendance/import", body)
        assert state(acme) == ("14285.71", True)
        acme.cast.hr.ok("PUT", f"{GRID}/{acme.rahim}/days/2026-01-05", {"status": "absent"})
        assert state(acme)[1] is True

    def test_a_pay_week_that_reaches_into_the_next_period_is_computed_there_too(self, acme: Acme) -> None:
        weekly = employee(acme.cast, name="Weekly", employee_no="W-1")
        pay(acme.cast, weekly, "3500.00", "weekly")
        with at("2026-02-10T12:00:00+06:00"):
            for month in ("2026-01", "2026-02"):
                acme.cast.hr.ok("POST", f"/pay-register/{month}/sync", {})
            assert self.february(acme, weekly) == "0.00"
            # Saturday 31 January begins the pay week that ends on 6 February
            acme.cast.hr.ok("PUT", f"{GRID}/{weekly}/days/2026-01-31", {"status": "present"})
            assert self.february(acme, weekly) == "3500.00"
            assert acme.cast.hr.ok("GET", "/pay-register/2026-02")["period"]["is_stale"] is False

    def february(self, acme: Acme, user_id: object) -> str:
        items = acme.cast.hr.ok("GET", "/balances/2026-02")["items"]
        return next(str(one["earned_to_date"]) for one in items if one["user_id"] == str(user_id))


class TestLock:
    def test_computes_a_stale_period_first(self, acme: Acme) -> None:
        body = [{"employee_no": "E-1", "date": "2026-01-20", "status": "present"}]
        acme.cast.hr.ok("POST", "/attendance/import", body)
        assert state(acme) == ("13571.43", True)
        assert acme.cast.admin.ok("POST", f"{GRID}/lock", {})["is_stale"] is False
        assert state(acme) == ("14285.71", False)

    def test_of_a_stale_period_with_too_many_people_asks_for_a_sync(
        self, acme: Acme, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        employee(acme.cast, name="Karim", employee_no="E-2")
        body = [{"employee_no": "E-1", "date": "2026-01-20", "status": "present"}]
        acme.cast.hr.ok("POST", "/attendance/import", body)
        monkeypatch.setattr(pay_register_calculation, "CHUNK_EMPLOYEES", 1)
        reply = acme.cast.admin.post(f"{GRID}/lock", {})
        assert (reply.status, "sync it first" in reply.json["detail"]) == (409, True)
        assert acme.cast.hr.ok("GET", GRID)["period"]["status"] == "open"
        monkeypatch.setattr(pay_register_calculation, "CHUNK_EMPLOYEES", 5000)
        acme.cast.hr.ok("POST", f"{GRID}/sync", {})
        monkeypatch.setattr(pay_register_calculation, "CHUNK_EMPLOYEES", 1)
        assert acme.cast.admin.ok("POST", f"{GRID}/lock", {})["status"] == "locked"


@pytest.mark.parametrize(
    "module",
    ["leave.requests.routes", "attendance.requests.routes", "attendance.records.routes", "forms.submissions.routes"],
)
@pytest.mark.parametrize(
    ("registry", "follower"),
    [
        ("periods import facts", "RegisterFactsFollower"),
        ("pay_register import projection as facts", "BalancesFollower"),
    ],
)
def test_has_its_followers_whichever_routes_a_process_has_loaded(module: str, registry: str, follower: str) -> None:
    code = (
        f"import chalicelib.features.{module}; from chalicelib.features.{registry};"
        " print([type(one).__name__ for one in facts.followers()])"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert f"'{follower}'" in printed
