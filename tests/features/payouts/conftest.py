"""Payouts, as a superuser sees them."""

from collections.abc import Iterator

import psycopg
import pytest

from migrations.setup import Urls


@pytest.fixture
def root(server: str, database: Urls) -> Iterator[psycopg.Connection]:
    """Provide a superuser in the module's database, whom neither policies nor triggers have to hold."""
    name = database.application.rpartition("/")[2]
    with psycopg.connect(server, dbname=name, autocommit=True) as connection:
        yield connection
