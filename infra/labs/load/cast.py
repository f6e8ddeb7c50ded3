"""Create tenants with employees, a month of attendance and sellers, through the API of a running stack."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any
from unittest import mock
from uuid import uuid4

from infra.labs.drills import company, surroundings
from infra.labs.load.calls import FIRST, LAST, MONTH, Tenant
from infra.local.stack import Stack


def create_tenants(stack: Stack, number: int, *, people: int, per_minute: int | None = None) -> list[Tenant]:
    """Create tenants, with a rate limit of their own if `per_minute` is given."""
    settings = dict(line.split("=", 1) for line in (stack.home / "stack.env").read_text().splitlines())
    with mock.patch.dict(os.environ):
        surroundings.use(settings["APPLICATION_DATABASE_URL"])
        try:
            companies = [company.create_company(f"load-{uuid4().hex[:12]}") for _ in range(number)]
        finally:
            surroundings.leave()
    for created in companies if per_minute is not None else ():
        body = {"requests_per_minute": per_minute}
        _call(stack, stack.keys["platform_admin"], "PATCH", f"/tenants/{created.id}", body)
    return [_fill(stack, place, created.hr.key, people) for place, created in enumerate(companies)]


def _fill(stack: Stack, number: int, key: str, people: int) -> Tenant:
    rows = [
        {
            "name": f"Person {nth:03}",
            "employee_no": f"L{nth:03}",
            "joined_on": "2025-12-01",
            "salary_amount": "500.00",
            "salary_frequency": "daily",
        }
        for nth in range(people)
    ]
    _call(stack, key, "POST", "/users/import", rows)
    users = _call(stack, key, "GET", "/users?limit=200")["items"]
    days = [f"{MONTH}-{day:02}" for day in range(FIRST, LAST + 1)]
    facts = [{"employee_no": row["employee_no"], "date": day, "status": "present"} for row in rows for day in days]
    _call(stack, key, "POST", "/attendance/import", facts)
    _call(stack, key, "POST", f"/pay-register/{MONTH}/sync", {})
    sellers = [_call(stack, key, "POST", "/sales/user", {"name": f"Seller {nth}"})["id"] for nth in range(people // 4)]
    return Tenant(number, key, tuple(one["id"] for one in users), tuple(sellers))


def _call(stack: Stack, key: str, method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(  # noqa: S310  # our own http address
        f"{stack.url}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"X-API-Key": key, "Content-Type": "application/json"},
    )
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            if refused.code != HTTPStatus.TOO_MANY_REQUESTS:
                raise
            time.sleep(int(refused.headers["Retry-After"]))
