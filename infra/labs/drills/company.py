"""A company for drills: a tenant with two callers, people with a month, and sellers. All of it through the API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.identity import keys
from chalicelib.identity.permissions import Role
from infra.labs.drills.steps import DrillFailure
from infra.local import lambda_events

MONTH = "2026-01"
DAILY = 500  # what a day of an employee is worth


@dataclass(frozen=True)
class Caller:
    """A caller with an API key."""

    key: str

    def ask(
        self,
        method: str,
        resource: str,
        body: Any = None,
        *,
        once: str | None = None,
        query: dict[str, str] | None = None,
        **values: str,
    ) -> tuple[int, Any]:
        """Make a call, and return its status and body; `once` is its Idempotency-Key."""
        import app

        headers = {"x-api-key": self.key, "content-type": "application/json"}
        if once is not None:
            headers["idempotency-key"] = once
        event = lambda_events.api_event(
            method,
            resource,
            values,
            body=None if body is None else json.dumps(body),
            headers=headers,
            query={name: [value] for name, value in (query or {}).items()},
        )
        answer = app.app(event, lambda_events.Context("api"))
        return int(answer["statusCode"]), json.loads(answer["body"]) if answer["body"] else None

    def ok(self, method: str, resource: str, body: Any = None, **more: Any) -> Any:
        """Make a call that must succeed, and return its body."""
        status, answer = self.ask(method, resource, body, **more)
        if status >= 300:
            raise DrillFailure(f"{method} {resource} was answered with {status} {answer}")
        return answer


@dataclass(frozen=True)
class Company:
    """A tenant and its callers: what one prepares, another approves (four eyes)."""

    id: UUID
    slug: str
    admin: Caller
    second: Caller  # an admin who has no part in sales and runs, and so may approve what is held
    hr: Caller

    def seller(self, name: str, behaviour: str = "accept") -> str:
        """Create a seller whose payouts the simulated provider treats by `behaviour`."""
        destination = {"kind": "simulated", "behaviour": behaviour}
        return str(self.admin.ok("POST", "/sales/user", {"name": name, "payout_destination": destination})["id"])

    def sale(self, user_id: str, external_id: str, earning: str) -> str:
        """Add a sale; repeated, it is the same sale."""
        body = {"user_id": user_id, "external_id": external_id, "earning": earning}
        return str(self.admin.ok("POST", "/sales", body)["id"])

    def approve(self, *sale_ids: str) -> dict[str, int]:
        """Approve sales, and return the counts of outcomes."""
        items = [{"sale_id": sale_id, "status": "approved"} for sale_id in sale_ids]
        return dict(self.admin.ok("POST", "/reconcile", {"items": items})["counts"])

    def run(self, kind: str) -> None:
        """Request a payout run, `advance` or `final`; payouts above the limit await the second admin's approval."""
        self.hr.ok("POST", f"/payouts/{kind}/run", once=str(uuid4()))

    def employees(self, number: int) -> dict[str, int]:
        """Create up to five employees paid by the day, present on 1, 2, 3, ... days of a working week.

        Return what each earns, by user id.
        """
        earns, rows = {}, []
        for nth in range(1, number + 1):
            created = self.admin.ok(
                "POST",
                "/users",
                {
                    "name": f"Employee {nth}",
                    "employment": {"employee_no": f"E{nth:03}", "joined_on": "2025-12-01"},
                    "salary": {"amount": f"{DAILY}.00", "frequency": "daily", "effective_from": "2025-12-01"},
                },
            )
            earns[str(created["id"])] = DAILY * nth
            rows += [
                {"employee_no": f"E{nth:03}", "date": f"{MONTH}-{11 + day:02}", "status": "present"}
                for day in range(nth)
            ]
        report = self.hr.ok("POST", "/attendance/import", rows)
        if report["errors"]:
            raise DrillFailure(f"attendance was not taken: {report['errors']}")
        return earns


def create_company(slug: str = "drill") -> Company:
    """Create the company: days off on Friday and Saturday, an advance of a tenth."""
    with transaction(role="wagebook_platform") as session:
        tenant_id = session.execute(
            text(
                "insert into tenants (slug, name, currency, timezone, weekend)"
                " values (:slug, 'Drill', 'BDT', 'Asia/Dhaka', '{5,6}') returning id"
            ),
            {"slug": slug},
        ).scalar_one()
    return Company(
        tenant_id,
        slug,
        _caller(tenant_id, Role.TENANT_ADMIN, "admin"),
        _caller(tenant_id, Role.TENANT_ADMIN, "second admin"),
        _caller(tenant_id, Role.HR, "HR"),
    )


def _caller(tenant_id: UUID, role: Role, name: str) -> Caller:
    secret = keys.make(tenant_id)
    with transaction(tenant_id=tenant_id) as session:
        session.execute(
            text(
                "insert into api_keys (tenant_id, name, role, hint, key_hash)"
                " values (:tenant_id, :name, :role, '', :hash)"
            ),
            {"tenant_id": tenant_id, "name": f"{name} of the drill", "role": role, "hash": keys.digest(secret)},
        )
    return Caller(secret)
