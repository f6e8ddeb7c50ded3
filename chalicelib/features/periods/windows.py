"""What a set-based statement works on: the window of a pay period with its pay weeks, and the employee filter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from chalicelib.identity.scope import Scope
from chalicelib.kernel.period import Period, days_before_week


@dataclass(frozen=True, slots=True)
class PeriodWindow:
    """A pay period; `lead_on` and `tail_on` are the first and the last day of the pay weeks that have days in it."""

    period: Period
    lead_on: date
    tail_on: date

    def values(self) -> dict[str, Any]:
        """Return the parameters of a statement that name the window's days."""
        return {
            "month": self.period.month,
            "start_on": self.period.start,
            "end_on": self.period.end,
            "lead_on": self.lead_on,
            "tail_on": self.tail_on,
        }


def window_of(scope: Scope, month: str) -> PeriodWindow:
    """Return a month's window in the tenant's calendar."""
    period = scope.tenant.period(month)
    lead_on = period.start - timedelta(days=days_before_week(period.start, week_start=scope.tenant.week_start))
    days_after_week = (period.end - lead_on).days % 7
    return PeriodWindow(period, lead_on, period.end + timedelta(days=6 - days_after_week))


@dataclass(frozen=True, slots=True)
class EmployeeFilter:
    """Some employees, as a condition that a bulk statement repeats for every table.

    The planner then looks up each table by these employees' keys, instead of joining them to all rows of it.
    """

    condition: str
    values: dict[str, Any]

    @classmethod
    def one(cls, user_id: UUID) -> "EmployeeFilter":
        return cls("= :user_id", {"user_id": user_id})

    @classmethod
    def these(cls, user_ids: Sequence[UUID]) -> "EmployeeFilter":
        return cls("= any(:user_ids)", {"user_ids": list(user_ids)})

    @classmethod
    def range(cls, first: UUID, last: UUID) -> "EmployeeFilter":
        return cls("between :first_user_id and :last_user_id", {"first_user_id": first, "last_user_id": last})

    @classmethod
    def everybody(cls) -> "EmployeeFilter":
        return cls("is not null", {})

    def put_into(self, template: str) -> str:
        """Return the statement with this condition in the place of each `{employees}`."""
        return _substitute(template, self.condition)


@cache
def _substitute(template: str, condition: str) -> str:
    return template.replace("{employees}", condition)
