"""Changes of the days that people work: what follows from them in features above, in the same transaction.

A holiday, a roster, a calendar and an employment say which halves leave may use up. Whoever writes one calls `changed`
after the write; the features that must follow have registered a listener when they were imported.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from chalicelib.identity.scope import Scope
from chalicelib.kernel.period import FIRST_YEAR

_CALENDAR = "calendar"


@dataclass(frozen=True, slots=True)
class WorkingDaysChange:
    """Whose working days changed, and from which day to which."""

    user_ids: Collection[UUID] | None  # None: of everybody
    first: date
    last: date | None  # None: all days that follow


Listener = Callable[[Scope, WorkingDaysChange], object]
_LISTENERS: dict[str, Listener] = {}
_EXPECTED = frozenset({"leave"})  # a change must never pass unheard, whichever entry point was loaded


def listen(name: str, listener: Listener) -> None:
    """Call `listener` on every change, for the life of the process."""
    _LISTENERS[name] = listener


def changed(
    scope: Scope, *, user_ids: Collection[UUID] | None, first: date, last: date | None, is_new: bool = False
) -> None:
    """Let everything follow that depends on these working days. The change is written, but not committed.

    `is_new` says that the people have just been made, so that nothing of theirs can depend on anything.
    """
    if is_new:
        return
    if missing := _EXPECTED - _LISTENERS.keys():
        raise RuntimeError(f"Nobody in this process listens for {', '.join(missing)}; import its routes first.")
    for listener in _LISTENERS.values():
        listener(scope, WorkingDaysChange(user_ids, first, last))


def calendar_changed(scope: Scope, *, user_ids: Collection[UUID] | None) -> None:
    """Let everything follow from another weekend or time zone: locked pay periods keep the calendar they had."""
    changed(scope, user_ids=user_ids, first=first_open_day(scope), last=None)


def first_open_day(scope: Scope) -> date:
    """Return the day after the last locked pay period, or the first day of all."""
    day: date | None = scope.session.execute(
        text("select max(end_on) + 1 from pay_periods where tenant_id = :tenant_id and status <> 'open'"),
        {"tenant_id": scope.tenant_id},
    ).scalar_one()
    return day or date(FIRST_YEAR, 1, 1)


def lock_calendar(scope: Scope) -> None:
    """Keep leave from being counted until this transaction ends, because it changes a calendar of many people.

    It is the first lock that a writer of calendars takes: before people, periods and allocations.
    """
    scope.alone(_CALENDAR)


def share_calendar(scope: Scope) -> None:
    """Keep calendars of many people as they are until this transaction ends; any number of writers may share them.

    Who counts leave takes this before any other lock: a holiday that is being declared at the same moment would not
    see the leave, nor the leave the holiday.
    """
    scope.share(_CALENDAR)
