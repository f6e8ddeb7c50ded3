"""Tables of payouts."""

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, DateTime, Identity, Integer, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from chalicelib.backing.database import id_column, metadata, tenant_column

payouts = Table(
    "payouts",
    metadata,
    tenant_column(),
    id_column(),
    Column("user_id", Uuid),
    Column("currency", Text, doc="ISO 4217"),
    Column("amount", Numeric, doc="positive, in the currency's minor unit"),
    Column("after_number", BigInteger, doc="it pays what was booked for the person after this ledger line"),
    Column("through_number", BigInteger, doc="... up to and with this one"),
    Column("kind", Text, doc="advance, final, retry, payroll; matched: found in the provider's list"),
    Column("job_id", Uuid, doc="the run that made it"),
    Column("provider", Text, doc="who pays; never changes"),
    Column("destination_id", Uuid, doc="the bank details it was made for"),
    Column("reference", Text, doc="ours, told to the provider as idempotency key; made of what is paid"),
    Column("status", Text, doc="kernel.states.PayoutStatus"),
    Column("fence", Integer, doc="rises with each claim; only the latest claim may settle"),
    Column("lease_until", DateTime(timezone=True), doc="until then nobody else claims it, by the database's clock"),
    Column("look_at", DateTime(timezone=True), doc="when to look at it again if nothing happened; null: never"),
    Column("looks", Integer, doc="how often it was left in doubt: its rung of the ladder"),
    Column("first_sent_at", DateTime(timezone=True), doc="when it was first claimed for sending: its key's age"),
    Column("unknown_since", DateTime(timezone=True)),
    Column("provider_reference", Text, doc="theirs"),
    Column("problem", Text, doc="why it failed, came back or needs a person"),
    Column("batch_id", Uuid, doc="the bank file it is in"),
    Column("bank", JSONB, doc="the bank's last word: schemas.BankWord; what it said of the name stays beside it"),
    Column("prepared_by", Text, doc="who started the run"),
    Column("prepared_by_user_id", Uuid, doc="in prepared_by_ids since 2026-12"),
    Column("prepared_by_ids", ARRAY(Uuid), doc="all ids of who started the run; empty: nobody's hand"),
    Column("approved_by", Text),
    Column("approved_by_ids", ARRAY(Uuid)),
    Column("created_at", DateTime(timezone=True)),
    Column("settled_at", DateTime(timezone=True)),
    Column("payslip_id", Uuid, doc="the payslip that it pays, and nothing else; null: whatever was owed"),
    Column("payroll_run_id", Uuid, doc="the payroll run of that payslip"),
)

payable_earmarks = Table(
    "payable_earmarks",
    metadata,
    tenant_column(),
    Column("run_id", Uuid, primary_key=True, doc="the payroll run whose pay alone pays it out"),
    Column("user_id", Uuid, primary_key=True),
    Column("payslip_id", Uuid),
    Column("currency", Text, doc="ISO 4217"),
    Column("amount", Numeric, doc="the payslip's net, above 0"),
    Column("netted", Numeric, doc="what was taken for debts of the person instead of being paid out"),
    Column("waits", Boolean, doc="no payout of it is on its way or arrived, and it is not netted as a whole"),
    Column("payout_id", Uuid, doc="the latest payout of it"),
)

payable_nettings = Table(
    "payable_nettings",
    metadata,
    tenant_column(),
    Column("user_id", Uuid, primary_key=True),
    Column("payslip_id", Uuid, primary_key=True),
    Column("number", BigInteger, primary_key=True, doc="the person's last ledger line by then"),
    Column("currency", Text, doc="ISO 4217"),
    Column("amount", Numeric, doc="how much of the net was taken for debts of the person"),
    Column("booked_at", DateTime(timezone=True)),
)

payout_events = Table(
    "payout_events",
    metadata,
    tenant_column(),
    Column("payout_id", Uuid, primary_key=True),
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True)),
    Column("what", Text, doc="made, approved, sent, asked, answered, moved ..."),
    Column("status", Text, doc="after it"),
    Column("fence", Integer),
    Column("detail", Text),
    Column("actor", Text),
)

simulated_movements = Table(
    "simulated_movements",
    metadata,
    tenant_column(),
    id_column(),
    Column("reference", Text, doc="the idempotency key it was sent with"),
    Column("user_id", Uuid),
    Column("currency", Text),
    Column("amount", Numeric),
    Column("status", Text, doc="accepted, refused or returned"),
    Column("reason", Text),
    Column("at", DateTime(timezone=True)),
)
