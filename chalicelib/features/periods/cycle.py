"""Another first day of the tenant's pay periods: open periods are projections, and come back under their new days.

Features above keep rows per period. They are named here and imported like the followers of `facts`: none is missed.
"""

from functools import cache
from importlib import import_module
from typing import Protocol

from sqlalchemy import delete

from chalicelib.features.periods import queries
from chalicelib.features.periods.models import pay_periods
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict

FOLLOWERS = ["chalicelib.features.pay_register.followers"]


class PeriodsFollower(Protocol):
    """What a feature above does when all pay periods of a tenant are dropped."""

    def periods_dropped(self, scope: Scope) -> None:
        """Delete the tenant's rows of all periods."""


def drop_periods(scope: Scope) -> None:
    """Drop all pay periods and what is derived from them; raises Conflict where one was locked under its old days."""
    if locked := queries.count_closed(scope):
        raise Conflict(
            f"The cycle start day cannot change: {locked} pay periods are locked; days would be paid twice or never."
        )
    for follower in followers():
        follower.periods_dropped(scope)
    scope.session.execute(delete(pay_periods).where(pay_periods.c.tenant_id == scope.tenant_id))


@cache
def followers() -> list[PeriodsFollower]:
    """Import the followers, once."""
    return [import_module(module).FOLLOWER for module in FOLLOWERS]
