"""PostgreSQL: one pool, one transaction per request or message, begun for one tenant in one round trip.

The driver runs in autocommit, so that `BEGIN` and the tenant travel together and nothing else is sent on checkout:
three round trips for "set the tenant, read a row, commit" instead of five.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Column, Connection, Engine, MetaData, Uuid, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from chalicelib.backing.database_login import sign_in
from chalicelib.backing.settings import settings

metadata = MetaData()
_NAMED = re.compile(r"(?<![:\w]):([a-z_]+)\b")  # but not the :: of a cast

Record = Any  # one row as a mapping from column to value

CrossTenantRole = Literal["wagebook_platform", "wagebook_directory", "wagebook_sweeper"]


@cache
def engine() -> Engine:
    """Make the process's pool, logged in as the plain application role."""
    connect_args: dict[str, Any] = {"application_name": "wagebook", "connect_timeout": 5}
    if settings().database_is_a_proxy:
        # A prepared statement is the session's, and would tie the proxy's connection to this process for good.
        connect_args["prepare_threshold"] = None
    pool = create_engine(
        make_url(settings().database_url).set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        pool_size=10,  # kept open: as many as the local server lets work at once, and a few; Lambda uses one
        max_overflow=40,
        pool_reset_on_return=None,
        connect_args=connect_args,
    )
    if settings().database_is_a_proxy:
        event.listen(pool, "do_connect", sign_in)
    event.listen(pool, "begin", _begin)
    event.listen(pool, "commit", _guard_commit)
    return pool


def connection_for(tenant_id: UUID | None) -> Connection:
    """Take a connection to where a tenant's rows are; nobody's (None) are the cell's own.

    The one place that chooses: a process serves one cell, so it is the process's own pool, whoever asks.
    """
    return engine().connect()


@contextmanager
def transaction(*, tenant_id: UUID | None = None, role: CrossTenantRole | None = None) -> Iterator[Connection]:
    """Run one transaction that sees one tenant, or what a narrow cross-tenant role sees, or nothing."""
    with connection_for(tenant_id) as connection:
        connection = connection.execution_options(tenant_id=tenant_id, role=role)
        with connection.begin():
            yield connection


def enter_tenant(connection: Connection, tenant_id: UUID) -> None:
    """Leave a cross-tenant role, if any, and see one tenant for the rest of the transaction."""
    connection.exec_driver_sql(f"reset role; set local app.tenant_id = '{UUID(str(tenant_id))}'")


def statement(beside: str, name: str) -> str:
    """Read a set-based statement kept in `sql/` beside a module (`__file__`)."""
    return (Path(beside).parent / "sql" / f"{name}.sql").read_text()


def run(connection: Connection, sql: str, values: Mapping[str, Any]) -> int:
    """Run one of the large set-based statements, its values by `:name`, and count the rows it wrote.

    It goes straight to the driver with numbered placeholders, found once: the driver reads named ones anew at every
    call where a statement is longer than 4,096 characters. It is prepared at its first use, where anything is.
    """
    numbered, names = _number_placeholders(sql)
    cursor = psycopg.RawCursor(_driver(connection))
    with _raise_as_sqlalchemy():
        cursor.execute(numbered, [values[name] for name in names], prepare=True)
    return cursor.rowcount


def force_custom_plans(connection: Connection) -> None:
    """Let the rest of the transaction plan each statement for its own values: set-based ones over a range."""
    connection.exec_driver_sql("set local plan_cache_mode = force_custom_plan")


def force_generic_plans(connection: Connection) -> None:
    """Let the rest of the transaction use the general plan of each prepared statement.

    It is for statements that look everything up by key: one plan serves any rows, and making it again for each call
    would take longer than using it for one.
    """
    connection.exec_driver_sql("set local plan_cache_mode = force_generic_plan")


@cache
def _number_placeholders(sql: str) -> tuple[bytes, tuple[str, ...]]:
    names: dict[str, int] = {}
    numbered = _NAMED.sub(lambda match: f"${names.setdefault(match[1], len(names) + 1)}", sql)
    return numbered.encode(), tuple(names)


def tenant_column() -> "Column[UUID]":
    """Make the column that leads every key of a tenant's table."""
    return Column("tenant_id", Uuid, primary_key=True)


def id_column() -> "Column[UUID]":
    """Make a time-ordered id column, filled by the database."""
    return Column("id", Uuid, primary_key=True, server_default=text("uuidv7()"))


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    begin = "begin"
    if options.get("tenant_id"):
        begin += f"; set local app.tenant_id = '{UUID(str(options['tenant_id']))}'"
    if options.get("role"):
        begin += f"; set local role {options['role']}"
    with _raise_as_sqlalchemy():
        try:
            _driver(connection).execute(begin)
        except psycopg.OperationalError as error:
            if not _driver(connection).closed:
                raise
            # It died in the pool, and its neighbours with it: a failover, a night's rest. Nothing was said on it yet.
            connection.invalidate(error)
            connection.engine.dispose()
            _driver(connection).execute(begin)


@contextmanager
def _raise_as_sqlalchemy() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error) from error


def _guard_commit(connection: Connection) -> None:
    # Committing a failed transaction rolls back without an error, so a swallowed one would lose everything.
    if _driver(connection).info.transaction_status == TransactionStatus.INERROR:
        raise RuntimeError("A database error was caught and the transaction went on; nothing was committed.")


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
