"""Claims with a lease and a fencing token, on tables whose rows are attempted until they are settled.

Such a table has the columns `status` ('pending' until it is settled), `attempts` (counts claims; the fencing token),
`look_at` (the next attempt; while one is under way, the end of its lease; null when settled) and `problem`.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Float, Interval, Table, Update, func, literal, update

from chalicelib.delivery.retry import RetrySchedule
from chalicelib.identity.scope import Scope

PENDING = "pending"


@dataclass(frozen=True, slots=True)
class LeasedTable:
    """A table whose rows are claimed by a lease, and the schedule by which they are retried."""

    table: Table
    retry: RetrySchedule

    def claim(self, scope: Scope, row_id: UUID, **columns: Any) -> Update:
        """Make the statement that counts an attempt and leases the row; the caller holds its lock, and saw it due."""
        claimed = self.table.c
        return (
            update(self.table)
            .where(claimed.tenant_id == scope.tenant_id, claimed.id == row_id)
            .values(
                attempts=claimed.attempts + 1,
                look_at=func.clock_timestamp() + literal(self.retry.lease, Interval),
                **columns,
            )
        )

    def settle(
        self,
        scope: Scope,
        row_id: UUID,
        *,
        attempt: int,
        status: str,
        problem: str | None,
        retry_in: timedelta | None = None,
        **columns: Any,
    ) -> bool:
        """Set what becomes of a pending row; False where a later attempt has claimed it, whose answer counts."""
        settled = self.table.c
        next_attempt_at = None if retry_in is None else func.clock_timestamp() + self._with_jitter(retry_in)
        result = scope.session.execute(
            update(self.table)
            .where(
                settled.tenant_id == scope.tenant_id,
                settled.id == row_id,
                settled.status == PENDING,
                settled.attempts == attempt,
            )
            .values(status=status, problem=problem, look_at=next_attempt_at, **columns)
        )
        return bool(result.rowcount)

    def _with_jitter(self, wait: timedelta) -> ColumnElement[timedelta]:
        return literal(wait, Interval) * (1 + literal(self.retry.jitter, Float) * func.random(type_=Float))
