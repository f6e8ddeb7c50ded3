"""Tables of the components that payslips are made of, and of their assignments; and their rows."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, Numeric, Table, Text, Uuid

from chalicelib.backing.database import id_column, metadata, tenant_column

payment_types = Table(
    "payment_types",
    metadata,
    tenant_column(),
    id_column(),
    Column("code", Text, doc="what formulas know it by; never changes"),
    Column("name", Text),
    Column("description", Text),
    Column("category", Text, doc="type_rules.Category; never changes"),
    Column("calculation", Text, doc="type_rules.Calculation; never changes"),
    Column("applies_to_all", Boolean, doc="false: only to those whom it is assigned to"),
    Column("is_active", Boolean, doc="false: no run computes it any more"),
    Column("version", Integer, doc="of this row, for If-Match"),
    Column("created_at", DateTime(timezone=True)),
)

payment_type_versions = Table(
    "payment_type_versions",
    metadata,
    tenant_column(),
    Column("type_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, doc="from 1, in the order in which they were made"),
    Column("effective_from", Date, doc="in force on a day is the last by this, then number, that has begun"),
    Column("amount", Numeric, doc="of a fixed one, in `currency`"),
    Column("currency", Text),
    Column("percent", Numeric, doc="of a percentage: 12.5 is 12.5 %"),
    Column("base", Text, doc="of a percentage: a variable of pay, or the code of another component"),
    Column("formula", Text, doc="of a formula"),
    Column("created_by", Text),
    Column("created_at", DateTime(timezone=True)),
)

payment_type_assignments = Table(
    "payment_type_assignments",
    metadata,
    tenant_column(),
    Column("user_id", Uuid, primary_key=True),
    Column("type_id", Uuid, primary_key=True),
    Column("effective_from", Date, primary_key=True),
    Column("effective_to", Date, doc="last day; null: until further notice"),
    Column("applies", Boolean, doc="false: it is not for this person, whoever else has it"),
    Column("amount", Numeric, doc="instead of what a fixed one or a formula comes to, in the currency of their pay"),
    Column("percent", Numeric, doc="instead of a percentage's own"),
    Column("changed_by", Text),
    Column("changed_at", DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """A component without its versions: a row of payment_types."""

    id: UUID
    code: str
    name: str
    description: str | None
    category: str
    calculation: str
    applies_to_all: bool
    is_active: bool
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ComponentVersionRow:
    """A version of a component."""

    type_id: UUID
    number: int
    effective_from: date
    amount: Decimal | None
    currency: str | None
    percent: Decimal | None
    base: str | None
    formula: str | None
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class WholeComponent(ComponentRow):
    """A component with its values of today, and all its versions, the latest first."""

    effective_from: date
    amount: Decimal | None
    currency: str | None
    percent: Decimal | None
    base: str | None
    formula: str | None
    versions: list[ComponentVersionRow]


@dataclass(frozen=True, slots=True)
class ComponentAssignmentRow:
    """An assignment of a component to an employee."""

    user_id: UUID
    type_id: UUID
    effective_from: date
    effective_to: date | None
    applies: bool
    amount: Decimal | None
    percent: Decimal | None
    changed_by: str
    changed_at: datetime
