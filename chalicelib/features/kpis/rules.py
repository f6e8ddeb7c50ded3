"""KPIs as pure functions: metrics, codes, and values by hand."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

LONGEST_CYCLE = 366  # days
LONGEST_CODE = 60
# A cycle is calculated every night until so many days after its end: sales are decided, and days corrected, late.
SETTLING_DAYS = 31
# Days before a value is due at which reminders are sent; after missed nights only the nearest step is sent.
REMINDER_DAYS = (7, 1)
YES, NO = Decimal(1), Decimal(0)


class MetricType(StrEnum):
    """What kind of value a KPI has."""

    NUMERIC = "numeric"
    BOOLEAN = "boolean"  # yes and no, which count 1 and 0 against a target of 1
    RATING = "rating"  # a number within a scale
    TEXT = "text"  # words; no achievement


class Direction(StrEnum):
    """Whether a value above or one below the target is better."""

    HIGHER_IS_BETTER = "higher_is_better"  # achievement is value / target
    LOWER_IS_BETTER = "lower_is_better"  # achievement is target / value, at most 200 %


class Source(StrEnum):
    """Where its values come from."""

    FORMULA = "formula"
    MANUAL = "manual_entry"
    SYSTEM = "system_metric"


class Metric(StrEnum):
    """What the system measures of a person in a cycle. Only days that are over count, and only those employed."""

    ATTENDANCE_RATE = "attendance_rate"
    WORKING_DAYS = "working_days"
    PRESENT_DAYS = "present_days"
    OD_DAYS = "od_days"
    ABSENT_DAYS = "absent_days"
    LEAVE_DAYS = "leave_days"
    PAID_LEAVE_DAYS = "paid_leave_days"
    LOP_DAYS = "lop_days"
    HOLIDAYS = "holidays"
    WEEK_OFFS = "week_offs"
    EXTRA_DAYS = "extra_days"
    OT_HOURS = "ot_hours"
    LATE_COUNT = "late_count"
    LATE_MINUTES = "late_minutes"
    EARLY_OUT_COUNT = "early_out_count"
    EARLY_OUT_MINUTES = "early_out_minutes"
    SALES_VALUE = "sales_value"
    SALES_COUNT = "sales_count"


METRICS = frozenset(metric.value for metric in Metric)
FROM_SALES = frozenset({Metric.SALES_VALUE.value, Metric.SALES_COUNT.value})
MEANING = (
    "What can be measured of a person in a cycle, until yesterday: `attendance_rate` (present / working days, in"
    " percent: 20 of 21 days is 95.2380952381; no value without a working day), `working_days` (of their own calendar,"
    " while employed), `present_days` (on-duty counted in), `od_days`, `absent_days`, `leave_days` (paid and unpaid),"
    " `paid_leave_days`, `lop_days`, `holidays`, `week_offs`, `extra_days`, `ot_hours`, `late_count`, `late_minutes`,"
    " `early_out_count`, `early_out_minutes`, `sales_value` (approved sales that occurred in the cycle, in the"
    " tenant's currency), `sales_count` (approved sales, in any currency)"
)


class KpiValueKind(Protocol):
    """What a value or target must fit: the columns of a definition that say so."""

    @property
    def metric_type(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def scale_from(self) -> Decimal | None: ...
    @property
    def scale_to(self) -> Decimal | None: ...


class ValueSource(Protocol):
    """Where values come from: the columns of a definition that say so."""

    @property
    def source(self) -> str: ...
    @property
    def metric_type(self) -> str: ...
    @property
    def metric(self) -> str | None: ...
    @property
    def formula(self) -> str | None: ...


@dataclass(frozen=True, slots=True, order=True)
class EmployeeSpan:
    """Some days of one employee, both ends included; `user_id` as text, so that spans have an order."""

    user_id: str
    first_on: date
    last_on: date


@dataclass(frozen=True, slots=True)
class Measurement:
    """The numbers of an employee's span of days, and notes for who reads them."""

    values: Mapping[str, Decimal | None]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ScoredValue:
    """A value, and what explains it; None where there is none."""

    value: Decimal | None
    inputs: dict[str, Decimal | None]
    warnings: list[str]


def make_code(name: str, taken: Collection[str]) -> str:
    """Make a code of a name, numbered where it is taken: "Customer rating" is customer_rating."""
    base = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not base or not base[0].isalpha():
        base = f"kpi_{base}".rstrip("_")
    base = base[: LONGEST_CODE - 5].rstrip("_")
    number = 1
    while (code := base if number == 1 else f"{base}_{number}") in taken:
        number += 1
    return code


def parse_value(value: object, definition: KpiValueKind) -> Decimal | str:
    """Read a value that is entered for a KPI. Raises ValueError, which says what to send instead."""
    kind = MetricType(definition.metric_type)
    if kind is MetricType.TEXT:
        if isinstance(value, str) and value.strip():
            return value
        raise ValueError("this KPI is described in words: send a text")
    if kind is MetricType.BOOLEAN:
        if isinstance(value, str) and value.strip().lower() in ("yes", "no"):
            value = value.strip().lower() == "yes"
        if isinstance(value, bool):
            return YES if value else NO
        raise ValueError("this KPI is reached or not: send true or false")
    if not isinstance(value, Decimal):
        raise ValueError("this KPI is a number: send one")
    low, high = definition.scale_from, definition.scale_to
    if kind is MetricType.RATING and low is not None and high is not None and not low <= value <= high:
        raise ValueError(f"is not on the scale of this KPI, which goes from {low} to {high}")
    return value
