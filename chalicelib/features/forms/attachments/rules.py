"""Limits of attachments, their keys in S3, and their states."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from chalicelib.backing import files
from chalicelib.features.forms.attachments.type_rules import TYPES
from chalicelib.features.forms.definitions.field_schemas import Checks, FieldType, FormField


class AttachmentStatus(StrEnum):
    """What is known of a file."""

    PENDING = "pending"  # announced; it has not arrived, or is not checked yet
    CLEAN = "clean"  # it is what it claims to be, and its content is fixed
    REFUSED = "refused"
    REMOVED = "removed"  # never submitted; its files are being deleted, and then its row


ATTACHMENT_MOVES: Mapping[AttachmentStatus, frozenset[AttachmentStatus]] = {
    AttachmentStatus.PENDING: frozenset({AttachmentStatus.CLEAN, AttachmentStatus.REFUSED, AttachmentStatus.REMOVED}),
    AttachmentStatus.CLEAN: frozenset({AttachmentStatus.REMOVED}),
    AttachmentStatus.REFUSED: frozenset({AttachmentStatus.REMOVED}),
    AttachmentStatus.REMOVED: frozenset(),
}

MOST_BYTES = 10 * 1024 * 1024  # of one file, whatever a field says: it is held in memory while it is checked
MOST_FILES = 10  # in one field that does not say
MOST_WAITING = 50  # files of one person that are in no submission
KEPT_FOR = timedelta(hours=24)  # a file that was not submitted by then is removed ...
KEPT_FOR_A_DRAFT = timedelta(days=30)  # ... or by then, where a draft names it

_UPLOADED = re.compile(r"tenants/([0-9a-f-]{36})/quarantine/([0-9a-f-]{36})")


@dataclass(frozen=True, slots=True)
class FileField:
    """What a form's field of type `file` takes."""

    types: tuple[str, ...]
    most_bytes: int
    most_files: int


def file_fields(fields: Sequence[FormField]) -> dict[str, FileField]:
    """Return the file fields of a form's version by name, with defaults for what they leave out."""
    by_name = {}
    for field in fields:
        if field.field_type is FieldType.FILE:
            checks = field.validation or Checks()
            by_name[field.field_name] = FileField(
                types=tuple(name for name in TYPES if checks.content_types is None or name in checks.content_types),
                most_bytes=min(checks.max_size_bytes or MOST_BYTES, MOST_BYTES),
                most_files=checks.max_files or MOST_FILES,
            )
    return by_name


def quarantine_key(tenant_id: UUID, attachment_id: UUID) -> str:
    """Return the key of an upload; `parse_uploads` reads these."""
    return files.key_of(tenant_id, "quarantine", str(attachment_id))


def clean_folder(tenant_id: UUID, attachment_id: UUID) -> str:
    """Return the folder of an attachment's checked content."""
    return files.key_of(tenant_id, "attachments", str(attachment_id))


def clean_key(tenant_id: UUID, attachment_id: UUID, sha256: str) -> str:
    """Return the key of one content; no other content ever has the same key."""
    return files.key_of(tenant_id, "attachments", str(attachment_id), sha256)


def parse_uploads(body: dict[str, Any], *, bucket: str) -> list[dict[str, Any]]:
    """Return a message for each upload in an event of S3, or in a message of our own, each once.

    S3 knows no tenants: the key names the tenant, and S3 takes no upload under a key that we did not sign. Other
    buckets and keys are ignored, and so is the test event that S3 sends when it is set up.
    """
    if "attachment_id" in body:
        return [body]
    if body.get("Event") == "s3:TestEvent":
        return []
    messages = {}
    for record in body["Records"]:
        key = _UPLOADED.fullmatch(unquote_plus(record["s3"]["object"]["key"]))
        if key and record["eventSource"] == "aws:s3" and record["s3"]["bucket"]["name"] == bucket:
            messages[key[0]] = {"tenant_id": key[1], "attachment_id": key[2]}
    return [message for message in messages.values() if _are_ids(message)]


def _are_ids(message: Mapping[str, str]) -> bool:
    try:
        return all(str(UUID(value)) == value for value in message.values())
    except ValueError:
        return False
