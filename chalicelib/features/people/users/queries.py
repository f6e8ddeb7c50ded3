"""Reads of users, their employment and their pay."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, cast, false, func, or_, select, true

from chalicelib.backing import clock, rows
from chalicelib.entry.paging import PageQuery, RowPage, page_rows
from chalicelib.features.people.models import branches, departments, divisions, employments, salaries, users
from chalicelib.features.people.organisation import queries as organisation
from chalicelib.features.people.users.schemas import UserQuery
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user without employment and pay."""

    id: UUID
    name: str
    email: str | None
    language: str
    version: int


@dataclass(frozen=True, slots=True)
class EmploymentRow:
    """A user's employment, which makes an employee."""

    user_id: UUID
    employee_no: str
    joined_on: date
    left_on: date | None
    branch_id: UUID | None
    department_id: UUID | None
    division_id: UUID | None
    manager_id: UUID | None
    shift_id: UUID | None
    version: int


@dataclass(frozen=True, slots=True)
class SalaryRow:
    """What an employee earns from a day on."""

    amount: Decimal
    currency: str
    frequency: str
    effective_from: date


@dataclass(frozen=True, slots=True)
class UserProfile:
    """A user with employment, and with the salary nearest to today where the caller may see it."""

    id: UUID
    name: str
    email: str | None
    language: str
    version: int
    employment: EmploymentRow | None
    salary: SalaryRow | None


@dataclass(frozen=True, slots=True)
class _ProfileColumns:
    """A row of `_select_profiles`: a user, an employment and a salary, the latter two null where there is none."""

    id: UUID
    name: str
    email: str | None
    language: str
    version: int
    employment_user_id: UUID | None
    employment_employee_no: str
    employment_joined_on: date
    employment_left_on: date | None
    employment_branch_id: UUID | None
    employment_department_id: UUID | None
    employment_division_id: UUID | None
    employment_manager_id: UUID | None
    employment_shift_id: UUID | None
    employment_version: int
    salary_amount: Decimal
    salary_currency: str
    salary_frequency: str
    salary_effective_from: date | None


@dataclass(frozen=True, slots=True)
class SalaryOfPage(SalaryRow):
    """A salary with the key of its page."""

    day: str


_SALARY_COLUMNS = ("amount", "currency", "frequency", "effective_from")


def get_user(scope: Scope, user_id: UUID, permission: str = "people.read", *, lock: bool = False) -> UserRow:
    """Return a user of the tenant whom the caller's permission reaches, or raise NotFound.

    The get-or-404 of everything that is about a user. `lock` makes other writers of the same user wait until commit.
    """
    select_user = select(users).where(
        users.c.tenant_id == scope.tenant_id, users.c.id == user_id, scope.within(permission, users.c.id)
    )
    user = rows.first(
        UserRow, scope.session.execute(select_user.with_for_update(key_share=True) if lock else select_user)
    )
    if user is None:
        raise NotFound("There is no such person.")
    return user


def check_users_exist(scope: Scope, user_ids: Collection[UUID]) -> None:
    """Raise NotFound where one of these ids is not a user of the tenant."""
    existing = scope.session.execute(
        select(users.c.id).where(users.c.tenant_id == scope.tenant_id, users.c.id.in_(user_ids))
    ).scalars()
    if user_ids and set(user_ids) - set(existing):
        raise NotFound("There is no such person.")


def get_profile(scope: Scope, user_id: UUID) -> UserProfile:
    """Return a user with employment and salary, the latter only where the caller may see it, or raise NotFound."""
    select_user = _select_profiles(scope).where(users.c.id == user_id)
    columns = rows.first(_ProfileColumns, scope.session.execute(select_user))
    if columns is None:
        raise NotFound("There is no such person.")
    return _profile(columns)


def page_of_users(scope: Scope, query: UserQuery) -> RowPage[UserProfile]:
    """Read one page of the users within reach, oldest first."""
    select_users = _select_profiles(scope)
    for table, column, unit_id in (
        (branches, employments.c.branch_id, query.branch_id),
        (departments, employments.c.department_id, query.department_id),
        (divisions, employments.c.division_id, query.division_id),
    ):
        if unit_id is not None:
            organisation.get_unit(scope, table, unit_id)
            select_users = select_users.where(column == unit_id)
    if query.without_manager is not None:
        orphaned = and_(
            employments.c.manager_id.is_not(None),
            or_(employments.c.left_on.is_(None), employments.c.left_on >= scope.today()),
            ~func.is_employed(scope.tenant_id, employments.c.manager_id, scope.today()),
        )
        select_users = select_users.where(func.coalesce(orphaned, false()).is_(query.without_manager))
    if query.search:
        select_users = select_users.where(matches(query.search))
    return page_rows(scope, select_users, kind=_ProfileColumns, key=users.c.id, query=query).map(_profile)


def approvers_of(scope: Scope, user_id: UUID) -> list[UUID]:
    """Return who decides an employee's requests: the nearest manager employed today, else HR, else the admins."""
    approvers = func.approvers_of(scope.tenant_id, user_id, scope.today()).table_valued("user_id").render_derived()
    return list(scope.session.execute(select(approvers.c.user_id).order_by(approvers.c.user_id)).scalars())


def matches(search: str) -> ColumnElement[bool]:
    """Build the condition that a name or an employee number contains a text, without case and marks.

    Both sides are folded by the database's `fold_text`. No index serves a part of a word; the tenant's rows are
    compared by their bytes, which is cheaper than any condition with case (`ilike`), and `%` and `_` mean themselves.
    """
    folded = func.fold_text(search)
    return or_(
        func.strpos(users.c.search_text, folded) > 0,
        func.strpos(employments.c.search_text, folded) > 0,
    )


def find_employment(scope: Scope, user_id: UUID) -> EmploymentRow | None:
    """Return a user's employment, or None."""
    return rows.first(
        EmploymentRow,
        scope.session.execute(
            select(employments).where(employments.c.tenant_id == scope.tenant_id, employments.c.user_id == user_id)
        ),
    )


def list_salaries(scope: Scope, user_id: UUID) -> list[SalaryRow]:
    """List all salaries an employee ever had or will have, in the order of their days."""
    return rows.every(
        SalaryRow,
        scope.session.execute(
            select(salaries)
            .where(salaries.c.tenant_id == scope.tenant_id, salaries.c.user_id == user_id)
            .order_by(salaries.c.effective_from)
        ),
    )


def page_of_salaries(scope: Scope, user_id: UUID, query: PageQuery) -> RowPage[SalaryOfPage]:
    """Read one page of an employee's salaries, in the order of their days."""
    day: Any = cast(salaries.c.effective_from, Text).label("day")  # text, because a cursor may say anything
    select_salaries = select(salaries, day).where(
        salaries.c.tenant_id == scope.tenant_id, salaries.c.user_id == user_id
    )
    return page_rows(scope, select_salaries, kind=SalaryOfPage, key=day, query=query)


def _select_profiles(scope: Scope) -> Select[Any]:
    """Build the select of users within reach, with employment and salary columns, as _ProfileColumns."""
    today = clock.local_day(scope.now, scope.tenant.timezone)
    salary = (
        select(*(salaries.c[name] for name in _SALARY_COLUMNS))
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


def _profile(columns: _ProfileColumns) -> UserProfile:
    """Nest the columns of a user's employment and salary."""
    employment = None
    if columns.employment_user_id is not None:
        employment = EmploymentRow(
            user_id=columns.employment_user_id,
            employee_no=columns.employment_employee_no,
            joined_on=columns.employment_joined_on,
            left_on=columns.employment_left_on,
            branch_id=columns.employment_branch_id,
            department_id=columns.employment_department_id,
            division_id=columns.employment_division_id,
            manager_id=columns.employment_manager_id,
            shift_id=columns.employment_shift_id,
            version=columns.employment_version,
        )
    salary = None
    if columns.salary_effective_from is not None:
        salary = SalaryRow(
            amount=columns.salary_amount,
            currency=columns.salary_currency,
            frequency=columns.salary_frequency,
            effective_from=columns.salary_effective_from,
        )
    return UserProfile(
        id=columns.id,
        name=columns.name,
        email=columns.email,
        language=columns.language,
        version=columns.version,
        employment=employment,
        salary=salary,
    )
