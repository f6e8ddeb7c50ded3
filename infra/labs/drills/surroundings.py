"""The product's environment in a drill: queues and a bucket in memory, and a database that can be exchanged."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from unittest import mock

from moto import mock_aws

from chalicelib.backing import files, log, queues
from chalicelib.backing.database import engine
from chalicelib.backing.settings import settings
from infra.local import aws
from infra.local.events import EventLoop, consumers_of

SQS = f"https://sqs.{aws.REGION}.amazonaws.com"  # where moto's in-process stand-in answers
ENVIRONMENT = {
    "WAGEBOOK_HOME": "/nonexistent",  # a drill never touches a developer's own stack
    "AWS_DEFAULT_REGION": aws.REGION,
    "AWS_ACCESS_KEY_ID": "drill",
    "AWS_SECRET_ACCESS_KEY": "drill",  # opens nothing
    "FILES_BUCKET": aws.BUCKET,
    "LOCAL_VAULT_KEY": "ZHJpbGxzIHdyYXAgdGhlaXIgZGF0YSBrZXlzIHRoaXM=",  # of a drill's own database, gone with it
    "POWERTOOLS_METRICS_DISABLED": "true",
}
HIDDEN = ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "KMS_KEY_ID", "MAIL_FROM", "WAGEBOOK_URL")
CACHED = (queues.client, queues.url_of, files.client)


@contextmanager
def product() -> Iterator[EventLoop]:
    """Yield the event loop of the product with empty queues and bucket; `use` names the database."""
    level = log.logger.log_level
    with mock.patch.dict(os.environ, ENVIRONMENT), mock.patch.object(log, "_measure"):
        for name in HIDDEN:
            os.environ.pop(name, None)
        log.logger.setLevel("CRITICAL")
        with mock_aws():
            for cached in CACHED:
                cached.cache_clear()
            files.client().create_bucket(
                Bucket=aws.BUCKET, CreateBucketConfiguration={"LocationConstraint": aws.REGION}
            )
            import app

            aws.make_queues(aws.client(SQS, "sqs"), [consumer.queue for consumer in consumers_of(app.app)])
            try:
                yield EventLoop(app.app, endpoint=SQS)
            finally:
                leave()
                for cached in CACHED:
                    cached.cache_clear()
                log.logger.setLevel(level)


def use(application_url: str, **more: str) -> None:
    """Restart the product on a database, as after a deployment with these settings."""
    leave()
    os.environ.update({"APPLICATION_DATABASE_URL": application_url, **more})


def leave() -> None:
    """Close the product's connections and clear its cached settings."""
    if engine.cache_info().currsize:
        engine().dispose()
    engine.cache_clear()
    settings.cache_clear()


def passwords() -> Mapping[str, str]:
    """Return the logins' passwords of a drill's own database."""
    return {"wagebook_app": "drill", "wagebook_migrator": "drill"}
