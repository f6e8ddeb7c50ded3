"""Changing facts of people so that what follows from them - register rows, balances, leave - is true at the commit.

    with facts.changing(scope, changes=[(user_id, day)], what="on_duty") as change:
        ...write the facts...
    change.late  # the months that are locked: the register there keeps what was paid

The block's beginning locks the people and holds their periods, in the product's order of locks (`locks`); its end lets
every follower do what follows from the change, in the same transaction. A follower belongs to a room above this one,
which is why they are named here and imported when the first change comes: whichever routes or consumer a process has
loaded, nobody's facts change without them.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import import_module
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Row

from chalicelib.features.periods import periods
from chalicelib.features.periods.locks import lock_people
from chalicelib.features.periods.periods import Change
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import PeriodStatus

# `module` of each; its `FOLLOWER` is one. They follow in this order.
FOLLOWERS = ["chalicelib.features.leave.followers", "chalicelib.features.pay_register.followers"]


@dataclass(slots=True)
class FactsChange:
    """What one transaction changes: whose facts (None: everybody's), of which days, and the periods that it holds."""

    changes: Collection[Change]
    what: str
    held: Sequence[Row[Any]]  # periods: those of the days, and known ones a pay week away; in order of months
    even_ahead: bool  # also in periods that have not begun
    is_void: bool = False  # nothing was written after all
    is_current: set[str] = field(default_factory=set)  # months that followers have brought up to date

    @property
    def open(self) -> list[Row[Any]]:
        return [row for row in self.held if row.status == PeriodStatus.OPEN]

    @property
    def late(self) -> list[str]:
        return sorted({month for month, _, _ in periods.late_of(self.held, self.changes)})

    def people_of(self, first: date, last: date) -> set[UUID]:
        """Return the named people with changed days between two days, both included."""
        return {user_id for user_id, day in self.changes if user_id is not None and first <= day <= last}


class FactsFollower(Protocol):
    """What a room above has to do when facts change."""

    def concerned(self, scope: Scope, changes: Collection[Change]) -> Collection[UUID]:
        """Return people whom the change concerns beside those it names; they are locked with them, before anything."""

    def follow(self, scope: Scope, change: FactsChange) -> None:
        """Do what follows, once the facts are written; add the months brought up to date by it to `is_current`."""


@contextmanager
def changing(
    scope: Scope, *, changes: Collection[Change], what: str, even_ahead: bool = False
) -> Iterator[FactsChange]:
    """Let the block write facts of these people and days, then bring what follows from them up to date.

    Open periods that have begun (with `even_ahead` all open ones) are computed for the people named and stay as fresh
    as they were; others become stale. A locked period notes a late correction. What is everybody's (None) is computed
    by the next run. Sets `is_void` in the block where nothing changed after all.
    """
    named = {user_id for user_id, _ in changes if user_id is not None}
    for follower in followers():
        named.update(follower.concerned(scope, changes))
    lock_people(scope, named)
    held = periods.share_lock_days(scope, {day for _, day in changes})
    change = FactsChange(changes, what, held, even_ahead)
    yield change
    if change.is_void:
        return
    for follower in followers():
        follower.follow(scope, change)
    periods.mark_stale(scope, [row for row in change.open if row.month not in change.is_current])
    periods.mark_revised(scope, [row for row in change.open if row.month in change.is_current])
    periods.note_late(scope, periods.late_of(held, changes), what=what)


@cache
def followers() -> Sequence[FactsFollower]:
    """Import the followers, once."""
    return [import_module(module).FOLLOWER for module in FOLLOWERS]
