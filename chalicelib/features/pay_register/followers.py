"""What the register does when facts change: rows of the employees concerned are computed in the same transaction."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import clock
from chalicelib.features.pay_register.calculation import compute_these
from chalicelib.features.pay_register.projection import drop_all_rows
from chalicelib.features.periods.facts import FactsChange
from chalicelib.features.periods.late_corrections import WEEK_EDGE, Change
from chalicelib.features.periods.queries import PeriodRow
from chalicelib.identity.scope import Scope

_PAID_BY_THE_WEEK = text("""
    select distinct user_id from salaries
    where tenant_id = :tenant_id and user_id = any(:user_ids) and frequency = 'weekly'""")


class RegisterFactsFollower:
    """The register's follower (periods.facts.FactsFollower, periods.cycle.PeriodsFollower)."""

    def concerned(self, scope: Scope, changes: Collection[Change]) -> Collection[UUID]:
        """Return nobody: an employee's row depends on nobody else's facts."""
        return ()

    def follow(self, scope: Scope, change: FactsChange) -> None:
        """Compute the employees named in every open period that has begun and that their days matter in.

        What is everybody's is left to the nightly job, which finds the period stale.
        """
        if any(user_id is None for user_id, _ in change.changes):
            return
        today = clock.local_day(scope.now, scope.tenant.timezone)
        for period in change.open:
            in_period = change.people_of(period.start_on, period.end_on)
            user_ids = in_period | _paid_by_the_week(scope, change, period, in_period)
            if user_ids:
                if period.start_on > today and not (in_period and change.even_ahead):
                    continue  # it comes with that period's first sync
                compute_these(scope, month=period.month, user_ids=sorted(user_ids))
            change.is_current.add(period.month)

    def periods_dropped(self, scope: Scope) -> None:
        """Drop the register rows of all periods, and what is derived from them."""
        drop_all_rows(scope)


FOLLOWER = RegisterFactsFollower()


def _paid_by_the_week(scope: Scope, change: FactsChange, period: PeriodRow, in_period: set[UUID]) -> set[UUID]:
    """Return other employees whose days changed in a pay week that this period has a part of."""
    at_edges = change.people_of(period.start_on - WEEK_EDGE, period.end_on + WEEK_EDGE) - in_period
    if not at_edges:
        return set()
    values = {"tenant_id": scope.tenant_id, "user_ids": list(at_edges)}
    return set(scope.session.execute(_PAID_BY_THE_WEEK, values).scalars())
