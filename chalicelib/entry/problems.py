"""From what went wrong to what the caller is told (RFC 9457). A stack trace never leaves the house."""

import json
from collections.abc import Sequence
from typing import Any

import psycopg.errors as pg
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chalicelib.kernel.errors import Busy, Conflict, Fault, Invalid, NotFound, Place

STATUS_OF_KIND = {
    "unreadable": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not-found": 404,
    "conflict": 409,
    "period-locked": 409,
    "already-decided": 409,
    "stale-version": 412,
    "too-large": 413,
    "invalid": 422,
    "busy": 503,
}

RETRYABLE = (pg.DeadlockDetected, pg.SerializationFailure)


def fault_of(error: Exception) -> Fault | None:
    """This will say what an exception means to a caller, or None where it is our own failure."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, ValidationError):
        return Invalid("Some fields are wrong; each is listed with its place.", places_of(error))
    if isinstance(error, PoolTimeout):
        return Busy("All database connections are in use; try again in a second.")
    if isinstance(error, DBAPIError):
        return _of_database(error)
    return None


def places_of(error: ValidationError) -> list[Place]:
    """This will list the wrong fields as JSON pointers."""
    return [
        Place("/" + "/".join(_escaped(part) for part in found["loc"]), found["msg"])
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _escaped(part: int | str) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _of_database(error: DBAPIError) -> Fault | None:
    cause = error.orig
    if isinstance(cause, pg.UniqueViolation):
        what = _columns(cause.diag.message_detail)
        return Conflict(f"There is already one with this {what}.", [Place(f"/{what}", "must be unique")])
    if isinstance(cause, pg.ForeignKeyViolation):
        if "still referenced" in (cause.diag.message_detail or ""):
            return Conflict("Other rows still refer to this one.")
        return NotFound(f"The {_columns(cause.diag.message_detail)} given is not there, or not yours.")
    if isinstance(cause, pg.CheckViolation):
        return Invalid(f"The values break the rule {cause.diag.constraint_name}.")
    if isinstance(cause, (pg.DataError, pg.UntranslatableCharacter)):
        return Invalid(f"A value cannot be stored: {cause.diag.message_primary}.")
    if isinstance(cause, (*RETRYABLE, pg.LockNotAvailable, pg.QueryCanceled)):
        return Busy("Somebody else is changing the same rows; try again in a second.")
    if isinstance(error, OperationalError):
        return Busy("The database cannot be reached right now; try again in a few seconds.")
    return None


def _columns(detail: str | None) -> str:
    """This will read the column out of PostgreSQL's "Key (tenant_id, name)=(...)", without tenant and values."""
    inside = (detail or "").partition("(")[2].partition(")")[0]
    names = [name.strip() for name in inside.split(",") if name.strip() not in ("tenant_id", "")]
    return ", ".join(names) or "key"


def document(fault: Fault, *, instance: str) -> tuple[int, str]:
    """This will write a fault as a problem document, with its HTTP status."""
    status = STATUS_OF_KIND[fault.kind]
    return status, problem(
        status=status,
        kind=fault.kind,
        title=fault.title,
        detail=fault.detail,
        instance=instance,
        places=fault.places,
    )


def problem(*, status: int, kind: str, title: str, detail: str, instance: str, places: Sequence[Place] = ()) -> str:
    """This will write an application/problem+json body."""
    body: dict[str, Any] = {
        "type": f"urn:wagebook:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
    }
    if places:
        body["errors"] = [{"pointer": place.pointer, "detail": place.detail} for place in places]
    return json.dumps(body)
