"""What comes in and goes out about scores."""

import datetime as dt
from uuid import UUID

from pydantic import Field, model_validator

from chalicelib.features.kpis.assignments.schemas import OfDefinition, OfPerson
from chalicelib.features.kpis.definitions.schemas import Measure
from chalicelib.features.kpis.rules import Direction
from chalicelib.kernel.schema import Input, LongText, Number, Output, Reason


class NewValue(Input):
    """A value that somebody saw."""

    value: bool | Measure | Reason = Field(
        description="a number; true or false of a boolean KPI; a text of one in words", examples=[90]
    )
    note: LongText | None = None


class NewOverride(Input):
    """A value that counts whatever is calculated."""

    value: bool | Measure | None = Field(description="null: the calculated value counts again", examples=[95])
    reason: Reason | None = Field(None, description="required unless the override is taken back")

    @model_validator(mode="after")
    def _with_a_reason(self) -> "NewOverride":
        if self.value is not None and self.reason is None:
            raise ValueError("say the reason: an override replaces what was measured")
        return self


class Override(Output):
    """A value that counts instead of the one calculated or entered."""

    value: Number
    reason: str
    by: str
    at: dt.datetime


class Entered(Output):
    """Who entered a value by hand."""

    by: str
    at: dt.datetime
    note: str | None
    submission_id: UUID | None = Field(description="the approved appraisal that entered it")


class Score(Output):
    """What a person reached in a KPI; everything is null until there is a value."""

    assignment_id: UUID
    definition: OfDefinition
    user: OfPerson
    user_id: UUID
    cycle_start: dt.date
    cycle_end: dt.date
    due_on: dt.date
    value: Number | None = Field(
        description="as calculated or entered, also beside an override; 1 and 0 are yes and no"
    )
    text: str | None = Field(description="of a KPI in words, instead of a number")
    override: Override | None
    target: Number | None = Field(description="what the value was scored against")
    weight: Number | None
    direction: Direction = Field(description="by which it was scored")
    achievement: Number | None = Field(
        description="percent of the target: value (or override) / target x 100, or target / value x 100 and at most 200"
        " where lower is better; rounded half up to 2 places once; null where there is no target"
    )
    weighted: Number | None = Field(
        description="weight x achievement / 100, rounded once by itself; pay adds up what is not rounded"
    )
    inputs: dict[str, Number | None] = Field(description="the numbers that the value was calculated from")
    formula: str | None = Field(description="what it was calculated by")
    warnings: list[str]
    notes: list[str] = Field(description="what a reader should know of the inputs")
    as_of: dt.date | None = Field(description="last day that counts; null: nothing was calculated")
    calculated_at: dt.datetime | None
    entered: Entered | None
