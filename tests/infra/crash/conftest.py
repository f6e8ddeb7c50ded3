"""The crash laboratory on the test server."""

from collections.abc import Iterator

import pytest

from infra.labs.crash import laboratory
from infra.labs.crash import world as worlds
from infra.labs.crash.world import World
from migrations.setup import Urls


@pytest.fixture(scope="module")
def world(server: str, template: Urls) -> Iterator[World]:
    """Open one world for all tests of a module."""
    with worlds.opened(server, template="wagebook_template") as opened:
        laboratory.make_other_tenant(opened)
        yield opened
