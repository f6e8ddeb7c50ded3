"""What an attendance row is worth: the decision table of rules.md, section 3, with literal values."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from chalicelib.features.attendance.records import actions as record_actions
from chalicelib.features.attendance.records.rules import ShiftDay, span
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from tests.support.cast import Cast, tenant
from tests.support.people import branch, employee, roster, row, shift, sql

pytestmark = pytest.mark.usefixtures("database")

DAY = date(2026, 1, 5)
NOW = datetime(2026, 2, 1, tzinfo=UTC)
CHANGES = [
    date.fromisoformat(change) + timedelta(days=n)
    for n in (-1, 0, 1)
    for change in ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01")
]
HOURS = [("09:00", "18:00"), ("22:00", "06:00"), ("02:30", "10:30"), ("18:00", "02:30"), ("01:45", "09:15")]


def local(said: str, zone: str = "Asia/Dhaka") -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=ZoneInfo(zone))


def decided(acme: Cast, user_id: UUID, day: date = DAY, **facts: Any) -> tuple[int, int, int]:
    """Write facts as they are, decide them, and give present halves, late and early-out minutes."""
    row(acme, "attendance", {"user_id": user_id, "day": day, "source": "import", **facts}, returning="day")
    decide(acme, day, day)
    return found(acme, user_id, day)


def decide(acme: Cast, first: date, last: date) -> int:
    with job_scope(acme.id, name="test", now=NOW, origin=Origin("test")) as scope:
        return record_actions.decide_days(scope, first=first, last=last)


def found(acme: Cast, user_id: UUID, day: date = DAY) -> tuple[int, int, int]:
    return tuple(
        sql(
            acme,
            "select present, late_minutes, early_out_minutes from attendance where user_id = :user_id and day = :day",
            user_id=user_id,
            day=day,
        )[0]
    )


class TestDecideHalves:
    @pytest.mark.parametrize(
        ("facts", "policy", "present"),
        [
            ({"worked_minutes": 540}, {}, 3),
            ({"worked_minutes": 539}, {}, 0),  # 8 h 59 min is not a paid day
            ({"worked_minutes": 480}, {"full_day_minutes": 480}, 3),
            ({"worked_minutes": 479}, {"full_day_minutes": 480}, 0),
            ({"worked_minutes": 539}, {"half_day_minutes": 240}, 2),
            ({"worked_minutes": 240}, {"half_day_minutes": 240}, 2),
            ({"worked_minutes": 239}, {"half_day_minutes": 240}, 0),
            ({}, {"half_day_minutes": 240}, 0),  # a lone punch: not known how long
            ({"stated": "present"}, {}, 3),
            ({"stated": "present", "worked_minutes": 10}, {}, 3),
            ({"stated": "absent"}, {}, 0),
            ({"stated": "half_day"}, {}, 2),
            ({"stated": "half_day", "stated_half": "first"}, {}, 2),
            ({"stated": "half_day", "stated_half": "second"}, {}, 1),
            ({"stated": "half_day", "worked_minutes": 540}, {}, 2),
        ],
    )
    def test_follows_the_status_then_the_minutes(
        self, facts: dict[str, Any], policy: dict[str, int], present: int
    ) -> None:
        acme = tenant("Acme")
        if policy:
            acme.admin.ok("PATCH", "/tenant", {"policy": policy})
        assert decided(acme, employee(acme), **facts) == (present, 0, 0)

    @pytest.mark.parametrize(("came", "present"), [("13:30", 2), ("13:31", 1)])
    def test_gives_the_second_half_after_the_middle_of_the_shift(self, came: str, present: int) -> None:
        acme = tenant("Acme")
        acme.admin.ok("PATCH", "/tenant", {"policy": {"half_day_minutes": 240}})
        user_id = employee(acme, shift_id=shift(acme, "09:00", "18:00"))
        facts: dict[str, Any] = {"check_in_at": local(f"2026-01-05 {came}"), "worked_minutes": 260}
        assert decided(acme, user_id, **facts)[0] == present

    def test_finds_the_middle_of_a_night_shift_after_midnight(self) -> None:
        acme = tenant("Acme")
        acme.admin.ok("PATCH", "/tenant", {"policy": {"half_day_minutes": 200}})
        user_id = employee(acme, shift_id=shift(acme, "22:00", "06:00"))
        assert decided(acme, user_id, check_in_at=local("2026-01-06 02:01"), worked_minutes=239)[0] == 1


class TestDecideLateness:
    @pytest.mark.parametrize(
        ("came", "left", "late", "early"),
        [
            ("09:00", "18:00", 0, 0),
            ("08:40", "18:30", 0, 0),
            ("09:10", "18:00", 0, 0),  # ten minutes of grace
            ("09:10:59", "18:00", 10, 0),  # past the grace it counts from the shift's start
            ("09:11", "17:55", 11, 0),  # five minutes of grace
            ("09:00", "17:54", 0, 6),
            ("12:00", "12:30", 180, 330),
        ],
    )
    def test_counts_from_the_shift_once_grace_is_over(self, came: str, left: str, late: int, early: int) -> None:
        acme = tenant("Acme")
        user_id = employee(acme, shift_id=shift(acme, "09:00", "18:00", late=10, early=5))
        facts: dict[str, Any] = {
            "check_in_at": local(f"2026-01-05 {came}"),
            "check_out_at": local(f"2026-01-05 {left}"),
        }
        assert decided(acme, user_id, **facts) == (0, late, early)

    def test_is_twelve_minutes_for_a_night_worker(self) -> None:
        acme = tenant("Acme")
        user_id = employee(acme, shift_id=shift(acme, "22:00", "06:00"))
        facts: dict[str, Any] = {"check_in_at": local("2026-01-05 22:12"), "check_out_at": local("2026-01-06 06:00")}
        assert decided(acme, user_id, **facts, worked_minutes=540) == (3, 12, 0)

    def test_takes_the_roster_before_the_usual_shift(self) -> None:
        acme = tenant("Acme")
        user_id = employee(acme, shift_id=shift(acme, "09:00", "18:00"))
        roster(acme, user_id, DAY, shift(acme, "12:00", "20:00"))
        assert decided(acme, user_id, check_in_at=local("2026-01-05 12:20")) == (0, 20, 0)
        assert decided(acme, user_id, date(2026, 1, 6), check_in_at=local("2026-01-06 12:20")) == (0, 200, 0)

    def test_is_nothing_without_a_shift(self) -> None:
        acme = tenant("Acme")
        facts: dict[str, Any] = {"check_in_at": local("2026-01-05 23:00"), "check_out_at": local("2026-01-05 23:10")}
        assert decided(acme, employee(acme), **facts) == (0, 0, 0)

    def test_is_capped_at_a_day(self) -> None:
        acme = tenant("Acme")
        user_id = employee(acme, shift_id=shift(acme, "09:00", "18:00"))
        assert decided(acme, user_id, check_in_at=local("2026-01-06 10:00")) == (0, 1440, 0)

    def test_does_not_call_a_break_an_early_out(self) -> None:
        acme = tenant("Acme")
        user_id = employee(acme, shift_id=shift(acme, "09:00", "18:00"))
        facts: dict[str, Any] = {
            "check_in_at": local("2026-01-05 09:00"),
            "check_out_at": local("2026-01-05 12:00"),
            "session_started_at": local("2026-01-05 13:00"),
            "worked_minutes": 180,
        }
        assert decided(acme, user_id, **facts) == (0, 0, 0)

    @pytest.mark.parametrize(
        ("day", "came", "left", "late", "early"),
        [
            # 29 March 2026: clocks go from 02:00 to 03:00, so the night of the 28th has seven hours
            (date(2026, 3, 28), "2026-03-28T21:12:00+00:00", "2026-03-29T03:50:00+00:00", 12, 10),
            # 25 October 2026: from 03:00 back to 02:00, so the night of the 24th has nine
            (date(2026, 10, 24), "2026-10-24T20:12:00+00:00", "2026-10-25T04:50:00+00:00", 12, 10),
        ],
    )
    def test_follows_the_branch_through_the_change_of_clocks(
        self, day: date, came: str, left: str, late: int, early: int
    ) -> None:
        acme = tenant("Acme")
        user_id = employee(acme, shift_id=shift(acme, "22:00", "06:00"), branch_id=branch(acme))
        facts: dict[str, Any] = {
            "check_in_at": datetime.fromisoformat(came),
            "check_out_at": datetime.fromisoformat(left),
        }
        assert decided(acme, user_id, day, **facts) == (0, late, early)


class TestDecideWholeShifts:
    """The law: whoever works a shift from end to end has worked a full day, in whatever night, and half of it half."""

    @pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Dhaka"])
    @pytest.mark.parametrize(
        ("pause", "full", "half"), [(0, None, None), (45, None, 300), (30, 600, None), (60, 400, 230)]
    )
    def test_are_full_days_through_every_change_of_clocks(
        self, zone: str, pause: int, full: int | None, half: int | None
    ) -> None:
        acme = tenant("Acme")
        place = branch(acme, timezone=zone)
        rows: list[tuple[UUID, date, datetime, datetime]] = []
        whole: set[UUID] = set()
        for number, (starts, ends) in enumerate(HOURS):
            own = shift(acme, starts, ends)
            people = [employee(acme, employee_no=f"E-{number}-{n}", branch_id=place, shift_id=own) for n in range(3)]
            whole.add(people[0])
            for day in CHANGES:
                start, end = span(ShiftDay(day, time.fromisoformat(starts), time.fromisoformat(ends)), zone) or (
                    NOW,
                    NOW,
                )
                middle = start + (end - start) / 2
                rows += [(people[0], day, start, end), (people[1], day, start, middle), (people[2], day, middle, end)]
        sql(
            acme,
            "with s as (update shifts set unpaid_break_minutes = :pause, full_day_minutes = :full,"
            "  half_day_minutes = :half)"
            " insert into attendance (tenant_id, user_id, day, check_in_at, check_out_at, worked_minutes, source)"
            " select :tenant_id, user_id, day, came, gone, extract(epoch from gone - came)::integer / 60, 'import'"
            " from unnest(cast(:users as uuid[]), cast(:days as date[]), cast(:came as timestamptz[]),"
            " cast(:gone as timestamptz[])) r (user_id, day, came, gone)",
            tenant_id=acme.id,
            pause=pause,
            full=full,
            half=half,
            users=[one[0] for one in rows],
            days=[one[1] for one in rows],
            came=[one[2] for one in rows],
            gone=[one[3] for one in rows],
        )
        decide(acme, date(2026, 1, 1), date(2026, 12, 31))
        found = sql(acme, "select user_id, present, enough_for_half, late_minutes, early_out_minutes from attendance")
        assert len(found) == len(HOURS) * 3 * len(CHANGES)
        assert all(one.enough_for_half for one in found)
        assert {tuple(one)[1:] for one in found if one.user_id in whole} == {(3, True, 0, 0)}


class TestDecideDays:
    def test_changes_only_what_differs_and_tells_how_many(self) -> None:
        acme, zenith = tenant("Acme"), tenant("Zenith")
        rahim, stranger = employee(acme), employee(zenith)
        for n in range(1, 6):
            facts = {"day": date(2026, 1, n), "worked_minutes": 500 + 20 * n, "source": "import"}
            row(acme, "attendance", {"user_id": rahim, **facts}, returning="day")
            row(zenith, "attendance", {"user_id": stranger, **facts}, returning="day")
        assert decide(acme, date(2026, 1, 1), date(2026, 1, 31)) == 4  # 540 to 600 minutes, and not 520
        assert decide(acme, date(2026, 1, 1), date(2026, 1, 31)) == 0
        acme.admin.ok("PATCH", "/tenant", {"policy": {"full_day_minutes": 580}})
        assert decide(acme, date(2026, 1, 2), date(2026, 1, 2)) == 1
        assert decide(acme, date(2026, 1, 1), date(2026, 1, 31)) == 1
        assert [found(acme, rahim, date(2026, 1, n))[0] for n in range(1, 6)] == [0, 0, 0, 3, 3]
        assert found(zenith, stranger, date(2026, 1, 5)) == (0, 0, 0)
