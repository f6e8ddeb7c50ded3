"""How long a schedule may be silent before an alarm, derived from its expression."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from chalicelib.entry.registry import Schedule
from chalicelib.jobs.nightly import NIGHTLY_JOBS
from infra.local.schedules import UNITS, fires_at

# CloudWatch looks back a day at most in periods of less than an hour, and a week in longer ones. Minutes.
SHORT, LONG = 5, 60
A_DAY, A_WEEK = 24 * 60, 7 * 24 * 60
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


class Window(NamedTuple):
    """The window of an alarm: `periods` of `minutes` each."""

    minutes: int
    periods: int


@cache
def window(expression: str) -> Window:
    """Return the time in which a schedule fires twice at least, and a period more.

    Twice, because a deployment counts a rate anew; a period, because CloudWatch's slide and a call may be late.
    """
    gap = _longest_gap(expression)
    minutes = SHORT if 2 * gap + SHORT <= A_DAY else LONG
    result = Window(minutes, max(3, ceil(2 * gap / minutes) + 1))
    if result.minutes * result.periods > A_WEEK:
        raise ValueError(f"{expression} is silent for longer than CloudWatch can look back; find it another alarm")
    return result


def is_nightly(schedule: Schedule) -> bool:
    """Return whether it counts, each time, the tenants whose night is not done yet."""
    return schedule.name in NIGHTLY_JOBS


def _longest_gap(expression: str) -> int:
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression.strip())
    if rate:
        return int(rate[1]) * UNITS[rate[2]]
    minutes = range(2 * A_WEEK)
    fired = [minute for minute in minutes if fires_at(expression, _MONDAY + timedelta(minutes=minute))]
    if len(fired) < 2:
        return A_WEEK
    return max(later - earlier for earlier, later in pairwise(fired))
