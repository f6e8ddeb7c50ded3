"""Tables of people, the organisation they work in, and the calendar they work by."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Computed,
    Date,
    DateTime,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Time,
    Uuid,
)

from chalicelib.backing.database import id_column, metadata, tenant_column

users = Table(
    "users",
    metadata,
    tenant_column(),
    id_column(),
    Column("name", Text),
    Column("email", Text, doc="lower case; no two people of a tenant share one"),
    Column("previous_email", Text, doc="the address before, which is notified of changes for some time"),
    Column("email_changed_at", DateTime(timezone=True)),
    Column("language", Text, doc="of what is sent to them, such as en or bn"),
    Column(
        "search_text",
        Text(collation="C"),
        Computed("fold_text(name)", persisted=True),
        doc="the name as it is searched",
    ),
    Column("version", Integer),
    Column("created_at", DateTime(timezone=True)),
)

employments = Table(
    "employments",
    metadata,
    tenant_column(),
    Column("user_id", Uuid, primary_key=True),
    Column("employee_no", Text, doc="the number that payroll and devices know them by"),
    Column("joined_on", Date, doc="first day of work"),
    Column("left_on", Date, doc="last day of work; null: still here"),
    Column("branch_id", Uuid, doc="null: the tenant's own calendar"),
    Column("department_id", Uuid),
    Column("division_id", Uuid),
    Column("manager_id", Uuid, doc="the person they report to; never in a circle"),
    Column("shift_id", Uuid, doc="the usual shift, where the roster names no other"),
    Column("version", Integer),
    Column(
        "search_text",
        Text(collation="C"),
        Computed("fold_text(employee_no)", persisted=True),
        doc="the number as it is searched",
    ),
)

salaries = Table(
    "salaries",
    metadata,
    tenant_column(),
    Column("user_id", Uuid, primary_key=True),
    Column("effective_from", Date, primary_key=True, doc="first day paid at this rate"),
    Column("amount", Numeric, doc="per month, week or day, with the decimals of its currency"),
    Column("currency", Text, doc="ISO 4217; the same in all of a person's salaries"),
    Column("frequency", Text, doc="monthly, weekly or daily"),
    Column("created_at", DateTime(timezone=True)),
)

branches = Table(
    "branches",
    metadata,
    tenant_column(),
    id_column(),
    Column("name", Text),
    Column("timezone", Text, doc="null: the tenant's"),
    Column("weekend", ARRAY(SmallInteger), doc="weekly days off, ISO 1..7; null: the tenant's"),
    Column("own_holidays", Boolean, doc="only this branch's holidays count here; otherwise the tenant's do as well"),
    Column("version", Integer),
)

departments = Table(
    "departments", metadata, tenant_column(), id_column(), Column("name", Text), Column("version", Integer)
)

divisions = Table("divisions", metadata, tenant_column(), id_column(), Column("name", Text), Column("version", Integer))

holidays = Table(
    "holidays",
    metadata,
    tenant_column(),
    id_column(),
    Column("day", Date),
    Column("name", Text),
    Column("half", Text, doc="first or second, where only half the day is off; null: all of it"),
    Column("branch_id", Uuid, doc="null: everywhere but in branches with holidays of their own"),
    Column("version", Integer),
)

shifts = Table(
    "shifts",
    metadata,
    tenant_column(),
    id_column(),
    Column("name", Text),
    Column("starts_at", Time, doc="local time"),
    Column("ends_at", Time, doc="local time; before starts_at: of the next day"),
    Column("payable_units", Numeric(4, 2), doc="how many days' pay a full shift is worth"),
    Column("late_grace_minutes", SmallInteger, doc="minutes after the start that are not yet late"),
    Column("early_grace_minutes", SmallInteger, doc="minutes before the end that are not yet early"),
    Column("full_day_minutes", SmallInteger, doc="net minutes of a full day; null: the tenant's"),
    Column("half_day_minutes", SmallInteger, doc="net minutes of half a day; null: the tenant's"),
    Column("unpaid_break_minutes", SmallInteger, doc="length of the break in the middle of the shift that is not paid"),
    Column("version", Integer),
)

roster_days = Table(
    "roster_days",
    metadata,
    tenant_column(),
    Column("user_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("shift_id", Uuid, doc="null: the usual one"),
    Column("off", SmallInteger, doc="halves off, as bits: 0 none, 2 the first, 1 the second, 3 both"),
    Column("works_holidays", Boolean, doc="a holiday on this day is worked"),
)
