"""The cast of notifications: two tenants, the queues, and a mailbox and an exchange for short messages by moto."""

from collections.abc import Iterator

import pytest

from chalicelib.backing import mail, push
from chalicelib.backing.settings import settings
from migrations.setup import Urls
from tests.support import stack
from tests.support.cast import Cast, tenant
from tests.support.stack import Stack


@pytest.fixture
def acme(database: Urls) -> Cast:
    return tenant("Acme")


@pytest.fixture
def zenith(database: Urls) -> Cast:
    """Make the other tenant."""
    return tenant("Zenith")


@pytest.fixture
def running(database: Urls, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Run the queues, with a sender's address that SES knows."""
    monkeypatch.setenv("MAIL_FROM", "payroll@wagebook.example")
    monkeypatch.setenv("WAGEBOOK_URL", "https://pay.example/api")
    settings.cache_clear()
    with stack.running() as started:
        mail.client.cache_clear()
        push.client.cache_clear()
        mail.client().create_email_identity(EmailIdentity="payroll@wagebook.example")
        yield started
    mail.client.cache_clear()
    push.client.cache_clear()
    settings.cache_clear()
