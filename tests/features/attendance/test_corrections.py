"""Reading and correcting days of attendance over HTTP."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from chalicelib.backing import clock
from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key, tenant
from tests.support.people import branch, employee, lock_period, shift, sql

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 1, 7, 6, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="rahim")
def _rahim(acme: Cast) -> UUID:
    return employee(acme, shift_id=shift(acme, "09:00", "18:00"))


def put(acme: Cast, user_id: UUID, day: str = "2026-01-05", **said: object) -> dict[str, object]:
    body = {"reason": "forgot to punch", **said}
    found: dict[str, object] = acme.hr.ok("PUT", f"/users/{user_id}/attendance/{day}", body)
    return found


class TestCorrect:
    def test_makes_a_day_that_had_no_record(self, acme: Cast, rahim: UUID) -> None:
        found = put(acme, rahim, check_in="09:05", check_out="18:10")
        assert (found["check_in"], found["check_out"]) == ("2026-01-05T03:05:00Z", "2026-01-05T12:10:00Z")
        assert (found["worked_minutes"], found["status"], found["late_minutes"]) == (545, "present", 5)
        assert (found["source"], found["version"]) == ("correction", 1)

    def test_replaces_the_whole_record(self, acme: Cast, rahim: UUID) -> None:
        put(acme, rahim, check_in="09:05", check_out="18:10")
        found = put(acme, rahim, status="half_day", half="second")
        assert (found["check_in"], found["worked_minutes"], found["late_minutes"]) == (None, None, 0)
        assert (found["status"], found["present_halves"], found["stated"]) == ("half_day", ["second"], "half_day")
        assert put(acme, rahim, status="half_day")["present_halves"] == ["first"]

    def test_closes_a_session_that_was_open(self, acme: Cast, rahim: UUID) -> None:
        acme.hr.ok("POST", f"/users/{rahim}/checkin", {"at": "2026-01-06T09:00:00+06:00"})
        assert put(acme, rahim, "2026-01-06", status="present")["status"] == "present"
        assert acme.hr.patch(f"/users/{rahim}/checkout", {"at": "2026-01-06T18:00:00+06:00"}).status == 409

    def test_places_times_of_a_night_shift_after_midnight(self, acme: Cast) -> None:
        guard = employee(acme, employee_no="N-1", shift_id=shift(acme, "22:00", "06:00"))
        found = put(acme, guard, check_in="00:12", check_out="06:00")
        assert (found["check_in"], found["check_out"]) == ("2026-01-05T18:12:00Z", "2026-01-06T00:00:00Z")
        assert (found["late_minutes"], found["early_out_minutes"], found["worked_minutes"]) == (132, 0, 348)
        found = put(acme, guard, check_in="21:50", check_out="06:00")
        assert (found["check_in"], found["late_minutes"]) == ("2026-01-05T15:50:00Z", 0)

    def test_reads_clock_times_in_the_branch_zone(self, acme: Cast) -> None:
        greta = employee(acme, employee_no="B-1", branch_id=branch(acme))
        # the clocks went forward in the night: nine hours on the wall were eight
        found = acme.hr.put(
            f"/users/{greta}/attendance/2025-03-29", {"check_in": "22:00", "check_out": "07:00", "reason": "paper list"}
        )
        assert (found.json["check_in"], found.json["worked_minutes"]) == ("2025-03-29T21:00:00Z", 480)

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "/"),
            ({"check_out": "18:00"}, "/check_out"),
            ({"check_in": "25:00"}, "/check_in"),
            ({"check_in": "2026-01-05T09:00:00"}, "/check_in"),
            ({"check_in": "2026-01-08T09:00:00+06:00"}, "/check_in"),
            ({"check_in": "2026-01-05T09:00:00+06:00", "check_out": "2026-01-05T08:00:00+06:00"}, "/check_out"),
            ({"check_in": "2026-01-05T09:00:00+06:00", "check_out": "2026-01-08T08:00:00+06:00"}, "/check_out"),
            ({"check_in": "09:00", "check_out": "18:00", "worked_minutes": 541}, "/worked_minutes"),
            ({"worked_minutes": 2881}, "/worked_minutes"),
            ({"worked_minutes": -1}, "/worked_minutes"),
            ({"worked_minutes": 1.5}, "/worked_minutes"),
            ({"status": "late"}, "/status"),
            ({"status": "absent", "worked_minutes": 1}, "/status"),
            ({"status": "present", "half": "first"}, "/half"),
            ({"status": "present", "reason": ""}, "/reason"),
            ({"status": "present", "reason": None}, "/reason"),
        ],
    )
    def test_refuses_what_contradicts_itself(
        self, acme: Cast, rahim: UUID, body: dict[str, object], pointer: str
    ) -> None:
        reply = acme.hr.put(f"/users/{rahim}/attendance/2026-01-05", {"reason": "x", **body})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, pointer)
        assert acme.hr.ok("GET", f"/users/{rahim}/attendance?month=2026-01")["items"] == []

    @pytest.mark.parametrize("day", ["2026-01-09", "2024-12-31", "2026-02-30", "0001-01-01", "soon"])
    def test_refuses_days_that_cannot_be(self, acme: Cast, rahim: UUID, day: str) -> None:
        body = {"status": "present", "reason": "x"}
        assert acme.hr.put(f"/users/{rahim}/attendance/{day}", body).status == 422
        assert acme.hr.put(f"/users/{rahim}/attendance/2026-01-08", body).status == 200  # tomorrow can be

    def test_refuses_a_stale_version(self, acme: Cast, rahim: UUID) -> None:
        path, body = f"/users/{rahim}/attendance/2026-01-05", {"status": "present", "reason": "x"}
        assert acme.hr.put(path, body, headers={"if-match": '"1"'}).status == 412  # there was nothing to see
        assert acme.hr.put(path, body).headers["ETag"] == '"1"'
        assert acme.hr.put(path, body, headers={"if-match": '"1"'}).headers["ETag"] == '"2"'
        assert acme.hr.put(path, body, headers={"if-match": '"1"'}).status == 412
        assert acme.hr.delete(path + "?reason=x", headers={"if-match": '"1"'}).status == 412
        assert acme.hr.delete(path + "?reason=x", headers={"if-match": '"2"'}).status == 204

    def test_writes_before_and_after_with_the_reason(self, acme: Cast, rahim: UUID) -> None:
        put(acme, rahim, worked_minutes=539)
        put(acme, rahim, worked_minutes=540, reason="the clock was slow")
        acme.hr.call("DELETE", f"/users/{rahim}/attendance/2026-01-05?reason=wrong+person")
        found = sql(acme, "select action, before, after from audit_logs order by seq")
        assert [tuple(entry) for entry in found] == [
            ("attendance.corrected", None, {"worked_minutes": 539, "reason": "forgot to punch"}),
            ("attendance.corrected", {"worked_minutes": 539}, {"worked_minutes": 540, "reason": "the clock was slow"}),
            ("attendance.removed", {"worked_minutes": 540}, {"reason": "wrong person"}),
        ]

    def test_notes_a_late_correction_in_a_locked_period(self, acme: Cast, rahim: UUID) -> None:
        put(acme, rahim, worked_minutes=540)
        lock_period(acme, "2026-01", date(2026, 1, 1), date(2026, 1, 31))
        assert acme.hr.delete(f"/users/{rahim}/attendance/2026-01-05?reason=x").status == 204
        assert sql(acme, "select count(*) from late_corrections where what = 'attendance'")[0][0] == 1


class TestRemove:
    def test_goes_back_to_no_record(self, acme: Cast, rahim: UUID) -> None:
        put(acme, rahim, status="absent")
        path = f"/users/{rahim}/attendance/2026-01-05"
        assert acme.hr.delete(path).status == 422  # why?
        assert acme.hr.delete(path + "?reason=wrong+person").status == 204
        assert acme.hr.delete(path + "?reason=wrong+person").status == 404
        assert acme.hr.ok("GET", f"/users/{rahim}/attendance?month=2026-01")["items"] == []


class TestList:
    def test_gives_the_days_of_the_pay_period(self, acme: Cast, rahim: UUID) -> None:
        for day in ("2025-12-25", "2025-12-26", "2026-01-05"):
            put(acme, rahim, day, status="present")
        acme.admin.ok("PATCH", "/tenant", {"cycle_start_day": 26})
        found = acme.hr.ok("GET", f"/users/{rahim}/attendance?month=2026-01")
        assert (found["start_date"], found["end_date"]) == ("2025-12-26", "2026-01-25")
        assert [item["date"] for item in found["items"]] == ["2025-12-26", "2026-01-05"]
        assert acme.hr.ok("GET", f"/users/{rahim}/attendance")["month"] == "2026-01"

    @pytest.mark.parametrize("month", ["2026-13", "2026", "0000-01", "9999-12"])
    def test_refuses_what_is_no_month(self, acme: Cast, rahim: UUID, month: str) -> None:
        assert acme.hr.get(f"/users/{rahim}/attendance?month={month}").status == 422


class TestReach:
    def test_is_the_role_s(self, acme: Cast, rahim: UUID) -> None:
        karim = employee(acme, employee_no="E-2", manager_id=rahim)
        boss, mine = key(acme.id, Role.MANAGER, rahim), key(acme.id, Role.EMPLOYEE, karim)
        assert boss.get(f"/users/{karim}/attendance").status == 200
        assert mine.get(f"/users/{karim}/attendance").status == 200
        assert mine.get(f"/users/{rahim}/attendance").status == 404
        body = {"status": "present", "reason": "x"}
        assert boss.put(f"/users/{karim}/attendance/2026-01-05", body).status == 403
        assert mine.delete(f"/users/{karim}/attendance/2026-01-05?reason=x").status == 403

    def test_ends_at_the_tenant(self, acme: Cast, rahim: UUID) -> None:
        put(acme, rahim, status="present")
        zenith = tenant("Zenith")
        body = {"status": "absent", "reason": "x"}
        for user_id in (rahim, uuid4()):
            assert zenith.hr.get(f"/users/{user_id}/attendance").status == 404
            assert zenith.hr.put(f"/users/{user_id}/attendance/2026-01-05", body).status == 404
            assert zenith.hr.delete(f"/users/{user_id}/attendance/2026-01-05?reason=x").status == 404
        assert len(acme.hr.ok("GET", f"/users/{rahim}/attendance")["items"]) == 1
