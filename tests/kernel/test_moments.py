"""Days and moments: one way to write them, and bounds that are refused before they are reached."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from chalicelib.kernel.moments import Day, LifeDay, Moment
from chalicelib.kernel.schema import STORED

DAY, LIFE_DAY, MOMENT = TypeAdapter(Day), TypeAdapter(LifeDay), TypeAdapter(Moment)


class TestDay:
    def test_takes_days_of_our_years(self) -> None:
        assert [DAY.validate_python(one) for one in ("2000-01-01", "2100-12-31", date(2026, 1, 5))] == [
            date(2000, 1, 1),
            date(2100, 12, 31),
            date(2026, 1, 5),
        ]
        assert LIFE_DAY.validate_python("1900-01-01") == date(1900, 1, 1)

    @pytest.mark.parametrize("value", [
        "0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31", "2026-02-30", "20260105", 20260105, "2026-1-5",
        "2026-01-05T00:00:00", " 2026-01-05", "২০২৬-০১-০৫", "2026-W01-1", True, 1.5, "",
        datetime(2026, 1, 5, tzinfo=UTC),
    ])  # fmt: skip
    def test_refuses_everything_else(self, value: Any) -> None:
        with pytest.raises(ValidationError):
            DAY.validate_python(value)

    def test_of_a_life_that_was_stored_before_is_moved_into_our_years(self) -> None:
        assert LIFE_DAY.validate_python("0001-01-01", context=STORED) == date(1900, 1, 1)
        assert LIFE_DAY.validate_python("9999-12-31", context=STORED) == date(2100, 12, 31)
        with pytest.raises(ValidationError):
            LIFE_DAY.validate_python("0001-01-01")


class TestMoment:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-01-05T14:30:00+06:00", datetime(2026, 1, 5, 8, 30, tzinfo=UTC)),
            ("2026-01-05 08:30Z", datetime(2026, 1, 5, 8, 30, tzinfo=UTC)),
            ("2026-01-05t08:30:00.5z", datetime(2026, 1, 5, 8, 30, 0, 500_000, tzinfo=UTC)),
            ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
            ("2100-12-31T23:59:59Z", datetime(2100, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ],
    )
    def test_is_in_utc(self, text: str, moment: datetime) -> None:
        assert MOMENT.validate_python(text) == moment
        assert MOMENT.validate_python(text).tzinfo is UTC

    @pytest.mark.parametrize("value", [
        "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1999-12-31T23:59:59Z", "2000-01-01T00:00:00+06:00",
        "2101-01-01T00:00:00Z", "2026-01-05T24:00:00Z", "2026-01-05T23:59:60Z", "2026-01-05T08:30:00",
        "2026-01-05T08:30:00+24:00", "2026-01-05", "20260105T083000Z", 1767601800, "1767601800", True, "",
        datetime(2026, 1, 5),  # noqa: DTZ001
    ])  # fmt: skip
    def test_refuses_everything_else(self, value: Any) -> None:
        with pytest.raises(ValidationError):
            MOMENT.validate_python(value)
