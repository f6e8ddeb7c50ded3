"""Tables of leave, and their rows. Days are in multiples of 0.5."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    DateTime,
    Identity,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from chalicelib.backing.database import id_column, metadata, tenant_column

leave_types = Table(
    "leave_types",
    metadata,
    tenant_column(),
    id_column(),
    Column("name", Text),
    Column("description", Text),
    Column("color", Text, doc="#rrggbb, for calendars"),
    Column("is_paid", Boolean, doc="false: a loss of pay"),
    Column("counts_non_working_days", Boolean, doc="whether holidays and days off inside a leave use it up"),
    Column("is_limited", Boolean, doc="false: may be taken without an allocation"),
    Column("days_per_year", Numeric(5, 1), doc="what an allocation has where nothing else is said"),
    Column("allow_carryover", Boolean),
    Column("carryover_limit", Numeric(5, 1), doc="most days carried into the next cycle; null: all"),
    Column("expiry_rule_id", Uuid, doc="null: unused days never expire"),
    Column("notice_days", SmallInteger, doc="days between asking and the first day; 0: may be asked afterwards, too"),
    Column("is_active", Boolean, doc="false: nobody is given or asks for any more of it"),
    Column("version", Integer),
)

leave_allocations = Table(
    "leave_allocations",
    metadata,
    tenant_column(),
    id_column(),
    Column("user_id", Uuid),
    Column("leave_type_id", Uuid),
    Column("cycle_start_on", Date, doc="first day on which the days may be used"),
    Column("cycle_end_on", Date, doc="last day of the cycle that they are for; cycles never overlap"),
    # what follows is kept by the database from leave_entries; the application cannot write it
    Column("allocated_days", Numeric(5, 1)),
    Column("carried_days", Numeric(5, 1), doc="came over from the cycle before"),
    Column("pending_days", Numeric(5, 1), doc="held by requests that nobody has decided"),
    Column("used_days", Numeric(5, 1), doc="of approved requests, also those to come"),
    Column("lapsed_days", Numeric(5, 1)),
    Column("encashed_days", Numeric(5, 1)),
    Column("transferred_days", Numeric(5, 1), doc="went over to the next cycle"),
    Column("remaining_days", Numeric(6, 1), Computed("allocated_days + carried_days - ...", persisted=True)),
    Column("expires_on", Date, doc="last day on which the days may be used; null: never ends"),
    Column("expired_at", DateTime(timezone=True), doc="when the rule's action was taken for what was left"),
    Column("notes", Text),
    Column("version", Integer),
    Column("created_at", DateTime(timezone=True)),
)

leave_entries = Table(
    "leave_entries",
    metadata,
    tenant_column(),
    Column("allocation_id", Uuid, primary_key=True),
    Column(
        "number", BigInteger, Identity(always=True), primary_key=True, doc="filled by the database, in order of time"
    ),
    Column("bucket", Text, doc="rules.Bucket"),
    Column("days", Numeric(5, 1), doc="added to the bucket, or below 0 taken from it; never 0"),
    Column("cause", Text, doc="once for each bucket and day: allocated/<version>, request/<id>/<version>, ..."),
    Column("concerns_on", Date, doc="the day of leave for used and pending, else the first day on which it counts"),
    Column("request_id", Uuid),
    Column("booked_at", DateTime(timezone=True)),
    Column("booked_by", Text, doc="the actor's name"),
)

leave_requests = Table(
    "leave_requests",
    metadata,
    tenant_column(),
    id_column(),
    Column("user_id", Uuid, doc="who is on leave"),
    Column("leave_type_id", Uuid),
    Column("start_on", Date),
    Column("end_on", Date, doc="last day, included"),
    Column("start_half", Text, doc="second: the first day's first half is worked"),
    Column("end_half", Text, doc="first: the last day's second half is worked"),
    Column("days", Numeric(5, 1), doc="by the employee's own calendar"),
    Column("is_limited", Boolean, doc="the days are taken from allocations, as the type said when they were"),
    Column("reason", Text),
    Column("status", Text, doc="kernel.states.RequestStatus"),
    Column("notes", Text, doc="of whoever decided last"),
    Column("decided_by", Uuid, doc="the person who decided last, where the actor is a person"),
    Column("decided_at", DateTime(timezone=True)),
    Column("submission_id", Uuid, doc="the form submission that asked; null: asked directly"),
    Column("version", Integer),
    Column("created_at", DateTime(timezone=True)),
)

leave_days = Table(
    "leave_days",
    metadata,
    tenant_column(),
    Column("user_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("half", Text, primary_key=True, doc="first or second"),
    Column("leave_type_id", Uuid),
    Column("nature", Text, doc="paid or lop, as the type was when it was approved"),
    Column("counts_non_working", Boolean, doc="also leave where it is a holiday or day off"),
    Column("request_id", Uuid, doc="null: put there by other means than a request"),
    Column("is_counted", Boolean, doc="the half was taken from the person's days"),
)


@dataclass(frozen=True, slots=True)
class LeaveTypeRow:
    """A leave type."""

    id: UUID
    name: str
    description: str | None
    color: str | None
    is_paid: bool
    counts_non_working_days: bool
    is_limited: bool
    days_per_year: Decimal
    allow_carryover: bool
    carryover_limit: Decimal | None
    expiry_rule_id: UUID | None
    notice_days: int
    is_active: bool
    version: int


@dataclass(frozen=True, slots=True)
class AllocationRow:
    """An allocation, with the names of the API."""

    id: UUID
    user_id: UUID
    leave_type_id: UUID
    cycle_start_date: date
    cycle_end_date: date
    allocated_days: Decimal
    carried_days: Decimal
    pending_days: Decimal
    used_days: Decimal
    lapsed_days: Decimal
    encashed_days: Decimal
    transferred_days: Decimal
    remaining_days: Decimal
    expires_on: date | None
    expired_at: datetime | None
    notes: str | None
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LeaveRequestRow:
    """A leave request, with the names of the API."""

    id: UUID
    user_id: UUID
    leave_type_id: UUID
    start_date: date
    end_date: date
    start_half: str
    end_half: str
    days: Decimal
    is_limited: bool
    reason: str | None
    status: str
    notes: str | None
    decided_by: UUID | None
    decided_at: datetime | None
    submission_id: UUID | None
    version: int
    created_at: datetime
