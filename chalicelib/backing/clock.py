"""The one place that reads the clock. Everything inside is handed a moment."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """This will give the present moment, aware and in UTC."""
    return datetime.now(UTC)


def local_day(moment: datetime, timezone: str) -> date:
    """This will give the calendar day that a moment falls on in a time zone."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def yesterday(moment: datetime, timezone: str) -> date:
    """This will give the last day that is over in a time zone."""
    return local_day(moment, timezone) - timedelta(days=1)
