"""Check-in and check-out over HTTP: on which day they count, what they add up to, and who may."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from chalicelib.backing import clock
from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key, tenant
from tests.support.people import branch, employee, lock_period, roster, shift, sql

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 1, 7, 6, 0, tzinfo=UTC)  # Wednesday noon in Dhaka


@pytest.fixture(autouse=True)
def _frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="rahim")
def _rahim(acme: Cast) -> UUID:
    return employee(acme, shift_id=shift(acme, "09:00", "18:00", late=10))


def come(acme: Cast, user_id: UUID, at: str) -> dict[str, object]:
    found: dict[str, object] = acme.hr.ok("POST", f"/users/{user_id}/checkin", {"at": f"2026-01-{at}+06:00"})
    return found


def leave(acme: Cast, user_id: UUID, at: str) -> dict[str, object]:
    found: dict[str, object] = acme.hr.ok("PATCH", f"/users/{user_id}/checkout", {"at": f"2026-01-{at}+06:00"})
    return found


class TestCheckIn:
    def test_opens_the_day(self, acme: Cast, rahim: UUID) -> None:
        reply = acme.hr.post(f"/users/{rahim}/checkin", {"at": "2026-01-05T09:12:30+06:00"})
        assert reply.status == 201
        assert reply.headers["ETag"] == '"1"'
        assert reply.json == {
            "user_id": str(rahim),
            "date": "2026-01-05",
            "check_in": "2026-01-05T03:12:30Z",
            "check_out": None,
            "worked_minutes": None,
            "status": "open",
            "stated": None,
            "present_halves": [],
            "late_minutes": 12,
            "early_out_minutes": 0,
            "source": "punch",
            "version": 1,
        }

    def test_takes_no_body_as_now(self, acme: Cast, rahim: UUID) -> None:
        found = acme.hr.ok("POST", f"/users/{rahim}/checkin")
        assert (found["date"], found["check_in"]) == ("2026-01-07", "2026-01-07T06:00:00Z")
        assert acme.hr.ok("PATCH", f"/users/{rahim}/checkout", {})["worked_minutes"] == 0

    def test_is_refused_while_a_session_is_open(self, acme: Cast, rahim: UUID) -> None:
        come(acme, rahim, "05T09:00")
        reply = acme.hr.post(f"/users/{rahim}/checkin", {"at": "2026-01-06T08:59:00+06:00"})
        assert reply.status == 409
        assert "since 2026-01-05 09:00 (Asia/Dhaka)" in reply.json["detail"]

    def test_forgets_a_session_after_a_day(self, acme: Cast, rahim: UUID) -> None:
        come(acme, rahim, "05T09:00")
        assert come(acme, rahim, "06T09:00")["date"] == "2026-01-06"

    def test_is_refused_in_the_future_but_for_a_clock_that_runs_ahead(self, acme: Cast, rahim: UUID) -> None:
        reply = acme.hr.post(f"/users/{rahim}/checkin", {"at": "2026-01-07T12:05:01+06:00"})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/at")
        assert come(acme, rahim, "07T12:05")["status"] == "open"

    @pytest.mark.parametrize("at", ["2026-01-05T09:00:00", "yesterday", 5, "1999-12-31T00:00:00Z", "9999-12-31T23:59Z"])
    def test_refuses_what_is_no_moment_of_ours(self, acme: Cast, rahim: UUID, at: object) -> None:
        reply = acme.hr.post(f"/users/{rahim}/checkin", {"at": at})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/at")

    def test_is_refused_before_the_last_check_out(self, acme: Cast, rahim: UUID) -> None:
        come(acme, rahim, "05T09:00")
        leave(acme, rahim, "05T12:00")
        assert acme.hr.post(f"/users/{rahim}/checkin", {"at": "2026-01-05T11:59:00+06:00"}).status == 409

    def test_is_taken_though_a_later_session_is_known(self, acme: Cast, rahim: UUID) -> None:
        come(acme, rahim, "05T13:00")
        leave(acme, rahim, "05T19:00")
        early = come(acme, rahim, "05T09:00")
        assert (early["date"], early["check_in"], early["status"]) == ("2026-01-05", "2026-01-05T03:00:00Z", "open")
        assert acme.hr.post(f"/users/{rahim}/checkin", {"at": "2026-01-05T20:00:00+06:00"}).status == 409  # still open
        done = leave(acme, rahim, "05T12:00")
        assert (done["check_in"], done["check_out"]) == ("2026-01-05T03:00:00Z", "2026-01-05T13:00:00Z")
        assert (done["worked_minutes"], done["status"], done["late_minutes"]) == (540, "present", 0)

    @pytest.mark.parametrize("order", list(permutations([("08:00", "10:00"), ("10:00", "12:30"), ("14:00", "18:30")])))
    def test_comes_out_the_same_in_any_order(self, acme: Cast, rahim: UUID, order: tuple[tuple[str, str], ...]) -> None:
        for came, left in order:
            come(acme, rahim, f"05T{came}")
            found = leave(acme, rahim, f"05T{left}")
        assert (found["check_in"], found["check_out"], found["worked_minutes"], found["status"]) == (
            "2026-01-05T02:00:00Z",
            "2026-01-05T12:30:00Z",
            540,
            "present",
        )

    def test_is_refused_inside_any_session_that_was_closed(self, acme: Cast, rahim: UUID) -> None:
        for came, left in (("13:00", "15:00"), ("09:00", "12:00")):
            come(acme, rahim, f"05T{came}")
            leave(acme, rahim, f"05T{left}")
        for at in ("09:00", "11:59", "13:00", "14:59"):
            reply = acme.hr.post(f"/users/{rahim}/checkin", {"at": f"2026-01-05T{at}:00+06:00"})
            assert reply.status == 409, at
        assert "from 2026-01-05 13:00 (Asia/Dhaka) to 2026-01-05 15:00 (Asia/Dhaka)" in reply.json["detail"]
        assert come(acme, rahim, "05T12:00")["status"] == "open"

    def test_is_refused_inside_a_session_of_the_day_before(self, acme: Cast) -> None:
        free = employee(acme, employee_no="F-1")  # without a shift the day is the local date
        come(acme, free, "05T20:00")
        leave(acme, free, "06T02:00")
        assert acme.hr.post(f"/users/{free}/checkin", {"at": "2026-01-06T01:00:00+06:00"}).status == 409
        assert come(acme, free, "06T02:00")["date"] == "2026-01-06"

    def test_is_refused_inside_what_was_imported_as_a_whole(self, acme: Cast, rahim: UUID) -> None:
        body = [{"user_id": str(rahim), "date": "2026-01-05", "check_in": "09:00", "check_out": "12:00"}]
        acme.hr.ok("POST", "/attendance/import", body)
        assert acme.hr.post(f"/users/{rahim}/checkin", {"at": "2026-01-05T10:00:00+06:00"}).status == 409
        come(acme, rahim, "05T07:00")
        assert leave(acme, rahim, "05T08:30")["worked_minutes"] == 270
        assert acme.hr.post(f"/users/{rahim}/checkin", {"at": "2026-01-05T10:00:00+06:00"}).status == 409
        assert come(acme, rahim, "05T08:45")["status"] == "open"

    def test_is_refused_outside_the_employment(self, acme: Cast) -> None:
        left = employee(acme, employee_no="E-9", left_on=date(2026, 1, 4))
        reply = acme.hr.post(f"/users/{left}/checkin", {"at": "2026-01-05T09:00:00+06:00"})
        assert reply.status == 409
        assert "to 2026-01-04" in reply.json["detail"]

    def test_is_won_by_one_of_two_at_once(self, acme: Cast, rahim: UUID) -> None:
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda _: acme.hr.post(f"/users/{rahim}/checkin").status, range(4)))
        assert sorted(replies) == [201, 409, 409, 409]

    def test_of_many_people_at_once_is_taken_though_the_period_was_just_computed(self, acme: Cast) -> None:
        # the first facts after a nightly run all want to mark the period
        users = [employee(acme, employee_no=f"M-{n}") for n in range(6)]
        come(acme, users[0], "04T09:00")
        sql(acme, "update pay_periods set computing_since = clock_timestamp(), computed_at = clock_timestamp()")
        said = {"at": "2026-01-05T09:00:00+06:00"}
        with ThreadPoolExecutor(6) as pool:
            replies = list(pool.map(lambda user_id: acme.hr.post(f"/users/{user_id}/checkin", said).status, users))
        assert replies == [201] * 6

    def test_is_for_oneself_unless_hr(self, acme: Cast, rahim: UUID) -> None:
        karim = employee(acme, employee_no="E-2", manager_id=rahim)
        assert key(acme.id, Role.EMPLOYEE, karim).post(f"/users/{karim}/checkin").status == 201
        assert key(acme.id, Role.EMPLOYEE, karim).post(f"/users/{rahim}/checkin").status == 404
        assert key(acme.id, Role.MANAGER, rahim).patch(f"/users/{karim}/checkout").status == 404
        assert acme.hr.patch(f"/users/{karim}/checkout").status == 200

    def test_tells_a_stranger_nothing(self, acme: Cast, rahim: UUID) -> None:
        zenith = tenant("Zenith")
        for api in (zenith.admin, zenith.hr):
            for user_id in (rahim, uuid4()):
                assert api.post(f"/users/{user_id}/checkin").status == 404
                assert api.patch(f"/users/{user_id}/checkout").status == 404


class TestCheckOut:
    def test_adds_the_whole_minutes_of_every_session(self, acme: Cast, rahim: UUID) -> None:
        come(acme, rahim, "05T09:00:00")
        noon = leave(acme, rahim, "05T12:00:59")
        assert (noon["worked_minutes"], noon["status"], noon["early_out_minutes"]) == (180, "absent", 359)
        back = come(acme, rahim, "05T13:00")
        assert (back["status"], back["early_out_minutes"]) == ("open", 0)
        evening = leave(acme, rahim, "05T19:00")
        assert (evening["check_in"], evening["check_out"]) == ("2026-01-05T03:00:00Z", "2026-01-05T13:00:00Z")
        assert (evening["worked_minutes"], evening["status"], evening["version"]) == (540, "present", 4)
        assert evening["present_halves"] == ["first", "second"]

    def test_needs_a_check_in_of_the_last_day(self, acme: Cast, rahim: UUID) -> None:
        assert acme.hr.patch(f"/users/{rahim}/checkout").status == 409
        come(acme, rahim, "05T09:00")
        assert acme.hr.patch(f"/users/{rahim}/checkout", {"at": "2026-01-06T09:00:00+06:00"}).status == 409
        assert leave(acme, rahim, "06T08:59")["worked_minutes"] == 1439

    def test_is_not_before_the_check_in(self, acme: Cast, rahim: UUID) -> None:
        come(acme, rahim, "05T09:00")
        reply = acme.hr.patch(f"/users/{rahim}/checkout", {"at": "2026-01-05T08:59:00+06:00"})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/at")
        assert "2026-01-05 09:00 (Asia/Dhaka)" in reply.json["detail"]

    def test_is_not_beyond_a_session_that_is_known(self, acme: Cast, rahim: UUID) -> None:
        come(acme, rahim, "05T12:00")
        leave(acme, rahim, "05T13:00")
        come(acme, rahim, "05T09:00")
        reply = acme.hr.patch(f"/users/{rahim}/checkout", {"at": "2026-01-05T12:30:00+06:00"})
        assert reply.status == 409
        assert "from 2026-01-05 12:00 (Asia/Dhaka)" in reply.json["detail"]
        assert leave(acme, rahim, "05T12:00")["worked_minutes"] == 240

    def test_notes_a_late_correction_in_a_locked_period(self, acme: Cast, rahim: UUID) -> None:
        lock_period(acme, "2026-01", date(2026, 1, 1), date(2026, 1, 31))
        come(acme, rahim, "05T09:00")
        assert [tuple(found) for found in sql(acme, "select month, user_id, day, what from late_corrections")] == [
            ("2026-01", rahim, date(2026, 1, 5), "attendance")
        ]

    def test_writes_who_came_and_left(self, acme: Cast, rahim: UUID) -> None:
        come(acme, rahim, "05T09:00")
        leave(acme, rahim, "05T18:00")
        found = sql(acme, "select action, entity_id, before, after from audit_logs order by seq")
        assert [(entry.action, entry.entity_id) for entry in found] == [
            ("attendance.checked_in", f"{rahim}/2026-01-05"),
            ("attendance.checked_out", f"{rahim}/2026-01-05"),
        ]
        assert found[0].before is None
        assert "worked_minutes" not in found[1].before
        assert found[1].after["worked_minutes"] == 540


class TestDayOfAPunch:
    @pytest.mark.parametrize(
        ("at", "day"),
        [
            ("05T17:59", "2026-01-05"),  # more than four hours early: the local date
            ("05T22:12", "2026-01-05"),
            ("06T00:30", "2026-01-05"),  # late, after midnight
            ("06T09:59", "2026-01-05"),  # four hours after the end it is still last night's
            ("06T10:01", "2026-01-06"),
            ("06T21:50", "2026-01-06"),
        ],
    )
    def test_is_the_one_on_which_a_night_shift_starts(self, acme: Cast, at: str, day: str) -> None:
        guard = employee(acme, employee_no="N-1", shift_id=shift(acme, "22:00", "06:00"))
        assert come(acme, guard, at)["date"] == day

    def test_counts_a_night_as_one_day(self, acme: Cast) -> None:
        guard = employee(acme, employee_no="N-1", shift_id=shift(acme, "22:00", "06:00"))
        assert come(acme, guard, "05T22:12")["late_minutes"] == 12
        found = leave(acme, guard, "06T06:00")
        assert (found["date"], found["worked_minutes"], found["early_out_minutes"]) == ("2026-01-05", 468, 0)

    def test_is_tomorrow_just_before_a_shift_that_starts_at_midnight(self, acme: Cast) -> None:
        guard = employee(acme, employee_no="N-1", shift_id=shift(acme, "00:00", "08:00"))
        assert come(acme, guard, "05T23:50")["date"] == "2026-01-06"

    def test_follows_the_roster(self, acme: Cast, rahim: UUID) -> None:
        roster(acme, rahim, date(2026, 1, 5), shift(acme, "20:00", "04:00"))
        assert come(acme, rahim, "06T00:20")["date"] == "2026-01-05"

    def test_is_the_nearer_of_two_shifts(self, acme: Cast, rahim: UUID) -> None:
        # off at 04:00 and on again at 09:00: half past seven is nearer to the morning's start
        roster(acme, rahim, date(2026, 1, 5), shift(acme, "20:00", "04:00"))
        assert come(acme, rahim, "06T07:30")["date"] == "2026-01-06"

    def test_is_the_local_date_without_a_shift(self, acme: Cast) -> None:
        free = employee(acme, employee_no="F-1")
        assert come(acme, free, "06T00:01")["date"] == "2026-01-06"  # still the 5th in UTC
        abroad = employee(acme, employee_no="F-2", branch_id=branch(acme))
        assert come(acme, abroad, "06T00:01")["date"] == "2026-01-05"  # seven in the evening in Berlin
