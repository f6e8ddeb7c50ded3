"""Pay periods as seen by those who write facts: every write of a fact says here which days it changed.

In an open period that marks it stale, so that the next nightly run computes it again. In a locked one it notes a late
correction: the register keeps what was paid, and the difference is paid later. Who computes what they changed in their
own transaction writes inside `facts.changing` instead, and leaves the period as fresh as it was.

The writer holds the period's row (`for key share`) until it commits, and what locks or computes the period as a whole
takes the row for itself (`for update`). So nobody can lock a period, or call it fresh, between a fact's write and its
commit. Marking is an update that changes no key, which goes together with other writers' holds: two writers who both
hold a period and then both mark it do not wait for each other in a circle.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from chalicelib.features.periods.locks import lock_people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import PeriodLocked
from chalicelib.kernel.period import Period
from chalicelib.kernel.states import PeriodStatus

Change = tuple[UUID | None, date]  # a person (None: everybody) and the first day that changed

WEEK_EDGE = timedelta(days=6)  # a pay week may begin in one period and end in the next, so a day can matter in both
_IS_MARKED = "changed_at > greatest(coalesce(computed_at, '-infinity'), coalesce(computing_since, '-infinity'))"
# a payroll run was calculated from it, and has not been noted to be out of date yet
_IS_CALCULATED = "calculated_at is not null and coalesce(revised_at, '-infinity') <= calculated_at"
_COLUMNS = (
    f"month, start_on, end_on, status, decided_under, coalesce({_IS_MARKED}, false) as is_marked,"
    f" {_IS_CALCULATED} as is_calculated, is_stale, computed_as_of, payroll_run_id"
)


def touch(scope: Scope, *, changes: Collection[Change], what: str, decide: bool = False) -> list[str]:
    """Note that facts of these days changed, and return the months that are locked.

    The people named are locked first. `decide` says that attendance of those periods must be decided again, as after a
    change of a shift.
    """
    lock_people(scope, [user_id for user_id, _ in changes if user_id is not None])
    rows = share_lock_days(scope, {day for _, day in changes})
    mark_stale(scope, [row for row in rows if row.status == PeriodStatus.OPEN], decide=decide)
    return note_late(scope, late_of(rows, changes), what=what)


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
    known = scope.session.execute(
        text(
            "select month from pay_periods where tenant_id = :tenant_id and end_on >= :first"
            " and (cast(:last as date) is null or start_on <= :last)"
        ),
        {"tenant_id": scope.tenant_id, "first": first - WEEK_EDGE, "last": last and last + WEEK_EDGE},
    ).scalars()
    rows = hold(scope, list(known))
    mark_stale(scope, [row for row in rows if row.status == PeriodStatus.OPEN], decide=decide)
    late = [(row.month, user_id, max(first, row.start_on)) for row in rows for user_id in user_ids if _is_locked(row)]
    return note_late(scope, late, what=what)


def touch_all(scope: Scope, *, decide: bool = False) -> None:
    """Mark every open period as stale, as after a change of the pay policy. Locked ones keep theirs."""
    mark(scope, None, decide=decide)


def ensure(scope: Scope, periods: Collection[Period]) -> None:
    """Make the rows of periods that have none yet."""
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


def hold(scope: Scope, months: Collection[str]) -> Sequence[Row[Any]]:
    """Keep these periods as they are, open or locked, until this transaction ends; other writers may do so too."""
    return _locked(scope, months, "for key share")


def share_lock_days(scope: Scope, days: Collection[date]) -> Sequence[Row[Any]]:
    """Hold the periods that these days matter in: their own, made if missing, and known ones a pay week away."""
    ensure(scope, [scope.tenant.period(month) for month in {scope.tenant.month_of(day) for day in days}])
    shifts = (-WEEK_EDGE, timedelta(), WEEK_EDGE)
    return hold(scope, {scope.tenant.month_of(day + shift) for day in days for shift in shifts})


def share_lock_open(scope: Scope, month: str) -> Row[Any]:
    """Keep one period open until this transaction ends, or refuse because it is locked."""
    ensure(scope, [scope.tenant.period(month)])
    return _refuse_locked(hold(scope, [month])[0])


def lock_for_update(scope: Scope, months: Collection[str]) -> Sequence[Row[Any]]:
    """Keep everybody else away from these periods until this transaction ends.

    It waits for every fact that is being written; what is written later is seen to be later. People first, see `locks`.
    """
    return _locked(scope, months, "for update")


def lock_open_for_update(scope: Scope, month: str) -> Row[Any]:
    """Keep everybody else away from one period, or refuse because it is locked."""
    ensure(scope, [scope.tenant.period(month)])
    return _refuse_locked(lock_for_update(scope, [month])[0])


def late_of(rows: Collection[Row[Any]], changes: Collection[Change]) -> list[tuple[str, UUID | None, date]]:
    """List the changes that come too late for a locked period: its month, whose, and the day."""
    return [
        (row.month, user_id, day)
        for row in rows
        for user_id, day in changes
        if _is_locked(row) and row.start_on - WEEK_EDGE <= day <= row.end_on + WEEK_EDGE
    ]


def note_late(scope: Scope, late: Collection[tuple[str, UUID | None, date]], *, what: str) -> list[str]:
    """Note late corrections of locked periods, and return their months."""
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


def mark_stale(scope: Scope, rows: Collection[Row[Any]], *, decide: bool = False) -> None:
    """Mark held open periods as stale, unless they are: of many writers after a computation only the first writes."""
    fresh = [row.month for row in rows if not row.is_marked or (decide and row.decided_under is not None)]
    if fresh:
        mark(scope, fresh, decide=decide)


def mark_revised(scope: Scope, rows: Collection[Row[Any]]) -> None:
    """Note that facts of held open periods changed and were computed: a payroll run calculated before is outdated."""
    months = [row.month for row in rows if row.is_calculated]
    if months:
        scope.session.execute(
            text(
                "update pay_periods set revised_at = clock_timestamp()"
                f" where tenant_id = :tenant_id and month = any(:months) and status = 'open' and {_IS_CALCULATED}"
            ),
            {"tenant_id": scope.tenant_id, "months": months},
        )


def mark_calculated(scope: Scope, month: str) -> None:
    """Note that a payroll run of this period, which the caller has for itself, begins to be calculated."""
    scope.session.execute(
        text(
            "update pay_periods set calculated_at = clock_timestamp() where tenant_id = :tenant_id and month = :month"
        ),
        {"tenant_id": scope.tenant_id, "month": month},
    )


def mark(scope: Scope, months: Sequence[str] | None, *, decide: bool) -> None:
    """Mark these open periods (None: all of them) as stale."""
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


def _locked(scope: Scope, months: Collection[str], mode: str) -> Sequence[Row[Any]]:
    return scope.session.execute(
        text(
            f"select {_COLUMNS} from pay_periods where tenant_id = :tenant_id and month = any(:months)"
            f" order by month {mode}"
        ),
        {"tenant_id": scope.tenant_id, "months": sorted(months)},
    ).all()


def _is_locked(row: Row[Any]) -> bool:
    return bool(row.status != PeriodStatus.OPEN)


def _refuse_locked(row: Row[Any]) -> Row[Any]:
    if _is_locked(row):
        raise PeriodLocked(f"The pay period {row.month} is {row.status}; its register keeps what was paid.")
    return row
