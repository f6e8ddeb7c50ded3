"""Pay periods as seen by those who write facts: every write of a fact says here which days it changed.

In an open period that marks it stale, so that the next nightly job computes it again. In a locked one it notes a late
correction: the register keeps what was paid, and the difference is paid later. Who computes what they changed in their
own transaction writes inside `facts.changing` instead, and leaves the period as fresh as it was.
"""

from collections.abc import Collection
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import statement
from chalicelib.features.periods import freshness, late_corrections
from chalicelib.features.periods.late_corrections import WEEK_EDGE, Change
from chalicelib.features.periods.locks import lock_people, lock_periods_for_update, share_lock_periods
from chalicelib.features.periods.queries import PeriodRow, list_months_between
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import PeriodLocked
from chalicelib.kernel.period import Period

_ENSURE = text(statement(__file__, "ensure_periods"))


def touch(scope: Scope, *, changes: Collection[Change], what: str, decide: bool = False) -> list[str]:
    """Note that facts of these days changed, and return the months that are locked.

    The people named are locked first. `decide` says that attendance of those periods must be decided again, as after a
    change of a shift.
    """
    lock_people(scope, [user_id for user_id, _ in changes if user_id is not None])
    periods = share_lock_days(scope, {day for _, day in changes})
    mark_stale(scope, [period for period in periods if period.is_open], decide=decide)
    return late_corrections.note(scope, late_corrections.find_late(periods, changes), what=what)


def touch_from(
    scope: Scope,
    *,
    user_ids: Collection[UUID | None],
    first: date,
    last: date | None = None,
    what: str,
    decide: bool = False,
) -> list[str]:
    """Note that facts changed from a day on (to another, if given) in every period known so far."""
    lock_people(scope, [user_id for user_id in user_ids if user_id is not None])
    months = list_months_between(scope, first=first - WEEK_EDGE, last=last and last + WEEK_EDGE)
    periods = share_lock_periods(scope, months)
    mark_stale(scope, [period for period in periods if period.is_open], decide=decide)
    late = [
        (period.month, user_id, max(first, period.start_on))
        for period in periods
        for user_id in user_ids
        if not period.is_open
    ]
    return late_corrections.note(scope, late, what=what)


def touch_all(scope: Scope, *, decide: bool = False) -> None:
    """Mark every open period as stale, as after a change of the pay policy. Locked ones keep theirs."""
    freshness.mark_stale(scope, None, decide=decide)


def mark_stale(scope: Scope, periods: Collection[PeriodRow], *, decide: bool = False) -> None:
    """Mark open periods that are share-locked as stale, unless they are.

    Of many writers after a computation only the first writes, and the others do not wait for its row.
    """
    months = [
        period.month for period in periods if not period.is_marked or (decide and period.decided_under is not None)
    ]
    if months:
        freshness.mark_stale(scope, months, decide=decide)


def mark_revised(scope: Scope, periods: Collection[PeriodRow]) -> None:
    """Note that facts of open periods changed and were computed: a payroll run calculated before is outdated."""
    months = [period.month for period in periods if period.is_calculated]
    if months:
        freshness.mark_revised(scope, months)


def ensure(scope: Scope, periods: Collection[Period]) -> None:
    """Make the rows of periods that have none yet."""
    scope.session.execute(
        _ENSURE,
        {
            "tenant_id": scope.tenant_id,
            "months": [period.month for period in periods],
            "starts": [period.start for period in periods],
            "ends": [period.end for period in periods],
        },
    )


def share_lock_days(scope: Scope, days: Collection[date]) -> list[PeriodRow]:
    """Share-lock the periods that these days matter in: their own, made if missing, and known ones a pay week away."""
    ensure(scope, [scope.tenant.period(month) for month in {scope.tenant.month_of(day) for day in days}])
    shifts = (-WEEK_EDGE, timedelta(), WEEK_EDGE)
    return share_lock_periods(scope, {scope.tenant.month_of(day + shift) for day in days for shift in shifts})


def share_lock_open(scope: Scope, month: str) -> PeriodRow:
    """Keep one period open until this transaction ends, or raise PeriodLocked."""
    ensure(scope, [scope.tenant.period(month)])
    return _check_open(share_lock_periods(scope, [month])[0])


def lock_open_for_update(scope: Scope, month: str) -> PeriodRow:
    """Keep everybody else away from one open period, or raise PeriodLocked."""
    ensure(scope, [scope.tenant.period(month)])
    return _check_open(lock_periods_for_update(scope, [month])[0])


def _check_open(period: PeriodRow) -> PeriodRow:
    if not period.is_open:
        raise PeriodLocked(f"The pay period {period.month} is {period.status}; its register keeps what was paid.")
    return period
