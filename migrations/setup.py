"""Roles, the database and its schema, from nothing; every step may be repeated."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from psycopg.errors import LockNotAvailable

HERE = Path(__file__).parent
LOGINS = ("wagebook_migrator", "wagebook_app")
TRIES = 20
LONGEST_PAUSE = 10.0  # seconds, between tries; with them and env.py's lock_timeout it is given up after five minutes


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the application's plain role and the migrator log in."""

    application: str
    migrator: str


def prepare(admin_url: str, passwords: Mapping[str, str], *, database: str = "wagebook") -> Urls:
    """Create the roles and the database where they are missing, and set the logins' passwords.

    What `admin_url` does not say is read from libpq's own variables, PGHOST and so on.
    """
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute((HERE / "roles.sql").read_bytes())
        for login in LOGINS:
            # what proves the password, and not itself: a statement that fails or is slow stands in the server's log
            proof = admin.pgconn.encrypt_password(passwords[login].encode(), login.encode(), b"scram-sha-256").decode()
            admin.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(login), sql.Literal(proof)))
        create_database(admin, database)
        return Urls(
            application=_url(admin.info, "wagebook_app", passwords["wagebook_app"], database),
            migrator=_url(admin.info, "wagebook_migrator", passwords["wagebook_migrator"], database),
        )


def create_database(admin: psycopg.Connection, name: str, *, template: str | None = None) -> None:
    """Create a database that the owner role owns, from a template where one is named."""
    if admin.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
        return
    # the creator must be able to become the owner, which a superuser always is
    admin.execute(
        sql.SQL("create database {} owner wagebook_owner template {}").format(
            sql.Identifier(name), sql.Identifier(template or "template1")
        )
    )
    admin.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
    admin.execute(
        sql.SQL("grant connect on database {} to wagebook_app, wagebook_migrator").format(sql.Identifier(name))
    )


def upgrade(
    migrator_url: str,
    revision: str = "head",
    *,
    also: Path | None = None,
    on_retry: Callable[[int], None] = lambda _: None,
) -> int:
    """Bring the schema up to a revision, and count the tries it took.

    A migration that cannot have its lock within env.py's lock_timeout gives up, lets everybody pass who queued behind
    it, and is tried again after a pause, for some five minutes; `on_retry` is called with each failed attempt. `also`
    names a folder of more migrations.
    """
    pauses = _pauses()
    for tries in range(1, TRIES):
        try:
            command.upgrade(configuration(migrator_url, also=also), revision)
            return tries
        except Exception as error:
            if not _is_for_a_lock(error):
                raise
            on_retry(tries)
            time.sleep(next(pauses))
    command.upgrade(configuration(migrator_url, also=also), revision)
    return TRIES


def configuration(migrator_url: str, *, also: Path | None = None) -> Config:
    """Return Alembic its configuration without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(one) for one in (HERE / "versions", also) if one))
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s")
    config.attributes["url"] = migrator_url
    return config


def _is_for_a_lock(error: BaseException) -> bool:
    # as the driver says it, or wrapped by SQLAlchemy
    return isinstance(error, LockNotAvailable) or isinstance(getattr(error, "orig", None), LockNotAvailable)


def _pauses() -> Iterator[float]:
    pause = 0.5
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)


def _url(server: psycopg.ConnectionInfo, user: str, password: str, database: str) -> str:
    return f"postgresql://{user}:{password}@{server.host}:{server.port}/{database}"
