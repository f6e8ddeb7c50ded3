"""Scope: the value that says for which tenant, by whom, with which permissions and when. Minted by the doors only."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, false, func, text, true

from chalicelib.backing import clock, outbox
from chalicelib.identity.permissions import Reach, Role
from chalicelib.kernel.errors import Forbidden
from chalicelib.kernel.period import Period, month_containing, period_of
from chalicelib.kernel.policy import PayPolicy


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
    def of(cls, row: Row[Any]) -> "Tenant":
        """Read a tenant from a row that has its columns under the names `tenants` gives them."""
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
    """Who is acting: a member, a key, a job or an operator.

    `id` stands in records: their person where they have one, else the member, the key's maker or the key itself.
    `hands` are all ids under which the same person may stand in records: a person with two keys, or with a key and a
    login, is one person, and a key acts for whoever made it too. Jobs, schedules and operators are nobody's hand:
    their `id` is None and their `hands` are empty.
    """

    name: str
    role: Role
    user_id: UUID | None = None
    id: UUID | None = None
    all_ids: frozenset[UUID] = frozenset()

    def is_any_of(self, ids: Iterable[UUID] | None) -> bool:
        """Tell whether this actor is one of the people that `ids` record."""
        return not self.all_ids.isdisjoint(ids or ())


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a unit of work came from, for logs and audit."""

    request_id: str
    ip: str | None = None
    agent: str | None = None


@dataclass(slots=True)
class PlatformScope:
    """What a platform admin is handed: no tenant, and a session that sees none of their data."""

    actor: Actor
    grants: Mapping[str, Reach]
    now: datetime
    session: Connection
    origin: Origin
    at_commit: list[Callable[[], None]] = field(default_factory=list)
    outgoing: list[outbox.Message] = field(default_factory=list)


@dataclass(slots=True)
class Scope:
    """What every tenant-bound function is handed first."""

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
        """Return the condition that keeps a query to the people this permission reaches."""
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
        """Return the same condition for a statement kept as text, to be added after another, and its values."""
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
        """Return whether a permission covers everybody of the tenant."""
        return self.grants.get(permission) is Reach.ALL

    def advisory_lock(self, what: str) -> None:
        """Wait until no other transaction of the tenant is past this point, and stay alone there."""
        self.session.execute(
            text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": self.lock_name(what)}
        )

    def shared_advisory_lock(self, what: str) -> None:
        """Wait until no transaction of the tenant is `alone` here, and keep others from being it; many may share."""
        self.session.execute(
            text("select pg_advisory_xact_lock_shared(hashtextextended(:name, 0))"), {"name": self.lock_name(what)}
        )

    def lock_name(self, what: str) -> str:
        """Return the name that an advisory lock of the tenant is hashed from."""
        return f"{self.tenant_id}/{what}"

    def send(self, queue: str, bodies: Sequence[dict[str, Any]]) -> None:
        """Write messages that leave after the commit."""
        self.outgoing += outbox.put(self.session, tenant_id=self.tenant_id, queue=queue, bodies=bodies)

    def today(self) -> date:
        """Return the calendar day of this moment in the tenant's time zone."""
        return clock.local_day(self.now, self.tenant.timezone)

    def yesterday(self) -> date:
        """Return the last day that is over in the tenant's time zone."""
        return clock.yesterday(self.now, self.tenant.timezone)


def check(scope: Scope | PlatformScope, permission: str) -> None:
    """Refuse a caller whose role lacks a permission."""
    if permission not in scope.grants:
        raise Forbidden(f"The role {scope.actor.role} may not do this (it needs {permission}).")
