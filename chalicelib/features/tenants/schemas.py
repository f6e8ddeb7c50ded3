"""What comes in and goes out about tenants and access."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, Field, create_model

from chalicelib.backing import cells
from chalicelib.identity.permissions import Reach, Role
from chalicelib.kernel.money import MINOR_UNITS
from chalicelib.kernel.policy import PayPolicy
from chalicelib.kernel.schema import UNSET, Currency, Email, Input, LongText, Output, Text, Version

# Names that the machine gives and PostgreSQL does not know: asked for a tenant's local time, it fails the query of a
# schedule for all tenants.
_NO_ZONES = frozenset({"localtime", "Factory"})


def _known_timezone(name: str) -> str:
    if name not in available_timezones() - _NO_ZONES:
        raise ValueError("is not an IANA time zone such as Asia/Dhaka or Europe/Berlin")
    return name


def _known_currency(code: str) -> str:
    if code not in MINOR_UNITS:
        raise ValueError("is not a currency of ISO 4217")
    return code


def _ordered(days: list[int]) -> list[int]:
    return sorted(set(days))


Timezone = Annotated[str, Field(max_length=64, examples=["Asia/Dhaka"]), AfterValidator(_known_timezone)]
KnownCurrency = Annotated[Currency, AfterValidator(_known_currency)]
IsoDay = Annotated[int, Field(ge=1, le=7)]
Weekend = Annotated[
    list[IsoDay],
    Field(max_length=6, description="weekly days off, ISO 1 = Monday .. 7 = Sunday", examples=[[5, 6]]),
    AfterValidator(_ordered),
]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", examples=["acme"])]
Cell = Annotated[str, Field(pattern=cells.WORD, examples=["main"])]
CycleStartDay = Annotated[int, Field(ge=1, le=28)]
TenantRole = Literal[Role.TENANT_ADMIN, Role.HR, Role.MANAGER, Role.EMPLOYEE]

# The policy with every switch optional: only the switches sent are changed.
PolicyPatch: Any = create_model(
    "PolicyPatch",
    __base__=Input,
    __doc__="The switches of the pay policy to change.",
    **{name: (field.annotation, field) for name, field in PayPolicy.model_fields.items()},  # type: ignore[call-overload]
)


class Branding(Input):
    """How the mails of a tenant look."""

    color: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$", examples=["#1d6353"])] | None = None
    footer: LongText | None = Field(None, description="below every mail, such as your address")


class TenantSettings(Output):
    """A tenant's own settings."""

    id: UUID
    slug: str
    name: str
    currency: str
    timezone: str
    weekend: list[int]
    week_start: int
    cycle_start_day: int
    policy: PayPolicy
    branding: Branding
    version: Version


class TenantPatch(Input):
    """What a tenant admin may change."""

    name: Text = UNSET
    currency: KnownCurrency = UNSET
    timezone: Timezone = UNSET
    weekend: Weekend = UNSET
    week_start: IsoDay = UNSET
    cycle_start_day: CycleStartDay = UNSET
    policy: PolicyPatch = UNSET
    branding: Branding = UNSET


class PlatformTenant(Output):
    """A tenant as the platform sees it."""

    id: UUID
    slug: str
    name: str
    currency: str
    timezone: str
    status: str
    suspended_because: str | None
    cell: str
    requests_per_minute: int
    version: Version
    created_at: datetime


class NewTenant(Input):
    """A tenant to be; `admin_email` becomes its first member."""

    name: Text
    slug: Slug
    currency: KnownCurrency
    timezone: Timezone
    weekend: Weekend = Field(default_factory=lambda: [6, 7])
    cycle_start_day: CycleStartDay = 1
    admin_email: Email | None = None


class PlatformTenantPatch(Input):
    """What the platform may change of a tenant."""

    name: Text = UNSET
    status: Literal["active", "suspended"] = UNSET
    suspended_because: Text | None = Field(UNSET, description="what its callers are told while it is suspended")
    requests_per_minute: Annotated[int, Field(ge=1, le=10_000_000)] = UNSET
    cell: Cell = Field(UNSET, description="where its data was moved to; only while it is suspended")


class Me(Output):
    """Who is calling, for which tenant, with which permissions over whom."""

    name: str
    role: Role
    user_id: UUID | None
    tenant: str | None
    permissions: dict[str, Reach]


class NewMember(Input):
    """Somebody who may sign in with a verified address."""

    email: Email
    role: TenantRole
    user_id: UUID | None = None


class MemberPatch(Input):
    """What may be changed about a member."""

    role: TenantRole = UNSET
    status: Literal["active", "disabled"] = UNSET


class Member(Output):
    """Somebody who may sign in."""

    id: UUID
    email: str
    role: Role
    user_id: UUID | None
    status: str
    version: Version


class NewApiKey(Input):
    """A key for a machine; with `user_id` it acts for that person, and always for whoever makes it."""

    name: Text = Field(description="unique among the tenant's live keys")
    role: TenantRole
    user_id: UUID | None = None
    expires_at: AwareDatetime | None = Field(
        None, description="from then on it is refused; within ten years", examples=["2027-01-01T00:00:00+06:00"]
    )


class ApiKey(Output):
    """A key, without its secret."""

    id: UUID
    name: str
    role: Role
    user_id: UUID | None
    made_by: str | None = Field(description="who made it; the key acts for them too")
    hint: str
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="to within five minutes; null: not yet")
    expires_at: datetime | None


class MadeApiKey(ApiKey):
    """A key with its secret: the only time it is shown. A repeated answer (Idempotency-Key) has null in its place."""

    key: str | None
