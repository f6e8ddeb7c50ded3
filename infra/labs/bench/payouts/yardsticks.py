"""Yardsticks: the least time for the same rows, and the rate of the simplest transactions (pgbench)."""

import os
import re
import subprocess
import time
from dataclasses import dataclass

import psycopg
from psycopg.conninfo import conninfo_to_dict

from infra.labs.bench.data import Loaded
from infra.labs.bench.payouts.data import Database, copied
from infra.local import binaries

# Table -> the rows that a run wrote, found by its ledger lines
WRITTEN = {
    "ledger_entries": "select * from ledger_entries where number > {after} and number <= {through} order by number",
    "payouts": """select p.* from payouts p
        join bench.made_ledger_entries e on e.tenant_id = p.tenant_id and e.subject_id = p.id and e.event = 'payout'
        order by p.id""",
    "payout_events": """select e.* from payout_events e
        join bench.made_payouts p on p.tenant_id = e.tenant_id and p.id = e.payout_id order by e.number""",
    "outbox": """select o.* from outbox o
        join bench.made_payouts p on p.tenant_id = o.tenant_id and p.id = (o.body ->> 'payout_id')::uuid
        order by o.id""",
    "sale_decisions": """select * from sale_decisions d where exists (
            select from bench.made_ledger_entries e
            where e.tenant_id = d.tenant_id and e.subject_id = d.sale_id and e.event = 'approve')
        order by sale_id""",
}
NEW_SALES = {
    "sales": "select * from sales where external_id like 'N%' order by id",
    "pending_sales": "select p.* from pending_sales p join bench.made_sales s on s.id = p.sale_id order by s.id",
}


@dataclass(frozen=True, slots=True)
class Bound:
    """The least that a run can cost: seconds of writing the same rows, and their number."""

    seconds: float
    rows: int


def last_number(database: Database) -> int:
    """Return the number of the latest ledger line."""
    with psycopg.connect(database.admin_url) as admin:
        number: int = admin.execute("select max(number) from ledger_entries").fetchall()[0][0]
    return number


def bound(
    database: Database, written: dict[str, str], *, after: int = 0, through: int = 0, moves: bool = True
) -> Bound:
    """Write the rows that a run has written once more, in one transaction, and change and delete as it did.

    They are found by the numbers of their ledger lines, and go into tables with the same columns and indexes and
    nothing else: no policies, references or triggers. `moves`: each person's two balances change once, and the sales
    that were decided leave a list.
    """
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        rows = 0
        for table, query in written.items():
            rows_written = query.format(after=after, through=through)
            admin.execute(f"create unlogged table bench.made_{table} as {rows_written}".encode())
            rows += admin.execute(f"select count(*) from bench.made_{table}".encode()).fetchall()[0][0]
            _copy_shape(admin, table)
        if moves:
            _copy_shape(admin, "ledger_accounts")
            admin.execute("insert into bench.copied_ledger_accounts select * from ledger_accounts")
            admin.execute(
                "create table bench.leaving as select s.tenant_id, s.id as sale_id, s.user_id from sales s"
                " join bench.made_sale_decisions d on s.tenant_id = d.tenant_id and s.id = d.sale_id order by s.id"
            )
            admin.execute("alter table bench.leaving add primary key (tenant_id, sale_id)")
            admin.execute("create index on bench.leaving (tenant_id, user_id, sale_id)")
        admin.execute("vacuum (analyze)")
        admin.execute("checkpoint")
        admin.execute("set max_parallel_workers_per_gather = 0")
        began = time.monotonic()
        with admin.transaction():
            for table in written:
                admin.execute(f"insert into bench.copied_{table} select * from bench.made_{table}".encode())
            if moves:
                admin.execute("update bench.copied_ledger_accounts set balance = balance + 1 where user_id is not null")
                admin.execute("delete from bench.leaving")
        took = time.monotonic() - began
        for table in written:
            admin.execute(f"drop table bench.made_{table}, bench.copied_{table}".encode())
        admin.execute("drop table if exists bench.copied_ledger_accounts, bench.leaving")
    return Bound(took, rows)


def _copy_shape(admin: psycopg.Connection, table: str) -> None:
    admin.execute(f"create table bench.copied_{table} (like public.{table} including indexes)".encode())


def simple_updates(server: Loaded, *, seconds: int) -> float:
    """Count transactions per second of pgbench's simple-update on the same server: one client, prepared."""
    with copied(server, of="template0") as database:
        _pgbench(database, "--initialize", "--scale=10", "--quiet")
        output = _pgbench(
            database, "--builtin=simple-update", "--client=1", "--protocol=prepared", "--no-vacuum", f"--time={seconds}"
        )
    return float(re.findall(r"tps = ([\d.]+)", output)[0])


def _pgbench(database: Database, *options: str) -> str:
    parts = conninfo_to_dict(database.admin_url)
    where = [f"--host={parts['host']}", f"--port={parts['port']}", f"--username={parts['user']}", str(parts["dbname"])]
    done = subprocess.run(
        [str(binaries.find(None) / "pgbench"), *options, *where],
        env={**os.environ, "PGPASSWORD": str(parts["password"])},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
