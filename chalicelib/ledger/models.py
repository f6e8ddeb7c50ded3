"""Accounts and lines."""

from enum import StrEnum

from sqlalchemy import BigInteger, Column, Computed, DateTime, Identity, Numeric, SmallInteger, Table, Text, Uuid

from chalicelib.backing.database import metadata, tenant_column


class LedgerAccount(StrEnum):
    """The accounts there are; the first two are a person's, the others the tenant's own."""

    PAYABLE = "payable"  # credit: we owe them; debit: they owe us, and it is netted from what they earn next
    ADVANCES = "advances"  # debit: paid for sales that are not decided yet
    SALES_COST = "sales_cost"
    WAGE_COST = "wage_cost"
    CASH = "cash"  # credit: what has left, or is on its way
    TAXES_WITHHELD = "taxes_withheld"  # credit: kept back from pay, for the tax office
    DEDUCTIONS_WITHHELD = "deductions_withheld"  # credit: kept back from pay for anything else
    PAY_CARRIED = "pay_carried"  # debit: by how much payslips came to less than 0, until a later one takes it back


class LedgerEvent(StrEnum):
    """What lines are booked for; a new feature adds its own."""

    ADVANCE = "advance"  # of a sale
    APPROVE = "approve"  # of a sale, with the decision's revision
    DECLINE = "decline"  # likewise
    REVERSE = "reverse"  # of a sale's decision, with its revision
    PAYOUT = "payout"  # the money left payable
    RELEASE = "release"  # the payout failed, was cancelled or came back
    PAYROLL = "payroll"  # of a payslip, when its run is approved


accounts = Table(
    "ledger_accounts",
    metadata,
    tenant_column(),
    Column("kind", Text, primary_key=True),
    Column("user_id", Uuid, doc="the person; null for the tenant's own accounts"),
    Column(
        "owner_id", Uuid, Computed("coalesce(user_id, tenant_id)"), primary_key=True, doc="the person, or the tenant"
    ),
    Column("currency", Text, primary_key=True, doc="ISO 4217"),
    Column("balance", Numeric, doc="debits less credits"),
    Column("opened_at", DateTime(timezone=True)),
)

entries = Table(
    "ledger_entries",
    metadata,
    tenant_column(),
    Column("user_id", Uuid, primary_key=True, doc="whose money it is about"),
    Column(
        "number", BigInteger, Identity(always=True), primary_key=True, doc="the order of a person's lines; it has gaps"
    ),
    Column("subject_id", Uuid, doc="the sale, payout or payslip that the event happened to"),
    Column("event", Text),
    Column("revision", SmallInteger, doc="tells repeated events of one subject apart"),
    Column("line", SmallInteger, doc="1 and up within an event"),
    Column("debit", Text, doc="account kind"),
    Column("credit", Text, doc="account kind"),
    Column("currency", Text, doc="ISO 4217"),
    Column("amount", Numeric, doc="positive, in the currency's minor unit"),
    Column("booked_at", DateTime(timezone=True)),
)
