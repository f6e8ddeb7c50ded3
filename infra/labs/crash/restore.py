"""A restore of the database to some minutes ago, and the operators' steps after it: payouts off, match, payouts on."""

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
from infra.labs.crash.simulation import AcknowledgedWrites, Simulation

BACK = timedelta(minutes=10)
KEPT = ("tenants", "users", "api_keys")  # not changed during a run
Rows = dict[str, list[Any]]


class Backup:
    """The tenant's rows at a moment, and the writes acknowledged by then."""

    def __init__(self, simulation: Simulation) -> None:
        self.at: datetime = simulation.hub.now
        self.acknowledged: AcknowledgedWrites = copy.deepcopy(simulation.acknowledged)
        self.rows: Rows = {}
        with simulation.world.admin.transaction():
            simulation.world.admin.execute("set transaction isolation level repeatable read")
            for table in simulation.world.tables:
                if table not in KEPT:
                    rows = simulation.world.rows(
                        f"select to_jsonb(t) as row from {table} t where tenant_id = %s", simulation.tenant.id
                    )
                    self.rows[table] = [row["row"] for row in rows]


def between(simulation: Simulation) -> None:
    """Between two turns: take the backup when it is due, and let time pass."""
    if simulation.backs_up_at is not None and simulation.hub.now >= simulation.backs_up_at:
        simulation.backs_up_at = None
        simulation.backup = Backup(simulation)
        simulation.hub.note("backup")
    simulation.between()


def restore(simulation: Simulation) -> None:
    """Restore the tenant's rows; queues, provider and operator keep their state."""
    backup = simulation.backup
    if backup is None:
        return
    simulation.hub.count(Crash.RESTORED)
    engine().dispose()  # all processes are restarted
    simulation.world.end_connections()
    admin = simulation.world.admin
    with admin.transaction():
        admin.execute("set local session_replication_role = replica")
        for table, rows in backup.rows.items():
            admin.execute(f"delete from {table} where tenant_id = %s".encode(), [simulation.tenant.id])
            if rows:
                columns = ", ".join(_columns(simulation, table))
                admin.execute(
                    f"insert into {table} ({columns}) overriding system value"
                    f" select {columns} from jsonb_populate_recordset(null::{table}, %s)".encode(),
                    [Jsonb(rows)],
                )
    simulation.acknowledged = backup.acknowledged
    simulation.is_off = True


def match(simulation: Simulation) -> None:
    """Match the provider's list, once nothing can be in flight, and switch payouts on again."""
    if simulation.backup is None:
        return
    with job_scope(simulation.tenant.id, name="operator", now=simulation.hub.now, origin=Origin("match")) as scope:
        for one in matching_actions.match(scope, since=simulation.backup.at - BACK):
            simulation.hub.note(f"match: {one.amount} {one.currency} {one.was} {one.outcome} {one.problem or ''}")
        for last in scope.at_commit:
            last()
    simulation.is_off = False


def _columns(simulation: Simulation, table: str) -> list[str]:
    """Return the columns of a table that can be inserted."""
    rows = simulation.world.rows(
        "select attname as name from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
        " and attgenerated = '' order by attnum",
        table,
    )
    return [row["name"] for row in rows]
