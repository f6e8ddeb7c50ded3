"""One nightly job of all tenants, as the queue's consumer does it: a message each, and one per chunk of a large one."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import psycopg

from chalicelib.backing.outbox import Message
from chalicelib.entry.messages import process_message
from chalicelib.entry.registry import CONSUMERS
from chalicelib.features.leave.expiry import nightly_job
from chalicelib.identity.callers import job_scope
from chalicelib.jobs import progress
from infra.labs.bench import product
from infra.labs.bench.product import ORIGIN

WARNS, EXPIRES = date(2026, 1, 1), date(2026, 2, 1)  # the dates on which everyone is warned, and everything expires
NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class NightlyRun:
    """A nightly job's seconds, and the number of rows of each kind after it."""

    seconds: float
    rows: dict[str, int]


def run(url: str, admin_url: str, as_of: date) -> NightlyRun:
    """Run the nightly job of all tenants in one worker."""
    with psycopg.connect(admin_url) as admin:
        tenant_ids = [row[0] for row in admin.execute("select id from tenants order by id").fetchall()]
    product.use(url)
    began = time.perf_counter()
    for tenant_id in tenant_ids:
        waiting = [_request(tenant_id, as_of)]
        while waiting:
            left: list[Message] = []
            process_message(
                CONSUMERS[nightly_job.QUEUE].function, waiting.pop(), name="queue", origin=ORIGIN, send=left.extend
            )
            waiting += [{**one.body, "tenant_id": str(one.tenant_id)} for one in left if one.queue == nightly_job.QUEUE]
    seconds = time.perf_counter() - began
    product.leave()
    with psycopg.connect(admin_url) as admin:
        counts = admin.execute(COUNTS).fetchall()
    return NightlyRun(seconds, dict(counts))


def _request(tenant_id: UUID, as_of: date) -> dict[str, Any]:
    with job_scope(tenant_id, name="bench", now=NOW, origin=ORIGIN) as scope:
        job_id = progress.create(scope, kind=nightly_job.JOB.kind, parameters={"as_of": as_of})
    return {"tenant_id": str(tenant_id), "job_id": str(job_id), "as_of": as_of.isoformat()}


COUNTS = """
    select 'entries', count(*) from leave_entries where cause like 'expiry/%' or bucket = 'carried'
    union all select 'adjustments', count(*) from payroll_adjustments
    union all select 'warnings', count(*) from leave_warnings where is_told
    union all select 'notices', count(*) from notification_logs
    union all select 'cycles made', count(*) from leave_allocations where cycle_start_on = '2026-02-01'"""
