"""The data: a month of facts of tenants of very uneven size, made by the database and loaded with COPY."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql

from infra.local import postgres
from migrations.setup import Urls, prepare, upgrade

FACTS = sorted((Path(__file__).parent / "facts").glob("*.sql"))
PASSWORDS = {"wagebook_app": "app", "wagebook_migrator": "migrator"}
# Loading alone is done without a log of changes; the server is started anew, as in production, for the measuring.
LOADING = {"wal_level": "minimal", "max_wal_senders": "0", "maintenance_work_mem": "256MB", "max_wal_size": "4GB"}
STEPS = len(FACTS) + 2


Step = Callable[[str], None]  # is told what a long run is about to do


def _quietly(_what: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """A running server with the facts: where the application and the superuser log in, and how many rows it has."""

    urls: Urls
    admin_url: str
    employees: int
    rows: dict[str, int]


@contextmanager
def loaded(
    employees: int, *, facts: Sequence[Path] = FACTS, tenants: int | None = None, step: Step = _quietly
) -> Iterator[Loaded]:
    """Run a fresh server with the facts of so many employees, in a folder of its own that goes away."""
    with TemporaryDirectory(prefix="wagebook-bench-") as folder:
        home = Path(folder)
        with postgres.running(home, durable=False, settings=LOADING) as server:
            urls = prepare(server.admin_url, PASSWORDS)
            upgrade(urls.migrator)
            rows = fill(_inside(server.admin_url), employees, facts, folder=home, tenants=tenants, step=step)
        with postgres.running(home) as server:
            port = f":{server.port}/"
            urls = Urls(*(re.sub(r":\d+/", port, url) for url in (urls.application, urls.migrator)))
            yield Loaded(urls, _inside(server.admin_url), employees, rows)


def tenants_of(employees: int) -> int:
    """Return the number of tenants: 200 of them have 100,000 employees, and more have more."""
    return max(8, employees // 500)


def fill(
    admin_url: str,
    employees: int,
    facts: Sequence[Path],
    *,
    folder: Path,
    tenants: int | None = None,
    step: Step = _quietly,
) -> dict[str, int]:
    """Make and load the facts, table by table, and give the number of rows of each."""
    rows: dict[str, int] = {}
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("set session_replication_role = replica")  # the references are right by construction
        for file in facts:
            table = file.stem[3:]
            step(f"making {table}")
            query = file.read_text()
            if table == "plan":
                admin.execute(_sized(query, employees, tenants or tenants_of(employees)).encode())
            else:
                rows[table] = _load(admin, table, query, folder)
        step("vacuum")
        admin.execute("vacuum (analyze)")
        step("checkpoint")
        admin.execute("checkpoint")
    return rows


def _load(admin: psycopg.Connection, table: str, query: str, folder: Path) -> int:
    file = sql.Literal(str(folder / "rows"))
    described = admin.execute(f"select * from ({query}) q limit 0".encode()).description or []
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in described)
    admin.execute(sql.SQL("copy ({}) to {} (format binary)").format(sql.SQL(query), file))
    with admin.transaction():
        admin.execute(sql.SQL("truncate {} cascade").format(sql.Identifier(table)))  # so that COPY needs no log
        loaded = admin.execute(
            sql.SQL("copy {} ({}) from {} (format binary, freeze)").format(sql.Identifier(table), columns, file)
        )
    return loaded.rowcount


def _sized(query: str, employees: int, tenants: int) -> str:
    return query.replace(":employees", str(employees)).replace(":tenants", str(tenants))


def _inside(admin_url: str) -> str:
    return admin_url.rpartition("/")[0] + "/wagebook"
