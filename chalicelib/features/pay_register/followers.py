"""What the register does when facts of people change: their rows and balances are computed in the same transaction."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from chalicelib.backing import clock
from chalicelib.features.pay_register.calculation import compute_these
from chalicelib.features.periods.facts import FactsChange
from chalicelib.features.periods.periods import WEEK_EDGE, Change
from chalicelib.identity.scope import Scope

_PAID_BY_THE_WEEK = text("""
    select distinct user_id from salaries
    where tenant_id = :tenant_id and user_id = any(:user_ids) and frequency = 'weekly'""")


class Projection:
    """The register's follower (tenants.facts.Follower)."""

    def concerned(self, scope: Scope, changes: Collection[Change]) -> Collection[UUID]:
        """Return nobody: a person's row depends on nobody else's facts."""
        return ()

    def follow(self, scope: Scope, change: FactsChange) -> None:
        """Compute the people named in every open period that has begun and that their days matter in.

        What is everybody's is left to the next run, which the period's mark brings.
        """
        if any(user_id is None for user_id, _ in change.changes):
            return
        today = clock.local_day(scope.now, scope.tenant.timezone)
        for period in change.open:
            own = change.people_of(period.start_on, period.end_on)
            user_ids = own | _paid_by_the_week(scope, change, period, own)
            if user_ids:
                if period.start_on > today and not (own and change.even_ahead):
                    continue  # it comes with that period's first sync
                compute_these(scope, month=period.month, user_ids=sorted(user_ids))
            change.is_current.add(period.month)


FOLLOWER = Projection()


def _paid_by_the_week(scope: Scope, change: FactsChange, period: Row[Any], own: set[UUID]) -> set[UUID]:
    """Return others whose days changed in a pay week that this period has a part of."""
    beside = change.people_of(period.start_on - WEEK_EDGE, period.end_on + WEEK_EDGE) - own
    if not beside:
        return set()
    values = {"tenant_id": scope.tenant_id, "user_ids": list(beside)}
    return set(scope.session.execute(_PAID_BY_THE_WEEK, values).scalars())
