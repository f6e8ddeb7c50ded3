"""What leave does when facts or working days of people change: it recounts, before anything is projected."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from chalicelib.features.leave.allocations.recount_actions import recount
from chalicelib.features.periods.facts import FactsChange
from chalicelib.features.periods.late_corrections import Change
from chalicelib.identity.scope import Scope


class Recount:
    """Leave's follower (tenants.facts.Follower, tenants.working_days.Follower)."""

    def concerned(self, scope: Scope, changes: Collection[Change]) -> Collection[UUID]:
        """Return nobody: a person's leave depends on nobody else's facts."""
        return ()

    def follow(self, scope: Scope, change: FactsChange) -> None:
        """Recount where days were set by hand; decisions of leave book themselves, other facts are beneath leave."""
        if change.what == "edit":
            days = [day for _, day in change.changes]
            people = change.people_of(min(days), max(days))
            recount(scope, user_ids=people, first=min(days), last=max(days), must_fit=True)

    def working_days_changed(self, scope: Scope, *, user_ids: Collection[UUID] | None, first: date, last: date) -> None:
        """Recount what these people have used on these days."""
        recount(scope, user_ids=user_ids, first=first, last=last)


FOLLOWER = Recount()
