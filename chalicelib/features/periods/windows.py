"""What a set-based statement works on: a pay period with the edges of its pay weeks, and some employees."""

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
    """A period; `lead_on` and `tail_on` are the first and the last day of the pay weeks it touches."""

    period: Period
    lead_on: date
    tail_on: date

    def values(self) -> dict[str, Any]:
        """Return the statement's parameters that say which days."""
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
    after = (period.end - lead_on).days % 7
    return PeriodWindow(period, lead_on, period.end + timedelta(days=6 - after))


@dataclass(frozen=True, slots=True)
class EmployeeFilter:
    """Some employees, as a condition that every relation of a bulk statement repeats, to keep the planner near them."""

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
        """Return the statement for these employees: `{employees}` stands where each relation names them."""
        return _with(template, self.condition)


@cache
def _with(template: str, condition: str) -> str:
    return template.replace("{employees}", condition)
