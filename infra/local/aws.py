"""Stand in for AWS: a moto server in a process of its own, with the resources Wagebook expects.

moto keeps nothing on disk, so `bootstrap` is repeated at every start and may be repeated on a running server.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.children import ReportingChild, spawn_reporting, stop

REGION = "eu-central-1"
QUEUE_PREFIX = "wagebook-"
BUCKET = "wagebook-files"
SENDER = "payroll@wagebook.example"
CONFIGURATION_SET = "wagebook"
MAIL_EVENTS = "wagebook-mail-events"  # a topic and a queue
POOL = "wagebook"
MASTER_KEY = "WAGEBOOK_MASTER_KEY"  # in the environment of moto's process
MAX_RECEIVES = 5
VISIBLE_AGAIN_AFTER = 180  # seconds; six times the longest a consumer may take, as AWS advises for Lambda


@dataclass(frozen=True)
class Moto:
    """The moto server, starting or started."""

    child: ReportingChild

    def settings(self) -> dict[str, str]:
        """Wait until moto is ready and return the application's settings. Call it once."""
        settings: dict[str, str] = json.loads(self.child.wait_until_ready())
        return settings

    def stop(self) -> None:
        """Stop moto, which discards everything in it."""
        stop(self.child.process, seconds=3)


def start(log: Path | None = None, *, master_key: str = "") -> Moto:
    """Start moto on a free port of 127.0.0.1, without waiting: it takes two seconds to be complete.

    `master_key` is 32 bytes in hexadecimal. What KMS wrapped under it opens after a restart; without it, never again.
    """
    env = {**os.environ, **environment(""), MASTER_KEY: master_key}
    return Moto(spawn_reporting("infra.local.moto_server", log=log, env=env))


@contextmanager
def running(queues: Iterable[str] = (), *, log: Path | None = None) -> Iterator[dict[str, str]]:
    """Start moto with everything in it, yield the application's settings, and stop it afterwards."""
    moto = start(log)
    try:
        settings = moto.settings()
        make_queues(client(settings["AWS_ENDPOINT_URL"], "sqs"), queues)
        yield settings
    finally:
        moto.stop()


def environment(endpoint: str) -> dict[str, str]:
    """Return the environment of AWS's SDK. The keys are worthless; real ones are hidden on purpose."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def client(endpoint: str, service: str) -> Any:
    """Return a boto3 client of the stand-in, whatever the caller's own AWS settings are."""
    import boto3

    session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=REGION)  # noqa: S106
    return session.client(service, endpoint_url=endpoint)


def bootstrap(endpoint: str) -> dict[str, str]:
    """Create what is missing and return the application's settings as environment variables."""
    s3 = client(endpoint, "s3")
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    notify_of_uploads(s3, client(endpoint, "sqs"), bucket=BUCKET, queue=f"{QUEUE_PREFIX}uploads")
    client(endpoint, "ses").verify_email_identity(EmailAddress=SENDER)
    route_mail_events(client(endpoint, "ses"), client(endpoint, "sns"), client(endpoint, "sqs"))
    issuer = client(endpoint, "cognito-idp")
    pool, audience = _user_pool(issuer)
    return {
        **environment(endpoint),
        "QUEUE_PREFIX": QUEUE_PREFIX,
        "FILES_BUCKET": BUCKET,
        "MAIL_FROM": SENDER,
        "MAIL_CONFIGURATION_SET": CONFIGURATION_SET,
        "KMS_KEY_ID": _key(client(endpoint, "kms")),
        "SETTINGS_PARAMETER": _parameter(client(endpoint, "ssm")),
        # moto signs with the real AWS address as issuer, where nobody would find this pool's keys.
        "OIDC_ISSUER": f"https://cognito-idp.{REGION}.amazonaws.com/{pool}",
        "OIDC_AUDIENCE": audience,
        "OIDC_JWKS_URL": f"{endpoint}/{pool}/.well-known/jwks.json",
    }


def make_login(endpoint: str, email: str, password: str) -> str:
    """Create a user who can sign in, unless there is one, and return a new ID token."""
    issuer = client(endpoint, "cognito-idp")
    pool, audience = _user_pool(issuer)
    attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
    with suppress(issuer.exceptions.UsernameExistsException):
        issuer.admin_create_user(UserPoolId=pool, Username=email, UserAttributes=attributes, MessageAction="SUPPRESS")
    issuer.admin_set_user_password(UserPoolId=pool, Username=email, Password=password, Permanent=True)
    answer = issuer.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=audience,
        AuthFlow="ADMIN_NO_SRP_AUTH",
        AuthParameters={"USERNAME": email, "PASSWORD": password},
    )
    return str(answer["AuthenticationResult"]["IdToken"])


def make_queues(sqs: Any, queues: Iterable[str]) -> None:
    """Make the queues that are missing, each with its dead-letter queue, `<name>-dead`.

    `queues` are full names, as the application registers them.
    """
    for name in sorted(set(queues)):
        _queue(sqs, name)


def notify_of_uploads(s3: Any, sqs: Any, *, bucket: str, queue: str) -> None:
    """Make the bucket notify a queue, created if needed, of each file that a form uploads.

    Browsers upload by POST. The application's own writes are PUTs, which notify nobody. A rule by the
    beginning of the key could not say this, as keys begin with the tenant.
    """
    _queue(sqs, queue)
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": [{"Id": "uploads", "QueueArn": arn, "Events": ["s3:ObjectCreated:Post"]}]
        },
    )


def route_mail_events(ses: Any, sns: Any, sqs: Any) -> None:
    """Route SES events (bounces and complaints, with each mail's tags) through a topic to a queue.

    Moto creates all of it and sends no events by itself; what is published to the topic arrives.
    """
    _queue(sqs, MAIL_EVENTS)
    url = sqs.get_queue_url(QueueName=MAIL_EVENTS)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name=MAIL_EVENTS)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    with suppress(ses.exceptions.ConfigurationSetAlreadyExistsException):
        ses.create_configuration_set(ConfigurationSet={"Name": CONFIGURATION_SET})
    with suppress(ses.exceptions.EventDestinationAlreadyExistsException):
        ses.create_configuration_set_event_destination(
            ConfigurationSetName=CONFIGURATION_SET,
            EventDestination={
                "Name": "mail-events",
                "Enabled": True,
                "MatchingEventTypes": ["bounce", "complaint"],
                "SNSDestination": {"TopicARN": topic},
            },
        )


def _queue(sqs: Any, name: str) -> None:
    dead_url = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    dead = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = {"deadLetterTargetArn": dead, "maxReceiveCount": MAX_RECEIVES}
    attributes = {"VisibilityTimeout": str(VISIBLE_AGAIN_AFTER), "RedrivePolicy": json.dumps(redrive)}
    try:
        sqs.create_queue(QueueName=name, Attributes=attributes)
    except sqs.exceptions.QueueNameExists:  # with other attributes
        sqs.set_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], Attributes=attributes)


def _user_pool(issuer: Any) -> tuple[str, str]:
    pools = issuer.list_user_pools(MaxResults=60)["UserPools"]
    pool = next((one["Id"] for one in pools if one["Name"] == POOL), None)
    if pool is None:
        pool = issuer.create_user_pool(PoolName=POOL, AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
    clients = issuer.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
    audience = next((one["ClientId"] for one in clients if one["ClientName"] == POOL), None)
    if audience is None:
        flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        created = issuer.create_user_pool_client(
            UserPoolId=pool,
            ClientName=POOL,
            ExplicitAuthFlows=flows,
            ReadAttributes=[
                "email",
                "email_verified",
            ],  # moto puts only what is listed here into the ID token
        )
        audience = created["UserPoolClient"]["ClientId"]
    return pool, audience


def _key(kms: Any) -> str:
    alias = "alias/wagebook"
    if not any(one["AliasName"] == alias for one in kms.list_aliases()["Aliases"]):
        created = kms.create_key(Description="what Wagebook encrypts by itself")["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=alias, TargetKeyId=created)
    return alias


def _parameter(ssm: Any) -> str:
    name = "/wagebook/settings"
    ssm.put_parameter(Name=name, Value="{}", Type="SecureString", Overwrite=True)
    return name
