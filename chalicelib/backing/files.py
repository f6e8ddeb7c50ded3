"""S3, loaded only when a file is written or read. Every key begins with its tenant, and is asked for with it.

Files hold bank details and payslips: they are encrypted at rest, never public, and read by links that live for
minutes. A put that is repeated writes the same bytes under the same key, so it may be repeated. What people upload
goes from their browser to S3, by a form that fixes its key, size and type, and is marked as not looked at yet.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from chalicelib.backing.settings import settings
from chalicelib.kernel.errors import Busy, NotFound, TooLarge

LINK_LIVES = timedelta(minutes=5)
UPLOAD_LIVES = timedelta(minutes=15)
ENCRYPTION = "aws:kms"  # without a key's name: the account's own key for S3
# By this a rule of the bucket removes, a day later, whatever was uploaded and nobody took away: rules select by the
# beginning of a key, and ours begin with the tenant.
UNCHECKED = "<Tagging><TagSet><Tag><Key>checked</Key><Value>no</Value></Tag></TagSet></Tagging>"
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Link:
    """An address that opens one file, for whoever holds it, until it expires."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Upload:
    """A form that lets whoever sends it write one file, until it expires."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


@cache
def client() -> Any:
    """Make the process's S3 client."""
    import boto3
    from botocore.config import Config

    # encryption by KMS is readable only by links that are signed the newer way, which is not everywhere the default
    return boto3.client("s3", config=Config(signature_version="s3v4"))


def key_of(tenant_id: UUID, *parts: str) -> str:
    """Return a file of a tenant: the one place where keys are made. Parts are plain words, ids or file names.

    A part from outside must go through `safe_name` first; anything that S3 or a path could read otherwise is refused.
    """
    if wrong := [part for part in parts if not _PART.fullmatch(part)]:
        raise ValueError(f"not a part of a file's key: {wrong[0]!r}")
    return "/".join((_prefix(tenant_id) + parts[0], *parts[1:]))


def put(tenant_id: UUID, key: str, data: bytes, *, content_type: str, metadata: Mapping[str, str]) -> None:
    """Write a file; `metadata` is plain ASCII and tells nothing that the file keeps secret."""
    with _translate_errors():
        client().put_object(
            Bucket=settings().files_bucket,
            Key=_check_owner(tenant_id, key),
            Body=data,
            ContentType=content_type,
            Metadata=dict(metadata),
            ServerSideEncryption=ENCRYPTION,
        )


def get(tenant_id: UUID, key: str, *, at_most: int) -> bytes:
    """Read a whole file, refusing one of more than `at_most` bytes before it is in memory."""
    with _translate_errors():
        stored = client().get_object(Bucket=settings().files_bucket, Key=_check_owner(tenant_id, key))
        if stored["ContentLength"] > at_most:
            stored["Body"].close()
            raise TooLarge(f"The file has {stored['ContentLength']:,} bytes; at most {at_most:,} can be taken.")
        return bytes(stored["Body"].read())


def delete(tenant_id: UUID, keys: Sequence[str]) -> None:
    """Delete files; those that are not there are none. Busy where S3 kept some."""
    for start in range(0, len(keys), 1000):  # as many as one call takes
        objects = [{"Key": _check_owner(tenant_id, key)} for key in keys[start : start + 1000]]
        with _translate_errors():
            answer = client().delete_objects(Bucket=settings().files_bucket, Delete={"Objects": objects, "Quiet": True})
        if failed := answer.get("Errors"):
            raise Busy(f"{len(failed)} files could not be deleted ({failed[0]['Code']}); try again in a few seconds.")


def list_keys(tenant_id: UUID, folder: str) -> list[str]:
    """List what is in a folder, which is a key without its last part; a thousand at most."""
    with _translate_errors():
        listing = client().list_objects_v2(Bucket=settings().files_bucket, Prefix=_check_owner(tenant_id, folder) + "/")
        return [one["Key"] for one in listing.get("Contents", [])]


def make_upload_form(tenant_id: UUID, key: str, *, content_type: str, size_bytes: int, now: datetime) -> Upload:
    """Make the form by which a browser uploads one file of this type and size, under this key, encrypted.

    S3 refuses anything else. It may be sent again until it expires, so what is there can be replaced.
    """
    fields = {"Content-Type": content_type, "x-amz-server-side-encryption": ENCRYPTION, "tagging": UNCHECKED}
    form = client().generate_presigned_post(
        settings().files_bucket,
        _check_owner(tenant_id, key),
        Fields=fields,
        Conditions=[
            *({name: value} for name, value in fields.items()),
            ["content-length-range", size_bytes, size_bytes],
        ],
        ExpiresIn=int(UPLOAD_LIVES.total_seconds()),
    )
    return Upload(str(form["url"]), form["fields"], now + UPLOAD_LIVES)


def make_download_link(tenant_id: UUID, key: str, *, name: str, now: datetime) -> Link:
    """Return an address from which a browser saves the file under `name`. Nobody is asked whether it exists.

    It is saved and not shown, whatever its type, so nothing in it runs under an address of ours. `now` only says when
    it ends; what ends it is the signature's own time, which S3 holds against its own clock.
    """
    url = client().generate_presigned_url(
        "get_object",
        Params={
            "Bucket": settings().files_bucket,
            "Key": _check_owner(tenant_id, key),
            "ResponseContentDisposition": f'attachment; filename="{safe_name(name)}"',
        },
        ExpiresIn=int(LINK_LIVES.total_seconds()),
    )
    return Link(str(url), now + LINK_LIVES)


def safe_name(name: str) -> str:
    """Make a name that headers, keys and every file system take: ASCII letters, digits, dot, dash."""
    return _UNSAFE.sub("-", name).strip("-._")[:100] or "file"


def _prefix(tenant_id: UUID) -> str:
    return f"tenants/{tenant_id}/"


def _check_owner(tenant_id: UUID, key: str) -> str:
    # the second lock: a key that came out of a wrong row must not open another tenant's file
    if not key.startswith(_prefix(tenant_id)):
        raise ValueError("the key is another tenant's")
    return key


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Return what a caller can mend or wait for; a missing permission is our own failure and stays one."""
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
