"""The laboratory's database with its simulated clock, and the product connected to it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import event
from sqlalchemy.engine import make_url

from chalicelib.backing.database import statement
from infra.labs.crash.connection import LabConnection
from infra.local import events
from migrations.setup import Urls, create_database, prepare, upgrade

PASSWORDS = {"wagebook_app": "app", "wagebook_migrator": "migrator"}
TEMPLATE = "wagebook_crash_template"

CLOCK = statement(__file__, "clock")

# Rows of these must never change for a tenant that takes no part in a run.
WATCHED = (
    "tenants",
    "users",
    "sales",
    "pending_sales",
    "sale_decisions",
    "ledger_accounts",
    "ledger_entries",
    "payouts",
    "payout_events",
    "jobs",
    "job_chunks",
    "audit_logs",
)


@dataclass
class World:
    """A database to run simulations in, one after the other, and the product's entry points."""

    admin: psycopg.Connection[dict[str, Any]]
    database: str
    urls: Urls
    consumers: Mapping[str, events.Consumer]
    schedules: Mapping[str, events.Schedule]
    tables: Sequence[str]  # with a tenant's rows
    other_tenant_id: UUID | None = None
    other_tenant_digest: str = ""

    def set_clock(self, now: datetime) -> None:
        """Set the database's clock."""
        microseconds = round(now.timestamp() * 1_000_000)
        self.admin.execute(f"select setval('lab.microseconds', {microseconds})".encode(), prepare=True)

    def is_blocked(self, connection: LabConnection) -> bool:
        """Return whether a connection waits for a lock of another one."""
        row = self.admin.execute(
            "select cardinality(pg_blocking_pids(%s)) > 0 as is_blocked", [connection.info.backend_pid], prepare=True
        ).fetchone()
        assert row is not None
        return bool(row["is_blocked"])

    def is_blocked_by(self, connection: LabConnection, other: LabConnection) -> bool:
        """Return whether a connection waits for a lock of this other one."""
        pids = [connection.info.backend_pid, other.info.backend_pid]
        row = self.admin.execute(
            "select %s = any(pg_blocking_pids(%s)) as is_blocked", pids[::-1], prepare=True
        ).fetchone()
        assert row is not None
        return bool(row["is_blocked"])

    def end_connections(self) -> None:
        """Terminate every connection of the application at the server, as a crash of the server does."""
        LabConnection.finish_spare()
        self.admin.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where datname = current_database() and usename = 'wagebook_app'"
        )

    def end(self, connection: LabConnection) -> None:
        """Terminate one connection at the server, whatever it is doing."""
        self.admin.execute("select pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Read rows as the superuser, without row-level security."""
        return self.admin.execute(statement.encode(), values).fetchall()

    def digest_of(self, tenant_id: UUID) -> str:
        """Return a hash of all watched rows of a tenant."""
        parts = " union all ".join(
            f"select '{table}' || t::text as content from {table} t where"
            f" {'id' if table == 'tenants' else 'tenant_id'} = '{tenant_id}'"
            for table in WATCHED
        )
        return str(
            self.rows(f"select md5(coalesce(string_agg(content, '' order by content), '')) as sum from ({parts}) s")[0][
                "sum"
            ]
        )

    def forget(self, tenant_id: UUID) -> None:
        """Delete a tenant and all its rows, so that the next run starts from the same state."""
        deletes = "; ".join(f"delete from {table} where tenant_id = '{tenant_id}'" for table in self.tables)
        self.admin.execute(
            f"begin; set local session_replication_role = replica; {deletes};"
            f" delete from tenants where id = '{tenant_id}'; commit".encode()
        )


def make_template(admin_url: str) -> None:
    """Create the migrated database that others are cloned from."""
    upgrade(prepare(admin_url, PASSWORDS, database=TEMPLATE).migrator)


@contextmanager
def opened(admin_url: str, *, template: str = TEMPLATE) -> Iterator[World]:
    """Clone the template, install the clock, and connect the product to it until the end of the block."""
    if LabConnection.live or LabConnection.spare:
        raise RuntimeError("one laboratory at a time: the product has one engine, one clock and one set of queues")
    name = f"wagebook_crash_{uuid4().hex[:8]}"
    urls = Urls(*(_url_for(admin_url, name, role) for role in ("wagebook_app", "wagebook_migrator")))
    with psycopg.connect(admin_url, autocommit=True) as server:
        create_database(server, name, template=template)
        server.execute(
            f'alter role wagebook_app in database "{name}" set search_path = lab, pg_catalog, public'.encode()
        )
        # with a handful of rows, planning each call anew would only take time
        server.execute(
            f'alter role wagebook_app in database "{name}" set plan_cache_mode = force_generic_plan'.encode()
        )
        try:
            here = make_url(admin_url).set(database=name).render_as_string(hide_password=False)
            with psycopg.connect(here, autocommit=True, row_factory=dict_row) as admin:
                admin.execute("set statement_timeout = '60s'; set log_min_messages = panic")
                admin.execute(CLOCK.encode())
                tables = [
                    row["name"]
                    for row in admin.execute(
                        "select c.relname as name from pg_attribute a join pg_class c on c.oid = a.attrelid"
                        " where a.attname = 'tenant_id' and c.relkind = 'r' and c.relnamespace = 'public'::regnamespace"
                        " order by 1"
                    )
                ]
                with _product(urls) as (consumers, schedules):
                    yield World(admin, name, urls, consumers, schedules, tables)
        finally:
            server.execute(f'drop database "{name}" with (force)'.encode())


def _url_for(admin_url: str, database: str, role: str) -> str:
    url = make_url(admin_url).set(database=database, username=role, password=PASSWORDS[role])
    return url.render_as_string(hide_password=False)


@contextmanager
def _product(urls: Urls) -> Iterator[tuple[dict[str, events.Consumer], dict[str, events.Schedule]]]:
    """Point the product's settings, engine and queues at the laboratory, and yield its entry points."""
    environment = {
        "APPLICATION_DATABASE_URL": urls.application,
        "WAGEBOOK_HOME": "/nonexistent",  # runs must not find a developer's own stack
        "AWS_DEFAULT_REGION": "eu-central-1",
        "LOCAL_VAULT_KEY": "dGVzdHMgd3JhcCB0aGVpciBkYXRhIGtleXMgdGhpcyE=",  # of databases that are deleted
    }
    with mock.patch.dict(os.environ, environment):
        import app
        from chalicelib.backing import log, queues
        from chalicelib.backing.database import engine
        from chalicelib.backing.settings import settings

        level = log.logger.log_level
        log.logger.setLevel("CRITICAL")
        settings.cache_clear()
        engine.cache_clear()
        event.listen(engine(), "do_connect", _connect)
        prefix = queues.configured_name("")
        consumers = {one.queue.removeprefix(prefix): one for one in events.consumers_of(app.app)}
        schedules = {one.name: one for one in events.schedules_of(app.app)}
        try:
            quiet = logging.getLogger("psycopg")  # warns of interrupted exchanges
            with mock.patch.object(log, "_measure"), mock.patch.object(quiet, "disabled", True):
                yield consumers, schedules
        finally:
            log.logger.setLevel(level)
            engine().dispose()
            LabConnection.retire()
            LabConnection.finish_spare()
            settings.cache_clear()
            engine.cache_clear()


def _connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> LabConnection:
    return LabConnection.fresh(*arguments, **options)
