"""The employees' row lock, the locks of pay periods, and the one order in which the product takes locks.

A projection (facts -> register row -> balance) must see every fact that it stands on. Under READ COMMITTED each
statement has its own snapshot, so two writers of one person who each write a fact and then project would overwrite each
other: the projection of the later one was computed before the earlier one committed. Who writes a fact and projects, or
only projects, therefore first locks the person's row, in a statement of its own: what comes after has a newer snapshot.

The order, for every transaction (decision 26); what a transaction does not need it leaves out, and it never goes back:

1. advisory locks of a whole job (`scope.advisory_lock`), rows of jobs, chunks and payroll runs that it works on
2. the tenant's calendars, an advisory lock: exclusive for who changes one of many people, such as a holiday
   (`lock_calendar`), else shared, by everybody who locks people (`lock_people` does it, before `get_user(lock=True)` it
   is `share_calendar`)
3. people, by id: `lock_people`, `lock_filtered_employees`, `people.get_user(lock=True)` - all of them at once
4. leave allocations, by id
5. pay periods, by month, all of them at once: `for key share` by who writes facts or projects some people
   (`share_lock_periods`), `for update` by who computes, locks, unlocks or approves the period as a whole
   (`lock_periods_for_update`)
6. the facts themselves, then register rows and balances: only ever by who has their person's lock or the whole period
7. the job's row that counts a finished chunk, and the head of the audit chain, just before the commit

A period's share lock keeps others from locking the period, or calling it fresh, between a fact's write and its commit.
Marking a period as stale is an update that changes no key, which goes together with other writers' share locks: two
writers who both share a period and then both mark it do not deadlock.
"""

from collections.abc import Collection
from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement, TextClause, or_, text

from chalicelib.backing import rows
from chalicelib.features.periods.models import pay_periods
from chalicelib.features.periods.queries import PERIOD_ROWS, PeriodRow
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope

# `no key update`: rows that refer to a person may be written meanwhile, as nobody changes the person's id. The rows are
# locked as they come out of the sort, so two who lock several people cannot wait for each other.
_LOCK = """
    with calendar as materialized (select pg_advisory_xact_lock_shared(hashtextextended(:calendar, 0)))
    select u.id from calendar cross join users u
    where u.tenant_id = :tenant_id and u.id {employees} order by u.id for no key update of u"""
_CALENDAR = "calendar"


def lock_people(scope: Scope, user_ids: Collection[UUID]) -> None:
    """Lock these people's rows until the commit; ids that are not the tenant's lock nothing."""
    if user_ids:
        ids = sorted(set(user_ids))
        lock_filtered_employees(scope, EmployeeFilter.one(ids[0]) if len(ids) == 1 else EmployeeFilter.these(ids))


def lock_filtered_employees(scope: Scope, employee_filter: EmployeeFilter) -> None:
    """Lock the rows of some employees, such as those of a chunk, until the commit."""
    scope.session.execute(
        _statement(employee_filter.put_into(_LOCK)),
        {"tenant_id": scope.tenant_id, "calendar": scope.lock_name(_CALENDAR), **employee_filter.values},
    )


def lock_calendar(scope: Scope) -> None:
    """Take the calendars' advisory lock: nobody else counts leave or changes facts until the commit.

    For who changes a calendar of many people: a holiday and an approval of leave at the same moment would not see each
    other's row, so neither would count right.
    """
    scope.advisory_lock(_CALENDAR)


def share_calendar(scope: Scope) -> None:
    """Share the calendars' advisory lock: the tenant's calendars stay as they are until the commit."""
    scope.shared_advisory_lock(_CALENDAR)


def share_lock_periods(scope: Scope, months: Collection[str]) -> list[PeriodRow]:
    """Keep these periods as they are, open or locked, until this transaction ends; other writers may do so too."""
    return _lock_periods(scope, pay_periods.c.month.in_(months), shared=True)


def lock_periods_for_update(scope: Scope, months: Collection[str]) -> list[PeriodRow]:
    """Keep everybody else away from these periods until this transaction ends.

    It waits for every fact that is being written; what is written later is seen to be later. People come first.
    """
    return _lock_periods(scope, pay_periods.c.month.in_(months), shared=False)


def lock_periods_of_payroll_for_update(scope: Scope, months: Collection[str]) -> None:
    """Keep everybody else away from these periods and from all whose payroll was approved, for a run's calculation."""
    _lock_periods(scope, or_(pay_periods.c.month.in_(months), pay_periods.c.payroll_run_id.is_not(None)), shared=False)


def _lock_periods(scope: Scope, condition: ColumnElement[bool], *, shared: bool) -> list[PeriodRow]:
    """Lock some periods' rows in the order of months, so that two who lock several cannot wait for each other."""
    periods = PERIOD_ROWS.where(pay_periods.c.tenant_id == scope.tenant_id, condition)
    return rows.every(PeriodRow, scope.session.execute(periods.with_for_update(read=shared, key_share=shared)))


@cache
def _statement(sql: str) -> TextClause:
    return text(sql)
