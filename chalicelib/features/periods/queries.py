"""Reads of pay periods. Whoever relies on what they return until the commit locks the row first (locks)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from chalicelib.backing import rows
from chalicelib.features.periods import freshness
from chalicelib.features.periods.models import pay_periods
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import PeriodStatus


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A pay period's row, as locks.share_lock_periods and lock_periods_for_update read it."""

    month: str
    start_on: date
    end_on: date
    status: str
    decided_under: str | None
    is_marked: bool  # as stale, after the computation that began last: a later change writes nothing
    is_calculated: bool  # a payroll run was calculated from it, and is not noted to be out of date yet
    is_stale: bool
    computed_as_of: date | None
    payroll_run_id: UUID | None

    @property
    def is_open(self) -> bool:
        return self.status == PeriodStatus.OPEN

    def is_behind(self, until: date) -> bool:
        """Tell whether the register is stale, or was not computed up to the period's end or an earlier day."""
        return freshness.is_behind(
            is_stale=self.is_stale, computed_as_of=self.computed_as_of, until=min(self.end_on, until)
        )


PERIOD_ROWS = select(
    pay_periods.c.month,
    pay_periods.c.start_on,
    pay_periods.c.end_on,
    pay_periods.c.status,
    pay_periods.c.decided_under,
    func.coalesce(freshness.IS_MARKED, False).label("is_marked"),
    freshness.IS_CALCULATED.label("is_calculated"),
    pay_periods.c.is_stale,
    pay_periods.c.computed_as_of,
    pay_periods.c.payroll_run_id,
).order_by(pay_periods.c.month)


@dataclass(frozen=True, slots=True)
class PeriodState:
    """Whether a period is open, and whether facts changed since its register was computed."""

    status: str
    is_stale: bool


def find_state(scope: Scope, month: str) -> PeriodState | None:
    """Return a period's state without a lock, or None where nobody has touched the period yet."""
    return rows.first(
        PeriodState,
        scope.session.execute(
            select(pay_periods.c.status, pay_periods.c.is_stale).where(
                pay_periods.c.tenant_id == scope.tenant_id, pay_periods.c.month == month
            )
        ),
    )


def list_months_between(scope: Scope, *, first: date, last: date | None) -> list[str]:
    """List the known periods that have days between two days; without a last one, all from the first on."""
    select_months = select(pay_periods.c.month).where(
        pay_periods.c.tenant_id == scope.tenant_id, pay_periods.c.end_on >= first
    )
    if last is not None:
        select_months = select_months.where(pay_periods.c.start_on <= last)
    return list(scope.session.execute(select_months).scalars())


def list_closed_months(scope: Scope, months: Collection[str]) -> list[str]:
    """List those of these months that are locked or paid."""
    return list(
        scope.session.execute(
            select(pay_periods.c.month).where(
                pay_periods.c.tenant_id == scope.tenant_id,
                pay_periods.c.month.in_(months),
                pay_periods.c.status != PeriodStatus.OPEN,
            )
        ).scalars()
    )


def count_closed(scope: Scope) -> int:
    """Count the tenant's periods that are locked or paid."""
    return scope.session.execute(
        select(func.count()).where(
            pay_periods.c.tenant_id == scope.tenant_id, pay_periods.c.status != PeriodStatus.OPEN
        )
    ).scalar_one()


def find_first_day(scope: Scope) -> date | None:
    """Return the first day of the earliest known period, or None where there is none."""
    day: date | None = scope.session.execute(
        select(func.min(pay_periods.c.start_on)).where(pay_periods.c.tenant_id == scope.tenant_id)
    ).scalar_one()
    return day


def find_first_open_day(scope: Scope) -> date | None:
    """Return the first day of the earliest period that is open, or None where none is."""
    day: date | None = scope.session.execute(
        select(func.min(pay_periods.c.start_on)).where(
            pay_periods.c.tenant_id == scope.tenant_id, pay_periods.c.status == PeriodStatus.OPEN
        )
    ).scalar_one()
    return day


def find_last_closed_day(scope: Scope) -> date | None:
    """Return the last day of the latest period that is locked or paid, or None where none is."""
    day: date | None = scope.session.execute(
        select(func.max(pay_periods.c.end_on)).where(
            pay_periods.c.tenant_id == scope.tenant_id, pay_periods.c.status != PeriodStatus.OPEN
        )
    ).scalar_one()
    return day
