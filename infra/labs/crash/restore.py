"""A restore to some minutes ago, and what the operators do after it: payouts off, the provider's list matched, on."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from chalicelib.backing.database import engine
from chalicelib.features.payouts.matching import actions as matching_actions
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from infra.labs.crash.faults import Crash
from infra.labs.crash.story import Acknowledged, Story

BACK = timedelta(minutes=10)
KEPT = ("tenants", "users", "api_keys")  # nobody changes these in a story
Rows = dict[str, list[Any]]


class Backup:
    """The tenant's rows as they were at a moment, and what had been acknowledged by then."""

    def __init__(self, story: Story) -> None:
        self.at: datetime = story.hub.now
        self.said: Acknowledged = copy.deepcopy(story.said)
        self.rows: Rows = {}
        with story.world.admin.transaction():
            story.world.admin.execute("set transaction isolation level repeatable read")
            for table in story.world.tables:
                if table not in KEPT:
                    rows = story.world.rows(
                        f"select to_jsonb(t) as row from {table} t where tenant_id = %s", story.tenant.id
                    )
                    self.rows[table] = [row["row"] for row in rows]


def between(story: Story) -> None:
    """Time as in every story, and the moment of the backup in those that need one."""
    if story.backs_up_at is not None and story.hub.now >= story.backs_up_at:
        story.backs_up_at = None
        story.backup = Backup(story)
        story.hub.note("a moment to come back to")
    story.between()


def restore(story: Story) -> None:
    """Put the tenant's rows back, and everything else where it is: queues, provider, people's memory."""
    backup = story.backup
    if backup is None:
        return
    story.hub.count(Crash.RESTORED)
    engine().dispose()  # all processes are new ones
    story.world.end_connections()
    admin = story.world.admin
    with admin.transaction():
        admin.execute("set local session_replication_role = replica")
        for table, rows in backup.rows.items():
            admin.execute(f"delete from {table} where tenant_id = %s".encode(), [story.tenant.id])
            if rows:
                columns = ", ".join(_columns(story, table))
                admin.execute(
                    f"insert into {table} ({columns}) overriding system value"
                    f" select {columns} from jsonb_populate_recordset(null::{table}, %s)".encode(),
                    [Jsonb(rows)],
                )
    story.said = backup.said
    story.is_off = True


def match(story: Story) -> None:
    """Do what the handbook says: wait until nothing can be on the way, match the list, switch on again."""
    if story.backup is None:
        return
    with job_scope(story.tenant.id, name="operator", now=story.hub.now, origin=Origin("match")) as scope:
        for one in matching_actions.match(scope, since=story.backup.at - BACK):
            story.hub.note(f"match: {one.amount} {one.currency} {one.was} {one.outcome} {one.problem or ''}")
        for last in scope.at_commit:
            last()
    story.is_off = False


def _columns(story: Story, table: str) -> list[str]:
    rows = story.world.rows(
        "select attname as name from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
        " and attgenerated = '' order by attnum",
        table,
    )
    return [row["name"] for row in rows]
