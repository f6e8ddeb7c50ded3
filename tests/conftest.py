"""One embedded PostgreSQL for the whole run, migrated once; each test module works on its own clone of it."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from botocore.loaders import JSONFileLoader

from infra.local import postgres
from migrations.setup import Urls, create_database, prepare, upgrade

PASSWORDS = {"wagebook_app": "app", "wagebook_migrator": "migrator"}

os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "ERROR")
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
os.environ.setdefault("LOCAL_VAULT_KEY", "dGVzdHMgd3JhcCB0aGVpciBkYXRhIGtleXMgdGhpcyE=")
os.environ.setdefault("FILES_BUCKET", "wagebook-files")
os.environ["WAGEBOOK_HOME"] = "/nonexistent"  # a test never meets the developer's own stack


def _parse_endpoints_once() -> None:
    """Have botocore parse AWS's endpoints once per process: it does so for every client, some 0.1 s each time.

    Models of services are parsed each time, as moto changes what it loads.
    """
    load_file = JSONFileLoader.load_file

    @cache
    def load_once(path: str) -> Any:
        return load_file(JSONFileLoader(), path)

    def load(loader: JSONFileLoader, file_path: str) -> Any:
        return load_once(file_path) if Path(file_path).name == "endpoints" else load_file(loader, file_path)

    JSONFileLoader.load_file = load


_parse_endpoints_once()


@pytest.fixture(autouse=True)
def _new_process() -> None:
    """Clear what the process remembers of keys: tests share one process, and move its clock back and forth."""
    from chalicelib.identity import key_use, wrong_keys

    key_use.clear()
    wrong_keys.clear()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a PostgreSQL server (or use DATABASE_URL's) and return its administrator's URL."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with postgres.running(tmp_path_factory.mktemp("postgres"), durable=False) as running:
        yield running.admin_url


@pytest.fixture(scope="session")
def template(server: str) -> Urls:
    """Return a migrated database to clone."""
    urls = prepare(server, PASSWORDS, database="wagebook_template")
    upgrade(urls.migrator)
    return urls


@pytest.fixture(scope="module")
def database(server: str, template: Urls) -> Iterator[Urls]:
    """Return a database of the module's own, with the product connected as the plain application role."""
    from chalicelib.backing.database import engine
    from chalicelib.backing.settings import settings

    name = f"wagebook_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        create_database(admin, name, template="wagebook_template")
        urls = Urls(*(url.replace("wagebook_template", name) for url in (template.application, template.migrator)))
        before = os.environ.get("APPLICATION_DATABASE_URL")
        os.environ["APPLICATION_DATABASE_URL"] = urls.application
        settings.cache_clear()
        engine.cache_clear()
        yield urls
        engine().dispose()
        if before is None:
            del os.environ["APPLICATION_DATABASE_URL"]
        else:
            os.environ["APPLICATION_DATABASE_URL"] = before
        settings.cache_clear()
        engine.cache_clear()
        admin.execute(f'drop database "{name}" with (force)')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a database, so that `-m "not database"` runs the others (`make check`)."""
    for item in items:
        if isinstance(item, pytest.Function) and "server" in item.fixturenames:
            item.add_marker("database")
