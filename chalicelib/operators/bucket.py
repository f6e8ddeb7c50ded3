"""What operators do with a tenant's files at large: list them, and delete them with all their versions."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from chalicelib.backing import files
from chalicelib.backing.settings import settings
from chalicelib.kernel.errors import Busy, Conflict

AT_ONCE = 1000  # as many as one call of S3 takes


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as the bucket lists it."""

    key: str
    size_bytes: int


def home_of(tenant_id: UUID) -> str:
    """Return what all keys of a tenant begin with."""
    return files.key_of(tenant_id, "x").removesuffix("x")


def name() -> str:
    """Return the bucket, or say how to name it."""
    if not (found := settings().files_bucket):
        raise Conflict("Which bucket holds the files is not known: set FILES_BUCKET and run this again.")
    return found


def stored_under(tenant_id: UUID) -> Iterator[Stored]:
    """List every file of a tenant that was checked, a page at a time.

    What is in quarantine is not among them: nobody has looked at it, or it was refused, and it is on its way out.
    """
    home = home_of(tenant_id)
    pages = files.client().get_paginator("list_objects_v2").paginate(Bucket=name(), Prefix=home)
    for page in pages:
        for one in page.get("Contents", []):
            if not one["Key"].startswith(f"{home}quarantine/"):
                yield Stored(one["Key"], one["Size"])


def delete_versions(tenant_id: UUID, beginning: str) -> int:
    """Delete every version of every file whose key begins so, and count them; none is left is fine."""
    if not beginning.startswith(home_of(tenant_id)):
        raise ValueError("the key is another tenant's")
    count, bucket = 0, name()
    pages = files.client().get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=beginning)
    for page in pages:
        found = [
            {"Key": one["Key"], "VersionId": one["VersionId"]}
            for kind in ("Versions", "DeleteMarkers")
            for one in page.get(kind, [])
        ]
        for start in range(0, len(found), AT_ONCE):
            said = {"Objects": found[start : start + AT_ONCE], "Quiet": True}
            if failed := files.client().delete_objects(Bucket=bucket, Delete=said).get("Errors"):
                raise Busy(f"{len(failed)} files could not be deleted ({failed[0]['Code']}); run this again.")
        count += len(found)
    return count
