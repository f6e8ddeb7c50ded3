"""S3, loaded only when a file is written or read. Every key begins with its tenant, and is asked for with it.

Files hold bank details and payslips: they are encrypted at rest, never public, and read by links that live for
minutes. A put that is repeated writes the same bytes under the same key, so it may be repeated.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from chalicelib.backing.settings import settings
from chalicelib.kernel.errors import Busy, NotFound, TooLarge

LINK_LIVES = timedelta(minutes=5)
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Link:
    """An address that opens one file, for whoever holds it, until it expires."""

    url: str
    expires_at: datetime


@cache
def client() -> Any:
    """This will make the process's S3 client."""
    import boto3
    from botocore.config import Config

    # encryption by KMS is readable only by links that are signed the newer way, which is not everywhere the default
    return boto3.client("s3", config=Config(signature_version="s3v4"))


def key_of(tenant_id: UUID, *parts: str) -> str:
    """This will name a file of a tenant: the one place where keys are made. Parts are plain words, ids or file names.

    A part from outside must go through `safe_name` first; anything that S3 or a path could read otherwise is refused.
    """
    if wrong := [part for part in parts if not _PART.fullmatch(part)]:
        raise ValueError(f"not a part of a file's key: {wrong[0]!r}")
    return "/".join((_home(tenant_id) + parts[0], *parts[1:]))


def put(tenant_id: UUID, key: str, data: bytes, *, content_type: str, metadata: Mapping[str, str]) -> None:
    """This will write a file; `metadata` is plain ASCII and tells nothing that the file keeps secret."""
    with _answering():
        client().put_object(
            Bucket=settings().files_bucket,
            Key=_own(tenant_id, key),
            Body=data,
            ContentType=content_type,
            Metadata=dict(metadata),
            ServerSideEncryption="aws:kms",  # without a key's name: the account's own key for S3
        )


def get(tenant_id: UUID, key: str, *, at_most: int) -> bytes:
    """This will read a whole file, refusing one of more than `at_most` bytes before it is in memory."""
    with _answering():
        found = client().get_object(Bucket=settings().files_bucket, Key=_own(tenant_id, key))
        if found["ContentLength"] > at_most:
            raise TooLarge(f"The file has {found['ContentLength']:,} bytes; at most {at_most:,} can be taken.")
        return bytes(found["Body"].read())


def link_to(tenant_id: UUID, key: str, *, name: str, now: datetime) -> Link:
    """This will give an address from which a browser saves the file under `name`. Nobody is asked whether it exists.

    `now` only says when it ends; what ends it is the signature's own time, which S3 holds against its own clock.
    """
    url = client().generate_presigned_url(
        "get_object",
        Params={
            "Bucket": settings().files_bucket,
            "Key": _own(tenant_id, key),
            "ResponseContentDisposition": f'attachment; filename="{safe_name(name)}"',
        },
        ExpiresIn=int(LINK_LIVES.total_seconds()),
    )
    return Link(str(url), now + LINK_LIVES)


def safe_name(name: str) -> str:
    """This will make a name that headers, keys and every file system take: ASCII letters, digits, dot, dash."""
    return _UNSAFE.sub("-", name).strip("-._")[:100] or "file"


def _home(tenant_id: UUID) -> str:
    return f"tenants/{tenant_id}/"


def _own(tenant_id: UUID, key: str) -> str:
    # the second lock: a key that came out of a wrong row must not open another tenant's file
    if not key.startswith(_home(tenant_id)):
        raise ValueError("the key is another tenant's")
    return key


@contextmanager
def _answering() -> Iterator[None]:
    """This will tell what a caller can mend or wait for; a missing permission is our own failure and stays one."""
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            raise NotFound("The file is not there any more.") from None
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:  # SlowDown among them
            raise Busy("Files cannot be reached right now; try again in a few seconds.") from error
        raise
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        raise Busy("Files cannot be reached right now; try again in a few seconds.") from error
