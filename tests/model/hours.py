"""Hours: which moments a clock shows, how long a shift lasts, and which halves the minutes of a day are worth.

Moments are found by trying every minute, so that a change of clocks needs no thought.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from tests.model.facts import AttendanceDay, HalfName, Policy, Shift, Tenant

MINUTE = timedelta(minutes=1)


@cache
def first_moment(zone: str, day: date, clock: time) -> datetime:
    """Return the first minute at which the clock shows at least this time of the day."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while True:
        shown = moment.astimezone(ZoneInfo(zone))
        if (shown.date(), shown.time()) >= (day, clock):
            return moment
        moment += MINUTE


@cache
def shift_moments(zone: str, day: date, shift: Shift) -> tuple[datetime, datetime]:
    """Return when the shift of a day starts and ends."""
    last = day if shift.ends > shift.starts else day + timedelta(days=1)
    return first_moment(zone, day, shift.starts), first_moment(zone, last, shift.ends)


def minutes_showing(zone: str, clock: time, around: datetime) -> Iterator[datetime]:
    """List the minutes of a day and a half on either side at which the clock shows this time."""
    for offset in range(-36 * 60, 36 * 60 + 1):
        moment = around + offset * MINUTE
        # every zone is whole quarters of an hour away from UTC, so most minutes need no look at the clock
        if (moment.minute - clock.minute) % 15 == 0 and moment.astimezone(ZoneInfo(zone)).time() == clock:
            yield moment


def punches(tenant: Tenant, record: AttendanceDay, shift: Shift | None) -> list[tuple[datetime, datetime]]:
    """Return the moments of a record's sessions: came nearest to the shift's start, left at the next such time."""
    return placed(tenant.timezone, record.day, record.sessions, shift)


@cache
def placed(
    zone: str, day: date, sessions: tuple[tuple[time, time], ...], shift: Shift | None
) -> list[tuple[datetime, datetime]]:
    """Return the moments of sessions on a day."""
    around = first_moment(zone, day, time(12)) if shift is None else shift_moments(zone, day, shift)[0]
    found: list[tuple[datetime, datetime]] = []
    for came, left in sessions:
        comes = min(minutes_showing(zone, came, around), key=lambda moment: abs(moment - around))
        if found:  # after a break
            comes = min(moment for moment in minutes_showing(zone, came, found[-1][1]) if moment >= found[-1][1])
        found.append((comes, min(moment for moment in minutes_showing(zone, left, comes) if moment >= comes)))
    return found


def gross_minutes(tenant: Tenant, record: AttendanceDay, shift: Shift | None) -> int | None:
    """Return the minutes of all sessions, or those that were told without any."""
    if not record.sessions:
        return record.worked_minutes
    return sum((left - came) // MINUTE for came, left in punches(tenant, record, shift))


def net_minutes(tenant: Tenant, record: AttendanceDay, shift: Shift | None) -> int | None:
    """Return the worked minutes less the unpaid break; minutes told without punches have none in them.

    The break is the middle of the shift; whoever was away between two punches for as long has had it.
    """
    gross = gross_minutes(tenant, record, shift)
    if gross is None or shift is None or not record.sessions:
        return gross
    start, end = shift_moments(tenant.timezone, record.day, shift)
    middle, half_break = start + (end - start) / 2, timedelta(minutes=shift.unpaid_break_minutes) / 2
    sessions = punches(tenant, record, shift)
    came, left = sessions[0][0], sessions[-1][1]
    away = sum((later[0] - earlier[1] for earlier, later in pairwise(sessions)), timedelta())
    inside = max(min(left, middle + half_break) - max(came, middle - half_break), timedelta())
    return gross - max(inside // MINUTE - away // MINUTE, 0)


def came_after_middle(tenant: Tenant, record: AttendanceDay, shift: Shift | None) -> bool:
    """Tell whether the first check-in is later than the middle of the shift."""
    if not record.sessions or shift is None:
        return record.checked_in_after_middle
    start, end = shift_moments(tenant.timezone, record.day, shift)
    return punches(tenant, record, shift)[0][0] > start + (end - start) / 2


def thresholds(tenant: Tenant, shift: Shift | None, day: date) -> tuple[int, int | None]:
    """Return the minutes of a full day and of half a day (None: there is none), as this day's shift asks for them."""
    policy: Policy = tenant.policy
    if shift is None:
        return policy.full_day_minutes, policy.half_day_minutes
    full = policy.full_day_minutes if shift.full_day_minutes is None else shift.full_day_minutes
    half = policy.half_day_minutes if shift.half_day_minutes is None else shift.half_day_minutes
    start, end = shift_moments(tenant.timezone, day, shift)
    most = max((end - start) // MINUTE - shift.unpaid_break_minutes, 1)
    return min(full, most), None if half is None else min(half, most)


def attended_halves(tenant: Tenant, record: AttendanceDay, shift: Shift | None, only: HalfName | None) -> set[HalfName]:
    """Return the halves that a record says were worked; `only` is the one half open, where something has the other."""
    if record.stated == "present":
        return {"first", "second"}
    if record.stated == "absent":
        return set()
    if record.stated == "half_day":
        return {record.half or "first"}
    minutes = net_minutes(tenant, record, shift)
    if minutes is None:
        return set()
    full, half = thresholds(tenant, shift, record.day)
    if only is not None:
        enough = 2 * minutes >= full or (half is not None and minutes >= half)
        return {only} if enough else set()
    if minutes >= full:
        return {"first", "second"}
    if half is not None and minutes >= half:
        return {"second"} if came_after_middle(tenant, record, shift) else {"first"}
    return set()
