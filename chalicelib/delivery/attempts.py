"""One attempt at a call outside: claim, commit, call, settle."""

from abc import ABC, abstractmethod
from functools import partial
from typing import Generic, TypeVar
from uuid import UUID

from chalicelib.entry.messages import SideEffect
from chalicelib.identity.scope import Scope

Row = TypeVar("Row")
Call = TypeVar("Call")
Answer = TypeVar("Answer")


class OutboundDelivery(ABC, Generic[Row, Call, Answer]):
    """External calls for the rows of one table: what a feature says of them, and the order of one attempt."""

    @abstractmethod
    def load_due(self, scope: Scope, row_id: UUID) -> Row | None:
        """Lock a row for update, if it is pending and its next attempt is due; else return None.

        Due by the database's clock, which set the moment. A message that comes twice finds the lease of the first.
        """

    @abstractmethod
    def prepare(self, scope: Scope, row: Row) -> Call | None:
        """Return what to call with, or None where the row was given up or postponed instead."""

    @abstractmethod
    def claim(self, scope: Scope, row: Row, call: Call) -> None:
        """Write that the call may have been made: count the attempt, and lease the row to this worker."""

    @abstractmethod
    def call(self, call: Call) -> Answer:
        """Call outside; no transaction is open. What it raises returns the message to its queue."""

    @abstractmethod
    def settle(self, scope: Scope, call: Call, answer: Answer) -> SideEffect | None:
        """Write the row's outcome, unless a later attempt has claimed it; return the next side effect, if any."""

    def attempt(self, scope: Scope, row_id: UUID) -> SideEffect | None:
        """Attempt a row, if it is due."""
        row = self.load_due(scope, row_id)
        return None if row is None else self.begin(scope, row)

    def begin(self, scope: Scope, row: Row) -> SideEffect | None:
        """Claim a row that is due; the call and its settlement follow this transaction's commit."""
        call = self.prepare(scope, row)
        if call is None:
            return None
        self.claim(scope, row, call)
        return SideEffect(partial(self.call, call), lambda after, answer: self.settle(after, call, answer))
