"""Tables of leave expiry, and their rows."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, Column, Date, Integer, Numeric, SmallInteger, Table, Text, Uuid

from chalicelib.backing.database import id_column, metadata, tenant_column

leave_expiry_rules = Table(
    "leave_expiry_rules",
    metadata,
    tenant_column(),
    id_column(),
    Column("name", Text),
    Column("description", Text),
    Column("expire_after_days", SmallInteger, doc="days from a cycle's end to the last day of use; null: see formula"),
    Column("expiry_date_formula", Text, doc="expiry_rules.parsed; both null: the cycle's end"),
    Column("notification_days", ARRAY(SmallInteger), doc="how many days before the last day people are warned"),
    Column("action", Text, doc="expiry_rules.Action: what becomes of the days that are left"),
    Column("is_active", Boolean, doc="false: days of its leave types do not expire"),
    Column("version", Integer),
)

leave_warnings = Table(
    "leave_warnings",
    metadata,
    tenant_column(),
    Column("allocation_id", Uuid, primary_key=True),
    Column("step", SmallInteger, primary_key=True, doc="days before the last day, as the rule's ladder says"),
    Column("is_told", Boolean, doc="false: passed unsaid, because a nearer step was due already"),
    Column("days", Numeric(6, 1), doc="how many were left"),
    Column("expires_on", Date, doc="the last day, as it was then"),
    Column("warned_on", Date, doc="the tenant's day of the night that did it"),
)


@dataclass(frozen=True, slots=True)
class ExpiryRuleRow:
    """An expiry rule."""

    id: UUID
    name: str
    description: str | None
    expire_after_days: int | None
    expiry_date_formula: str | None
    notification_days: list[int]
    action: str
    is_active: bool
    version: int

    @property
    def auto_expire_action(self) -> str:
        """The action under its name in the API."""
        return self.action
