"""The one place that reads the clock. Everything inside is handed a moment."""

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
    """Return the moment at which a calendar day is over; the last day of the calendar never is."""
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return start_of_day(day + timedelta(days=1), timezone)


def yesterday(moment: datetime, timezone: str) -> date:
    """Return the last day that is over in a time zone."""
    return local_day(moment, timezone) - timedelta(days=1)
