"""What an import of people takes, row by row, and what it answers."""

from typing import Annotated

from pydantic import Field

from chalicelib.entry.rows import ImportQuery, RowError, RowInput
from chalicelib.features.people.users.schemas import EmployeeNo, Frequency, Language
from chalicelib.features.tenants.schemas import KnownCurrency
from chalicelib.kernel.moments import LifeDay
from chalicelib.kernel.schema import Email, MoneyIn, Output, Text

MOST_ROWS = 10_000
REQUIRED = ("name", "employee_no", "joined_on")
OPTIONAL = (
    "email", "language", "left_on", "branch", "department", "division", "manager_employee_no", "shift",
    "salary_amount", "salary_currency", "salary_frequency", "salary_effective_from",
)  # fmt: skip
Unit = Annotated[Text, Field(description="its name, exactly")]


class EmployeeImportRow(RowInput):
    """One person of an import, with names and numbers in place of ids."""

    name: Text
    employee_no: EmployeeNo
    joined_on: LifeDay
    email: Email | None = None
    language: Language = "en"
    left_on: LifeDay | None = None
    branch: Unit | None = None
    department: Unit | None = None
    division: Unit | None = None
    manager_employee_no: EmployeeNo | None = None
    shift: Unit | None = None
    salary_amount: MoneyIn | None = None
    salary_currency: KnownCurrency | None = None
    salary_frequency: Frequency | None = None
    salary_effective_from: LifeDay | None = None


class PeopleImportQuery(ImportQuery):
    """How to import people."""

    create_missing: bool = Field(False, description="make branches, departments and divisions that are not there yet")


class Created(Output):
    """The units that were made on the way, by name."""

    branches: list[str]
    departments: list[str]
    divisions: list[str]


class EmployeeImportReport(Output):
    """What an import did, or in a dry run would do. A row is added, unchanged, or has errors."""

    dry_run: bool
    rows: int
    added: int
    unchanged: int
    created: Created
    errors: list[RowError]
