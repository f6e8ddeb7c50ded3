"""HTTP endpoints of people, their employment and their pay."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.bodies import RawBody
from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, PageQuery, RowPage
from chalicelib.entry.rows import CSV_OR_JSON
from chalicelib.features.people.users import actions, import_actions, import_schemas, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/users", may="people.read", reply=Page[schemas.User])
def list_users(scope: Scope, query: schemas.UserQuery) -> RowPage[queries.UserProfile]:
    """List the people within your reach, oldest first."""
    return queries.page_of_users(scope, query)


@endpoint(blueprint, "POST", "/users", may="people.write", status=201, reply=schemas.User)
def add_user(scope: Scope, body: schemas.NewUser) -> queries.UserProfile:
    """Make a person, with employment, first salary and payout destination where given."""
    return actions.add_user(scope, new=body)


@endpoint(blueprint, "POST", "/users/import", may="people.write", accepts=CSV_OR_JSON)
def import_users(
    scope: Scope, body: RawBody, query: import_schemas.PeopleImportQuery
) -> import_schemas.EmployeeImportReport:
    """Add people from CSV or a JSON array of the same columns; good rows are kept, bad ones reported.

    Columns: name, employee_no and joined_on; and if wanted email, language, left_on, branch, department, division,
    manager_employee_no, shift, salary_amount, salary_currency, salary_frequency, salary_effective_from. At most 10,000
    rows. Branches, departments, divisions and shifts are given by name. A salary without a first day begins with the
    employment. Somebody who is there already is never changed: the same again is `unchanged`, anything else an error.
    """
    return import_actions.import_people(scope, body=body, dry_run=query.dry_run, create_missing=query.create_missing)


@endpoint(blueprint, "GET", "/users/{user_id}", may="people.read", reply=schemas.User)
def get_user(scope: Scope, user_id: UUID) -> queries.UserProfile:
    """Read a person, with employment and the salary in force."""
    return queries.get_profile(scope, user_id)


@endpoint(blueprint, "PATCH", "/users/{user_id}", may="people.write", reply=schemas.User)
def change_user(scope: Scope, user_id: UUID, body: schemas.UserPatch, if_match: int | None) -> queries.UserProfile:
    """Change a person's name, address or language, only what is sent."""
    return actions.change_user(scope, user_id=user_id, patch=body.sent_fields(), if_match=if_match)


@endpoint(blueprint, "PUT", "/users/{user_id}/employment", may="people.write", reply=schemas.Employment)
def employ(scope: Scope, user_id: UUID, body: schemas.EmploymentInput, if_match: int | None) -> queries.EmploymentRow:
    """Make or replace a person's employment; the version is that of the employment."""
    return actions.employ(scope, user_id=user_id, employment=body, if_match=if_match)


@endpoint(blueprint, "GET", "/users/{user_id}/salaries", may="salaries.read", reply=Page[schemas.Salary])
def list_salaries(scope: Scope, user_id: UUID, query: PageQuery) -> RowPage[queries.SalaryOfPage]:
    """List what a person earned, earns and will earn, by the day it begins."""
    queries.get_user(scope, user_id, "salaries.read")
    return queries.page_of_salaries(scope, user_id, query)


@endpoint(blueprint, "POST", "/users/{user_id}/salaries", may="salaries.write", status=201, reply=schemas.Salary)
def set_salary(scope: Scope, user_id: UUID, body: schemas.SalaryInput) -> queries.SalaryRow:
    """Set what a person earns from a day on, in place of what began on the same day."""
    return actions.set_salary(scope, user_id=user_id, salary=body)
