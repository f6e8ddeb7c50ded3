"""Tables of adjustments."""

from sqlalchemy import ARRAY, Column, Date, DateTime, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from chalicelib.backing.database import id_column, metadata, tenant_column

payroll_adjustments = Table(
    "payroll_adjustments",
    metadata,
    tenant_column(),
    id_column(),
    Column("user_id", Uuid),
    Column("kind", Text, doc="rules.AdjustmentKind"),
    Column("amount", Numeric, doc="above 0 the person is paid it, below 0 it is taken off their pay; never 0"),
    Column("currency", Text),
    Column("reason", Text),
    Column("effective_on", Date, doc="the day that it is about"),
    Column("explanation", JSONB, doc="how the amount came about, where it was computed; null: somebody set it"),
    Column("source_type", Text, doc="what it comes from; null: a person"),
    Column("source_id", Text, doc="one adjustment for each, ever"),
    Column("payslip_id", Uuid, doc="the payslip that paid it; null while it is open"),
    Column("paid_at", DateTime(timezone=True)),
    Column("created_by", Text),
    Column("created_by_ids", ARRAY(Uuid), doc="all ids of who added it; empty: a job"),
    Column("created_at", DateTime(timezone=True)),
)
