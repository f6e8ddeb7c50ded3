"""Changes of the days that people work: what follows from them in features above, in the same transaction.

A holiday, a roster, a calendar and an employment say which halves leave may use up. Whoever writes one calls `changed`
after the write. Followers are named and imported as those of `facts` are, so none is missed.
"""

from collections.abc import Collection
from datetime import date, timedelta
from functools import cache
from importlib import import_module
from typing import Protocol
from uuid import UUID

from chalicelib.features.periods import queries
from chalicelib.identity.scope import Scope
from chalicelib.kernel.period import FIRST_YEAR

LAST_DAY = date(9999, 12, 31)
FOLLOWERS = ["chalicelib.features.leave.followers"]


class WorkingDaysFollower(Protocol):
    """What a feature above does when working days change."""

    def working_days_changed(self, scope: Scope, *, user_ids: Collection[UUID] | None, first: date, last: date) -> None:
        """Do what follows for these employees (None: everybody) and days; the change is written, and not committed."""


def changed(scope: Scope, *, user_ids: Collection[UUID] | None, first: date, last: date = LAST_DAY) -> None:
    """Notify the followers that the working days of these employees (None: everybody) changed."""
    for follower in followers():
        follower.working_days_changed(scope, user_ids=user_ids, first=first, last=last)


def calendar_changed(scope: Scope, *, user_ids: Collection[UUID] | None) -> None:
    """Notify the followers of another weekend or time zone: locked pay periods keep the calendar they had."""
    changed(scope, user_ids=user_ids, first=first_open_day(scope))


def first_open_day(scope: Scope) -> date:
    """Return the day after the last locked pay period, or the first day of all."""
    last_closed_day = queries.find_last_closed_day(scope)
    return last_closed_day + timedelta(days=1) if last_closed_day else date(FIRST_YEAR, 1, 1)


@cache
def followers() -> list[WorkingDaysFollower]:
    """Import the followers, once."""
    return [import_module(module).FOLLOWER for module in FOLLOWERS]
