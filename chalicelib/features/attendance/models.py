"""Tables of attendance, on-duty and overtime: facts, from people and devices."""

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, Numeric, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import TSTZMULTIRANGE

from chalicelib.backing.database import id_column, metadata, tenant_column

attendance = Table(
    "attendance",
    metadata,
    tenant_column(),
    Column("user_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True, doc="local date on which the shift starts, also when it ends after midnight"),
    Column(
        "present",
        SmallInteger,
        doc="halves, where both are open, decided by sql/decide.sql: 2 the first, 1 the second, 3 both, 0 none",
    ),
    Column(
        "enough_for_half",
        Boolean,
        doc="the minutes are enough for the one half that leave, duty, a holiday or a day off leaves open; decided",
    ),
    Column("late_minutes", SmallInteger, doc="whole minutes from the shift's start to the check-in; decided"),
    Column("early_out_minutes", SmallInteger, doc="whole minutes from the check-out to the shift's end; decided"),
    Column("check_in_at", DateTime(timezone=True), doc="the day's first check-in"),
    Column("check_out_at", DateTime(timezone=True), doc="the day's last check-out"),
    Column("session_started_at", DateTime(timezone=True), doc="check-in of the session that is open; null: none is"),
    Column(
        "sessions",
        TSTZMULTIRANGE,
        doc="closed sessions of punches; null: none is known singly, it is check_in_at to check_out_at",
    ),
    Column("worked_minutes", SmallInteger, doc="minutes of all closed sessions, or as stated; null: not known"),
    Column("stated", Text, doc="present, absent or half_day, where somebody said so; it stands above the minutes"),
    Column("stated_half", Text, doc="first or second, of a stated half day"),
    Column("source", Text, doc="who wrote it last: punch, import or correction"),
    Column("version", Integer),
)

on_duty = Table(
    "on_duty",
    metadata,
    tenant_column(),
    id_column(),
    Column("user_id", Uuid, doc="who works elsewhere"),
    Column("start_on", Date),
    Column("end_on", Date, doc="last day, included"),
    Column("half", Text, doc="first or second half of every one of these days; null: whole days"),
    Column("reason", Text),
    Column("status", Text, doc="kernel.states.RequestStatus"),
    Column("decided_by", Uuid, doc="the person who decided last, where the actor is a person"),
    Column("decided_at", DateTime(timezone=True)),
    Column("version", Integer),
    Column("created_at", DateTime(timezone=True)),
)

overtime = Table(
    "overtime",
    metadata,
    tenant_column(),
    id_column(),
    Column("user_id", Uuid, doc="who worked longer"),
    Column("day", Date),
    Column("hours", Numeric(4, 2), doc="in quarters of an hour, above 0 to 24"),
    Column("reason", Text),
    Column("status", Text, doc="kernel.states.RequestStatus"),
    Column("decided_by", Uuid, doc="the person who decided last, where the actor is a person"),
    Column("decided_at", DateTime(timezone=True)),
    Column("version", Integer),
    Column("created_at", DateTime(timezone=True)),
)
