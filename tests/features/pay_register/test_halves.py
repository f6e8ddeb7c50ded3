"""Halves and hours over HTTP: what is clocked beside leave, a half holiday, a short night or a short shift is paid."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from chalicelib.backing import clock
from tests.features.pay_register.conftest import Acme, pay
from tests.support.people import branch, employee

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def shift(acme: Acme, start: str, end: str, **more: object) -> str:
    created = acme.cast.hr.ok("POST", "/shifts", {"name": f"{start}-{end}", "start": start, "end": end, **more})
    return str(created["id"])


def worker(acme: Acme, shift_id: str, **more: UUID) -> UUID:
    """Add an employee on a shift, paid 15,000 a month."""
    user_id = employee(acme.cast, name="Karim", employee_no="E-2", shift_id=UUID(shift_id), **more)
    pay(acme.cast, user_id, "15000.00")
    return user_id


def punch(acme: Acme, user_id: UUID, came: str, left: str) -> None:
    acme.cast.hr.ok("POST", f"/users/{user_id}/checkin", {"at": came})
    acme.cast.hr.ok("PATCH", f"/users/{user_id}/checkout", {"at": left})


def fill(acme: Acme, user_id: UUID, month: str, *, but: tuple[int, ...]) -> None:
    """State every day of a month present, but for some."""
    days = [f"{month}-{day:02}" for day in range(1, 31) if day not in but]
    report = acme.cast.hr.ok(
        "POST", "/attendance/import", [{"user_id": str(user_id), "date": day, "status": "present"} for day in days]
    )
    assert report["errors"] == []


def day_of(acme: Acme, user_id: UUID, day: str) -> tuple[str, str]:
    """Compute the month, and return the two halves of a day."""
    acme.cast.hr.ok("POST", f"/pay-register/{day[:7]}/sync", {"user_ids": [str(user_id)]})
    row = acme.cast.hr.ok("GET", f"/pay-register/{day[:7]}/{user_id}")
    (record,) = [one for one in row["daily_records"] if one["date"] == day]
    return record["first_half"]["status"], record["second_half"]["status"]


def earned(acme: Acme, user_id: UUID, month: str) -> str:
    balances = acme.cast.hr.ok("GET", f"/balances/{month}")["items"]
    return next(str(one["earned_to_date"]) for one in balances if one["user_id"] == str(user_id))


def take_leave(acme: Acme, user_id: UUID, day: str, half: str) -> None:
    kind = acme.cast.hr.ok("POST", "/leave-types", {"name": "Annual", "is_paid": True, "is_limited": False})
    body = {
        "user_id": str(user_id),
        "leave_type_id": kind["id"],
        "start_date": day,
        "end_date": day,
        "start_half": half,
        "end_half": half,
    }
    request = acme.cast.hr.ok("POST", "/leave-requests", body)
    acme.cast.admin.ok("PATCH", f"/leave-requests/{request['id']}", {"status": "approved"})


class TestHalfOpen:
    def test_is_present_with_half_of_the_minutes_beside_leave(self, acme: Acme) -> None:
        # April 2026: 22 working days; were the afternoon absent it would be 15,000 x 21.5 / 22 = 14,659.09
        karim = worker(acme, shift(acme, "09:00", "18:00"))
        fill(acme, karim, "2026-04", but=(7,))
        punch(acme, karim, "2026-04-07T13:30:00+06:00", "2026-04-07T18:00:00+06:00")
        take_leave(acme, karim, "2026-04-07", "first")
        assert day_of(acme, karim, "2026-04-07") == ("leave", "present")
        assert earned(acme, karim, "2026-04") == "15000.00"

    def test_is_present_with_half_of_the_minutes_beside_half_a_holiday(self, acme: Acme) -> None:
        karim = worker(acme, shift(acme, "09:00", "18:00"))
        fill(acme, karim, "2026-04", but=(7,))
        punch(acme, karim, "2026-04-07T13:30:00+06:00", "2026-04-07T18:00:00+06:00")
        acme.cast.hr.ok("POST", "/holidays", {"date": "2026-04-07", "name": "Half", "half": "first"})
        assert day_of(acme, karim, "2026-04-07") == ("holiday", "present")
        assert earned(acme, karim, "2026-04") == "15000.00"

    def test_is_judged_anew_when_the_leave_is_taken_back(self, acme: Acme) -> None:
        karim = worker(acme, shift(acme, "09:00", "18:00"))
        punch(acme, karim, "2026-04-07T13:30:00+06:00", "2026-04-07T18:00:00+06:00")
        take_leave(acme, karim, "2026-04-07", "first")
        assert day_of(acme, karim, "2026-04-07") == ("leave", "present")
        (request,) = acme.cast.hr.ok("GET", f"/leave-requests?user_id={karim}")["items"]
        acme.cast.admin.ok("PATCH", f"/leave-requests/{request['id']}", {"status": "cancelled"})
        assert day_of(acme, karim, "2026-04-07") == ("absent", "absent")

    def test_is_judged_by_half_set_by_hand(self, acme: Acme) -> None:
        karim = worker(acme, shift(acme, "09:00", "18:00"))
        punch(acme, karim, "2026-04-07T09:00:00+06:00", "2026-04-07T13:30:00+06:00")
        path = f"/pay-register/2026-04/{karim}/days/2026-04-07"
        acme.cast.hr.ok("PUT", path, {"second_half": {"status": "od"}})
        assert day_of(acme, karim, "2026-04-07") == ("present", "od")
        acme.cast.hr.ok("PUT", path, {"second_half": {"status": "absent"}})
        assert day_of(acme, karim, "2026-04-07") == ("absent", "absent")


class TestShiftLength:
    @pytest.mark.parametrize(
        ("day", "came", "left"),
        [
            ("2026-03-28", "2026-03-28T22:00:00+01:00", "2026-03-29T06:00:00+02:00"),  # seven hours
            ("2026-03-29", "2026-03-29T22:00:00+02:00", "2026-03-30T06:00:00+02:00"),  # eight
            ("2026-10-24", "2026-10-24T22:00:00+02:00", "2026-10-25T06:00:00+01:00"),  # nine
        ],
    )
    def test_is_that_of_the_very_night(self, acme: Acme, day: str, came: str, left: str) -> None:
        greta = worker(acme, shift(acme, "22:00", "06:00"), branch_id=branch(acme.cast))
        acme.cast.hr.ok("PUT", f"/users/{greta}/roster", {"entries": [{"date": day}]})  # Saturday is a working day
        punch(acme, greta, came, left)
        assert day_of(acme, greta, day) == ("present", "present")

    def test_is_enough_where_the_company_asks_for_more(self, acme: Acme) -> None:
        karim = worker(acme, shift(acme, "09:00", "17:00"))
        punch(acme, karim, "2026-04-07T09:00:00+06:00", "2026-04-07T17:00:00+06:00")
        punch(acme, karim, "2026-04-08T09:00:00+06:00", "2026-04-08T16:59:00+06:00")
        assert day_of(acme, karim, "2026-04-07") == ("present", "present")
        assert day_of(acme, karim, "2026-04-08") == ("absent", "absent")

    def test_is_net_of_the_break(self, acme: Acme) -> None:
        karim = worker(acme, shift(acme, "09:00", "18:00", unpaid_break_minutes=60))
        punch(acme, karim, "2026-04-07T09:00:00+06:00", "2026-04-07T18:00:00+06:00")
        punch(acme, karim, "2026-04-08T09:00:00+06:00", "2026-04-08T12:00:00+06:00")
        punch(acme, karim, "2026-04-08T13:00:00+06:00", "2026-04-08T18:00:00+06:00")
        punch(acme, karim, "2026-04-09T09:00:00+06:00", "2026-04-09T17:59:00+06:00")
        assert day_of(acme, karim, "2026-04-07") == ("present", "present")
        assert day_of(acme, karim, "2026-04-08") == ("present", "present")
        assert day_of(acme, karim, "2026-04-09") == ("absent", "absent")


class TestThresholds:
    def test_of_the_shift_stand_above_the_tenant_s_and_decide_open_periods_anew(self, acme: Acme) -> None:
        own = shift(acme, "09:00", "18:00")
        karim = worker(acme, own)
        punch(acme, karim, "2026-04-07T09:00:00+06:00", "2026-04-07T16:00:00+06:00")
        assert day_of(acme, karim, "2026-04-07") == ("absent", "absent")
        acme.cast.hr.ok("PATCH", f"/shifts/{own}", {"full_day_minutes": 420})
        assert day_of(acme, karim, "2026-04-07") == ("present", "present")
        acme.cast.hr.ok("PATCH", f"/shifts/{own}", {"full_day_minutes": 421, "half_day_minutes": 240})
        assert day_of(acme, karim, "2026-04-07") == ("present", "absent")
        acme.cast.hr.ok("PATCH", f"/shifts/{own}", {"full_day_minutes": None, "half_day_minutes": None})
        assert day_of(acme, karim, "2026-04-07") == ("absent", "absent")
        acme.cast.hr.ok("PATCH", f"/shifts/{own}", {"end": "16:00"})  # now it was worked from end to end
        assert day_of(acme, karim, "2026-04-07") == ("present", "present")
