"""A tenant's files in the bucket: list them, and delete them with all their versions."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from chalicelib.backing import files
from chalicelib.backing.settings import settings
from chalicelib.kernel.errors import Busy, Conflict

DELETE_BATCH = 1000  # keys; the most that one call of S3 takes


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as the bucket lists it."""

    key: str
    size_bytes: int


def tenant_prefix(tenant_id: UUID) -> str:
    """Return the prefix of all keys of a tenant."""
    return files.key_of(tenant_id, "x").removesuffix("x")


def bucket_name() -> str:
    """Return the bucket's name. Raises Conflict where it is not configured."""
    if not (bucket := settings().files_bucket):
        raise Conflict("Which bucket holds the files is not known: set FILES_BUCKET and run this again.")
    return bucket


def list_files(tenant_id: UUID) -> Iterator[StoredFile]:
    """Yield a tenant's files, a page of the listing at a time.

    Files in quarantine are left out: they are unchecked or were refused, and will be deleted.
    """
    prefix = tenant_prefix(tenant_id)
    pages = files.client().get_paginator("list_objects_v2").paginate(Bucket=bucket_name(), Prefix=prefix)
    for page in pages:
        for item in page.get("Contents", []):
            if not item["Key"].startswith(f"{prefix}quarantine/"):
                yield StoredFile(item["Key"], item["Size"])


def delete_versions(tenant_id: UUID, prefix: str) -> int:
    """Delete every version of every file whose key has this prefix, and return their number. Idempotent."""
    if not prefix.startswith(tenant_prefix(tenant_id)):
        raise ValueError("the key is another tenant's")
    count, bucket = 0, bucket_name()
    pages = files.client().get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        versions = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for kind in ("Versions", "DeleteMarkers")
            for version in page.get(kind, [])
        ]
        for start in range(0, len(versions), DELETE_BATCH):
            batch = {"Objects": versions[start : start + DELETE_BATCH], "Quiet": True}
            if failed := files.client().delete_objects(Bucket=bucket, Delete=batch).get("Errors"):
                raise Busy(f"{len(failed)} files could not be deleted ({failed[0]['Code']}); run this again.")
        count += len(versions)
    return count
