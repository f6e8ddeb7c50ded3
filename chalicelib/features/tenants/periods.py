"""Pay periods as seen by those who write facts: every write of a fact says here which days it changed.

In an open period that marks it stale, so that the next nightly run computes it again. In a locked one it notes a late
correction: the register keeps what was paid, and the difference is paid later.

The writer holds the period's row in share mode until it commits, and whoever locks or computes the period takes the row
for itself first. So nobody can lock a period, or call it fresh, between a fact's write and its commit.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import PeriodLocked
from chalicelib.kernel.period import Period
from chalicelib.kernel.states import PeriodStatus

Change = tuple[UUID | None, date]  # a person (None: everybody) and the first day that changed

_WEEK = timedelta(days=6)  # a pay week may begin in one period and end in the next, so a day can matter in both
_COLUMNS = "month, start_on, end_on, status, decided_under"
_IS_MARKED = "changed_at > greatest(coalesce(computed_at, '-infinity'), coalesce(computing_since, '-infinity'))"


def touch(scope: Scope, *, changes: Collection[Change], what: str, decide: bool = False) -> list[str]:
    """This will note that facts of these days changed, and give the months that are locked.

    `decide` says that attendance of those periods must be decided again, as after a change of a shift.
    """
    ensure(scope, [scope.tenant.period(month) for month in {scope.tenant.month_of(day) for _, day in changes}])
    days = {day for _, day in changes}
    months = {scope.tenant.month_of(day + shift) for day in days for shift in (-_WEEK, timedelta(), _WEEK)}
    mark(scope, sorted(months), decide=decide)  # first: two who share a row cannot both go on to write it
    rows = hold(scope, sorted(months))
    late = [
        (row.month, user_id, day)
        for row in rows
        for user_id, day in changes
        if _is_locked(row) and row.start_on - _WEEK <= day <= row.end_on + _WEEK
    ]
    return _note(scope, rows, late, what=what, decide=decide)


def touch_from(
    scope: Scope,
    *,
    user_ids: Collection[UUID | None],
    first: date,
    last: date | None = None,
    what: str,
    decide: bool = False,
) -> list[str]:
    """This will note that facts changed from a day on (to another, if given) in every period known so far."""
    known = scope.session.execute(
        text(
            "select month, start_on from pay_periods where tenant_id = :tenant_id and end_on >= :first"
            " and (cast(:last as date) is null or start_on <= :last)"
        ),
        {"tenant_id": scope.tenant_id, "first": first - _WEEK, "last": last and last + _WEEK},
    ).all()
    mark(scope, [row.month for row in known], decide=decide)
    rows = hold(scope, [row.month for row in known])
    late = [(row.month, user_id, max(first, row.start_on)) for row in rows for user_id in user_ids if _is_locked(row)]
    return _note(scope, rows, late, what=what, decide=decide)


def touch_all(scope: Scope, *, decide: bool = False) -> None:
    """This will mark every open period as stale, as after a change of the pay policy. Locked ones keep theirs."""
    mark(scope, None, decide=decide)


def ensure(scope: Scope, periods: Collection[Period]) -> None:
    """This will make the rows of periods that have none yet."""
    scope.session.execute(
        text(
            "insert into pay_periods (tenant_id, month, start_on, end_on)"
            " select :tenant_id, p.month, p.start_on, p.end_on"
            " from unnest(cast(:months as text[]), cast(:starts as date[]), cast(:ends as date[]))"
            "   p(month, start_on, end_on)"
            " where not exists (select from pay_periods k where k.tenant_id = :tenant_id and k.month = p.month)"
            " order by p.month on conflict do nothing"
        ),
        {
            "tenant_id": scope.tenant_id,
            "months": [p.month for p in periods],
            "starts": [p.start for p in periods],
            "ends": [p.end for p in periods],
        },
    )


def hold(scope: Scope, months: Sequence[str]) -> Sequence[Row[Any]]:
    """This will keep these periods as they are, open or locked, until this transaction ends."""
    return scope.session.execute(
        text(
            f"select {_COLUMNS}, {_IS_MARKED} as is_marked from pay_periods"
            " where tenant_id = :tenant_id and month = any(:months) order by month for share"
        ),
        {"tenant_id": scope.tenant_id, "months": list(months)},
    ).all()


def hold_open(scope: Scope, month: str) -> Row[Any]:
    """This will keep one period open until this transaction ends, or refuse because it is locked."""
    ensure(scope, [scope.tenant.period(month)])
    row = hold(scope, [month])[0]
    if row.status != PeriodStatus.OPEN:
        raise PeriodLocked(f"The pay period {month} is {row.status}; its register keeps what was paid.")
    return row


def _is_locked(row: Row[Any]) -> bool:
    return bool(row.status != PeriodStatus.OPEN)


def _note(
    scope: Scope,
    rows: Collection[Row[Any]],
    late: Collection[tuple[str, UUID | None, date]],
    *,
    what: str,
    decide: bool,
) -> list[str]:
    # marked before, but a computation may have begun while this writer waited for the rows
    fresh = [
        row.month
        for row in rows
        if row.status == PeriodStatus.OPEN and (not row.is_marked or (decide and row.decided_under is not None))
    ]
    if fresh:
        mark(scope, fresh, decide=decide)
    if late:
        scope.session.execute(
            text(
                "insert into late_corrections (tenant_id, month, user_id, day, what, noted_at)"
                " select distinct cast(:tenant_id as uuid), c.month, c.user_id, c.day, :what, clock_timestamp()"
                " from unnest(cast(:months as text[]), cast(:users as uuid[]), cast(:days as date[]))"
                "   c(month, user_id, day)"
                " on conflict (tenant_id, month, user_id, day, what) do update set noted_at = excluded.noted_at"
            ),
            {
                "tenant_id": scope.tenant_id,
                "what": what,
                "months": [month for month, _, _ in late],
                "users": [user_id for _, user_id, _ in late],
                "days": [day for _, _, day in late],
            },
        )
    return sorted({month for month, _, _ in late})


def mark(scope: Scope, months: Sequence[str] | None, *, decide: bool) -> None:
    """This will mark these open periods (None: all of them) as stale."""
    scope.session.execute(
        text(
            "update pay_periods set changed_at = clock_timestamp(),"
            " decided_under = case when :decide then null else decided_under end"
            " where tenant_id = :tenant_id and status = 'open'"
            f" and (({_IS_MARKED}) is not true or (:decide and decided_under is not null))"
            " and (cast(:months as text[]) is null or month = any(:months))"
        ),
        {"tenant_id": scope.tenant_id, "months": months, "decide": decide},
    )
