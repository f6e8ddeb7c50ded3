"""Leave requests over HTTP: what they cost, who may decide, and what the register is told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from chalicelib.backing import clock
from chalicelib.identity.permissions import Role
from tests.features.leave.conftest import Office, day
from tests.support.cast import key, tenant
from tests.support.people import employee, lock_period, row, sql

pytestmark = pytest.mark.usefixtures("database")


class TestAsk:
    def test_holds_the_working_days(self, office: Office) -> None:
        office.allocate(20)
        # Thursday to Monday: Thursday, Sunday, Monday
        made = office.ask("2026-01-08", "2026-01-12", reason="a wedding")
        assert {**made, "id": None, "leave_type_id": None} == {
            "id": None,
            "user_id": str(office.rahim_id),
            "leave_type_id": None,
            "start_date": "2026-01-08",
            "end_date": "2026-01-12",
            "start_half": "first",
            "end_half": "second",
            "days": 3.0,
            "reason": "a wedding",
            "status": "pending",
            "notes": None,
            "decided_by": None,
            "decided_at": None,
            "submission_id": None,
            "created_at": "2026-01-04T06:00:00Z",
            "version": 1,
        }
        assert office.balances() == [{"allocated": 20.0, "pending": 3.0, "remaining": 17.0}]
        assert office.rahim.ok("GET", f"/leave-requests/{made['id']}") == made
        assert office.audited()[-1] == "leave_request.asked"
        assert office.told(office.boss_id) == ["leave_requested"]
        assert office.told(office.rahim_id) == []

    @pytest.mark.parametrize(
        ("said", "days"),
        [
            ({"start_half": "second"}, 2.5),
            ({"end_half": "first"}, 2.5),
            ({"start_half": "second", "end_half": "first"}, 2.0),
            ({"end_date": "2026-01-10"}, 1.0),  # Friday and Saturday cost nothing
            ({"end_date": "2026-01-08", "start_half": "second"}, 0.5),
            ({"end_date": "2026-01-08", "end_half": "first"}, 0.5),
        ],
    )
    def test_counts_halves_at_either_end(self, office: Office, said: dict[str, Any], days: float) -> None:
        office.allocate(20)
        body = {**office.body("2026-01-08", "2026-01-12"), **said}
        assert office.rahim.ok("POST", "/leave-requests", body)["days"] == days

    def test_spares_holidays_and_what_the_roster_gives_off(self, office: Office) -> None:
        office.allocate(20)
        row(office.cast, "holidays", {"day": date(2026, 1, 6), "name": "Eid eve", "half": "second"})
        row(
            office.cast, "roster_days", {"user_id": office.rahim_id, "day": date(2026, 1, 7), "off": 3}, returning="day"
        )
        row(
            office.cast, "roster_days", {"user_id": office.rahim_id, "day": date(2026, 1, 9), "off": 0}, returning="day"
        )
        # 5th a day, 6th half a day, 7th off, 8th a day, 9th (Friday) worked by roster
        assert office.ask("2026-01-05", "2026-01-09")["days"] == 3.5

    def test_counts_every_day_where_the_type_does(self, office: Office) -> None:
        office.leave_type("Maternity", counts_non_working_days=True)
        office.allocate(100, of="Maternity")
        assert office.ask("2026-01-08", "2026-01-12", of="Maternity")["days"] == 5.0

    def test_needs_no_allocation_where_the_type_has_no_limit(self, office: Office) -> None:
        office.leave_type("Unpaid", is_limited=False, is_paid=False)
        made = office.ask("2026-01-05", of="Unpaid")
        office.decide(made)
        assert office.balances() == []
        assert day("2026-01", office.register(), "2026-01-05") == "UU"
        office.decide(made, "cancelled", by=office.cast.hr)
        assert day("2026-01", office.register(), "2026-01-05") != "UU"

    def test_takes_from_both_cycles_over_the_end_of_one(self, office: Office) -> None:
        office.allocate(2, start="2025-07-01", cycle_end_date="2026-01-12")
        office.allocate(20, start="2026-01-13")
        # Sunday 11, Monday 12 from the first; Tuesday 13 from the second: the first cannot be used for ever here
        sql(office.cast, "update leave_allocations set expires_on = cycle_end_on")
        office.decide(office.ask("2026-01-11", "2026-01-13"))
        assert office.balances("2026-01-12") == [{"allocated": 2.0, "used": 2.0}]
        assert office.balances("2026-01-13") == [{"allocated": 20.0, "used": 1.0, "remaining": 19.0}]

    def test_takes_what_expires_first_and_nothing_that_has(self, office: Office) -> None:
        old = office.allocate(2, start="2025-01-01")
        office.allocate(20, start="2026-01-01")
        sql(office.cast, "update leave_allocations set expires_on = '2026-01-07' where id = :id", id=old["id"])
        # three days until the 7th; two of them from what expires then
        assert office.ask("2026-01-05", "2026-01-07")["days"] == 3.0
        assert office.balances() == [
            {"allocated": 2.0, "pending": 2.0},
            {"allocated": 20.0, "pending": 1.0, "remaining": 19.0},
        ]
        office.cast.hr.ok("PATCH", f"/leave-allocations/{old['id']}", {"allocated_days": 9})
        office.ask("2026-01-08", "2026-01-11")
        assert office.balances()[1] == {"allocated": 20.0, "pending": 3.0, "remaining": 17.0}

    def test_is_refused_where_too_little_remains_and_says_how_much(self, office: Office) -> None:
        office.allocate(2.5)
        reply = office.rahim.post("/leave-requests", office.body("2026-01-05", "2026-01-07"))
        assert (reply.status, reply.json["type"]) == (409, "urn:wagebook:problem:balance-too-low")
        assert reply.json["detail"] == (
            "These are 3.0 days of Annual, and 2.5 remain; nothing is left for 2026-01-07."
            " Ask for fewer days, or ask HR for more."
        )
        reply = office.rahim.post("/leave-requests", office.body("2026-01-05", of="Study"))
        assert (reply.status, reply.json["detail"][:53]) == (
            409,
            "These are 1.0 days of Study, and 0 remain. Ask for fe",
        )
        assert office.balances() == [{"allocated": 2.5, "remaining": 2.5}]

    @pytest.mark.parametrize(
        ("first", "second", "status"),
        [
            ({}, {}, 409),
            ({}, {"start_date": "2026-01-06", "end_date": "2026-01-08"}, 409),
            ({}, {"start_date": "2026-01-07", "end_date": "2026-01-08"}, 201),
            ({"end_half": "first"}, {"start_date": "2026-01-06", "end_date": "2026-01-07"}, 409),
            ({"end_half": "first"}, {"start_date": "2026-01-06", "start_half": "second"}, 201),
            ({"start_half": "second"}, {"end_date": "2026-01-05"}, 409),
            ({"start_half": "second"}, {"end_date": "2026-01-05", "end_half": "first"}, 201),
        ],
    )  # fmt: skip
    def test_is_refused_where_other_leave_stands(
        self, office: Office, first: dict[str, Any], second: dict[str, Any], status: int
    ) -> None:
        office.allocate(20)
        office.rahim.ok("POST", "/leave-requests", {**office.body("2026-01-05", "2026-01-06"), **first})
        office.leave_type("Sick", is_limited=False)
        reply = office.rahim.post("/leave-requests", {**office.body("2026-01-05", "2026-01-06", of="Sick"), **second})
        assert reply.status == status
        if status == 409:
            assert "overlap with the pending Annual from 2026-01-05" in reply.json["detail"]

    def test_is_refused_where_leave_was_recorded_by_other_means(self, office: Office) -> None:
        office.allocate(20)
        row(
            office.cast,
            "leave_days",
            {
                "user_id": office.rahim_id,
                "day": date(2026, 1, 6),
                "half": "first",
                "nature": "paid",
                "leave_type_id": office.types["Annual"],
            },
            returning="day",
        )
        assert office.rahim.post("/leave-requests", office.body("2026-01-05", "2026-01-06")).status == 409
        assert office.rahim.post("/leave-requests", office.body("2026-01-06", start_half="second")).status == 201

    def test_may_be_done_again_once_taken_back(self, office: Office) -> None:
        office.allocate(1)
        office.decide(office.ask("2026-01-05"), "cancelled", by=office.rahim)
        office.decide(office.ask("2026-01-05"), "rejected")
        assert office.balances() == [{"allocated": 1.0, "remaining": 1.0}]
        assert office.ask("2026-01-05")["days"] == 1.0

    def test_needs_notice_of_everybody_but_hr(self, office: Office) -> None:
        office.leave_type("Annual", notice_days=3)
        office.allocate(20)
        reply = office.rahim.post("/leave-requests", office.body("2026-01-06"))
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/start_date")
        assert "3 days ahead: from 2026-01-07 on" in reply.json["detail"]
        for_him = {**office.body("2026-01-06"), "user_id": str(office.rahim_id)}
        assert office.boss.post("/leave-requests", for_him).status == 422
        assert office.rahim.post("/leave-requests", office.body("2026-01-07")).status == 201
        assert office.cast.hr.post("/leave-requests", for_him).status == 201

    def test_may_come_afterwards_where_no_notice_is_asked(self, office: Office) -> None:
        office.leave_type("Sick", is_limited=False)
        assert office.ask("2026-01-01", of="Sick")["days"] == 1.0

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"end_date": "2026-01-04"}, "/end_date"),
            ({"start_half": "second", "end_half": "first"}, "/end_date"),
            ({"start_date": "2026-01-09", "end_date": "2026-01-10"}, "/start_date"),  # Friday and Saturday
            ({"end_date": "2027-01-06"}, "/end_date"),
            ({"start_date": "2024-12-31", "end_date": "2025-01-01"}, "/start_date"),
            ({"start_half": "third"}, "/start_half"),
            ({"start_date": "1999-12-31"}, "/start_date"),
            ({"days": 3}, "/days"),
        ],
    )
    def test_refuses_what_cannot_be(self, office: Office, body: dict[str, Any], pointer: str) -> None:
        office.allocate(20)
        reply = office.rahim.post("/leave-requests", {**office.body("2026-01-05"), **body})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, pointer)

    def test_needs_a_person_with_an_employment(self, office: Office) -> None:
        assert office.cast.hr.post("/leave-requests", office.body("2026-01-05")).status == 422
        guest = row(office.cast, "users", {"name": "Guest"})
        reply = office.cast.hr.post("/leave-requests", {**office.body("2026-01-05"), "user_id": str(guest)})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/user_id")

    def test_is_of_a_type_still_in_use(self, office: Office) -> None:
        office.leave_type("Old", is_active=False)
        reply = office.rahim.post("/leave-requests", office.body("2026-01-05", of="Old"))
        assert (reply.status, "no longer in use" in reply.json["detail"]) == (409, True)

    def test_is_for_oneself_one_s_people_or_anybody(self, office: Office) -> None:
        office.allocate(20)
        colleague = employee(office.cast, name="Karim", employee_no="E-3")
        body = office.body("2026-01-05")
        assert office.rahim.post("/leave-requests", {**body, "user_id": str(office.boss_id)}).status == 404
        assert office.boss.post("/leave-requests", {**body, "user_id": str(colleague)}).status == 404
        assert office.boss.post("/leave-requests", {**body, "user_id": str(office.rahim_id)}).status == 201
        assert tenant("Zenith").hr.post("/leave-requests", {**body, "user_id": str(office.rahim_id)}).status == 404

    def test_is_won_by_one_of_several_at_once(self, office: Office) -> None:
        office.allocate(1)
        days = ["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"]
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda one: office.rahim.post("/leave-requests", office.body(one)), days))
        assert sorted(reply.status for reply in replies) == [201, 409, 409, 409]
        assert {reply.json["type"] for reply in replies if reply.status == 409} == {
            "urn:wagebook:problem:balance-too-low"
        }
        assert office.balances() == [{"allocated": 1.0, "pending": 1.0}]

    def test_of_the_same_days_is_won_by_one_also_where_there_is_nothing_to_take(self, office: Office) -> None:
        office.leave_type("Unpaid", is_limited=False)
        body = office.body("2026-01-05", of="Unpaid")
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda _: office.rahim.post("/leave-requests", body).status, range(4)))
        assert sorted(replies) == [201, 409, 409, 409]


class TestApprove:
    def test_uses_the_days_and_tells_the_register_and_the_person(self, office: Office) -> None:
        office.allocate(20)
        made = office.ask("2026-01-08", "2026-01-11", start_half="second")
        reply = office.boss.patch(
            f"/leave-requests/{made['id']}", {"status": "approved", "notes": "enjoy"}, headers={"if-match": '"1"'}
        )
        assert (reply.status, reply.headers["ETag"]) == (200, '"2"')
        assert {name: reply.json[name] for name in ("status", "notes", "decided_by", "days", "late_correction")} == {
            "status": "approved",
            "notes": "enjoy",
            "decided_by": str(office.boss_id),
            "days": 1.5,
            "late_correction": [],
        }
        assert office.balances() == [{"allocated": 20.0, "used": 1.5, "remaining": 18.5}]
        halves = office.register()
        assert [day("2026-01", halves, f"2026-01-{n:02}") for n in (8, 9, 10, 11)] == ["-L", "WW", "WW", "LL"]
        assert office.told(office.rahim_id) == ["leave_approved"]
        assert office.audited()[-2:] == ["leave_request.approved", "pay_register.synced"]

    def test_shows_days_off_as_leave_where_the_type_counts_them(self, office: Office) -> None:
        office.leave_type("Study", counts_non_working_days=True, is_paid=False)
        office.allocate(9, of="Study")
        office.decide(office.ask("2026-01-08", "2026-01-09", of="Study"))
        assert day("2026-01", office.register(), "2026-01-09") == "UU"

    def test_counts_by_the_calendar_of_the_day_it_is_done(self, office: Office) -> None:
        office.allocate(2)
        made = office.ask("2026-01-05", "2026-01-06")
        row(office.cast, "holidays", {"day": date(2026, 1, 6), "name": "Declared late"})
        assert office.decide(made)["days"] == 1.0
        assert office.balances() == [{"allocated": 2.0, "used": 1.0, "remaining": 1.0}]

    def test_is_refused_where_the_calendar_wants_more_days_than_there_are(self, office: Office) -> None:
        office.allocate(1)
        made = office.ask("2026-01-08", "2026-01-09")
        row(
            office.cast, "roster_days", {"user_id": office.rahim_id, "day": date(2026, 1, 9), "off": 0}, returning="day"
        )
        reply = office.boss.patch(f"/leave-requests/{made['id']}", {"status": "approved"})
        assert (reply.status, reply.json["type"]) == (409, "urn:wagebook:problem:balance-too-low")
        assert office.balances() == [{"allocated": 1.0, "pending": 1.0}]

    def test_keeps_what_was_held_where_the_days_expire_sooner_by_now(self, office: Office) -> None:
        office.allocate(2)
        made = office.ask("2026-01-07", "2026-01-08")
        sql(office.cast, "update leave_allocations set expires_on = '2026-01-05'")
        office.decide(made)
        assert office.balances() == [{"allocated": 2.0, "used": 2.0}]

    def test_is_never_one_s_own(self, office: Office) -> None:
        office.allocate(20, user_id=office.boss_id)
        for api in (office.boss, key(office.cast.id, Role.HR, office.boss_id)):
            made = api.ok("POST", "/leave-requests", office.body("2026-01-05"))
            for status in ("approved", "rejected"):
                assert api.patch(f"/leave-requests/{made['id']}", {"status": status}).status == 403
            api.ok("PATCH", f"/leave-requests/{made['id']}", {"status": "cancelled"})

    def test_is_not_a_colleague_s_nor_a_stranger_s(self, office: Office) -> None:
        office.allocate(20)
        made = office.ask("2026-01-05")
        colleague = employee(office.cast, name="Karim", employee_no="E-3")
        for api in (
            key(office.cast.id, Role.EMPLOYEE, colleague),
            key(office.cast.id, Role.MANAGER, colleague),
            tenant("Zenith").hr,
        ):
            assert api.patch(f"/leave-requests/{made['id']}", {"status": "approved"}).status == 404
            assert api.get(f"/leave-requests/{made['id']}").status == 404
        assert office.rahim.patch(f"/leave-requests/{made['id']}", {"status": "approved"}).status == 403

    def test_is_done_once(self, office: Office) -> None:
        office.allocate(20)
        made = office.ask("2026-01-05")
        path = f"/leave-requests/{made['id']}"
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda _: office.boss.patch(path, {"status": "approved"}), range(4)))
        assert sorted(reply.status for reply in replies) == [200, 409, 409, 409]
        assert office.boss.patch(path, {"status": "rejected"}).json["type"] == "urn:wagebook:problem:already-decided"
        assert office.boss.patch(path, {"status": "approved"}, headers={"if-match": '"1"'}).status == 412
        assert office.balances() == [{"allocated": 20.0, "used": 1.0, "remaining": 19.0}]

    def test_of_two_for_the_last_day_is_won_by_one(self, office: Office) -> None:
        # Each was held a day; then the calendar wants a second one of each, and there is a single one left.
        office.allocate(3)
        both = [office.ask("2026-01-08", "2026-01-09"), office.ask("2026-01-15", "2026-01-16")]
        for friday in (9, 16):
            row(
                office.cast,
                "roster_days",
                {"user_id": office.rahim_id, "day": date(2026, 1, friday), "off": 0},
                returning="day",
            )
        with ThreadPoolExecutor(2) as pool:
            replies = list(
                pool.map(lambda one: office.boss.patch(f"/leave-requests/{one['id']}", {"status": "approved"}), both)
            )
        assert sorted(reply.status for reply in replies) == [200, 409]
        [lost] = [reply.json for reply in replies if reply.status == 409]
        assert "These are 2.0 days of Annual, and 1.0 remain" in lost["detail"]
        assert office.balances() == [{"allocated": 3.0, "used": 2.0, "pending": 1.0}]

    def test_in_a_locked_period_is_a_late_correction(self, office: Office) -> None:
        office.allocate(20)
        made = office.ask("2026-01-08")
        before = office.register()
        lock_period(office.cast, "2026-01", date(2026, 1, 1), date(2026, 1, 31))
        assert office.decide(made)["late_correction"] == ["2026-01"]
        found = sql(office.cast, "select month, user_id, day, what from late_corrections")
        assert [tuple(one) for one in found] == [("2026-01", office.rahim_id, date(2026, 1, 8), "leave")]
        kept = office.cast.hr.ok("GET", "/pay-register/2026-01?view=codes")["items"]
        assert before in [one["halves"] for one in kept]


class TestReject:
    def test_gives_the_days_back_and_says_why(self, office: Office) -> None:
        office.allocate(20)
        made = office.ask("2026-01-05")
        found = office.boss.ok("PATCH", f"/leave-requests/{made['id']}", {"status": "rejected", "notes": "stocktaking"})
        assert (found["status"], found["notes"]) == ("rejected", "stocktaking")
        assert office.balances() == [{"allocated": 20.0, "remaining": 20.0}]
        assert office.told(office.rahim_id) == ["leave_rejected"]
        assert sql(office.cast, "select * from leave_days") == []


class TestCancel:
    def test_after_approval_gives_the_days_back_and_clears_the_register(self, office: Office) -> None:
        office.allocate(20)
        made = office.ask("2026-01-08")
        before = office.register()
        office.decide(made)
        assert day("2026-01", office.register(), "2026-01-08") == "LL"
        found = office.decide(made, "cancelled", by=office.rahim)
        assert (found["status"], found["version"]) == ("cancelled", 3)
        assert office.balances() == [{"allocated": 20.0, "remaining": 20.0}]
        assert office.register() == before
        assert office.told(office.boss_id) == ["leave_requested", "leave_cancelled"]
        entries = office.rahim.ok("GET", f"/users/{office.rahim_id}/leave-balances")["items"][0]["entries"]
        assert [(one["bucket"], one["days"], one["request_id"]) for one in entries] == [
            ("allocated", 20.0, None),
            ("pending", 1.0, made["id"]),
            ("pending", -1.0, made["id"]),
            ("used", 1.0, made["id"]),
            ("used", -1.0, made["id"]),
        ]

    def test_of_leave_that_has_begun_is_not_one_s_own(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        office.allocate(20)
        made = office.ask("2026-01-05", "2026-01-06")
        office.decide(made)
        # 00:30 on the 5th in Dhaka is still the 4th in UTC
        monkeypatch.setattr(clock, "now", lambda: datetime(2026, 1, 4, 18, 30, tzinfo=UTC))
        reply = office.rahim.patch(f"/leave-requests/{made['id']}", {"status": "cancelled"})
        assert (reply.status, "has begun" in reply.json["detail"]) == (403, True)
        assert office.rahim.patch(f"/leave-requests/{made['id']}", {"end_date": "2026-01-05"}).status == 403
        assert office.decide(made, "cancelled", by=office.cast.hr)["status"] == "cancelled"

    def test_in_a_locked_period_is_a_late_correction_too(self, office: Office) -> None:
        office.allocate(20)
        made = office.ask("2026-01-08")
        office.decide(made)
        office.register()
        lock_period(office.cast, "2026-01", date(2026, 1, 1), date(2026, 1, 31))
        assert office.decide(made, "cancelled")["late_correction"] == ["2026-01"]


class TestShorten:
    def approved(self, office: Office) -> str:
        office.allocate(20)
        made = office.ask("2026-01-05", "2026-01-11")  # 5, 6, 7, 8 and 11: five days
        assert office.decide(made)["days"] == 5.0
        return f"/leave-requests/{made['id']}"

    @pytest.mark.parametrize(
        ("said", "days"),
        [
            ({"end_date": "2026-01-07"}, 3.0),
            ({"start_date": "2026-01-11"}, 1.0),
            ({"start_date": "2026-01-06", "end_date": "2026-01-08", "end_half": "first"}, 2.5),
            ({"start_half": "second"}, 4.5),
        ],
    )
    def test_gives_the_rest_back(self, office: Office, said: dict[str, str], days: float) -> None:
        path = self.approved(office)
        reply = office.boss.patch(path, said, headers={"if-match": '"2"'})
        assert (reply.status, reply.json["days"], reply.json["version"]) == (200, days, 3)
        assert office.balances() == [{"allocated": 20.0, "used": days, "remaining": 20 - days}]
        assert office.register().count("L") == 2 * days
        assert office.audited()[-2] == "leave_request.shortened"

    def test_gives_back_to_the_cycle_that_the_days_were_of(self, office: Office) -> None:
        office.allocate(2, start="2025-07-01", cycle_end_date="2026-01-12")
        office.allocate(20, start="2026-01-13")
        sql(office.cast, "update leave_allocations set expires_on = cycle_end_on")
        made = office.ask("2026-01-11", "2026-01-14")
        office.decide(made)
        office.boss.ok("PATCH", f"/leave-requests/{made['id']}", {"start_date": "2026-01-12"})
        assert office.balances("2026-01-12") == [{"allocated": 2.0, "used": 1.0, "remaining": 1.0}]
        office.boss.ok("PATCH", f"/leave-requests/{made['id']}", {"end_date": "2026-01-13", "end_half": "first"})
        assert office.balances("2026-01-13") == [{"allocated": 20.0, "used": 0.5, "remaining": 19.5}]

    def test_to_the_same_days_gives_back_what_became_a_holiday(self, office: Office) -> None:
        path = self.approved(office)
        assert office.boss.ok("PATCH", path, {"end_date": "2026-01-11"})["version"] == 2  # nothing to change
        row(office.cast, "holidays", {"day": date(2026, 1, 6), "name": "Declared late"})
        assert office.boss.ok("PATCH", path, {"end_date": "2026-01-11"})["days"] == 4.0
        assert office.balances() == [{"allocated": 20.0, "used": 4.0, "remaining": 16.0}]

    @pytest.mark.parametrize(
        ("said", "status"),
        [
            ({"end_date": "2026-01-12"}, 422),
            ({"start_date": "2026-01-04"}, 422),
            ({"start_date": "2026-01-08", "end_date": "2026-01-07"}, 422),
            ({"start_date": "2026-01-09", "end_date": "2026-01-10"}, 409),  # no working day is left
            ({"status": "approved", "end_date": "2026-01-06"}, 422),
            ({"notes": "nothing else"}, 422),
            ({}, 422),
        ],
    )
    def test_is_refused_outside_what_stood(self, office: Office, said: dict[str, str], status: int) -> None:
        path = self.approved(office)
        assert office.boss.patch(path, said).status == status
        assert office.balances() == [{"allocated": 20.0, "used": 5.0, "remaining": 15.0}]

    def test_never_takes_more_or_from_elsewhere(self, office: Office) -> None:
        old = office.allocate(0, start="2025-01-01")
        path = self.approved(office)
        row(
            office.cast, "roster_days", {"user_id": office.rahim_id, "day": date(2026, 1, 9), "off": 0}, returning="day"
        )
        assert office.boss.ok("PATCH", path, {"end_date": "2026-01-11"})["days"] == 5.0  # the 9th is worked by now
        sql(office.cast, "update leave_allocations set expires_on = '2026-03-31' where id = :id", id=old["id"])
        office.cast.hr.ok("PATCH", f"/leave-allocations/{old['id']}", {"allocated_days": 3})
        office.boss.ok("PATCH", path, {"end_date": "2026-01-05"})
        assert office.balances() == [
            {"allocated": 3.0, "remaining": 3.0},
            {"allocated": 20.0, "used": 1.0, "remaining": 19.0},
        ]

    def test_is_too_late_only_for_the_months_that_change(self, office: Office) -> None:
        office.allocate(20)
        made = office.ask("2026-01-28", "2026-02-10")
        office.decide(made)
        office.register()
        lock_period(office.cast, "2026-01", date(2026, 1, 1), date(2026, 1, 31))
        path = f"/leave-requests/{made['id']}"
        # the 9th and 10th are in no pay week that January touches
        assert office.boss.ok("PATCH", path, {"end_date": "2026-02-08"})["late_correction"] == []
        assert office.boss.ok("PATCH", path, {"end_date": "2026-01-29"})["late_correction"] == ["2026-01"]
        found = sql(office.cast, "select min(day), max(day) from late_corrections where month = '2026-01'")[0]
        assert tuple(found) == (date(2026, 1, 30), date(2026, 2, 6))

    def test_is_only_for_what_was_approved(self, office: Office) -> None:
        office.allocate(20)
        made = office.ask("2026-01-05", "2026-01-06")
        assert office.boss.patch(f"/leave-requests/{made['id']}", {"end_date": "2026-01-05"}).status == 409


class TestList:
    def test_is_of_oneself_one_s_people_or_all(self, office: Office) -> None:
        office.allocate(20)
        office.allocate(20, user_id=office.boss_id)
        office.ask("2026-01-05")
        office.boss.ok("POST", "/leave-requests", office.body("2026-02-05"))
        seen = [len(api.ok("GET", "/leave-requests")["items"]) for api in (office.rahim, office.boss, office.cast.hr)]
        assert seen == [1, 2, 2]
        assert tenant("Zenith").hr.ok("GET", "/leave-requests")["items"] == []

    def test_is_filtered(self, office: Office) -> None:
        office.allocate(20)
        office.decide(office.ask("2026-01-28", "2026-02-02"))
        office.ask("2026-02-10")

        def found(query: str) -> list[str]:
            return [one["start_date"] for one in office.cast.hr.ok("GET", f"/leave-requests?{query}")["items"]]

        assert found("status=approved") == ["2026-01-28"]
        assert found("month=2026-02") == ["2026-01-28", "2026-02-10"]
        assert found("month=2026-01") == ["2026-01-28"]
        assert found(f"user_id={office.boss_id}") == []
        assert found(f"leave_type_id={office.types['Annual']}&limit=1") == ["2026-01-28"]
        assert office.cast.hr.get(f"/leave-requests?leave_type_id={uuid4()}").status == 404
        assert office.rahim.get(f"/leave-requests?user_id={UUID(int=1)}").status == 404
