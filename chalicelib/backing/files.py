"""Files in S3; boto3 is loaded only when one is used. Every key begins with its tenant, and is checked against it.

Files have bank details and payslips: they are encrypted at rest, never public, and downloaded by links that expire
within minutes. Writing the same file twice is harmless. Uploads go from the browser to S3 by a presigned form, which
fixes key, size and type, and are tagged as unchecked.
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
# A lifecycle rule of the bucket deletes what has this tag after a day: uploads that were never checked. A rule could
# select by the beginning of a key instead, but ours begin with the tenant.
UNCHECKED = "<Tagging><TagSet><Tag><Key>checked</Key><Value>no</Value></Tag></TagSet></Tagging>"
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Link:
    """A presigned URL: anyone who has it can download one file until it expires."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Upload:
    """A presigned form: anyone who has it can upload one file until it expires."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


@cache
def client() -> Any:
    """Return the process's S3 client."""
    import boto3
    from botocore.config import Config

    # files encrypted by KMS need links of signature version 4, which is not the default in every region
    return boto3.client("s3", config=Config(signature_version="s3v4"))


def key_of(tenant_id: UUID, *parts: str) -> str:
    """Return the key of a tenant's file: the only place that makes keys. Parts are words, ids or file names.

    A part from outside goes through `safe_name` first. Raises ValueError for characters that S3 or a path could
    interpret.
    """
    if wrong := [part for part in parts if not _PART.fullmatch(part)]:
        raise ValueError(f"not a part of a file's key: {wrong[0]!r}")
    return "/".join((_prefix(tenant_id) + parts[0], *parts[1:]))


def put(tenant_id: UUID, key: str, data: bytes, *, content_type: str, metadata: Mapping[str, str]) -> None:
    """Write a file; `metadata` is plain ASCII and has nothing confidential."""
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
    """Read a whole file. Raises TooLarge, before reading, for one of more than `at_most` bytes."""
    with _translate_errors():
        stored = client().get_object(Bucket=settings().files_bucket, Key=_check_owner(tenant_id, key))
        if stored["ContentLength"] > at_most:
            stored["Body"].close()
            raise TooLarge(f"The file has {stored['ContentLength']:,} bytes; at most {at_most:,} can be taken.")
        return bytes(stored["Body"].read())


def delete(tenant_id: UUID, keys: Sequence[str]) -> None:
    """Delete files, if they exist. Raises Busy if S3 did not delete all."""
    for start in range(0, len(keys), 1000):  # the limit of one call
        objects = [{"Key": _check_owner(tenant_id, key)} for key in keys[start : start + 1000]]
        with _translate_errors():
            answer = client().delete_objects(Bucket=settings().files_bucket, Delete={"Objects": objects, "Quiet": True})
        if failed := answer.get("Errors"):
            raise Busy(f"{len(failed)} files could not be deleted ({failed[0]['Code']}); try again in a few seconds.")


def list_keys(tenant_id: UUID, folder: str) -> list[str]:
    """List the keys in a folder, a key without its last part; a thousand at most."""
    with _translate_errors():
        listing = client().list_objects_v2(Bucket=settings().files_bucket, Prefix=_check_owner(tenant_id, folder) + "/")
        return [one["Key"] for one in listing.get("Contents", [])]


def make_upload_form(tenant_id: UUID, key: str, *, content_type: str, size_bytes: int, now: datetime) -> Upload:
    """Return a presigned form by which a browser uploads one file of this type and size, under this key, encrypted.

    S3 refuses anything else. The form can be sent again until it expires, so the file can be replaced until then.
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
    """Return a presigned URL from which a browser saves the file as `name`. Whether the file exists is not checked.

    It is always saved and never shown, so that no script in it runs under our domain. `now` is only for the caller's
    information: S3 compares the signature's own time with its own clock.
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
    """Return a name that is valid in headers, keys and file systems: ASCII letters, digits, dot, dash."""
    return _UNSAFE.sub("-", name).strip("-._")[:100] or "file"


def _prefix(tenant_id: UUID) -> str:
    return f"tenants/{tenant_id}/"


def _check_owner(tenant_id: UUID, key: str) -> str:
    # defence in depth: a key from a wrong row must not open another tenant's file
    if not key.startswith(_prefix(tenant_id)):
        raise ValueError("the key is another tenant's")
    return key


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Raise botocore's errors as NotFound or Busy where the caller can act on them; others are our own (500)."""
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
