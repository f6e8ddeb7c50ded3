"""Reads of people, their employment and their pay."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, cast, false, func, or_, select, true

from chalicelib.backing import clock
from chalicelib.backing.database import Record
from chalicelib.entry.paging import PageQuery, page_of
from chalicelib.features.people.models import branches, departments, divisions, employments, salaries, users
from chalicelib.features.people.organisation import queries as organisation
from chalicelib.features.people.users.schemas import UserQuery
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

_OF_SALARY = ("amount", "currency", "frequency", "effective_from")


def get_user(scope: Scope, user_id: UUID, permission: str = "people.read", *, lock: bool = False) -> Record:
    """Read a person of the tenant whom the caller's permission reaches, or NotFound.

    The gate of everything that is about a person. `lock` keeps other writers of the same person waiting until commit.
    """
    rows = select(users).where(
        users.c.tenant_id == scope.tenant_id, users.c.id == user_id, scope.within(permission, users.c.id)
    )
    found = scope.session.execute(rows.with_for_update(key_share=True) if lock else rows).mappings()
    if (row := found.first()) is None:
        raise NotFound("There is no such person.")
    return dict(row)


def check_all_there(scope: Scope, user_ids: Collection[UUID]) -> None:
    """Refuse a list of people that names one who is not the tenant's."""
    known = scope.session.execute(
        select(users.c.id).where(users.c.tenant_id == scope.tenant_id, users.c.id.in_(user_ids))
    ).scalars()
    if user_ids and set(user_ids) - set(known):
        raise NotFound("There is no such person.")


def get_whole_user(scope: Scope, user_id: UUID) -> Record:
    """Read a person with employment and salary, the latter only where the caller may see it."""
    found = scope.session.execute(_whole(scope).where(users.c.id == user_id)).mappings()
    if (row := found.first()) is None:
        raise NotFound("There is no such person.")
    return _nested(dict(row))


def page_of_users(scope: Scope, query: UserQuery) -> Record:
    """Read one page of the people within reach, oldest first."""
    rows = _whole(scope)
    for table, column, wanted in (
        (branches, employments.c.branch_id, query.branch_id),
        (departments, employments.c.department_id, query.department_id),
        (divisions, employments.c.division_id, query.division_id),
    ):
        if wanted is not None:
            organisation.get_unit(scope, table, wanted)
            rows = rows.where(column == wanted)
    if query.without_manager is not None:
        orphaned = and_(
            employments.c.manager_id.is_not(None),
            or_(employments.c.left_on.is_(None), employments.c.left_on >= scope.today()),
            ~func.is_employed(scope.tenant_id, employments.c.manager_id, scope.today()),
        )
        rows = rows.where(func.coalesce(orphaned, false()).is_(query.without_manager))
    if query.search:
        rows = rows.where(matches(query.search))
    page = page_of(scope, rows, key=users.c.id, query=query)
    return {**page, "items": [_nested(row) for row in page["items"]]}


def approvers_of(scope: Scope, user_id: UUID) -> list[UUID]:
    """Return whom a person's requests go to: the nearest manager who is employed today, else HR, else the admins."""
    found = func.approvers_of(scope.tenant_id, user_id, scope.today()).table_valued("user_id").render_derived()
    return list(scope.session.execute(select(found.c.user_id).order_by(found.c.user_id)).scalars())


def matches(search: str) -> ColumnElement[bool]:
    """Return the condition that a name or an employee number holds what is searched, without case and marks.

    Both sides are folded by the database's `fold_text`. No index serves a part of a word; the tenant's rows are
    compared by their bytes, which is cheaper than any condition with case (`ilike`), and `%` and `_` mean themselves.
    """
    folded = func.fold_text(search)
    return or_(
        func.strpos(users.c.search_text, folded) > 0,
        func.strpos(employments.c.search_text, folded) > 0,
    )


def find_employment(scope: Scope, user_id: UUID) -> Record | None:
    """Read a person's employment, if they have one."""
    found = scope.session.execute(
        select(employments).where(employments.c.tenant_id == scope.tenant_id, employments.c.user_id == user_id)
    ).mappings()
    return dict(row) if (row := found.first()) else None


def salaries_of(scope: Scope, user_id: UUID) -> list[Record]:
    """Read all salaries a person ever had or will have, in the order of their days."""
    found = scope.session.execute(
        select(salaries)
        .where(salaries.c.tenant_id == scope.tenant_id, salaries.c.user_id == user_id)
        .order_by(salaries.c.effective_from)
    ).mappings()
    return [dict(row) for row in found]


def page_of_salaries(scope: Scope, user_id: UUID, query: PageQuery) -> Record:
    """Read one page of a person's salaries, in the order of their days."""
    day: Any = cast(salaries.c.effective_from, Text).label("day")  # text, because a cursor may say anything
    rows = select(salaries, day).where(salaries.c.tenant_id == scope.tenant_id, salaries.c.user_id == user_id)
    return page_of(scope, rows, key=day, query=query)


def _whole(scope: Scope) -> Select[Any]:
    today = clock.local_day(scope.now, scope.tenant.timezone)
    salary = (
        select(*(salaries.c[name] for name in _OF_SALARY))
        .where(
            salaries.c.tenant_id == users.c.tenant_id,
            salaries.c.user_id == users.c.id,
            scope.within("salaries.read", users.c.id),
        )
        # the last of those begun, or else the first of those to come: either way the nearest
        .order_by((salaries.c.effective_from <= today).desc(), func.abs(salaries.c.effective_from - today))
        .limit(1)
        .lateral("salary")
    )
    joined = users.outerjoin(
        employments, and_(employments.c.tenant_id == users.c.tenant_id, employments.c.user_id == users.c.id)
    ).outerjoin(salary, true())
    return (
        select(
            users,
            *(column.label(f"employment_{column.name}") for column in employments.c),
            *(column.label(f"salary_{column.name}") for column in salary.c),
        )
        .select_from(joined)
        .where(users.c.tenant_id == scope.tenant_id, scope.within("people.read", users.c.id))
    )


def _nested(row: Mapping[str, Any]) -> Record:
    employment = {column.name: row[f"employment_{column.name}"] for column in employments.c}
    salary = {name: row[f"salary_{name}"] for name in _OF_SALARY}
    return {
        **{column.name: row[column.name] for column in users.c},
        "employment": employment if employment["user_id"] else None,
        "salary": salary if salary["effective_from"] else None,
    }
