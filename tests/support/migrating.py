"""A database with the schema of before a migration, to insert older rows and see what the migration makes of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
from alembic.script import ScriptDirectory
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from migrations.setup import configuration, create_database, upgrade

MIGRATOR = {"user": "wagebook_migrator", "password": "migrator"}  # as conftest prepares the server


class Earlier:
    """A database at the revision before one; `root` is a superuser, whom no row-level policy binds."""

    def __init__(self, root: psycopg.Connection, migrator_url: str, to: str) -> None:
        self._root, self._migrator_url, self._to = root, migrator_url, to
        self.tenant_id: UUID = self.rows(
            "insert into tenants (slug, name, currency, timezone, weekend)"
            " values ('acme', 'Acme', 'BDT', 'Asia/Dhaka', '{5,6}') returning id"
        )[0][0]

    def run(self, statement: str, *values: Any) -> None:
        """Execute a statement of psycopg's form."""
        self._root.execute(statement.encode(), values or None)

    def rows(self, statement: str, *values: Any) -> list[TupleRow]:
        """Execute a statement and return its rows."""
        return self._root.execute(statement.encode(), values or None).fetchall()

    def go(self) -> None:
        """Migrate to the revision."""
        upgrade(self._migrator_url, self._to)


@contextmanager
def upgraded(server: str, *, to: str) -> Iterator[Earlier]:
    """Make a database at the revision before `to`; the server was prepared by the fixture `template`."""
    name = f"wagebook_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        create_database(admin, name)
        info = admin.info
        migrator_url = f"postgresql://{MIGRATOR['user']}:{MIGRATOR['password']}@{info.host}:{info.port}/{name}"
        script = ScriptDirectory.from_config(configuration(migrator_url)).get_revision(to)
        assert script is not None
        try:
            upgrade(migrator_url, str(script.down_revision))
            with psycopg.connect(make_conninfo(server, dbname=name), autocommit=True) as root:
                yield Earlier(root, migrator_url, to)
        finally:
            admin.execute(f'drop database "{name}" with (force)'.encode())
