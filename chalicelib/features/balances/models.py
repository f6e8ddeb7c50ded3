"""The table of balances: what each employee has earned in a pay period so far."""

from sqlalchemy import JSON, Column, Date, Numeric, Table, Text, Uuid

from chalicelib.backing.database import metadata, tenant_column

balances = Table(
    "balances",
    metadata,
    tenant_column(),
    Column("month", Text, primary_key=True, doc="YYYY-MM"),
    Column("user_id", Uuid, primary_key=True),
    Column("as_of", Date, doc="days after this one are not in it"),
    Column("currency", Text, doc="ISO 4217"),
    Column("earned", Numeric, doc="the sum of its lines, in the currency's minor unit"),
    Column("lines", JSON, doc="one per salary in force: days x rate = amount"),
)
