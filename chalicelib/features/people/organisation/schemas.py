"""What comes in and goes out about branches, departments and divisions."""

from uuid import UUID

from pydantic import Field

from chalicelib.features.tenants.schemas import Timezone, Weekend
from chalicelib.kernel.schema import UNSET, Input, Output, Text, Version


class NewUnit(Input):
    """A department or division."""

    name: Text


class UnitPatch(Input):
    """A department's or division's new name."""

    name: Text = UNSET


class Unit(Output):
    """A department or division."""

    id: UUID
    name: str
    version: Version


class NewBranch(Input):
    """A branch; what it does not say is the tenant's."""

    name: Text
    timezone: Timezone | None = None
    weekend: Weekend | None = None
    own_holidays: bool = Field(False, description="only this branch's holidays count here; else the tenant's as well")


class BranchPatch(Input):
    """What may be changed about a branch; null goes back to what the tenant has."""

    name: Text = UNSET
    timezone: Timezone | None = None
    weekend: Weekend | None = None
    own_holidays: bool = UNSET


class Branch(Output):
    """A branch."""

    id: UUID
    name: str
    timezone: str | None
    weekend: list[int] | None
    own_holidays: bool
    version: Version
