"""The data: a month of pending sales after a month that is paid; each run works on a copy."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from infra.labs.bench import data
from infra.labs.bench.data import Loaded, ReportStep

SALES_EACH = 10
COMMON = ("00_plan", "01_tenants", "02_users")  # who there is, as for the register
FACTS = [
    *(file for file in data.FACTS if file.stem in COMMON),
    *sorted((Path(__file__).parent / "facts").glob("*.sql")),
]
STEPS = len(FACTS) + 2
_numbers = count(1)
TOUCHED = "ledger_entries, ledger_accounts, pending_sales, sale_decisions, payouts, payout_events, outbox"


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the server, with its addresses for the application and the superuser."""

    name: str
    url: str
    admin_url: str

    def admin(self, *statements: str) -> None:
        """Run statements as the superuser."""
        with psycopg.connect(self.admin_url, autocommit=True) as session:
            for statement in statements:
                session.execute(statement.encode())

    def settle_down(self) -> None:
        """Vacuum as autovacuum would soon, and end all sessions, so that the database can be copied."""
        self.admin(
            f"vacuum (analyze) {TOUCHED}",
            "checkpoint",
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()",
        )


def loaded(people: int, *, step: ReportStep) -> AbstractContextManager[Loaded]:
    """Run a new server with ten pending sales for each of so many employees."""
    return data.loaded(people, facts=FACTS, step=step)


@contextmanager
def copied(server: Loaded, *, of: str = "wagebook") -> Iterator[Database]:
    """Yield a copy of a database, so that every run begins with the same files; drop it afterwards."""
    home, name = _named(server.admin_url, "postgres"), f"copy_{next(_numbers)}"
    copy = sql.SQL("create database {} owner wagebook_owner template {} strategy file_copy")
    with psycopg.connect(home, autocommit=True) as admin:
        admin.execute(copy.format(sql.Identifier(name), sql.Identifier(of)))
    try:
        yield Database(name, _named(server.urls.application, name), _named(server.admin_url, name))
    finally:
        with psycopg.connect(home, autocommit=True) as admin:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _named(url: str, database: str) -> str:
    return f"{url.rpartition('/')[0]}/{database}"
