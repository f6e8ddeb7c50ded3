"""The cast of the ledger: two tenants with people whose accounts are open."""

import pytest

from migrations.setup import Urls
from tests.support.cast import Cast, tenant


@pytest.fixture
def acme(database: Urls) -> Cast:
    """Make Acme anew for each test: its books are empty."""
    return tenant("Acme")


@pytest.fixture
def zenith(database: Urls) -> Cast:
    """Make the stranger."""
    return tenant("Zenith")
