"""Tables of sales."""

from sqlalchemy import ARRAY, Column, DateTime, Numeric, SmallInteger, Table, Text, Uuid

from chalicelib.backing.database import id_column, metadata, tenant_column

sales = Table(
    "sales",
    metadata,
    tenant_column(),
    id_column(),
    Column("user_id", Uuid, doc="who earns"),
    Column("brand", Text),
    Column("external_id", Text, doc="the shop's own id, unique in the tenant"),
    Column("earning", Numeric, doc="what the person earns if it is approved, in the currency's minor unit"),
    Column("currency", Text, doc="ISO 4217"),
    Column("occurred_at", DateTime(timezone=True)),
    Column("created_by", Text),
    Column("created_by_ids", ARRAY(Uuid), doc="all ids of who made it; empty: nobody's hand"),
    Column("created_at", DateTime(timezone=True)),
)

pending_sales = Table(
    "pending_sales",
    metadata,
    tenant_column(),
    Column("sale_id", Uuid, primary_key=True),
    Column("user_id", Uuid),
)

sale_decisions = Table(
    "sale_decisions",
    metadata,
    tenant_column(),
    Column("sale_id", Uuid, primary_key=True),
    Column("revision", SmallInteger, primary_key=True, doc="1, and one more with each correction"),
    Column("status", Text, doc="approved or declined"),
    Column("reason", Text),
    Column("decided_by", Text),
    Column("decided_by_ids", ARRAY(Uuid), doc="all ids of who decided; empty: nobody's hand"),
    Column("decided_at", DateTime(timezone=True)),
)
