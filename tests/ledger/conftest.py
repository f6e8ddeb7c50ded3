"""The cast of the ledger: two tenants."""

import pytest

from migrations.setup import Urls
from tests.support.cast import Cast, tenant


@pytest.fixture
def acme(database: Urls) -> Cast:
    """Make a new Acme for each test, with an empty ledger."""
    return tenant("Acme")


@pytest.fixture
def zenith(database: Urls) -> Cast:
    """Make the other tenant."""
    return tenant("Zenith")
