"""How long each kind of schedule may be silent, within what CloudWatch can look back at."""

import pytest

from chalicelib.entry.registry import SCHEDULES
from infra.deploy.cloud.functions import functions
from infra.deploy.cloud.schedule_windows import is_nightly, window


@pytest.mark.parametrize(
    ("expression", "minutes", "periods"),
    [
        ("rate(1 minute)", 5, 3),
        ("rate(15 minutes)", 5, 7),
        ("rate(1 hour)", 5, 25),
        ("cron(30 * * * ? *)", 5, 25),
        ("rate(12 hours)", 60, 25),  # a day in periods of five minutes would be one too many
        ("cron(15 2 * * ? *)", 60, 49),
        ("cron(0 8-18 ? * MON-FRI *)", 60, 125),  # silent from Friday 18:00 to Monday 08:00: 62 hours
    ],
)
def test_window_holds_two_rounds_and_a_period(expression: str, minutes: int, periods: int) -> None:
    assert window(expression) == (minutes, periods)
    assert minutes * periods <= (24 * 60 if minutes < 60 else 7 * 24 * 60)


@pytest.mark.parametrize("expression", ["rate(7 days)", "cron(0 3 1 * ? *)", "cron(0 3 ? * SUN *)"])
def test_window_of_a_schedule_that_is_silent_too_long_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="longer than CloudWatch can look back"):
        window(expression)


def test_nights_are_those_that_ask_whose_night_is_not_done() -> None:
    assert functions()
    assert {name for name, one in SCHEDULES.items() if is_nightly(one)} == {"balance", "kpi", "leave-expiry"}
