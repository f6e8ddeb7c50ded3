"""Pay periods, and what changed in those that are locked. What the moments mean: freshness."""

from sqlalchemy import Boolean, Column, Computed, Date, DateTime, Table, Text, Uuid

from chalicelib.backing.database import id_column, metadata, tenant_column

pay_periods = Table(
    "pay_periods",
    metadata,
    tenant_column(),
    Column("month", Text, primary_key=True, doc="YYYY-MM"),
    Column("start_on", Date, doc="first day"),
    Column("end_on", Date, doc="last day; 28 to 31 days in all"),
    Column("status", Text, doc="open, locked or paid"),
    Column("locked_at", DateTime(timezone=True)),
    # moments of the database's clock
    Column("changed_at", DateTime(timezone=True), doc="when facts of it changed that wait to be computed"),
    Column(
        "revised_at", DateTime(timezone=True), doc="when facts changed, and were computed with it, after calculated_at"
    ),
    Column("calculated_at", DateTime(timezone=True), doc="when the calculation of a payroll run of it last began"),
    Column("computing_since", DateTime(timezone=True), doc="when the computation now running, or the last one, began"),
    Column("computed_at", DateTime(timezone=True), doc="when the last finished computation of everybody began"),
    Column("computed_as_of", Date, doc="the as-of date of that computation"),
    Column("is_stale", Boolean, Computed("computed_at is null or changed_at > computed_at", persisted=True)),
    Column(
        "decided_under",
        Text,
        doc="full:half minutes under which its attendance was decided; null: decide again",
    ),
    Column("payroll_run_id", Uuid, doc="the approved payroll run that locked it for good"),
)

late_corrections = Table(
    "late_corrections",
    metadata,
    tenant_column(),
    id_column(),
    Column("month", Text, doc="the locked period"),
    Column("user_id", Uuid, doc="null: everybody, as after a change of the calendar"),
    Column("day", Date, doc="the first day concerned"),
    Column("what", Text, doc="the kind of fact that changed, such as attendance or salary"),
    Column("noted_at", DateTime(timezone=True)),
    Column(
        "settled_at",
        DateTime(timezone=True),
        doc="when the calculation began that paid it; null, or before noted_at: the next run pays the difference",
    ),
)
