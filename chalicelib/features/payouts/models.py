"""Tables of payouts, and a payout as a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    Uuid,
)
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
    Column("after_number", BigInteger, doc="it pays what was booked for the employee after this ledger line"),
    Column("through_number", BigInteger, doc="... up to and with this one"),
    Column("kind", Text, doc="advance, final, retry, payroll; matched: found in the provider's list"),
    Column("job_id", Uuid, doc="the run that made it"),
    Column("provider", Text, doc="who pays; never changes"),
    Column("destination_id", Uuid, doc="the bank details it was made for"),
    Column("reference", Text, doc="ours: the provider's idempotency key, derived from what is paid"),
    Column("status", Text, doc="kernel.states.PayoutStatus"),
    Column("fence", Integer, doc="fencing token: rises with each claim; only the latest claim may settle"),
    Column(
        "lease_until",
        DateTime(timezone=True),
        doc="lease: until then no other worker claims it, by the database's clock",
    ),
    Column("look_at", DateTime(timezone=True), doc="the next attempt, if nothing happens until then; null: never"),
    Column("looks", Integer, doc="attempts that left it in doubt: its place in the retry schedule (delivery.rules)"),
    Column(
        "first_sent_at",
        DateTime(timezone=True),
        doc="first claim for sending: the age of its idempotency key counts from it",
    ),
    Column("unknown_since", DateTime(timezone=True)),
    Column("provider_reference", Text, doc="the provider's own"),
    Column("problem", Text, doc="why it failed, came back or needs a person"),
    Column("batch_id", Uuid, doc="the bank file it is in"),
    Column(
        "bank", JSONB, doc="the bank's latest report: schemas.BankWord; its check of the payee's name stays beside it"
    ),
    Column("prepared_by", Text, doc="who started the run"),
    Column("prepared_by_user_id", Uuid, doc="in prepared_by_ids since 2026-12"),
    Column("prepared_by_ids", ARRAY(Uuid), doc="all ids of who started the run; empty: a schedule did"),
    Column("approved_by", Text),
    Column("approved_by_ids", ARRAY(Uuid)),
    Column("created_at", DateTime(timezone=True)),
    Column("settled_at", DateTime(timezone=True)),
    Column("payslip_id", Uuid, doc="the payslip that it pays, and nothing else; null: whatever was owed"),
    Column("payroll_run_id", Uuid, doc="the payroll run of that payslip"),
)


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """A payout as its transaction read or wrote it; the table above says what each column means."""

    id: UUID
    user_id: UUID
    currency: str
    amount: Decimal
    provider: str
    destination_id: UUID | None
    reference: str
    status: str  # kernel.states.PayoutStatus
    fence: int
    looks: int
    first_sent_at: datetime | None
    unknown_since: datetime | None
    provider_reference: str | None
    problem: str | None
    batch_id: UUID | None
    bank: Mapping[str, Any] | None
    payroll_run_id: UUID | None


@dataclass(frozen=True, slots=True)
class LockedPayout(PayoutRow):
    """A payout that this transaction has locked, with what is true of it by the database's clock."""

    is_leased: bool  # a worker's claim has not ended
    is_due: bool  # its next attempt


payable_earmarks = Table(
    "payable_earmarks",
    metadata,
    tenant_column(),
    Column("run_id", Uuid, primary_key=True, doc="the payroll run whose pay alone pays it out"),
    Column("user_id", Uuid, primary_key=True),
    Column("payslip_id", Uuid),
    Column("currency", Text, doc="ISO 4217"),
    Column("amount", Numeric, doc="the payslip's net, above 0"),
    Column("netted", Numeric, doc="what was taken for debts of the employee instead of being paid out"),
    Column(
        "waits", Boolean, doc="to be paid: no payout of it is on its way or arrived, and it is not netted as a whole"
    ),
    Column("payout_id", Uuid, doc="the latest payout of it"),
)

payable_nettings = Table(
    "payable_nettings",
    metadata,
    tenant_column(),
    Column("user_id", Uuid, primary_key=True),
    Column("payslip_id", Uuid, primary_key=True),
    Column("number", BigInteger, primary_key=True, doc="the employee's last ledger line by then"),
    Column("currency", Text, doc="ISO 4217"),
    Column("amount", Numeric, doc="how much of the net was taken for debts of the employee"),
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

provider_credentials = Table(
    "provider_credentials",
    metadata,
    tenant_column(),
    id_column(),
    Column("provider", Text, doc="its module in delivery.providers"),
    Column("sealed", LargeBinary, doc="the provider's credentials model as JSON, encrypted by the vault"),
    Column("key_id", Uuid, doc="the tenant's data key that encrypted it"),
    Column("changed_at", DateTime(timezone=True)),
)
