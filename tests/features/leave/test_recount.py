"""The leave ledger and the register say the same, whatever happens to the calendar, the register or the employment."""

import json
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from tests.features.leave.conftest import Office, day
from tests.support.at_once import overlapping
from tests.support.cast import tenant
from tests.support.people import row, sql

pytestmark = pytest.mark.usefixtures("database")

# Acme is off on Friday and Saturday: 4 to 8 January 2026 are Sunday to Thursday.


def on_leave(office: Office, first: str, last: str, **more: Any) -> dict[str, Any]:
    """Ask for leave as Rahim and approve it as Boss."""
    return office.decide(office.ask(first, last, **more))


def request(office: Office, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = office.cast.hr.ok("GET", f"/leave-requests/{made['id']}")
    return found


def set_day(office: Office, date_: str, body: dict[str, Any], status: int = 200) -> Any:
    """Set a day of Rahim's register by hand, as HR."""
    return reply(office, "PUT", f"/pay-register/{date_[:7]}/{office.rahim_id}/days/{date_}", body, status)


def reply(office: Office, method: str, path: str, body: dict[str, Any], status: int) -> Any:
    """Make a call as HR that has to be answered with a status."""
    found = office.cast.hr.call(method, path, body)
    assert found.status == status, found.text
    return json.loads(found.text)


class TestHoliday:
    def test_gives_back_the_day_that_it_takes_out_of_leave(self, office: Office) -> None:
        office.allocate(20)
        made = on_leave(office, "2026-01-11", "2026-01-15")
        assert office.balances() == [{"allocated": 20.0, "used": 5.0, "remaining": 15.0}]
        holiday = office.cast.hr.ok("POST", "/holidays", {"date": "2026-01-13", "name": "Eid"})
        assert office.balances() == [{"allocated": 20.0, "used": 4.0, "remaining": 16.0}]
        assert request(office, made)["days"] == 4.0
        assert day("2026-01", office.register(), "2026-01-13") == "HH"
        assert office.told(office.rahim_id) == ["leave_approved", "leave_recounted"]
        assert "leave_request.recounted" in office.audited()
        office.cast.hr.ok("DELETE", f"/holidays/{holiday['id']}")
        assert office.balances() == [{"allocated": 20.0, "used": 5.0, "remaining": 15.0}]
        assert request(office, made)["days"] == 5.0
        assert day("2026-01", office.register(), "2026-01-13") == "LL"

    def test_moves_with_its_date_and_half(self, office: Office) -> None:
        office.allocate(20)
        on_leave(office, "2026-01-11", "2026-01-15")
        holiday = office.cast.hr.ok("POST", "/holidays", {"date": "2026-01-20", "name": "Eid"})
        assert office.balances() == [{"allocated": 20.0, "used": 5.0, "remaining": 15.0}]
        office.cast.hr.ok("PATCH", f"/holidays/{holiday['id']}", {"date": "2026-01-12", "half": "first"})
        assert office.balances() == [{"allocated": 20.0, "used": 4.5, "remaining": 15.5}]

    def test_leaves_leave_alone_that_counts_every_day(self, office: Office) -> None:
        office.leave_type("Maternity", counts_non_working_days=True)
        office.allocate(100, of="Maternity")
        on_leave(office, "2026-01-11", "2026-01-15", of="Maternity")
        office.cast.hr.ok("POST", "/holidays", {"date": "2026-01-13", "name": "Eid"})
        assert office.balances() == [{"allocated": 100.0, "used": 5.0, "remaining": 95.0}]

    def test_taken_back_makes_leave_without_pay_of_what_nothing_is_left_for(self, office: Office) -> None:
        office.allocate(5)
        on_leave(office, "2026-01-11", "2026-01-15")
        holiday = office.cast.hr.ok("POST", "/holidays", {"date": "2026-01-13", "name": "Eid"})
        on_leave(office, "2026-01-19", "2026-01-19")  # takes the day that came back
        office.cast.hr.ok("DELETE", f"/holidays/{holiday['id']}")
        assert office.balances() == [{"allocated": 5.0, "used": 5.0}]
        assert day("2026-01", office.register(), "2026-01-13") == "UU"
        [told] = sql(
            office.cast,
            "select said from notification_logs where kind = 'leave_recounted'"
            " and channel = 'in_app' order by id desc limit 1",
        )
        assert told.said["unpaid_days"] == 1.0
        # days that are found later are taken by the next recount
        [allocation] = office.cast.hr.ok("GET", "/leave-allocations")["items"]
        office.cast.hr.ok("PATCH", f"/leave-allocations/{allocation['id']}", {"allocated_days": 6})
        office.cast.hr.ok("PUT", f"/users/{office.rahim_id}/roster", {"entries": [{"date": "2026-01-13"}]})
        assert office.balances() == [{"allocated": 6.0, "used": 6.0}]
        assert day("2026-01", office.register(), "2026-01-13") == "LL"

    def test_concerns_nobody_of_another_company(self, office: Office) -> None:
        office.allocate(20)
        on_leave(office, "2026-01-11", "2026-01-15")
        tenant("Zenith").hr.ok("POST", "/holidays", {"date": "2026-01-13", "name": "Eid"})
        assert office.balances() == [{"allocated": 20.0, "used": 5.0, "remaining": 15.0}]


class TestCalendar:
    def test_a_roster_gives_a_day_of_leave_off(self, office: Office) -> None:
        office.allocate(20)
        on_leave(office, "2026-01-11", "2026-01-15")
        path = f"/users/{office.rahim_id}/roster"
        office.cast.hr.ok("PUT", path, {"entries": [{"date": "2026-01-12", "off": "full"}]})
        assert office.balances() == [{"allocated": 20.0, "used": 4.0, "remaining": 16.0}]
        office.cast.hr.ok("PUT", path, {"entries": [], "clear": ["2026-01-12"]})
        assert office.balances() == [{"allocated": 20.0, "used": 5.0, "remaining": 15.0}]

    def test_another_weekend_of_the_company_recounts_days_that_are_not_locked(self, office: Office) -> None:
        office.allocate(20)
        on_leave(office, "2026-01-11", "2026-01-15")
        on_leave(office, "2026-02-01", "2026-02-05")
        assert office.balances() == [{"allocated": 20.0, "used": 10.0, "remaining": 10.0}]
        office.cast.admin.ok("POST", "/pay-register/2026-01/lock")
        office.cast.admin.ok("PATCH", "/tenant", {"weekend": [7]})  # Sunday: of February's week only the 1st is off
        assert office.balances() == [{"allocated": 20.0, "used": 9.0, "remaining": 11.0}]

    def test_another_weekend_of_a_branch_recounts_its_people(self, office: Office) -> None:
        office.allocate(20)
        branch = office.cast.hr.ok("POST", "/branches", {"name": "North"})
        sql(
            office.cast,
            "update employments set branch_id = :branch_id where user_id = :user_id",
            branch_id=UUID(branch["id"]),
            user_id=office.rahim_id,
        )
        on_leave(office, "2026-01-11", "2026-01-15")
        office.cast.hr.ok("PATCH", f"/branches/{branch['id']}", {"weekend": [1, 2]})
        assert office.balances() == [{"allocated": 20.0, "used": 3.0, "remaining": 17.0}]

    def test_leaving_gives_back_leave_still_to_come(self, office: Office) -> None:
        office.allocate(20)
        on_leave(office, "2026-01-11", "2026-01-15")
        office.cast.hr.ok(
            "PUT",
            f"/users/{office.rahim_id}/employment",
            {"employee_no": "E-2", "joined_on": "2025-01-01", "left_on": "2026-01-12"},
        )
        assert office.balances() == [{"allocated": 20.0, "used": 2.0, "remaining": 18.0}]
        assert "leave_recounted" in office.told(office.rahim_id)


class TestByHand:
    def test_work_on_a_day_of_leave_gives_it_back(self, office: Office) -> None:
        office.allocate(20)
        on_leave(office, "2026-01-11", "2026-01-15")
        set_day(office, "2026-01-13", {"first_half": {"status": "present"}})
        assert office.balances() == [{"allocated": 20.0, "used": 4.5, "remaining": 15.5}]
        office.cast.hr.ok("DELETE", f"/pay-register/2026-01/{office.rahim_id}/days/2026-01-13")
        assert office.balances() == [{"allocated": 20.0, "used": 5.0, "remaining": 15.0}]

    def test_paid_leave_draws_on_its_allocation(self, office: Office) -> None:
        made = office.allocate(20)
        annual = office.types["Annual"]
        set_day(office, "2026-01-05", {"status": "leave", "leave_type_id": annual})
        assert office.balances() == [{"allocated": 20.0, "used": 1.0, "remaining": 19.0}]
        set_day(office, "2026-01-05", {"second_half": {"status": "leave", "leave_type_id": annual}})
        assert office.balances() == [{"allocated": 20.0, "used": 0.5, "remaining": 19.5}]
        assert made["id"]

    def test_paid_leave_needs_a_type(self, office: Office) -> None:
        refused = set_day(office, "2026-01-05", {"status": "leave"}, 422)
        assert "leave_type_id" in refused["errors"][0]["detail"]
        set_day(office, "2026-01-05", {"status": "leave", "leave_nature": "lop"})

    def test_leave_without_pay_draws_only_where_its_type_has_days(self, office: Office) -> None:
        office.allocate(20)
        unpaid = office.leave_type("Unpaid", is_paid=False)
        set_day(office, "2026-01-05", {"status": "leave", "leave_type_id": unpaid})
        assert office.balances() == [{"allocated": 20.0, "remaining": 20.0}]
        office.allocate(3, of="Unpaid")
        set_day(office, "2026-01-06", {"status": "leave", "leave_type_id": unpaid})
        assert office.balances()[1] == {"allocated": 3.0, "used": 1.0, "remaining": 2.0}

    def test_more_than_is_left_is_refused_and_nothing_is_kept(self, office: Office) -> None:
        office.allocate(0.5)
        annual = office.types["Annual"]
        refused = set_day(office, "2026-01-05", {"status": "leave", "leave_type_id": annual}, 409)
        assert "2026-01-05" in refused["detail"]
        assert office.balances() == [{"allocated": 0.5, "remaining": 0.5}]
        assert office.cast.hr.ok("GET", f"/pay-register/2026-01/{office.rahim_id}/history")["items"] == []

    def test_leave_set_over_a_request_of_the_same_type_is_taken_once(self, office: Office) -> None:
        office.allocate(20)
        on_leave(office, "2026-01-11", "2026-01-15")
        set_day(office, "2026-01-13", {"status": "leave", "leave_type_id": office.types["Annual"]})
        assert office.balances() == [{"allocated": 20.0, "used": 5.0, "remaining": 15.0}]


class TestBalances:
    def test_are_by_the_day_of_leave_or_by_what_was_known(self, office: Office) -> None:
        office.allocate(20)
        on_leave(office, "2026-01-11", "2026-01-15")
        assert office.balances("2026-01-12") == [{"allocated": 20.0, "used": 2.0, "remaining": 18.0}]
        assert office.balances("2026-01-10") == [{"allocated": 20.0, "remaining": 20.0}]
        assert office.balances() == [{"allocated": 20.0, "used": 5.0, "remaining": 15.0}]
        assert office.balances(known_at="2026-01-03") == []

    def test_stay_readable_when_they_are_settled(self, office: Office) -> None:
        office.allocate(2, start="2025-01-01")
        sql(office.cast, "update leave_allocations set expires_on = '2025-12-31'")
        [before] = office.cast.hr.ok("GET", f"/users/{office.rahim_id}/leave-balances")["items"]
        row(
            office.cast,
            "leave_entries",
            {
                "allocation_id": UUID(before["allocation_id"]),
                "bucket": "lapsed",
                "days": 2,
                "cause": "expiry/2026-01-01",
                "concerns_on": date(2026, 1, 1),
                "booked_at": "2026-01-01T00:00:00Z",
                "booked_by": "x",
            },
            returning="number",
        )
        [after] = office.cast.hr.ok("GET", f"/users/{office.rahim_id}/leave-balances")["items"]
        assert (before["is_over"], after["is_over"]) == (True, True)
        assert (after["lapsed"], after["remaining"]) == (2.0, 0.0)
        assert office.balances("2025-12-31") == [{"allocated": 2.0, "remaining": 2.0}]


class TestAllocate:
    def test_refuses_more_days_than_the_cycle_has(self, office: Office) -> None:
        annual = office.leave_type()
        body = {
            "user_id": str(office.rahim_id),
            "leave_type_id": annual,
            "cycle_start_date": "2026-01-01",
            "cycle_end_date": "2026-01-10",
        }
        refused = reply(office, "POST", "/leave-allocations", {**body, "allocated_days": 10.5}, 422)
        assert refused["errors"][0]["pointer"] == "/allocated_days"
        made = office.cast.hr.ok("POST", "/leave-allocations", {**body, "allocated_days": 10})
        path = f"/leave-allocations/{made['id']}"
        reply(office, "PATCH", path, {"allocated_days": 11}, 422)
        many = {
            "leave_type_id": annual,
            "cycle_start_date": "2026-02-01",
            "cycle_end_date": "2026-02-10",
            "days": 11,
            "all": True,
        }
        refused = reply(office, "POST", "/leave-allocations/bulk", many, 422)
        assert refused["errors"][0]["pointer"] == "/days"


class TestAtOnce:
    @pytest.mark.parametrize("holiday_first", [True, False])
    def test_a_holiday_and_an_approval_do_not_miss_each_other(self, office: Office, holiday_first: bool) -> None:
        office.allocate(20)
        asked = office.ask("2026-01-11", "2026-01-15")
        writers = [
            lambda: office.cast.hr.ok("POST", "/holidays", {"date": "2026-01-13", "name": "Eid"}),
            lambda: office.decide(asked),
        ]
        first, second = writers if holiday_first else reversed(writers)
        overlapping(office.cast, first, second)
        assert office.balances() == [{"allocated": 20.0, "used": 4.0, "remaining": 16.0}]
        assert request(office, asked)["days"] == 4.0

    def test_two_edits_by_hand_do_not_take_the_same_last_day(self, office: Office) -> None:
        office.allocate(1)
        body = {"status": "leave", "leave_type_id": office.types["Annual"]}
        path = f"/pay-register/2026-01/{office.rahim_id}/days/2026-01-0"
        replies = overlapping(
            office.cast,
            lambda: office.cast.hr.call("PUT", path + "5", body),
            lambda: office.cast.hr.call("PUT", path + "6", body),
        )
        assert sorted(reply.status for reply in replies) == [200, 409]
        assert office.balances() == [{"allocated": 1.0, "used": 1.0}]
