"""Tables of payslips as files."""

from sqlalchemy import Column, DateTime, Integer, Table, Text, Uuid

from chalicelib.backing.database import metadata, tenant_column

payslip_documents = Table(
    "payslip_documents",
    metadata,
    tenant_column(),
    Column("payslip_id", Uuid, primary_key=True),
    Column("asked_at", DateTime(timezone=True), doc="when the latest message to make it was sent"),
    Column("sha256", Text, doc="of the file, in hexadecimal; its key ends with it; null: not made yet"),
    Column("size_bytes", Integer),
    Column("made_at", DateTime(timezone=True)),
)
