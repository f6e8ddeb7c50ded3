"""The cast, queues in this process (moto), and one message as Lambda delivers it."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

import app
from chalicelib.backing import queues
from chalicelib.entry.registry import CONSUMERS
from infra.local.aws import make_queues
from tests.support.cast import Cast, tenant


@pytest.fixture(name="acme")
def _acme(database: object) -> Cast:
    return tenant("Acme")


@pytest.fixture(name="zenith")
def _zenith(database: object) -> Cast:
    return tenant("Zenith")


@pytest.fixture(name="sqs")
def _sqs() -> Iterator[Any]:
    """Replace SQS by moto, with the app's own queues."""
    assert app.app.event_sources
    with mock_aws():
        client = boto3.client("sqs")
        make_queues(client, [queues.configured_name(queue) for queue in CONSUMERS])
        queues.client.cache_clear()
        queues.url_of.cache_clear()
        yield client
    queues.client.cache_clear()
    queues.url_of.cache_clear()
