"""The cast of every feature: two tenants, and a stack whose queues can be worked off."""

from collections.abc import Iterator

import pytest

from migrations.setup import Urls
from tests.support import stack
from tests.support.cast import Cast, tenant
from tests.support.stack import Stack


@pytest.fixture
def acme(database: Urls) -> Cast:
    """Make Acme anew for each test: its money starts at nothing."""
    return tenant("Acme")


@pytest.fixture
def zenith(database: Urls) -> Cast:
    """Make the other tenant of isolation tests."""
    return tenant("Zenith")


@pytest.fixture
def running(database: Urls) -> Iterator[Stack]:
    """Run the queues."""
    with stack.running() as started:
        yield started
