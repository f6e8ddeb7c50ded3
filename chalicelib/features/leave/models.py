"""Tables of leave."""

from sqlalchemy import Boolean, Column, Integer, Table, Text

from chalicelib.backing.database import id_column, metadata, tenant_column

leave_types = Table(
    "leave_types",
    metadata,
    tenant_column(),
    id_column(),
    Column("name", Text),
    Column("is_paid", Boolean, doc="false: a loss of pay"),
    Column("counts_non_working_days", Boolean, doc="whether holidays and days off inside a leave use it up"),
    Column("version", Integer),
)
