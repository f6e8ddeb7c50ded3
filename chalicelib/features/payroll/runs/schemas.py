"""What comes in and goes out about payroll runs and payslips."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from chalicelib.entry.paging import PageQuery
from chalicelib.entry.rows import RowError, RowInput
from chalicelib.features.payroll.components.categories import Category
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.features.payroll.runs.rules import Anomaly
from chalicelib.features.people.users.schemas import EmployeeNo
from chalicelib.jobs.schemas import Started
from chalicelib.kernel.period import Month
from chalicelib.kernel.schema import Exact, Input, LongText, MoneyIn, MoneyOut, Output, Search, Text
from chalicelib.kernel.states import PayrollStatus

MOST_PEOPLE = 1000
AMOUNT_COLUMNS = ("employee_no", "user_id", "payment_type", "amount")
UserIds = Annotated[list[UUID], Field(min_length=1, max_length=MOST_PEOPLE)]


class NewPayrollRun(Input):
    """A run of a month. A regular one pays salaries and every component, to everybody of the period."""

    month: Month
    kind: Annotated[RunKind, Field(strict=False)] = RunKind.REGULAR
    title: Text | None = Field(None, description="what an off-cycle run is for", examples=["Festival bonus"])
    user_ids: UserIds | None = Field(None, description="of an off-cycle run: whom it is for; everybody if left out")
    payment_type_ids: Annotated[list[UUID], Field(min_length=1, max_length=50)] | None = Field(
        None, description="of an off-cycle run: what it computes; the dynamic ones if left out"
    )

    @model_validator(mode="after")
    def _whole(self) -> "NewPayrollRun":
        if self.kind is RunKind.REGULAR and (self.user_ids or self.payment_type_ids):
            raise ValueError(
                "a regular run is for everybody and everything; user_ids and payment_type_ids are for off_cycle ones"
            )
        return self


class PayrollRunQuery(PageQuery):
    """Which runs."""

    month: Month | None = None
    status: PayrollStatus | None = None
    kind: RunKind | None = None


class CalculateRequest(Input):
    """Whom to calculate again; everybody if left out."""

    user_ids: UserIds | None = None


class CancelRequest(Input):
    """Why a run is given up."""

    reason: LongText | None = None


class RunStarted(Started):
    """Where to look for the outcome, and how the run stands. A small run may be done by the time you read this."""

    id: UUID = Field(description="the run")
    status: PayrollStatus


class ComponentTotal(Output):
    """One component over all payslips of a currency."""

    code: str
    name: str
    category: Category
    people: int
    amount: MoneyOut


class ArrearsTotal(Output):
    """What corrections of a component in a paid month come to, over all payslips of a currency."""

    month: str
    code: str = Field(description="the component's, or earned_salary")
    name: str
    category: Category
    people: int
    amount: MoneyOut = Field(description="below 0 where more is taken back than paid; it is in the sum of its category")


class Previous(Output):
    """The regular run before, in the same currency."""

    payslips: int
    gross: MoneyOut
    net: MoneyOut


class RunTotals(Output):
    """What the run comes to in one currency."""

    currency: str
    payslips: int
    gross: MoneyOut
    deductions: MoneyOut
    taxes: MoneyOut
    benefits: MoneyOut
    net: MoneyOut
    pays: MoneyOut = Field(description="the nets above 0: what will be paid")
    carried: MoneyOut = Field(description="the nets below 0: what the next run deducts")
    previous: Previous | None
    difference: MoneyOut | None = Field(description="net, to the run before")
    components: list[ComponentTotal]
    arrears: list[ArrearsTotal] = Field(
        default_factory=list, description="by month and component; runs of before December 2026 have them in net only"
    )


class Summary(Output):
    """What to read before approving."""

    totals: list[RunTotals]
    anomalies: dict[Anomaly, int] = Field(description="how many payslips each concerns; the payslips say which")
    previous_run_id: UUID | None = Field(description="what it is compared with")
    joined: int | None = Field(None, description="people who were not in the run before")
    left: int | None = Field(None, description="people who were, and are not in this one")


class PayrollRun(Output):
    """A payroll run."""

    id: UUID
    month: str
    kind: RunKind
    title: str | None
    status: PayrollStatus
    user_ids: list[UUID] | None
    payment_type_ids: list[UUID] | None
    job_id: UUID | None = Field(description="the latest calculation or posting; GET /jobs/{id} shows its progress")
    summary: Summary | None = Field(description="null until it was calculated")
    created_by: str
    created_at: datetime
    calculated_by: str | None
    calculated_at: datetime | None
    approved_by: str | None
    may_approve: bool = Field(description="whether you may approve it now")
    because: str | None = Field(description="why you may not approve it")
    four_eyes: bool = Field(description="whether somebody else than who calculated it has to approve it, or had to")
    approved_at: datetime | None
    posted_at: datetime | None = Field(description="when all of it was in the ledger")
    paid_by: str | None = Field(description="who had it paid")
    paid_at: datetime | None = Field(description="when the last of its payslips was")
    cancelled_by: str | None
    cancelled_at: datetime | None
    cancel_reason: str | None


class RunPayslipQuery(PageQuery):
    """Which payslips of a run."""

    anomaly: Anomaly | None = Field(None, description="only those with this anomaly")
    anomalous: bool | None = Field(None, description="true: only those with any")
    search: Search | None = Field(None, description="part of a name or an employee number")


class PayslipQuery(PageQuery):
    """Which payslips."""

    user_id: UUID | None = None
    month: Month | None = None


class PayslipEmployee(Output):
    """Whose payslip it is."""

    id: UUID
    name: str
    employee_no: str | None
    department_id: UUID | None


class PayslipHead(Output):
    """A payslip in a list."""

    id: UUID
    run_id: UUID
    run_kind: RunKind
    run_status: PayrollStatus
    month: str
    user: PayslipEmployee
    currency: str
    gross: MoneyOut
    deductions: MoneyOut
    taxes: MoneyOut
    benefits: MoneyOut
    net: MoneyOut
    pays: MoneyOut = Field(description="what is paid: the net, or nothing where it is below 0")
    previous_net: MoneyOut | None
    difference: MoneyOut | None = Field(description="net, to the payslip of the regular run before")
    anomalies: list[Anomaly]
    calculated_at: datetime


class PayslipLine(Output):
    """One line: what it is, how it was computed, what it comes to."""

    number: int
    kind: Literal["salary", "component", "arrears", "adjustment", "carried_over"]
    code: str | None = Field(description="of the salary, a component or its arrears")
    name: str
    category: Category
    calculation: str | None = Field(description="of a component")
    formula: str | None = Field(description="what was evaluated; null where the amount was given")
    inputs: dict[str, Exact | None] = Field(description="the values that the formula took")
    amount: MoneyOut = Field(
        description="below 0 only in lines of kind arrears; the category says which way an amount above 0 goes"
    )
    warnings: list[str]
    detail: Any = Field(
        description="of the salary: its parts; of arrears: the month, the component, what was paid for it, what it is"
        " now, and the inputs that changed; of an adjustment: which"
    )


class PayslipTotals(Output):
    """The sums of the lines by category; net is gross less deductions and taxes."""

    gross: MoneyOut
    deductions: MoneyOut
    taxes: MoneyOut
    benefits: MoneyOut
    net: MoneyOut


class Payslip(Output):
    """A payslip that explains itself."""

    id: UUID
    run_id: UUID
    run_kind: RunKind
    run_title: str | None
    run_status: PayrollStatus
    month: str
    start_date: date
    end_date: date
    user: PayslipEmployee
    currency: str
    lines: list[PayslipLine]
    totals: PayslipTotals
    pays: MoneyOut
    carried: MoneyOut = Field(description="what the next run deducts, where the net is below 0")
    inputs: dict[str, Exact | None] = Field(description="what formulas could use")
    previous_net: MoneyOut | None
    anomalies: list[Anomaly]
    calculated_at: datetime


class AmountRow(RowInput):
    """What a dynamic component comes to for one person in one run."""

    employee_no: EmployeeNo | None = None
    user_id: UUID | None = None
    payment_type: Text = Field(max_length=60, description="the component's code")
    amount: MoneyIn = Field(description="in the currency of the person's pay; 0 takes it away")


class AmountsReport(Output):
    """What became of the rows."""

    dry_run: bool
    rows: int
    written: int = Field(description="amounts that are new or another than before")
    unchanged: int
    errors: list[RowError]
