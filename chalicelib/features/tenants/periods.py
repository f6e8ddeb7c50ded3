"""Pay periods as seen by those who write facts: every write of a fact says here which days it changed.

In an open period that marks it stale, so that the next nightly run computes it again. In a locked one it notes a late
correction: the register keeps what was paid, and the difference is paid later. The period's row is locked until the
fact commits, so that nobody can lock the period, or compute it as fresh, in between.
"""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import Row, text

from chalicelib.identity.scope import Scope
from chalicelib.kernel.period import Period
from chalicelib.kernel.states import PeriodStatus

Change = tuple[UUID | None, date]  # a person (None: everybody) and the first day that changed


def touch(scope: Scope, *, changes: Collection[Change], what: str, decide: bool = False) -> list[str]:
    """This will note that facts of these days changed, and give the months that are locked.

    `decide` says that attendance of those periods must be decided again, as after a change of a shift.
    """
    periods = {month: scope.tenant.period(month) for month in {scope.tenant.month_of(day) for _, day in changes}}
    ensure(scope, list(periods.values()))
    rows = scope.session.execute(
        text("select month, start_on, end_on, status, is_stale, decided_under from pay_periods"
             " where tenant_id = :tenant_id and month = any(:months) order by month for share"),
        {"tenant_id": scope.tenant_id, "months": list(periods)},
    ).all()  # fmt: skip
    return _note(scope, rows, changes, what=what, decide=decide)


def touch_from(
    scope: Scope, *, user_ids: Collection[UUID | None], first: date, last: date | None = None,
    what: str, decide: bool = False,
) -> list[str]:  # fmt: skip
    """This will note that facts changed from a day on (to another, if given) in every period known so far."""
    rows = scope.session.execute(
        text("select month, start_on, end_on, status, is_stale, decided_under from pay_periods"
             " where tenant_id = :tenant_id and end_on >= :first and (cast(:last as date) is null or start_on <= :last)"
             " order by month for share"),
        {"tenant_id": scope.tenant_id, "first": first, "last": last},
    ).all()  # fmt: skip
    changes = [(user_id, max(first, row.start_on)) for row in rows for user_id in user_ids]
    return _note(scope, rows, changes, what=what, decide=decide)


def touch_all(scope: Scope, *, decide: bool = False) -> None:
    """This will mark every open period as stale, as after a change of the pay policy. Locked ones keep theirs."""
    scope.session.execute(
        text("update pay_periods set is_stale = true,"
             " decided_under = case when :decide then null else decided_under end"
             " where tenant_id = :tenant_id and status = 'open'"),
        {"tenant_id": scope.tenant_id, "decide": decide},
    )  # fmt: skip


def ensure(scope: Scope, periods: Collection[Period]) -> None:
    """This will make the rows of periods that have none yet."""
    scope.session.execute(
        text("insert into pay_periods (tenant_id, month, start_on, end_on)"
             " select :tenant_id, p.month, p.start_on, p.end_on"
             " from unnest(cast(:months as text[]), cast(:starts as date[]), cast(:ends as date[]))"
             "   p(month, start_on, end_on)"
             " where not exists (select from pay_periods k where k.tenant_id = :tenant_id and k.month = p.month)"
             " on conflict do nothing"),
        {"tenant_id": scope.tenant_id, "months": [p.month for p in periods],
         "starts": [p.start for p in periods], "ends": [p.end for p in periods]},
    )  # fmt: skip


def find_status(scope: Scope, month: str) -> PeriodStatus:
    """This will give a period's status; one that nobody has touched yet is open."""
    found = scope.session.execute(
        text("select status from pay_periods where tenant_id = :tenant_id and month = :month"),
        {"tenant_id": scope.tenant_id, "month": month},
    ).scalar_one_or_none()
    return PeriodStatus(found) if found else PeriodStatus.OPEN


def _note(scope: Scope, rows: Collection[Row], changes: Collection[Change], *, what: str, decide: bool) -> list[str]:
    fresh = [row.month for row in rows if row.status == PeriodStatus.OPEN
             and (not row.is_stale or (decide and row.decided_under is not None))]  # fmt: skip
    locked = {row.month: row for row in rows if row.status != PeriodStatus.OPEN}
    if fresh:
        scope.session.execute(
            text("update pay_periods set is_stale = true,"
                 " decided_under = case when :decide then null else decided_under end"
                 " where tenant_id = :tenant_id and month = any(:months)"),
            {"tenant_id": scope.tenant_id, "months": fresh, "decide": decide},
        )  # fmt: skip
    if locked:
        late = [(user_id, day) for user_id, day in changes if scope.tenant.month_of(day) in locked]
        scope.session.execute(
            text("insert into late_corrections (tenant_id, month, user_id, day, what, noted_at)"
                 " select distinct :tenant_id, c.month, c.user_id, c.day, :what, cast(:now as timestamptz)"
                 " from unnest(cast(:months as text[]), cast(:users as uuid[]), cast(:days as date[]))"
                 "   c(month, user_id, day)"
                 " on conflict (tenant_id, user_id, day, what) do update set noted_at = excluded.noted_at"),
            {"tenant_id": scope.tenant_id, "what": what, "now": scope.now,
             "months": [scope.tenant.month_of(day) for _, day in late],
             "users": [user_id for user_id, _ in late], "days": [day for _, day in late]},
        )  # fmt: skip
    return sorted(locked)
