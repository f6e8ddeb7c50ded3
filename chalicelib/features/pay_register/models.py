"""The register's rows and the edits made by hand."""

from sqlalchemy import ARRAY, BigInteger, Column, Date, DateTime, Integer, Numeric, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from chalicelib.backing.database import id_column, metadata, tenant_column

# A mask has one bit per half of the period, the last half lowest. A packed day is 10000 * (days since the period's
# first) + value.
pay_registers = Table(
    "pay_registers",
    metadata,
    tenant_column(),
    Column("month", Text, primary_key=True, doc="YYYY-MM"),
    Column("user_id", Uuid, primary_key=True),
    Column("as_of", Date, doc="working halves after this day are blank"),
    Column("halves", Text, doc="kernel.halves.CODES, two a day, in date order"),
    Column("payable", BigInteger, doc="mask: present, on-duty or paid leave"),
    Column("working", BigInteger, doc="mask: the employee's calendar wants work in this half"),
    Column("manual", BigInteger, doc="mask: a person set this half"),
    Column("recorded", BigInteger, doc="mask: there is an attendance record of this day"),
    Column("rostered", BigInteger, doc="mask: a roster decides this day"),
    Column("lead_payable", BigInteger, doc="mask over the days of the first pay week before the period: earns pay"),
    Column("lead_working", BigInteger, doc="the same days: the calendar wants work"),
    Column("tail_working", BigInteger, doc="mask over the days of the last pay week after the period"),
    Column("present_days", Numeric(4, 1), doc="od counted in"),
    Column("od_days", Numeric(4, 1)),
    Column("absent_days", Numeric(4, 1)),
    Column("paid_leave_days", Numeric(4, 1)),
    Column("lop_days", Numeric(4, 1), doc="leave that is a loss of pay"),
    Column("holidays", Numeric(4, 1)),
    Column("week_offs", Numeric(4, 1)),
    Column("blank_days", Numeric(4, 1)),
    Column("extra_days", Numeric(6, 2)),
    Column("payable_shifts", Numeric(8, 3), doc="shift units of worked halves, paid leave days, extra days"),
    Column("ot_hours", Numeric(6, 2)),
    Column("late_count", SmallInteger),
    Column("late_minutes", Integer),
    Column("early_out_count", SmallInteger),
    Column("early_out_minutes", Integer),
    Column("units", Numeric(4, 2), doc="payable units of the employee's usual shift"),
    Column("day_units", ARRAY(Integer), doc="packed days on another shift, in hundredths of a unit"),
    Column("day_late", ARRAY(Integer), doc="packed days, in minutes"),
    Column("day_early_out", ARRAY(Integer), doc="packed days, in minutes"),
    Column("day_ot", ARRAY(Integer), doc="packed days, in hundredths of an hour"),
    Column("day_extra", ARRAY(Integer), doc="packed days, in hundredths of a day"),
    Column("leave_halves", JSONB, doc="leave type id -> halves of it, counted from the period's first"),
    Column("day_remarks", JSONB, doc="date -> remark"),
)

# A row holds all edited cells of a day; each edit puts a new one in its place. With no cell set it says that they were
# all given back to the facts, and keeps the day's version.
day_edits = Table(
    "day_edits",
    metadata,
    tenant_column(),
    id_column(),
    Column("user_id", Uuid),
    Column("day", Date),
    Column("first_code", Text, doc="code of the first half; null: by the facts"),
    Column("first_leave_type_id", Uuid),
    Column("second_code", Text),
    Column("second_leave_type_id", Uuid),
    Column("ot_hours", Numeric(4, 2), doc="replaces the day's approved overtime; null: as approved"),
    Column("extra_days", Numeric(4, 2), doc="days paid on top"),
    Column("remarks", Text),
    Column("version", Integer, doc="of the day after this edit: the first edit makes it 1, each later one 1 more"),
    Column("edited_by", Text),
    Column("edited_at", DateTime(timezone=True)),
    Column("superseded_by", Text, doc="who edited again or cleared it; null: in force"),
    Column("superseded_at", DateTime(timezone=True)),
)
