"""Yardsticks: the least time that the database needs, and a PL/pgSQL loop."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from infra.labs.bench.product import Chunk

SQL = Path(__file__).parent / "sql"
EMPLOYEE_FILTER = "tenant_id = %(tenant_id)s and user_id between %(first)s and %(last)s"
ALL_EMPLOYEES = "true"


@dataclass(frozen=True, slots=True)
class Bound:
    """The least that a bulk computation can cost: seconds of scan and COPY, chunk by chunk and in one go."""

    chunked: float
    at_once: float
    rows: int
    bytes_per_row: int


def bound(admin_url: str, url: str, chunks: Sequence[Chunk], *, table: str, scan: str, times: int) -> Bound:
    """Measure one scan-and-aggregate of the sources and a COPY of the result rows.

    The rows go, in binary, into a table with the same columns and the same primary key and nothing else. Chunk by chunk
    means as the product works: the application role, a transaction per chunk. In one go means as the owner, for whom
    there are no policies. No plan may use a second core.
    """
    copied = sql.Identifier("bench", f"copied_{table}")
    everybody = Chunk(chunks[0].tenant_id, chunks[0].first, chunks[0].last, sum(c.employees for c in chunks))
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("drop table if exists {}").format(copied))
        like = sql.SQL("create table {} (like {} including indexes)")
        admin.execute(like.format(copied, sql.Identifier("public", table)))
        admin.execute("grant usage on schema bench to wagebook_app")
        admin.execute(sql.SQL("grant insert on {} to wagebook_app").format(copied))
        rows = [_rows(admin, table, EMPLOYEE_FILTER, chunk) for chunk in chunks]
        all_rows, number = _rows(admin, table, ALL_EMPLOYEES, everybody)
        takes: dict[str, list[float]] = {"chunked": [], "at_once": []}
        for _ in range(times):
            with psycopg.connect(url, autocommit=True) as app:
                takes["chunked"].append(_take(admin, app, copied, scan, EMPLOYEE_FILTER, chunks, [r for r, _ in rows]))
            takes["at_once"].append(_take(admin, admin, copied, scan, ALL_EMPLOYEES, [everybody], [all_rows]))
        admin.execute(sql.SQL("drop table {}").format(copied))
    chunked, at_once = (sorted(some)[times // 2] for some in takes.values())
    return Bound(chunked, at_once, number, len(all_rows) // max(number, 1))


def by_loop(admin_url: str, url: str, chunks: Sequence[Chunk]) -> tuple[float, int]:
    """Return the seconds of the PL/pgSQL loop over these chunks, and its number of employees."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("drop table if exists bench.looped")
        admin.execute(
            "create table bench.looped (tenant_id uuid, user_id uuid, earned numeric, primary key (tenant_id, user_id))"
        )
        admin.execute((SQL / "earn_by_loop.sql").read_bytes())
        admin.execute("grant usage on schema bench to wagebook_app")
        admin.execute("grant select, insert, update on bench.looped to wagebook_app")
    done, began = 0, time.monotonic()
    with psycopg.connect(url, autocommit=True) as app:
        for chunk in chunks:
            with app.transaction():
                app.execute(f"set local app.tenant_id = '{chunk.tenant_id}'".encode())
                call = "select bench.earn_by_loop(%s, %s, %s)"
                done += app.execute(call, [chunk.tenant_id, chunk.first, chunk.last]).fetchall()[0][0]
    return time.monotonic() - began, done


def _take(
    admin: psycopg.Connection,
    session: psycopg.Connection,
    copied: sql.Identifier,
    scan: str,
    employee_filter: str,
    chunks: Sequence[Chunk],
    rows: Sequence[bytes],
) -> float:
    admin.execute(sql.SQL("truncate {}").format(copied))
    session.execute("set max_parallel_workers_per_gather = 0")
    query = (SQL / f"{scan}.sql").read_text().replace("{employees}", employee_filter).encode()
    into = sql.SQL("copy {} from stdin (format binary)").format(copied)
    began = time.monotonic()
    for chunk, data in zip(chunks, rows, strict=True):
        with session.transaction():
            session.execute(f"set local app.tenant_id = '{chunk.tenant_id}'".encode())
            session.execute(query, _values(chunk)).fetchall()
            with session.cursor().copy(into) as copy:
                copy.write(data)
    return time.monotonic() - began


def _rows(admin: psycopg.Connection, table: str, employee_filter: str, chunk: Chunk) -> tuple[bytes, int]:
    selection = f"select * from {table} where {employee_filter} order by tenant_id, month, user_id"
    query = f"copy ({selection}) to stdout (format binary)"
    cursor = admin.cursor()
    with cursor.copy(query.encode(), _values(chunk)) as out:
        rows = b"".join(bytes(part) for part in out)
    return rows, cursor.rowcount


def _values(chunk: Chunk) -> dict[str, object]:
    return {"tenant_id": chunk.tenant_id, "first": chunk.first, "last": chunk.last}
