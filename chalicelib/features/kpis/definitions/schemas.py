"""What comes in and goes out about definitions."""

import datetime as dt
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field, WithJsonSchema

from chalicelib.entry.paging import PageQuery
from chalicelib.features.kpis.rules import LONGEST_CODE, MEANING, Direction, Metric, MetricType, Source
from chalicelib.kernel.moments import Day
from chalicelib.kernel.schema import NUMBER, UNSET, Input, LongText, Number, Output, SourceText, Text, Version

LARGEST = 10**15
LONGEST_FORMULA = 2000
BY_DIRECTION = (
    "`higher_is_better`: achievement is value / target; `lower_is_better`: target / value, at most 200 %, which a value"
    " of 0 has"
)
Measure = Annotated[
    Decimal,
    Field(ge=-LARGEST, le=LARGEST, max_digits=20),
    NUMBER,
    WithJsonSchema({"type": "number", "minimum": -LARGEST, "maximum": LARGEST, "examples": [120]}),
]
Weight = Annotated[
    Decimal,
    Field(ge=0, le=100, max_digits=10),
    NUMBER,
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100, "examples": [20]}),
]
Code = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]*$", min_length=1, max_length=LONGEST_CODE, examples=["customer_rating"])
]
Unit = Annotated[Text, Field(max_length=50, examples=["%"])]
FormulaText = Annotated[SourceText, Field(max_length=LONGEST_FORMULA, examples=["attendance_rate - 2 * late_count"])]


class Scale(Input):
    """From which number to which a rating goes."""

    min: Measure
    max: Measure


class ScalePatch(Input):
    """An end of a rating's scale to change; the other one stays."""

    min: Measure = UNSET
    max: Measure = UNSET


class NewDefinition(Input):
    """Something to measure people by."""

    name: Text
    code: Code | None = Field(
        None, description="of its field in appraisal forms, `kpi_<code>`; made of the name if not said, and then fixed"
    )
    description: LongText | None = None
    metric_type: MetricType = Field(
        MetricType.NUMERIC,
        description="`boolean`: yes and no count 1 and 0 against a target of 1; `rating`: a number within `scale`;"
        " `text`: words, without an achievement. What the system measures is numeric; a formula is numeric, or boolean"
        " where it says yes or no",
    )
    target: Measure | None = Field(None, description="null or 0: values have no achievement")
    direction: Direction = Field(Direction.HIGHER_IS_BETTER, description=BY_DIRECTION)
    unit: Unit | None = None
    weight: Weight | None = Field(None, description="null: values have no weighted score")
    scale: Scale | None = Field(None, description="of a rating; 1 to 5 if not said")
    source: Source = Field(description="`manual_entry`: somebody enters values, or an approved appraisal form does")
    metric: Metric | None = Field(None, description=f"of a `system_metric`. {MEANING}")
    formula: FormulaText | None = Field(None, description="of the source `formula`: over the metrics, by their names")
    is_active: bool = Field(True, description="false: nobody is given it, and it is not calculated")


class DefinitionPatch(Input):
    """What may be changed. Cycles that are on are scored by it from the next night on; what is over stays as it was."""

    name: Text = UNSET
    description: LongText | None = None
    target: Measure | None = None
    direction: Direction = UNSET
    unit: Unit | None = None
    weight: Weight | None = None
    scale: ScalePatch = UNSET
    metric: Metric = UNSET
    formula: FormulaText = UNSET
    is_active: bool = UNSET


class ScaleOut(Output):
    """From which number to which a rating goes."""

    min: Number
    max: Number


class KpiDefinition(Output):
    """Something to measure people by."""

    id: UUID
    code: str
    name: str
    description: str | None
    metric_type: MetricType
    target: Number | None
    direction: Direction
    unit: str | None
    weight: Number | None
    scale: ScaleOut | None
    source: Source
    metric: Metric | None
    formula: str | None
    is_active: bool
    created_by: str
    created_at: dt.datetime
    version: Version


class DefinitionQuery(PageQuery):
    """Which definitions."""

    is_active: bool | None = None
    source: Source | None = None


class NewPreview(Input):
    """What to try, on whom, and over which days."""

    formula: FormulaText | None = Field(None, description="this, or `metric`")
    metric: Metric | None = Field(None, description=MEANING)
    metric_type: MetricType = Field(MetricType.NUMERIC, description="numeric, or boolean for a formula of yes or no")
    user_id: UUID
    cycle_start: Day
    cycle_end: Day
    target: Measure | None = None
    direction: Direction = Field(Direction.HIGHER_IS_BETTER, description=BY_DIRECTION)
    weight: Weight | None = None


class KpiTrace(Output):
    """One part of a formula, innermost first, and what it came to."""

    expression: str
    value: Number | bool | None
    warning: str | None


class KpiPreview(Output):
    """What it comes to today; nothing was written."""

    user_id: UUID
    cycle_start: dt.date
    cycle_end: dt.date
    as_of: dt.date | None = Field(description="the last day that counts; null: the cycle is to come")
    value: Number | None
    achievement: Number | None = Field(description="percent of the target, by direction")
    weighted: Number | None = Field(description="weight x achievement")
    inputs: dict[str, Number | None]
    trace: list[KpiTrace]
    warnings: list[str]
    notes: list[str]
