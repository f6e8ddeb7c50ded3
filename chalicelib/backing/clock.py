"""The only reader of the clock; every other function gets the moment as a parameter."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC)


def local_day(moment: datetime, timezone: str) -> date:
    """Return the calendar day that a moment falls on in a time zone."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def start_of_day(day: date, timezone: str) -> datetime:
    """Return the moment at which a calendar day begins in a time zone."""
    return datetime.combine(day, time(), ZoneInfo(timezone))


def end_of_day(day: date, timezone: str) -> datetime:
    """Return the moment at which a calendar day ends; `date.max` ends at the last moment there is."""
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return start_of_day(day + timedelta(days=1), timezone)


def yesterday(moment: datetime, timezone: str) -> date:
    """Return the calendar day before a moment's day in a time zone."""
    return local_day(moment, timezone) - timedelta(days=1)
