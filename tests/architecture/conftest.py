"""Fixtures of the architecture tests."""

from collections.abc import Iterator

import psycopg
import pytest

from migrations.setup import Urls


@pytest.fixture(name="catalog")
def _catalog(server: str, database: Urls) -> Iterator[psycopg.Connection]:
    """Return an administrator's connection to the module's database; its changes are rolled back."""
    with psycopg.connect(server, dbname=database.application.rpartition("/")[2]) as session:
        yield session
        session.rollback()
