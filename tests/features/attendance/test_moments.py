"""The day of a moment and the moment of a clock time: one rule, tried in both directions over zones and shifts."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.features.attendance.records import rules as record_rules
from chalicelib.features.attendance.records.rules import DAYS_AFTER, DAYS_BEFORE, ShiftDay, WrongValue

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Dhaka", "Australia/Lord_Howe", "Europe/Dublin", "America/Santiago")
CHANGES = {  # the days around which clocks change in 2026, and an ordinary one
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "Europe/Dublin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "America/Santiago": (date(2026, 4, 5), date(2026, 9, 6)),  # at midnight
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),  # by half an hour
    "Asia/Dhaka": (),
}
HOURS = (
    (None, None), (time(9), time(18)), (time(22), time(6)), (time(0), time(8)), (time(16), time(0)),
    (time(14), time(23)), (time(6), time(22)), (time(2, 30), time(10, 30)), (time(18), time(2, 30)),
    (time(23, 59), time(23, 58)),
)  # fmt: skip


@st.composite
def weeks(draw: st.DrawFn) -> tuple[str, date, dict[date, ShiftDay]]:
    """Draw a zone, a day, often one on which clocks change, and the shifts of the days around it."""
    zone = draw(st.sampled_from(ZONES))
    day = draw(st.sampled_from((date(2026, 1, 14), *CHANGES[zone]))) + timedelta(days=draw(st.integers(-1, 1)))
    usual = draw(st.sampled_from(HOURS))
    hours = {day + timedelta(days=n): usual for n in range(-8, 9)}
    for n in draw(st.lists(st.integers(-2, 2), max_size=3)):
        hours[day + timedelta(days=n)] = draw(st.sampled_from(HOURS))
    return zone, day, {one: ShiftDay(one, *times) for one, times in hours.items()}


def around(shifts: dict[date, ShiftDay], day: date) -> list[ShiftDay]:
    return [shifts[day + timedelta(days=n)] for n in range(-DAYS_BEFORE, DAYS_AFTER + 1)]


def moment_in(zone: str, day: date, minutes: int) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) + timedelta(minutes=minutes)


def day_of(at: datetime, zone: str, shifts: dict[date, ShiftDay]) -> date:
    """Return the day of a live punch, of which only the days around its own local date are read."""
    return record_rules.day_of_punch(at, zone=zone, shifts=around(shifts, at.astimezone(ZoneInfo(zone)).date()))


class TestOneRule:
    @given(weeks(), st.integers(-300, 27 * 60))
    @settings(max_examples=400, deadline=None)
    def test_a_record_s_clock_time_is_the_moment_of_a_live_punch_of_that_day(
        self, week: tuple[str, date, dict[date, ShiftDay]], minutes: int
    ) -> None:
        zone, drawn, shifts = week
        at = moment_in(zone, drawn, minutes)
        day = day_of(at, zone, shifts)
        clock = at.astimezone(ZoneInfo(zone)).time().replace(fold=0)
        placed = record_rules.moment_on_day(clock, day=day, zone=zone, shifts=around(shifts, day))
        assert placed.astimezone(ZoneInfo(zone)).time().replace(fold=0) == clock
        assert day_of(placed, zone, shifts) == day
        # every minute from two days before to two days after that is on this day and shows this time
        same = [
            moment
            for n in range(-2 * 1440, 2 * 1440 + 1)
            if (n % 30 == 0)
            and (moment := at + timedelta(minutes=n)).astimezone(ZoneInfo(zone)).time() == clock
            and day_of(moment, zone, shifts) == day
        ]
        assert placed in same
        if len(same) == 1:
            assert placed == at

    @given(weeks(), st.integers(-300, 27 * 60))
    @settings(max_examples=300, deadline=None)
    def test_a_record_s_moment_is_on_the_day_of_a_live_punch(
        self, week: tuple[str, date, dict[date, ShiftDay]], minutes: int
    ) -> None:
        zone, drawn, shifts = week
        at = moment_in(zone, drawn, minutes)
        day, local = day_of(at, zone, shifts), at.astimezone(ZoneInfo(zone)).date()
        for dated in {day, local}:
            assert record_rules.record_day(at.isoformat(), day=dated, zone=zone, shifts=around(shifts, dated)) == day
        for dated in {day + timedelta(days=n) for n in range(-2, 3)} - {day, local}:
            with pytest.raises(WrongValue, match=f"belongs to {day}"):
                record_rules.record_day(at.isoformat(), day=dated, zone=zone, shifts=around(shifts, dated))

    @given(weeks(), st.integers(-300, 27 * 60), st.integers(0, 23 * 60 - 1))
    @settings(max_examples=300, deadline=None)
    def test_a_check_out_s_clock_time_is_that_of_a_session_of_less_than_a_day(
        self, week: tuple[str, date, dict[date, ShiftDay]], minutes: int, lasted: int
    ) -> None:
        zone, drawn, _ = week
        came = moment_in(zone, drawn, minutes)
        left = came + timedelta(minutes=lasted)
        clock = left.astimezone(ZoneInfo(zone)).time().replace(fold=0)
        found = record_rules.moment_after(clock, came=came, zone=zone, end=left)
        shows_twice = left.astimezone(ZoneInfo(zone)).replace(fold=0) != left.astimezone(ZoneInfo(zone)).replace(fold=1)
        assert found == left or shows_twice
        assert came <= found < came + timedelta(hours=25)


class TestMomentOnDay:
    @pytest.mark.parametrize(
        ("starts", "ends", "clock", "moment"),
        [
            ("22:00", "06:00", "21:50", "2026-01-05 21:50"),
            ("22:00", "06:00", "00:12", "2026-01-06 00:12"),
            ("22:00", "06:00", "06:30", "2026-01-06 06:30"),
            (
                "00:00",
                "08:00",
                "23:50",
                "2026-01-04 23:50",
            ),  # ten minutes before the shift, and not sixteen hours after
            ("00:00", "08:00", "00:05", "2026-01-05 00:05"),
            ("16:00", "00:00", "00:10", "2026-01-06 00:10"),  # ten minutes after it
            ("09:00", "18:00", "00:12", "2026-01-05 00:12"),
            ("09:00", "18:00", "23:50", "2026-01-05 23:50"),
            ("14:00", "23:00", "01:30", "2026-01-06 01:30"),
            (None, None, "00:05", "2026-01-05 00:05"),
            (None, None, "23:55", "2026-01-05 23:55"),
        ],
    )
    def test_is_nearest_to_the_shift_on_either_side_of_midnight(
        self, starts: str | None, ends: str | None, clock: str, moment: str
    ) -> None:
        hours = (starts and time.fromisoformat(starts), ends and time.fromisoformat(ends))
        shifts = [ShiftDay(date(2026, 1, 5) + timedelta(days=n), *hours) for n in range(-3, 4)]  # type: ignore[arg-type]
        found = record_rules.moment_on_day(
            time.fromisoformat(clock), day=date(2026, 1, 5), zone="Asia/Dhaka", shifts=shifts
        )
        assert f"{found.astimezone(ZoneInfo('Asia/Dhaka')):%Y-%m-%d %H:%M}" == moment

    @pytest.mark.parametrize(
        ("day", "starts", "clock", "moment"),
        [
            # 25 October 2026: 02:00 to 03:00 comes twice; nearest to the start, without a shift the first
            (date(2026, 10, 24), "22:00", "02:30", "2026-10-25T00:30:00+00:00"),
            (date(2026, 10, 25), "03:00", "02:30", "2026-10-25T01:30:00+00:00"),
            (date(2026, 10, 25), None, "02:30", "2026-10-25T00:30:00+00:00"),
            # 29 March 2026: 02:00 to 03:00 is skipped; a clock that nobody set says 02:30 at what is 03:30
            (date(2026, 3, 28), "22:00", "02:30", "2026-03-29T01:30:00+00:00"),
            (date(2026, 3, 29), None, "02:30", "2026-03-29T01:30:00+00:00"),
        ],
    )
    def test_reads_times_that_came_twice_or_never(self, day: date, starts: str | None, clock: str, moment: str) -> None:
        start = starts and time.fromisoformat(starts)
        end = start and (datetime.combine(day, start) + timedelta(hours=8)).time()
        shifts = [ShiftDay(day + timedelta(days=n), start or None, end or None) for n in range(-3, 4)]
        found = record_rules.moment_on_day(time.fromisoformat(clock), day=day, zone="Europe/Berlin", shifts=shifts)
        assert found.isoformat() == moment

    @pytest.mark.parametrize(
        ("end", "moment"), [("2026-10-25T05:00Z", "2026-10-25T01:30:00+00:00"), (None, "2026-10-25T00:30:00+00:00")]
    )
    def test_leaves_at_the_second_of_two_times_where_the_shift_goes_on(self, end: str | None, moment: str) -> None:
        came = datetime(2026, 10, 24, 20, tzinfo=UTC)
        found = record_rules.moment_after(
            time(2, 30), came=came, zone="Europe/Berlin", end=datetime.fromisoformat(end) if end else None
        )
        assert found.isoformat() == moment


@pytest.mark.usefixtures("database")
class TestLocalMoment:
    def test_is_the_same_in_sql_through_every_change_of_clocks(self) -> None:
        minutes = [
            (zone, datetime.combine(change, time(0)) - timedelta(hours=3) + timedelta(minutes=15 * n))
            for zone, changes in CHANGES.items()
            for change in (*changes, date(2026, 6, 1))
            for n in range(4 * 12)
        ]
        with transaction() as session:
            found = (
                session.execute(
                    text(
                        "select local_moment(clock, zone)"
                        " from unnest(cast(:clocks as timestamp[]), cast(:zones as text[]))"
                        " with ordinality said (clock, zone, n) order by n"
                    ),
                    {"clocks": [clock for _, clock in minutes], "zones": [zone for zone, _ in minutes]},
                )
                .scalars()
                .all()
            )
        assert found == [record_rules._local(clock.date(), clock.time(), zone) for zone, clock in minutes]
        # of Berlin's two half past twos the first, of the one that was skipped what a clock that nobody set would show
        berlin = {
            clock: moment for (zone, clock), moment in zip(minutes, found, strict=True) if zone == "Europe/Berlin"
        }
        assert berlin[datetime.fromisoformat("2026-10-25T02:30")] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        assert berlin[datetime.fromisoformat("2026-03-29T02:30")] == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
        assert all(later >= earlier - timedelta(hours=1) for earlier, later in pairwise(found[:48]))
