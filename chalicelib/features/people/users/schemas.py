"""What comes in and goes out about people, their employment and their pay."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from chalicelib.entry.paging import PageQuery
from chalicelib.features.people.destinations.schemas import DestinationInput
from chalicelib.features.tenants.schemas import KnownCurrency
from chalicelib.kernel.moments import LifeDay
from chalicelib.kernel.schema import UNSET, Email, Input, MoneyIn, MoneyOut, Output, Search, Text, Version

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35, examples=["en", "bn"])]
EmployeeNo = Annotated[Text, Field(max_length=40, examples=["E-0042"])]


class Frequency(StrEnum):
    MONTHLY = "monthly"
    WEEKLY = "weekly"
    DAILY = "daily"


class EmploymentInput(Input):
    """Since when somebody works here, where and for whom. A field left out is empty."""

    employee_no: EmployeeNo
    joined_on: LifeDay
    left_on: LifeDay | None = Field(None, description="last day of work")
    branch_id: UUID | None = None
    department_id: UUID | None = None
    division_id: UUID | None = None
    manager_id: UUID | None = None
    shift_id: UUID | None = None

    @model_validator(mode="after")
    def _leaves_after_joining(self) -> "EmploymentInput":
        if self.left_on is not None and self.left_on < self.joined_on:
            raise ValueError(f"left_on ({self.left_on}) is before joined_on ({self.joined_on})")
        return self


class SalaryInput(Input):
    """What somebody earns from a day on; the currency is the tenant's unless said."""

    amount: MoneyIn
    currency: KnownCurrency | None = None
    frequency: Frequency = Frequency.MONTHLY
    effective_from: LifeDay


class NewUser(Input):
    """A person; with an employment they are on the pay register, with a salary they earn."""

    model_config = ConfigDict(hide_input_in_errors=True)

    name: Text
    email: Email | None = None
    language: Language = "en"
    employment: EmploymentInput | None = None
    salary: SalaryInput | None = None
    payout_destination: DestinationInput | None = Field(None, description="read it at its own address, masked")


class UserPatch(Input):
    """What may be changed about a person as such."""

    name: Text = UNSET
    email: Email | None = None
    language: Language = UNSET


class UserQuery(PageQuery):
    """Which people."""

    search: Search | None = Field(None, description="part of a name or employee number")
    department_id: UUID | None = None
    division_id: UUID | None = None
    branch_id: UUID | None = None
    without_manager: bool | None = Field(
        None, description="true: employees whose manager has left; their requests go up one level, at last to HR"
    )


class Employment(Output):
    """Since when somebody works here, where and for whom."""

    user_id: UUID
    employee_no: str
    joined_on: date
    left_on: date | None
    branch_id: UUID | None
    department_id: UUID | None
    division_id: UUID | None
    manager_id: UUID | None
    shift_id: UUID | None
    version: Version


class Salary(Output):
    """What somebody earns from a day on, until the next salary's day."""

    amount: MoneyOut
    currency: str
    frequency: Frequency
    effective_from: date


class User(Output):
    """A person. `salary` is today's, or else the first to come; null where there is none or you may not see it."""

    id: UUID
    name: str
    email: str | None
    language: str
    version: Version
    employment: Employment | None
    salary: Salary | None
