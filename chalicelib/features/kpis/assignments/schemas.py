"""What comes in and goes out about assignments: who is measured by what, from when to when."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, RootModel, model_validator

from chalicelib.entry.paging import PageQuery
from chalicelib.features.kpis.definitions.schemas import Measure, ScaleOut, Weight
from chalicelib.features.kpis.rules import Metric, MetricType, Source
from chalicelib.kernel.moments import Day
from chalicelib.kernel.schema import Input, LongText, Number, Output

MOST_PEOPLE = 10_000


class NewAssignment(Input):
    """A KPI for one person, some people by name, a department, or all, over one cycle."""

    definition_id: UUID
    user_id: UUID | None = None
    user_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_PEOPLE)] | None = None
    department_id: UUID | None = None
    all: Literal[True] | None = Field(None, description="everybody employed in the cycle whom you may give KPIs")
    cycle_start: Day
    cycle_end: Day = Field(description="last day; a cycle has at most 366 days")
    target: Measure | None = Field(None, description="the definition's, if not said")
    weight: Weight | None = Field(None, description="the definition's, if not said")
    due_on: Day | None = Field(
        None, description="until when a value is to be entered by hand; the cycle's end, if not said"
    )
    notes: LongText | None = None

    @model_validator(mode="after")
    def _check_recipients(self) -> "NewAssignment":
        if sum(value is not None for value in (self.user_id, self.user_ids, self.department_id, self.all)) != 1:
            raise ValueError("say for whom in one way: user_id, user_ids, department_id, or all")
        return self


class KpiAssignmentQuery(PageQuery):
    """Which assignments, or their scores."""

    user_id: UUID | None = Field(None, description="of one person")
    definition_id: UUID | None = None
    cycle_start: Day | None = Field(None, description="whose cycle begins on this day")
    on: Day | None = Field(None, description="whose cycle holds this day")


class OfDefinition(Output):
    """What somebody is measured by."""

    id: UUID
    code: str
    name: str
    metric_type: MetricType
    unit: str | None
    scale: ScaleOut | None
    source: Source
    metric: Metric | None
    formula: str | None


class OfPerson(Output):
    """Who is measured."""

    id: UUID
    name: str


class KpiAssignment(Output):
    """A KPI of one person for one cycle."""

    id: UUID
    definition: OfDefinition
    user: OfPerson
    user_id: UUID
    definition_id: UUID
    cycle_start: dt.date
    cycle_end: dt.date
    target: Number | None = Field(description="their own, or the definition's")
    weight: Number | None = Field(description="their own, or the definition's")
    due_on: dt.date
    notes: str | None
    assigned_by: str
    assigned_at: dt.datetime


class SkippedEmployees(Output):
    """People who were not given it, and why."""

    reason: Literal["has_it", "left_before", "joins_after", "is_you"]
    detail: str
    people: int
    user_ids: list[UUID] = Field(description="the first 50 of them")


class Assigned(Output):
    """What giving a KPI to many came to."""

    definition_id: UUID
    cycle_start: dt.date
    cycle_end: dt.date
    people: int = Field(description="who have it now and had not before")
    skipped: list[SkippedEmployees]


class NewAssignments(RootModel[KpiAssignment | Assigned]):
    """The assignment of one person, or what giving it to many came to."""
