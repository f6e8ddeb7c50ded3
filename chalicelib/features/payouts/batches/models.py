"""Tables of bank files."""

from sqlalchemy import JSON, Column, Date, DateTime, Integer, LargeBinary, Table, Text, Uuid

from chalicelib.backing.database import id_column, metadata, tenant_column

bank_file_settings = Table(
    "bank_file_settings",
    metadata,
    tenant_column(),
    Column("format", Text, doc="pain.001 or delimited"),
    Column("payer_name", Text, doc="whose account pays; null where the file does not name it"),
    Column("payer_masked", Text, doc="as much of that account as may be shown"),
    Column("payer_sealed", LargeBinary, doc="bank_files.orders.BankAccount as JSON, encrypted by the vault"),
    Column("payer_key_id", Uuid, doc="the tenant's data key that encrypted it"),
    Column("template", JSON(none_as_null=True), doc="bank_files.delimited.Template; null for pain.001"),
    Column("version", Integer),
)

payout_batches = Table(
    "payout_batches",
    metadata,
    tenant_column(),
    id_column(),
    Column("number", Integer, doc="1 and up within the tenant, without gaps"),
    Column("format", Text, doc="pain.001 or delimited"),
    Column("file_key", Text, doc="where backing.files keeps it"),
    Column("file_name", Text, doc="the name under which it is downloaded"),
    Column("file_sha256", Text, doc="SHA-256 of its bytes, in hexadecimal"),
    Column("payouts", Integer, doc="how many are in it"),
    Column("totals", JSON, doc="what the file says: [{currency, payouts, amount}]"),
    Column("execution_on", Date, doc="the day that the bank is asked to pay on"),
    Column("created_by", Text, doc="role and name, as in the audit log"),
    Column("created_at", DateTime(timezone=True)),
    Column("handed_over_at", DateTime(timezone=True), doc="when it was first asked for"),
)
