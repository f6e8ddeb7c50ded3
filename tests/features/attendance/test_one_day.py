"""The law of one day: what is punched live, imported and corrected of the same moments is the same record."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.backing import clock
from chalicelib.features.attendance.records import rules as record_rules
from chalicelib.features.attendance.records.rules import ShiftDay
from tests.support.cast import Cast, tenant
from tests.support.people import branch, employee, shift

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 12, 20, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Dhaka", "Australia/Lord_Howe")
DAYS = (
    date(2026, 1, 14),
    date(2026, 3, 8),
    date(2026, 3, 29),
    date(2026, 4, 5),
    date(2026, 10, 4),
    date(2026, 10, 25),
    date(2026, 11, 1),
)
SHIFTS = (None, ("09:00", "18:00"), ("22:00", "06:00"), ("00:00", "08:00"), ("16:00", "00:00"), ("02:30", "10:30"))
NUMBERS = count(1)
FIELDS = (
    "date",
    "check_in",
    "check_out",
    "worked_minutes",
    "status",
    "present_halves",
    "late_minutes",
    "early_out_minutes",
)

Hours = tuple[str, str] | None


@pytest.fixture(name="acme", scope="module")
def _acme(database: object) -> Cast:
    return tenant("Acme")


@pytest.fixture(autouse=True, scope="module")
def _frozen() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW)
        yield


def worker(acme: Cast, zone: str, hours: Hours) -> UUID:
    n = next(NUMBERS)
    made = shift(acme, *hours, late=n % 600, early=n // 600) if hours else None  # grace tells the names apart
    return employee(acme, employee_no=f"E-{n}", branch_id=branch(acme, name=f"B-{n}", timezone=zone), shift_id=made)


def told(record: dict[str, Any]) -> dict[str, Any]:
    return {name: record[name] for name in FIELDS if name not in ("late_minutes", "early_out_minutes")}


def imported(acme: Cast, user_id: UUID, **row: str) -> dict[str, Any]:
    report = acme.hr.ok("POST", "/attendance/import", [{"user_id": str(user_id), **row}])
    assert report["errors"] == []
    found = [
        one
        for month in {row["date"][:7], *_months_around(row["date"])}
        for one in acme.hr.ok("GET", f"/users/{user_id}/attendance?month={month}")["items"]
    ]
    assert len(found) == 1
    return told(found[0])


def _months_around(day: str) -> set[str]:
    return {f"{date.fromisoformat(day) + timedelta(days=n):%Y-%m}" for n in (-2, 2)}


def is_told_by_clock(at: datetime, zone: str, hours: Hours) -> bool:
    """Tell whether the clock time and the day say this moment alone: not where a time came twice on the day."""
    local = at.astimezone(ZoneInfo(zone))
    times = [time.fromisoformat(one) for one in hours] if hours else [None, None]
    shifts = [ShiftDay(local.date() + timedelta(days=n), *times) for n in range(-5, 6)]
    day = record_rules.day_of_punch(at, zone=zone, shifts=shifts)
    moments = (at + timedelta(minutes=30 * n) for n in range(-96, 97))
    same = [moment for moment in moments if moment.astimezone(ZoneInfo(zone)).time() == local.time()]
    return sum(record_rules.day_of_punch(moment, zone=zone, shifts=shifts) == day for moment in same) == 1


@given(
    zone=st.sampled_from(ZONES),
    day=st.sampled_from(DAYS),
    hours=st.sampled_from(SHIFTS),
    minutes=st.integers(-150, 26 * 60),
    lasted=st.integers(0, 14 * 60),
)
@example(zone="Asia/Dhaka", day=date(2026, 1, 14), hours=("00:00", "08:00"), minutes=-10, lasted=490)
@example(zone="Asia/Dhaka", day=date(2026, 1, 14), hours=("16:00", "00:00"), minutes=10, lasted=0)
@example(zone="Asia/Dhaka", day=date(2026, 1, 14), hours=("22:00", "06:00"), minutes=12, lasted=348)
@example(zone="Europe/Berlin", day=date(2026, 3, 29), hours=("22:00", "06:00"), minutes=-120, lasted=420)
@example(zone="Europe/Berlin", day=date(2026, 10, 25), hours=("02:30", "10:30"), minutes=150, lasted=540)
@settings(max_examples=40, deadline=None)
def test_live_imported_and_corrected_are_one(
    acme: Cast, zone: str, day: date, hours: Hours, minutes: int, lasted: int
) -> None:
    came = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) + timedelta(minutes=minutes)
    left = came + timedelta(minutes=lasted)
    live = worker(acme, zone, hours)
    acme.hr.ok("POST", f"/users/{live}/checkin", {"at": came.isoformat()})
    wanted = told(acme.hr.ok("PATCH", f"/users/{live}/checkout", {"at": left.isoformat()}))
    local_came, local_left = came.astimezone(ZoneInfo(zone)), left.astimezone(ZoneInfo(zone))
    moments = {"check_in": local_came.isoformat(), "check_out": local_left.isoformat()}
    for dated in {wanted["date"], str(local_came.date())}:
        assert imported(acme, worker(acme, zone, hours), date=dated, **moments) == wanted
    path = f"/users/{worker(acme, zone, hours)}/attendance"
    assert told(acme.hr.ok("PUT", f"{path}/{wanted['date']}", {"reason": "x", **moments})) == wanted
    clocks = {"check_in": f"{local_came:%H:%M}", "check_out": f"{local_left:%H:%M}"}
    is_twice = local_left.replace(fold=0).astimezone(UTC) != local_left.replace(fold=1).astimezone(UTC)
    if is_told_by_clock(came, zone, hours) and not is_twice:
        assert imported(acme, worker(acme, zone, hours), date=wanted["date"], **clocks) == wanted
        path = f"/users/{worker(acme, zone, hours)}/attendance"
        assert told(acme.hr.ok("PUT", f"{path}/{wanted['date']}", {"reason": "x", **clocks})) == wanted


class TestCorrection:
    def test_of_a_moment_on_another_day_says_which(self, acme: Cast) -> None:
        guard = worker(acme, "Asia/Dhaka", ("00:00", "08:00"))
        body = {"check_in": "2026-01-13T23:50:00+06:00", "check_out": "2026-01-14T08:00:00+06:00", "reason": "x"}
        reply = acme.hr.put(f"/users/{guard}/attendance/2026-01-13", body)
        assert (reply.status, reply.json["errors"]) == (
            422,
            [{"pointer": "/check_in", "detail": "belongs to 2026-01-14, on which its shift starts; correct that day"}],
        )
        assert acme.hr.put(f"/users/{guard}/attendance/2026-01-14", body).status == 200


class TestImport:
    def test_puts_a_device_s_calendar_date_on_the_day_of_the_shift(self, acme: Cast) -> None:
        guard = worker(acme, "Asia/Dhaka", ("00:00", "08:00"))
        row = {"check_in": "2026-01-13T23:50:00+06:00", "check_out": "2026-01-14T08:00:00+06:00"}
        found = imported(acme, guard, date="2026-01-13", **row)
        assert (found["date"], found["worked_minutes"], found["status"]) == ("2026-01-14", 490, "present")

    def test_refuses_two_rows_that_come_to_the_same_day_and_one_outside_the_employment(self, acme: Cast) -> None:
        guard = worker(acme, "Asia/Dhaka", ("00:00", "08:00"))
        last = employee(acme, employee_no="E-last", left_on=date(2026, 1, 13), shift_id=shift(acme, "00:00", "07:00"))
        report = acme.hr.ok(
            "POST",
            "/attendance/import",
            [
                {"user_id": str(guard), "date": "2026-01-13", "check_in": "2026-01-13T23:50:00+06:00"},
                {"user_id": str(guard), "date": "2026-01-14", "check_in": "23:55"},
                {"user_id": str(last), "date": "2026-01-13", "check_in": "2026-01-13T23:50:00+06:00"},
                {"user_id": str(last), "date": "2026-01-11", "check_in": "2026-01-13T12:00:00+06:00"},
            ],
        )
        assert (report["added"], [(error["line"], error["column"]) for error in report["errors"]]) == (
            0,
            [(1, "date"), (2, "date"), (3, "check_in"), (4, "check_in")],
        )
        assert report["errors"][2]["detail"] == "is after E-last left, on 2026-01-13"
        assert report["errors"][3]["detail"] == (
            "is not on 2026-01-11 in the time zone Asia/Dhaka, but belongs to 2026-01-13"
        )
