"""The people lock, and the one order in which the product takes row locks.

A projection (facts -> register row -> balance) must see every fact that it stands on. Under READ COMMITTED each
statement has its own snapshot, so two writers of one person who each write a fact and then project would overwrite each
other: the projection of the later one was computed before the earlier one committed. Who writes a fact and projects, or
only projects, therefore first locks the person's row, in a statement of its own: what comes after has a newer snapshot.

The order, for every transaction (ADR 26); what a transaction does not need it leaves out, and it never goes back:

1. advisory locks of a whole job (`scope.alone`), rows of jobs, chunks and payroll runs that it works on
2. the tenant's calendars: alone by who changes one of many people, such as a holiday (`lock_calendar`), else shared, by
   whoever locks people (`lock_people` does it, before `get_user(lock=True)` it is `share_calendar`)
3. people, by id: `lock_people`, `lock_people_among`, `people.get_user(lock=True)` - all of them at once
4. leave allocations, by id
5. pay periods, by month, all of them at once: `for key share` by who writes facts or projects some people
   (periods.hold), `for update` by who computes, locks, unlocks or approves the period as a whole (periods.hold_alone)
6. the facts themselves, then register rows and balances: only ever by who has their person's lock or the whole period
7. the job's row that counts a finished chunk, and the head of the audit chain, just before the commit
"""

from collections.abc import Collection
from functools import cache
from uuid import UUID

from sqlalchemy import TextClause, text

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
    """Keep everybody else from counting leave or changing facts until the commit: a calendar of many people changes.

    A holiday and an approval of leave at the same moment would not see each other's row, so neither would count right.
    """
    scope.advisory_lock(_CALENDAR)


def share_calendar(scope: Scope) -> None:
    """Keep the tenant's calendars as they are until the commit, beside any number of others."""
    scope.shared_advisory_lock(_CALENDAR)


@cache
def _statement(sql: str) -> TextClause:
    return text(sql)
