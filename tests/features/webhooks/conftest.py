"""The cast of webhooks: two tenants, the queues, and somebody who listens on this machine."""

from collections.abc import Iterator

import pytest

from chalicelib.backing.settings import settings
from migrations.setup import Urls
from tests.support import receiver as support
from tests.support import stack
from tests.support.cast import Cast, tenant
from tests.support.receiver import Receiver
from tests.support.stack import Stack


@pytest.fixture
def receiver(database: Urls, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """This will listen on this machine, which the local setting allows."""
    monkeypatch.setenv("WEBHOOKS_LOCAL", "true")
    settings.cache_clear()
    with support.listening() as made:
        yield made
    settings.cache_clear()


@pytest.fixture
def acme(database: Urls) -> Cast:
    return tenant("Acme")


@pytest.fixture
def zenith(database: Urls) -> Cast:
    """This will make the stranger."""
    return tenant("Zenith")


@pytest.fixture
def running(database: Urls) -> Iterator[Stack]:
    """This will run the queues."""
    with stack.running() as started:
        yield started
