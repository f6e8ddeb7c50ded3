"""Freshness: whether register rows and payroll runs of a period still say what the facts say.

The one module that writes and compares the moments of a period; the state machine is drawn in the package's map.
Each moment is of the database's clock. A computation's result is as fresh as the moment at which the computation began:
a fact that is committed while it runs makes the period stale again (decision 5).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, DateTime, and_, func, literal, literal_column, or_, select, true, update

from chalicelib.backing import rows
from chalicelib.features.periods.models import pay_periods
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import PeriodStatus

_NEVER: ColumnElement[datetime] = literal_column("'-infinity'::timestamptz")
_NOW = func.clock_timestamp()

# Facts changed after the computation began that ran last or is running: no later change has to write that again.
IS_MARKED: ColumnElement[bool] = pay_periods.c.changed_at > func.greatest(
    func.coalesce(pay_periods.c.computed_at, _NEVER), func.coalesce(pay_periods.c.computing_since, _NEVER)
)
# A payroll run was calculated from the period, and is not noted to be out of date yet.
IS_CALCULATED: ColumnElement[bool] = and_(
    pay_periods.c.calculated_at.is_not(None),
    func.coalesce(pay_periods.c.revised_at, _NEVER) <= pay_periods.c.calculated_at,
)


def is_behind(*, is_stale: bool, computed_as_of: date | None, until: date) -> bool:
    """Tell whether a register is stale, or was not computed up to a day of its period."""
    return is_stale or computed_as_of is None or computed_as_of < until


def _is_behind(until: date) -> ColumnElement[bool]:
    """Build the same condition in SQL, up to the period's end or an earlier day."""
    return or_(
        pay_periods.c.is_stale,
        pay_periods.c.computed_as_of.is_(None),
        pay_periods.c.computed_as_of < func.least(pay_periods.c.end_on, until),
    )


@dataclass(frozen=True, slots=True)
class Freshness:
    """How a period's register stands to its facts, and a payroll run's calculation to both."""

    is_behind: bool  # open, and its register is stale or not computed up to the day asked for
    is_changed: bool  # facts changed since the run was calculated, computed or not
    is_revised: bool  # facts changed since then and were computed: the register is fresh, the run is not


def read(
    scope: Scope, month: str, *, until: date, calculated_since: datetime | None, for_update: bool = False
) -> Freshness:
    """Return how fresh a period is: its register until a day, and a payroll run calculated since a moment.

    `for_update` keeps everybody else away from the period until the commit, so that what is returned stays true.
    """
    since = literal(calculated_since, DateTime(timezone=True))
    statement = select(
        and_(pay_periods.c.status == PeriodStatus.OPEN, _is_behind(until)).label("is_behind"),
        func.coalesce(func.greatest(pay_periods.c.changed_at, pay_periods.c.revised_at) > since, False).label(
            "is_changed"
        ),
        func.coalesce(pay_periods.c.revised_at > since, False).label("is_revised"),
    ).where(pay_periods.c.tenant_id == scope.tenant_id, pay_periods.c.month == month)
    if for_update:
        statement = statement.with_for_update()
    return rows.one(Freshness, scope.session.execute(statement))


def list_months_behind(scope: Scope, *, as_of: date, always: str) -> list[str]:
    """List the open months begun by a day whose register is behind, and one month whether it is or not."""
    return list(
        scope.session.execute(
            select(pay_periods.c.month)
            .where(
                pay_periods.c.tenant_id == scope.tenant_id,
                pay_periods.c.status == PeriodStatus.OPEN,
                pay_periods.c.start_on <= as_of,
                or_(pay_periods.c.month == always, _is_behind(as_of)),
            )
            .order_by(pay_periods.c.month)
        ).scalars()
    )


def mark_stale(scope: Scope, months: Collection[str] | None, *, decide: bool) -> None:
    """Mark these open periods (None: all of them) as stale, where they are not yet.

    `decide` says that their attendance must be decided again, too.
    """
    needs_mark: ColumnElement[bool] = IS_MARKED.is_not(true())
    if decide:
        needs_mark = or_(needs_mark, pay_periods.c.decided_under.is_not(None))
    statement = update(pay_periods).where(
        pay_periods.c.tenant_id == scope.tenant_id, pay_periods.c.status == PeriodStatus.OPEN, needs_mark
    )
    if months is not None:
        statement = statement.where(pay_periods.c.month.in_(months))
    scope.session.execute(
        statement.values(changed_at=_NOW, decided_under=None) if decide else statement.values(changed_at=_NOW)
    )


def mark_revised(scope: Scope, months: Collection[str]) -> None:
    """Note that facts of open periods changed and were computed: a payroll run calculated before is outdated."""
    _set(scope, months, IS_CALCULATED, pay_periods.c.status == PeriodStatus.OPEN, revised_at=_NOW)


def mark_calculated(scope: Scope, month: str) -> None:
    """Note that a payroll run of this period, which the caller has locked for update, begins to be calculated."""
    _set(scope, [month], calculated_at=_NOW)


def begin_computation(scope: Scope, months: Collection[str]) -> None:
    """Begin to compute everybody in these open periods: what changes from now on makes them stale again."""
    _set(scope, months, pay_periods.c.status == PeriodStatus.OPEN, computing_since=_NOW)


def end_computation(scope: Scope, months: Collection[str], *, as_of: date) -> None:
    """End a computation of everybody: these open periods are as fresh as they were when it began."""
    _set(
        scope,
        months,
        pay_periods.c.status == PeriodStatus.OPEN,
        computed_at=pay_periods.c.computing_since,
        computed_as_of=func.least(pay_periods.c.end_on, as_of),
    )


def list_undecided_months(scope: Scope, months: Collection[str], *, minutes: str) -> list[str]:
    """List those of these open months whose attendance was not decided under these minutes of the policy."""
    return list(
        scope.session.execute(
            select(pay_periods.c.month)
            .where(
                pay_periods.c.tenant_id == scope.tenant_id,
                pay_periods.c.month.in_(months),
                pay_periods.c.status == PeriodStatus.OPEN,
                pay_periods.c.decided_under.is_distinct_from(minutes),
            )
            .order_by(pay_periods.c.month)
        ).scalars()
    )


def mark_decided(scope: Scope, months: Collection[str], *, minutes: str) -> None:
    """Note under which minutes of the policy the attendance of these periods was decided."""
    _set(scope, months, decided_under=minutes)


def _set(scope: Scope, months: Collection[str], *conditions: ColumnElement[bool], **values: object) -> None:
    """Set columns of these months' rows where the conditions hold."""
    scope.session.execute(
        update(pay_periods)
        .where(pay_periods.c.tenant_id == scope.tenant_id, pay_periods.c.month.in_(months), *conditions)
        .values(**values)
    )
