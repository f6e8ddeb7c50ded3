"""Changing facts of employees so that what follows from them - register rows, balances, leave - is true at the commit.

    with facts.changing(scope, changes=[(user_id, day)], what="on_duty") as change:
        ...write the facts...
    change.late  # the months that are locked: the register there keeps what was paid

Before the block the employees and their periods are locked, in the product's order of locks (`locks`); after it every
follower does what follows from the change, in the same transaction. A follower belongs to a feature above this one, so
it is named here by its module and imported at the first change: whichever routes or consumers a process has loaded, no
facts change without the followers.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import import_module
from typing import Protocol
from uuid import UUID

from chalicelib.features.periods import late_corrections, periods
from chalicelib.features.periods.late_corrections import Change
from chalicelib.features.periods.locks import lock_people
from chalicelib.features.periods.queries import PeriodRow
from chalicelib.identity.scope import Scope

# The module of each follower; its `FOLLOWER` is a FactsFollower. They follow in this order.
FOLLOWERS = ["chalicelib.features.leave.followers", "chalicelib.features.pay_register.followers"]


@dataclass(slots=True)
class FactsChange:
    """What one transaction changes: whose facts (None: everybody's), of which days, and the periods it has locked."""

    changes: Collection[Change]
    what: str
    periods: Sequence[PeriodRow]  # those of the days, and known ones a pay week away; share-locked, in order of months
    even_ahead: bool  # also compute periods that have not begun
    is_void: bool = False  # nothing was written after all
    is_current: set[str] = field(default_factory=set)  # months that followers have brought up to date

    @property
    def open(self) -> list[PeriodRow]:
        return [period for period in self.periods if period.is_open]

    @property
    def late(self) -> list[str]:
        return sorted({month for month, _, _ in late_corrections.find_late(self.periods, self.changes)})

    def people_of(self, first: date, last: date) -> set[UUID]:
        """Return the employees named in the change who have changed days between two days, both included."""
        return {user_id for user_id, day in self.changes if user_id is not None and first <= day <= last}


class FactsFollower(Protocol):
    """What a feature above does when facts change."""

    def concerned(self, scope: Scope, changes: Collection[Change]) -> Collection[UUID]:
        """Return employees whom the change concerns beside those it names; all are locked before anything else."""

    def follow(self, scope: Scope, change: FactsChange) -> None:
        """Do what follows from the facts, once written; add months that are then up to date to `is_current`."""


@contextmanager
def changing(
    scope: Scope, *, changes: Collection[Change], what: str, even_ahead: bool = False
) -> Iterator[FactsChange]:
    """Let the block write facts of these employees and days, then bring what follows from them up to date.

    Open periods that have begun (with `even_ahead` all open ones) are computed for the employees named and stay as
    fresh as they were; others become stale. A locked period notes a late correction. What is everybody's (None) is
    computed by the next nightly job. The block sets `is_void` where nothing changed after all.
    """
    named = {user_id for user_id, _ in changes if user_id is not None}
    for follower in followers():
        named.update(follower.concerned(scope, changes))
    lock_people(scope, named)
    locked = periods.share_lock_days(scope, {day for _, day in changes})
    change = FactsChange(changes, what, locked, even_ahead)
    yield change
    if change.is_void:
        return
    for follower in followers():
        follower.follow(scope, change)
    periods.mark_stale(scope, [period for period in change.open if period.month not in change.is_current])
    periods.mark_revised(scope, [period for period in change.open if period.month in change.is_current])
    late_corrections.note(scope, late_corrections.find_late(locked, changes), what=what)


@cache
def followers() -> Sequence[FactsFollower]:
    """Import the followers, once."""
    return [import_module(module).FOLLOWER for module in FOLLOWERS]
