"""Changes of the days that people work: what follows from them in the rooms above, in the same transaction.

A holiday, a roster, a calendar and an employment say which halves leave may use up. Whoever writes one calls `changed`
after the write. Followers are named and imported as those of `facts` are, so none is missed.
"""

from collections.abc import Collection
from datetime import date
from functools import cache
from importlib import import_module
from typing import Protocol
from uuid import UUID

from sqlalchemy import text

from chalicelib.identity.scope import Scope
from chalicelib.kernel.period import FIRST_YEAR

LAST_DAY = date(9999, 12, 31)
FOLLOWERS = ["chalicelib.features.leave.followers"]


class WorkingDaysFollower(Protocol):
    """What a room above has to do when working days change."""

    def working_days_changed(self, scope: Scope, *, user_ids: Collection[UUID] | None, first: date, last: date) -> None:
        """Do what follows for these people (None: everybody) and days; the change is written, and not committed."""


def changed(scope: Scope, *, user_ids: Collection[UUID] | None, first: date, last: date = LAST_DAY) -> None:
    """Let everything follow that depends on the working days of these people (None: everybody)."""
    for follower in followers():
        follower.working_days_changed(scope, user_ids=user_ids, first=first, last=last)


def calendar_changed(scope: Scope, *, user_ids: Collection[UUID] | None) -> None:
    """Let everything follow from another weekend or time zone: locked pay periods keep the calendar they had."""
    changed(scope, user_ids=user_ids, first=first_open_day(scope))


def first_open_day(scope: Scope) -> date:
    """Return the day after the last locked pay period, or the first day of all."""
    day: date | None = scope.session.execute(
        text("select max(end_on) + 1 from pay_periods where tenant_id = :tenant_id and status <> 'open'"),
        {"tenant_id": scope.tenant_id},
    ).scalar_one()
    return day or date(FIRST_YEAR, 1, 1)


@cache
def followers() -> list[WorkingDaysFollower]:
    """Import the followers, once."""
    return [import_module(module).FOLLOWER for module in FOLLOWERS]
