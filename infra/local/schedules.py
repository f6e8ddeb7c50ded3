"""Read EventBridge's schedule expressions and say at which minutes (UTC) they fire."""

from __future__ import annotations

import calendar
import re
from datetime import datetime, timedelta

UNITS = {"minute": 1, "hour": 60, "day": 24 * 60}
MONTHS = {name.upper(): str(number) for number, name in enumerate(calendar.month_abbr) if name}
WEEKDAYS = {name: str(number) for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))  # minute hour day month weekday year


def fires_at(expression: str, minute: datetime) -> bool:
    """Return whether `rate(...)` or a 6-field `cron(...)` fires in this minute of UTC.

    A rate is counted from 1970 rather than from the making of the rule, so that it does not depend on when
    the local stack was started. Raises ValueError for what is not understood (`W`, `#`).
    """
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression.strip())
    if rate and int(rate[1]) > 0:
        return int(minute.timestamp()) // 60 % (int(rate[1]) * UNITS[rate[2]]) == 0
    cron = re.fullmatch(r"cron\((.*)\)", expression.strip())
    fields = cron[1].upper().split() if cron else []
    if len(fields) != 6:
        raise ValueError(f"not a schedule expression: {expression}")
    fields[3] = _numbered(fields[3], MONTHS)
    fields[4] = _numbered(fields[4], WEEKDAYS)
    last_day = calendar.monthrange(minute.year, minute.month)[1]
    fields[2] = str(last_day) if fields[2] == "L" else fields[2]
    # AWS counts the days of the week from Sunday = 1.
    now = (minute.minute, minute.hour, minute.day, minute.month, minute.isoweekday() % 7 + 1, minute.year)
    # All fields are read before one is judged: a wrong one must not wait for its month to be noticed.
    allowed = [_values(field, *bounds) for field, bounds in zip(fields, RANGES, strict=True)]
    return all(value in values for value, values in zip(now, allowed, strict=True))


def last_due(expression: str, after: datetime, until: datetime) -> datetime | None:
    """Find the latest minute in (after, until] in which the expression fires, if there is one.

    Only the latest: after a laptop slept, one call is enough, as the jobs find by themselves what is due.
    """
    minute = until.replace(second=0, microsecond=0)
    earliest = max(after.replace(second=0, microsecond=0), minute - timedelta(days=1))
    while minute > earliest:
        if fires_at(expression, minute):
            return minute
        minute -= timedelta(minutes=1)
    return None


def _numbered(field: str, names: dict[str, str]) -> str:
    return re.sub(r"[A-Z]{3}", lambda match: names.get(match[0], match[0]), field)


def _values(field: str, low: int, high: int) -> set[int]:
    values: set[int] = set()
    for part in field.split(","):
        match = re.fullmatch(r"(?:(\*|\?)|(\d+)(?:-(\d+))?)(?:/(\d+))?", part)
        if not match:
            raise ValueError(f"not understood in a cron expression: {part}")
        every, first, last, step = match.groups()
        start = low if every else int(first)
        # `5/15` means from 5 on; a bare `5` means 5 only.
        end = high if every or (step and not last) else int(last or first)
        if not low <= start <= end <= high or step == "0":
            raise ValueError(f"out of range in a cron expression: {part}")
        values.update(range(start, end + 1, int(step or 1)))
    return values
