"""The house's own fixtures."""

from collections.abc import Iterator

import psycopg
import pytest

from migrations.setup import Urls


@pytest.fixture(name="catalog")
def _catalog(server: str, database: Urls) -> Iterator[psycopg.Connection]:
    """Return the administrator's view of the module's database; nothing done through it stays."""
    with psycopg.connect(server, dbname=database.application.rpartition("/")[2]) as session:
        yield session
        session.rollback()
