"""Somebody who listens on this machine."""

from collections.abc import Iterator

import pytest

from chalicelib.backing.settings import settings
from migrations.setup import Urls
from tests.support import receiver as support
from tests.support.receiver import Receiver


@pytest.fixture
def receiver(database: Urls, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Listen on this machine, which the local setting allows."""
    monkeypatch.setenv("WEBHOOKS_LOCAL", "true")
    settings.cache_clear()
    with support.listening() as receiver_:
        yield receiver_
    settings.cache_clear()
