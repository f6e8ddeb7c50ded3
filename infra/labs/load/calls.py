"""The mix of a tenant's requests: pages of HR, balances of employees, attendance, and sales."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from uuid import uuid4

MONTH = "2026-01"
FIRST, LAST = 5, 28  # days of it that are written to


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant as callers know it: a key of HR, employees, and sellers."""

    number: int
    key: str
    people: tuple[str, ...]
    sellers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    who: int
    what: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None = None


class Calls:
    """The mix of one tenant: 7 reads to 3 writes, in the random order of a seed."""

    def __init__(self, tenant: Tenant, seed: int) -> None:
        self._tenant, self._random, self._name, self._number = tenant, Random(seed), uuid4().hex[:12], 0

    def next(self) -> Call:
        """Return the next call; each sale is a new one."""
        self._number += 1
        person, seller = self._random.choice(self._tenant.people), self._random.choice(self._tenant.sellers)
        day = f"{MONTH}-{self._random.randint(FIRST, LAST):02}"
        kinds: list[tuple[int, str, str, str, object]] = [
            (2, "grid", "GET", f"/pay-register/{MONTH}?view=codes&limit=50", None),
            (1, "balances", "GET", f"/balances/{MONTH}?limit=50", None),
            (2, "balance", "GET", f"/users/{seller}/balance", None),
            (1, "people", "GET", "/users?limit=50", None),
            (1, "sales", "GET", "/sales?limit=20", None),
            (
                1,
                "attendance",
                "PUT",
                f"/users/{person}/attendance/{day}",
                {"status": self._random.choice(("present", "half_day")), "reason": "load"},
            ),
            (
                2,
                "sale",
                "POST",
                "/sales",
                {"user_id": seller, "external_id": f"{self._name}-{self._number}", "earning": "40.00"},
            ),
        ]
        _, what, method, path, body = self._random.choices(kinds, [kind[0] for kind in kinds])[0]
        headers = {"X-API-Key": self._tenant.key}
        if body is None:
            return Call(self._tenant.number, what, method, path, headers)
        headers["Content-Type"] = "application/json"
        return Call(self._tenant.number, what, method, path, headers, json.dumps(body).encode())
