"""EventBridge's expressions."""

from datetime import UTC, datetime

import pytest

from infra.local.schedules import fires_at, last_due


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestFiresAt:
    @pytest.mark.parametrize(
        ("expression", "fires", "rests"),
        [
            ("rate(1 minute)", "2026-01-31 10:07", None),
            ("rate(5 minutes)", "2026-01-31 10:05", "2026-01-31 10:07"),
            ("rate(1 hour)", "2026-01-31 10:00", "2026-01-31 10:30"),
            ("rate(1 day)", "2026-01-31 00:00", "2026-01-31 12:00"),
            ("cron(15 * * * ? *)", "2026-01-31 03:15", "2026-01-31 03:16"),
            ("cron(*/20 * * * ? *)", "2026-01-31 03:40", "2026-01-31 03:50"),
            ("cron(5/15 * * * ? *)", "2026-01-31 03:35", "2026-01-31 03:30"),
            ("cron(0 8,18-20 * * ? *)", "2026-01-31 19:00", "2026-01-31 17:00"),
            ("cron(0 18 ? * MON-FRI *)", "2026-01-30 18:00", "2026-01-31 18:00"),
            ("cron(0 18 ? * 1 *)", "2026-02-01 18:00", "2026-02-02 18:00"),  # Sunday is 1 in AWS
            ("cron(0 0 1 jan,jul ? *)", "2026-07-01 00:00", "2026-06-01 00:00"),
            ("cron(0 0 L * ? *)", "2028-02-29 00:00", "2028-02-28 00:00"),
            ("cron(0 0 1 1 ? 2027)", "2027-01-01 00:00", "2026-01-01 00:00"),
        ],
    )
    def test_knows_the_minute(self, expression: str, fires: str, rests: str | None) -> None:
        assert fires_at(expression, at(fires))
        assert rests is None or not fires_at(expression, at(rests))

    @pytest.mark.parametrize(
        "expression",
        ["rate(0 minutes)", "rate(5 weeks)", "cron(0 0 * * *)", "cron(60 0 * * ? *)", "cron(0 0 3W * ? *)", "daily"],
    )
    def test_refuses_what_it_does_not_understand(self, expression: str) -> None:
        with pytest.raises(ValueError, match=r"schedule|cron"):
            fires_at(expression, at("2026-01-31 10:00"))


class TestLastDue:
    def test_names_the_latest_of_several_missed_minutes(self) -> None:
        due = last_due("rate(5 minutes)", at("2026-01-31 10:00"), at("2026-01-31 10:13:30"))
        assert due == at("2026-01-31 10:10")

    def test_does_not_name_the_same_minute_twice(self) -> None:
        assert last_due("rate(5 minutes)", at("2026-01-31 10:10:01"), at("2026-01-31 10:10:59")) is None
