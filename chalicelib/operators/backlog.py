"""The command `waiting`: unsent messages, nightly jobs that are overdue, and long transactions."""

from typing import Any
from uuid import UUID

import typer
from sqlalchemy import text

from chalicelib.backing import clock
from chalicelib.backing.database import transaction
from chalicelib.operators import scopes
from chalicelib.operators.terminal import AsJson, print_json, print_table

NIGHTLY_JOBS_DONE_BY = "04:00"  # local time of the tenant; the last nightly job begins at 03:00

# One row per tenant and queue with messages unsent a minute after their commit.
_UNSENT = text("""
    select o.tenant_id, o.queue, t.status, count(*) as messages, min(o.created_at) as oldest
    from outbox o join tenants t on t.id = o.tenant_id
    where o.sent_at is null and o.created_at < cast(:now as timestamptz) - interval '1 minute'
    group by o.tenant_id, o.queue, t.status order by oldest""")
# One row per active tenant and nightly job that other tenants have runs of, and this one none up to yesterday.
_OVERDUE_NIGHTLY_JOBS = text("""
    select t.id as tenant_id, k.kind, n.done_on
    from tenants t cross join (select distinct kind from nightly_runs) k
    left join nightly_runs n on n.tenant_id = t.id and n.kind = k.kind
    where t.status = 'active' and coalesce(n.done_on, '-infinity')
        < ((cast(:now as timestamptz) at time zone t.timezone) - cast(:done_by as interval))::date - 1
    order by n.done_on nulls first, k.kind""")
# One row per transaction of the application's own login older than :seconds. Statements have no values.
_SESSIONS = text("""
    select pid, state, coalesce(wait_event_type, '') as waits_for,
        round(extract(epoch from clock_timestamp() - xact_start))::int as seconds,
        coalesce(array_to_string(nullif(pg_blocking_pids(pid), '{}'), ' '), '') as behind,
        left(regexp_replace(query, '\\s+', ' ', 'g'), 100) as query
    from pg_stat_activity
    where usename = current_user and datname = current_database() and pid <> pg_backend_pid()
        and xact_start < clock_timestamp() - make_interval(secs => :seconds)
    order by xact_start""")


def waiting(as_json: AsJson = False) -> None:
    """List what waits: unsent messages, nights that are not done, transactions older than ten seconds.

    Example: waiting
    """
    slugs = {tenant.id: tenant.slug for tenant in scopes.get_tenants()}
    backlog = {name: [_name_tenant(row, slugs) for row in rows] for name, rows in load_backlog().items()}
    if as_json:
        print_json(backlog)
        return
    columns: tuple[str, ...] = ("tenant", "status", "queue", "messages", "oldest")
    print_table(backlog["unsent"], columns=columns, empty="Nothing is unsent.")
    print_table(backlog["nights"], columns=("tenant", "kind", "done_on"), empty="Every night is done.")
    columns = ("pid", "state", "seconds", "waits_for", "behind", "query")
    print_table(backlog["sessions"], columns=columns, empty="Nobody holds the database.")


def load_backlog(*, seconds: int = 10) -> dict[str, list[dict[str, Any]]]:
    """Load all three lists. The sweeper role sees the tenants of messages and no personal data."""
    with transaction(role="wagebook_sweeper") as session:
        unsent = session.execute(_UNSENT, {"now": clock.now()}).mappings().all()
        overdue = (
            session.execute(_OVERDUE_NIGHTLY_JOBS, {"now": clock.now(), "done_by": NIGHTLY_JOBS_DONE_BY})
            .mappings()
            .all()
        )
    with transaction() as session:
        sessions = session.execute(_SESSIONS, {"seconds": seconds}).mappings().all()
    return {
        name: [dict(row) for row in rows]
        for name, rows in (("unsent", unsent), ("nights", overdue), ("sessions", sessions))
    }


def add_to(app: typer.Typer) -> None:
    """Register the command `waiting`."""
    app.command("waiting")(waiting)


def _name_tenant(row: dict[str, Any], slugs: dict[UUID, str]) -> dict[str, Any]:
    """Replace a row's tenant id by the tenant's slug."""
    tenant = row.pop("tenant_id", None)
    return {"tenant": slugs.get(tenant, str(tenant)), **row} if tenant else row
