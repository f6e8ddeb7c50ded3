"""Scope: for which tenant, by which actor, with which permissions and when. Only the entry points make one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, false, func, text, true

from chalicelib.backing import clock, outbox
from chalicelib.identity.permissions import Reach, Role
from chalicelib.kernel.errors import Forbidden
from chalicelib.kernel.period import Period, month_containing, period_of
from chalicelib.kernel.policy import PayPolicy


@dataclass(frozen=True, slots=True)
class ScopeTenantRow:
    """A tenant's row, as far as a scope needs it (identity.models.tenants)."""

    id: UUID
    slug: str
    name: str
    currency: str
    timezone: str
    weekend: list[int]
    week_start: int
    cycle_start_day: int
    policy: Mapping[str, Any]
    status: str
    requests_per_minute: int
    suspended_because: str | None
    cell: str


@dataclass(frozen=True)
class Tenant:
    """A tenant's settings, as they are in this transaction."""

    id: UUID
    slug: str
    name: str
    currency: str
    timezone: str
    weekend: tuple[int, ...]
    week_start: int
    cycle_start_day: int
    policy_overrides: Mapping[str, Any]
    is_active: bool
    requests_per_minute: int
    cell: str

    @classmethod
    def of(cls, row: ScopeTenantRow) -> "Tenant":
        """Return the settings in a tenant's row."""
        return cls(
            row.id,
            row.slug,
            row.name,
            row.currency,
            row.timezone,
            tuple(row.weekend),
            row.week_start,
            row.cycle_start_day,
            row.policy,
            row.status == "active",
            row.requests_per_minute,
            row.cell,
        )

    @cached_property
    def policy(self) -> PayPolicy:
        return PayPolicy(**self.policy_overrides)

    def period(self, month: str) -> Period:
        """Return the days of a month's pay period."""
        return period_of(month, cycle_start_day=self.cycle_start_day)

    def month_of(self, day: date) -> str:
        """Return the period that a day belongs to."""
        return month_containing(day, cycle_start_day=self.cycle_start_day)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is acting: a member, an API key, a job or an operator.

    `id` is what records are written with: the employee if there is one, else the member, the key's maker or the key.
    `all_ids` are all ids under which the same person may be in records: a person with two keys, or with a key and a
    login, is one person, and a key also counts as its maker. Jobs, schedules and operators are no person: their `id`
    is None and their `all_ids` are empty.
    """

    name: str
    role: Role
    user_id: UUID | None = None
    id: UUID | None = None
    all_ids: frozenset[UUID] = frozenset()

    def is_any_of(self, ids: Iterable[UUID] | None) -> bool:
        """Return whether any of `ids` is this actor."""
        return not self.all_ids.isdisjoint(ids or ())


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a unit of work came from, for logs and audit."""

    request_id: str
    ip: str | None = None
    agent: str | None = None


@dataclass(slots=True)
class PlatformScope:
    """The scope of a platform admin: no tenant, and a session that sees no tenant's data."""

    actor: Actor
    grants: Mapping[str, Reach]
    now: datetime
    session: Connection
    origin: Origin
    at_commit: list[Callable[[], None]] = field(default_factory=list)
    outgoing: list[outbox.Message] = field(default_factory=list)


@dataclass(slots=True)
class Scope:
    """The first argument of every function that works for a tenant."""

    tenant: Tenant
    actor: Actor
    grants: Mapping[str, Reach]
    now: datetime
    session: Connection
    origin: Origin
    at_commit: list[Callable[[], None]] = field(default_factory=list)
    outgoing: list[outbox.Message] = field(default_factory=list)

    @property
    def tenant_id(self) -> UUID:
        return self.tenant.id

    def within(self, permission: str, user_id: ColumnElement[UUID]) -> ColumnElement[bool]:
        """Return the condition that limits a query to the employees that this permission covers."""
        reach = self.grants.get(permission)
        if reach is Reach.ALL:
            return true()
        if reach is None or self.actor.user_id is None:
            return false()
        if reach is Reach.SELF:
            return user_id == self.actor.user_id
        team = func.team_of(self.tenant_id, self.actor.user_id, self.today())
        return user_id.in_(team.table_valued("user_id").render_derived().select())

    def reach(self, permission: str, column: str) -> tuple[str, dict[str, Any]]:
        """Return the same condition as text, to append to a WHERE clause of a .sql file, and its parameters."""
        reach = self.grants.get(permission)
        if reach is Reach.ALL:
            return "", {}
        if reach is None or self.actor.user_id is None:
            return " and false", {}
        if reach is Reach.SELF:
            return f" and {column} = :actor_user_id", {"actor_user_id": self.actor.user_id}
        return (
            f" and {column} in (select team_of(:tenant_id, :actor_user_id, :actor_today))",
            {"actor_user_id": self.actor.user_id, "actor_today": self.today()},
        )

    def reaches_all(self, permission: str) -> bool:
        """Return whether a permission covers all employees of the tenant."""
        return self.grants.get(permission) is Reach.ALL

    def advisory_lock(self, what: str) -> None:
        """Take the tenant's advisory lock of this name until the transaction ends; wait while another has it."""
        self.session.execute(
            text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": self.lock_name(what)}
        )

    def shared_advisory_lock(self, what: str) -> None:
        """Take the advisory lock of this name in share mode: many transactions may, while none has it exclusively."""
        self.session.execute(
            text("select pg_advisory_xact_lock_shared(hashtextextended(:name, 0))"), {"name": self.lock_name(what)}
        )

    def lock_name(self, what: str) -> str:
        """Return the name from which the key of a tenant's advisory lock is hashed."""
        return f"{self.tenant_id}/{what}"

    def send(self, queue: str, bodies: Sequence[dict[str, Any]]) -> None:
        """Write messages to the outbox; they are sent after the commit."""
        self.outgoing += outbox.put(self.session, tenant_id=self.tenant_id, queue=queue, bodies=bodies)

    def today(self) -> date:
        """Return the current calendar day in the tenant's time zone."""
        return clock.local_day(self.now, self.tenant.timezone)

    def yesterday(self) -> date:
        """Return the calendar day before today in the tenant's time zone."""
        return clock.yesterday(self.now, self.tenant.timezone)


def check(scope: Scope | PlatformScope, permission: str) -> None:
    """Check that the caller's role has a permission. Raises Forbidden."""
    if permission not in scope.grants:
        raise Forbidden(f"The role {scope.actor.role} may not do this (it needs {permission}).")
