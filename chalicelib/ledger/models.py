"""Tables of the ledger: accounts and entries (lines)."""

from enum import StrEnum

from sqlalchemy import BigInteger, Column, Computed, DateTime, Identity, Numeric, SmallInteger, Table, Text, Uuid

from chalicelib.backing.database import metadata, tenant_column


class LedgerAccount(StrEnum):
    """Kinds of accounts; the first two are an employee's, the others the tenant's."""

    PAYABLE = "payable"  # credit: owed to the employee; debit: owed by them, and netted from what they earn next
    ADVANCES = "advances"  # debit: paid for sales that are not decided yet
    SALES_COST = "sales_cost"
    WAGE_COST = "wage_cost"
    CASH = "cash"  # credit: what has left, or is on its way
    TAXES_WITHHELD = "taxes_withheld"  # credit: kept back from pay, for the tax office
    DEDUCTIONS_WITHHELD = "deductions_withheld"  # credit: kept back from pay for other purposes
    PAY_CARRIED = "pay_carried"  # debit: negative net pay of payslips, until a later payslip takes it back


class LedgerEvent(StrEnum):
    """Events that post lines; which accounts each debits and credits is in postings.py."""

    ADVANCE = "advance"  # of a pending sale
    APPROVE = "approve"  # of a sale, with the decision's revision
    DECLINE = "decline"  # of a sale, with the decision's revision
    REVERSE = "reverse"  # of a sale's decision, with its revision
    PAYOUT = "payout"  # a payout was made; the money left payable
    RELEASE = "release"  # a payout failed, was cancelled or was returned
    PAYROLL = "payroll"  # of a payslip, when its run is approved


accounts = Table(
    "ledger_accounts",
    metadata,
    tenant_column(),
    Column("kind", Text, primary_key=True),
    Column("user_id", Uuid, doc="the employee; null for the tenant's own accounts"),
    Column(
        "owner_id", Uuid, Computed("coalesce(user_id, tenant_id)"), primary_key=True, doc="the employee, or the tenant"
    ),
    Column("currency", Text, primary_key=True, doc="ISO 4217"),
    Column("balance", Numeric, doc="debits less credits"),
    Column("opened_at", DateTime(timezone=True)),
)

entries = Table(
    "ledger_entries",
    metadata,
    tenant_column(),
    Column("user_id", Uuid, primary_key=True, doc="the employee whose money it is about"),
    Column(
        "number", BigInteger, Identity(always=True), primary_key=True, doc="the order of an employee's lines, with gaps"
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
