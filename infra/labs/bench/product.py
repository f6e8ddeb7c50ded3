"""The product under measurement: its own functions, as the plain application role, chunk by chunk."""

import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from chalicelib.backing.database import engine
from chalicelib.backing.log import logger
from chalicelib.backing.settings import settings
from chalicelib.features.balances import actions as balances
from chalicelib.features.pay_register.projection import project
from chalicelib.features.periods.windows import EmployeeFilter, window_of
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin

MONTH, AS_OF = "2026-01", date(2026, 1, 31)
NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
ORIGIN = Origin("bench")
CHUNK_EMPLOYEES = 5000


@dataclass(frozen=True, slots=True)
class Chunk:
    """Employees of one tenant, by a range of ids; computed in one transaction."""

    tenant_id: UUID
    first: UUID
    last: UUID
    employees: int


@dataclass(frozen=True, slots=True)
class Run:
    """A computation of chunks: its times, and the seconds of the balances' statement."""

    employees: int
    changed: int
    began: float
    ended: float
    balances: float
    peak_mb: float

    @property
    def register(self) -> float:
        return self.ended - self.began - self.balances


def use(url: str) -> None:
    """Point the product at a database, and close its connections to the former one."""
    if engine.cache_info().currsize:
        leave()
    os.environ["APPLICATION_DATABASE_URL"] = url
    os.environ["WAGEBOOK_HOME"] = "/nonexistent"
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    logger.setLevel("ERROR")
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    settings.cache_clear()
    engine.cache_clear()


def leave() -> None:
    """Close the product's connections."""
    engine().dispose()


def chunks(admin_url: str, size: int = CHUNK_EMPLOYEES) -> list[Chunk]:
    """Split all tenants into chunks, as the product's jobs do."""
    with psycopg.connect(admin_url) as admin:
        rows = admin.execute(
            "select tenant_id, min(user_id::text)::uuid, max(user_id::text)::uuid, count(*) from ("
            " select tenant_id, user_id,"
            "  (row_number() over (partition by tenant_id order by user_id) - 1) / %s as chunk"
            " from employments) numbered group by tenant_id, chunk order by 1, 2",
            [size],
        ).fetchall()
    return [Chunk(*row) for row in rows]


def compute(chunks_to_compute: Sequence[Chunk], done: Callable[[int], None] = lambda employees: None) -> Run:
    """Compute registers and balances of chunks; the balances' statement is timed by itself."""
    changed, began = 0, time.monotonic()
    with _timed_balances() as took:
        for chunk in chunks_to_compute:
            with job_scope(chunk.tenant_id, name="bench", now=NOW, origin=ORIGIN) as scope:
                employee_filter = EmployeeFilter.range(chunk.first, chunk.last)
                changed += project(scope, window=window_of(scope, MONTH), employee_filter=employee_filter, as_of=AS_OF)
            done(chunk.employees)
    ended = time.monotonic()
    return Run(sum(c.employees for c in chunks_to_compute), changed, began, ended, sum(took), peak_mb())


def compute_one(tenant_id: UUID, user_id: UUID) -> None:
    """Compute one employee in one transaction."""
    with job_scope(tenant_id, name="bench", now=NOW, origin=ORIGIN) as scope:
        project(scope, window=window_of(scope, MONTH), employee_filter=EmployeeFilter.one(user_id), as_of=AS_OF)


def peak_mb() -> float:
    """Return this process's peak memory in megabytes."""
    # Linux hands getrusage's peak on from the parent to the program it starts; this one is the process's own
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024  # macOS counts in bytes


@contextmanager
def _timed_balances() -> Iterator[list[float]]:
    """Yield a list that collects the seconds of each balances' statement."""
    earn, took = balances.earn, []

    def timed(*scope: Any, **which: Any) -> int:
        began = time.monotonic()
        changed = earn(*scope, **which)
        took.append(time.monotonic() - began)
        return changed

    balances.earn = timed
    try:
        yield took
    finally:
        balances.earn = earn
