"""PostgreSQL: one pool, one transaction per request or message, begun for one tenant in one round trip.

The driver runs in autocommit, so that `BEGIN` and the tenant are sent together and nothing else is sent on checkout:
"set the tenant, read a row, commit" takes three round trips instead of five.
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


CrossTenantRole = Literal["wagebook_platform", "wagebook_directory", "wagebook_sweeper"]


@cache
def engine() -> Engine:
    """Make the process's pool, logged in as the plain application role."""
    connect_args: dict[str, Any] = {"application_name": "wagebook", "connect_timeout": 5}
    if settings().database_is_a_proxy:
        # A prepared statement belongs to a session, and would pin the proxy's connection to this process.
        connect_args["prepare_threshold"] = None
    pool = create_engine(
        make_url(settings().database_url).set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        pool_size=10,  # kept open: the local server's limit of simultaneous requests, and a few; Lambda uses one
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
    """Return a connection to the database that has a tenant's rows; None: rows of no tenant.

    The one place that chooses a database. A process serves one cell, so today it is always the process's own pool.
    """
    return engine().connect()


@contextmanager
def transaction(*, tenant_id: UUID | None = None, role: CrossTenantRole | None = None) -> Iterator[Connection]:
    """Run one transaction that sees one tenant's rows, or those of a narrow cross-tenant role, or none."""
    with connection_for(tenant_id) as connection:
        connection = connection.execution_options(tenant_id=tenant_id, role=role)
        with connection.begin():
            yield connection


def enter_tenant(connection: Connection, tenant_id: UUID) -> None:
    """Leave the cross-tenant role, if any, and see one tenant's rows for the rest of the transaction."""
    connection.exec_driver_sql(f"reset role; set local app.tenant_id = '{UUID(str(tenant_id))}'")


def statement(beside: str, name: str) -> str:
    """Read a set-based statement from the folder `sql` beside a module (`__file__`)."""
    return (Path(beside).parent / "sql" / f"{name}.sql").read_text()


def run(connection: Connection, sql: str, values: Mapping[str, Any]) -> int:
    """Run a large set-based statement with its values by `:name`, and return how many rows it wrote.

    It goes straight to the driver with numbered placeholders, which are made once: psycopg parses named ones again on
    every call of a statement longer than 4,096 characters. It is prepared at its first use.
    """
    numbered, names = _number_placeholders(sql)
    cursor = psycopg.RawCursor(_driver(connection))
    with _raise_as_sqlalchemy():
        cursor.execute(numbered, [values[name] for name in names], prepare=True)
    return cursor.rowcount


def force_custom_plans(connection: Connection) -> None:
    """Have the rest of the transaction plan each statement for its own values: for set-based ones over a range."""
    connection.exec_driver_sql("set local plan_cache_mode = force_custom_plan")


def force_generic_plans(connection: Connection) -> None:
    """Have the rest of the transaction use the generic plan of each prepared statement.

    For statements that read everything by key: one plan is good for any rows, and planning each call would take longer
    than running it.
    """
    connection.exec_driver_sql("set local plan_cache_mode = force_generic_plan")


@cache
def _number_placeholders(sql: str) -> tuple[bytes, tuple[str, ...]]:
    names: dict[str, int] = {}
    numbered = _NAMED.sub(lambda match: f"${names.setdefault(match[1], len(names) + 1)}", sql)
    return numbered.encode(), tuple(names)


def tenant_column() -> "Column[UUID]":
    """Return the column that comes first in every key of a tenant's table."""
    return Column("tenant_id", Uuid, primary_key=True)


def id_column() -> "Column[UUID]":
    """Return a time-ordered id column (UUIDv7), filled by the database."""
    return Column("id", Uuid, primary_key=True, server_default=text("uuidv7()"))


def _begin(connection: Connection) -> None:
    """Begin a transaction, with its tenant or role, in one round trip; reconnect once if the connection is dead."""
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
            # It died in the pool, and the others with it: a failover, or an idle night. Nothing was sent on it yet.
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


def _driver(connection: Connection) -> "psycopg.Connection[Any]":
    driver: psycopg.Connection[Any] | None = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection was returned to the pool")
    return driver
