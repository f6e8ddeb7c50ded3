"""Retry schedules: how long to wait after each failed attempt, and when to give up."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """When a failed attempt is repeated: once after each of the waits, then never again."""

    waits: tuple[timedelta, ...]
    lease: timedelta  # a worker that did not come back by then never will
    resend_after: timedelta  # a new row that nobody attempted by then has lost its message
    jitter: float = 0.2  # the most by which a wait is longer, so that what failed together does not come back together

    @property
    def most_attempts(self) -> int:
        """Return how often a row is attempted, the first time included."""
        return len(self.waits) + 1

    def wait_after(self, attempts: int) -> timedelta | None:
        """Return how long to wait after so many failed attempts, or None where there is no further one."""
        return self.waits[attempts - 1] if attempts < self.most_attempts else None
