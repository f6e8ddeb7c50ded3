"""Acme in January 2026: Friday and Saturday off, Rahim reports to Boss, and it is Sunday the 4th, noon in Dhaka."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from chalicelib.backing import clock
from chalicelib.identity.permissions import Role
from tests.support.api import Api
from tests.support.cast import Cast, key, tenant
from tests.support.people import employee, sql

NOW = datetime(2026, 1, 4, 6, tzinfo=UTC)
BUCKETS = ("allocated", "carried", "used", "pending", "lapsed", "encashed", "transferred", "remaining")


@dataclass
class Office:
    """A company with two people, and what its HR does every week."""

    cast: Cast
    boss_id: UUID
    rahim_id: UUID
    boss: Api
    rahim: Api
    types: dict[str, str] = field(default_factory=dict)

    def leave_type(self, name: str = "Annual", **said: Any) -> str:
        """Make a leave type and give its id."""
        self.types[name] = self.cast.hr.ok("POST", "/leave-types", {"name": name, **said})["id"]
        return self.types[name]

    def allocate(
        self,
        days: float = 20,
        *,
        of: str = "Annual",
        start: str = "2026-01-01",
        user_id: UUID | None = None,
        **said: Any,
    ) -> dict[str, Any]:
        """Return Rahim, or somebody else, days of a leave type, which is made if missing."""
        type_id = self.types.get(of) or self.leave_type(of)
        body = {
            "user_id": str(user_id or self.rahim_id),
            "leave_type_id": type_id,
            "cycle_start_date": start,
            "allocated_days": days,
            **said,
        }
        found: dict[str, Any] = self.cast.hr.ok("POST", "/leave-allocations", body)
        return found

    def body(self, first: str, last: str | None = None, *, of: str = "Annual", **said: Any) -> dict[str, Any]:
        """Write a request's body: one day if only the first is said."""
        type_id = self.types.get(of) or self.leave_type(of)
        return {"leave_type_id": type_id, "start_date": first, "end_date": last or first, **said}

    def ask(self, first: str, last: str | None = None, *, of: str = "Annual", **said: Any) -> dict[str, Any]:
        """Ask for leave as Rahim, and must be taken."""
        found: dict[str, Any] = self.rahim.ok("POST", "/leave-requests", self.body(first, last, of=of, **said))
        return found

    def decide(self, request: dict[str, Any], status: str = "approved", by: Api | None = None) -> dict[str, Any]:
        """Decide a request as Boss, and must be taken."""
        found: dict[str, Any] = (by or self.boss).ok("PATCH", f"/leave-requests/{request['id']}", {"status": status})
        return found

    def balances(
        self, on: str | None = None, *, known_at: str | None = None, user_id: UUID | None = None
    ) -> list[dict[str, float]]:
        """Return the buckets, those that are not empty, of each allocation that days may be taken from."""
        query = "&".join(f"{name}={day}" for name, day in (("on", on), ("known_at", known_at)) if day)
        found = self.cast.hr.ok("GET", f"/users/{user_id or self.rahim_id}/leave-balances?{query}")["items"]
        return [{name: one[name] for name in BUCKETS if one[name]} for one in found if not one["is_over"]]

    def register(self, month: str = "2026-01") -> str:
        """Compute a month and give Rahim's halves, two letters a day."""
        self.cast.hr.ok("POST", f"/pay-register/{month}/sync", {"user_ids": [str(self.rahim_id)]})
        found = self.cast.hr.ok("GET", f"/pay-register/{month}?view=codes")["items"]
        return str(next(one["halves"] for one in found if one["user"]["id"] == str(self.rahim_id)))

    def told(self, user_id: UUID) -> list[str]:
        """Return what a person was told in the app, oldest first."""
        rows = sql(
            self.cast,
            "select kind from notification_logs where user_id = :user_id and channel = 'in_app' order by id",
            user_id=user_id,
        )
        return [row.kind for row in rows]

    def audited(self) -> list[str]:
        """Return what was written into the audit chain, oldest first."""
        return [row.action for row in sql(self.cast, "select action from audit_logs order by seq")]


@pytest.fixture(name="now")
def _now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return NOW


@pytest.fixture(name="office")
def _office(now: datetime) -> Office:
    return open_office()


def open_office(**settings: Any) -> Office:
    """Make the company."""
    cast = tenant("Acme", **settings)
    boss_id = employee(cast, name="Boss", employee_no="E-1")
    rahim_id = employee(cast, name="Rahim", employee_no="E-2", manager_id=boss_id, joined_on=date(2025, 1, 1))
    return Office(cast, boss_id, rahim_id, key(cast.id, Role.MANAGER, boss_id), key(cast.id, Role.EMPLOYEE, rahim_id))


def day(month: str, halves: str, date_: str) -> str:
    """Cut one day out of a month's halves."""
    assert date_.startswith(month)
    number = int(date_[8:])
    return halves[2 * number - 2 : 2 * number]
