"""Leave follows changed facts and working days: days used are recounted before the register is projected."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from chalicelib.features.leave.allocations.recount_actions import recount
from chalicelib.features.periods.facts import FactsChange
from chalicelib.features.periods.late_corrections import Change
from chalicelib.identity.scope import Scope


class Recount:
    """Leave's follower (periods.facts.Follower, periods.working_days.Follower)."""

    def concerned(self, scope: Scope, changes: Collection[Change]) -> Collection[UUID]:
        """Return no further employees: leave depends on an employee's own facts only."""
        return ()

    def follow(self, scope: Scope, change: FactsChange) -> None:
        """Recount after manual edits; decisions of leave post by themselves, and other facts do not change leave."""
        if change.what == "edit":
            days = [day for _, day in change.changes]
            people = change.people_of(min(days), max(days))
            recount(scope, user_ids=people, first=min(days), last=max(days), must_fit=True)

    def working_days_changed(self, scope: Scope, *, user_ids: Collection[UUID] | None, first: date, last: date) -> None:
        """Recount the days that these employees used in a span."""
        recount(scope, user_ids=user_ids, first=first, last=last)


FOLLOWER = Recount()
