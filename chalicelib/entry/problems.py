"""From what went wrong to what the caller is told (RFC 9457). A stack trace never leaves the house."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg.errors as pg
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chalicelib.backing.database import metadata
from chalicelib.kernel.errors import Busy, Conflict, Fault, Invalid, NotFound, Place, Unauthenticated

PROBLEM = "application/problem+json"
STATUS_OF_KIND = {
    "unreadable": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "tenant-suspended": 403,
    "not-found": 404,
    "conflict": 409,
    "period-locked": 409,
    "already-decided": 409,
    "balance-too-low": 409,
    "stale-version": 412,
    "too-large": 413,
    "misdirected": 421,
    "invalid": 422,
    "too-many-requests": 429,
    "busy": 503,
}

RETRYABLE = (pg.DeadlockDetected, pg.SerializationFailure)


def fault_of(error: Exception) -> Fault | None:
    """Return what an exception means to a caller, or None where it is our own failure."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, ValidationError):
        return Invalid("Some fields are wrong; each is listed with its place.", places_of(error))
    if isinstance(error, PoolTimeout):
        return Busy("All database connections are in use; try again in a second.")
    if isinstance(error, DBAPIError):
        return _database_fault(error)
    return None


def places_of(error: ValidationError) -> list[Place]:
    """List the wrong fields as JSON pointers."""
    return [
        Place("/" + "/".join(_escape_pointer(part) for part in problem_part["loc"]), message_of(problem_part))
        for problem_part in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def message_of(error: Mapping[str, Any]) -> str:
    """Return what Pydantic says of one wrong value, in words for a caller who knows neither Python nor Pydantic."""
    # a choice of enum members is told by their values, not as Python writes them
    message = re.sub(r"<\w+\.\w+: ('[^']*')>", r"\1", error["msg"].removeprefix("Value error, "))
    # a text that was cleaned before its length was checked
    return re.sub(
        r"^Value should have at (most|least) (\d+) items? after validation, not \d+$",
        lambda match: f"String should have at {match[1]} {match[2]} character{'' if match[2] == '1' else 's'}",
        message,
    )


def _escape_pointer(part: int | str) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _database_fault(error: DBAPIError) -> Fault | None:
    cause = error.orig
    if isinstance(cause, pg.UniqueViolation):
        names = _constraint_columns(cause)
        places = [Place(f"/{name}", "must be unique") for name in names]
        return Conflict(f"There is already one with this {' and '.join(names) or 'key'}.", places)
    if isinstance(cause, pg.ExclusionViolation):
        return Conflict("This overlaps with another one, which has just been made; read them again.")
    if isinstance(cause, pg.ForeignKeyViolation):
        if "still referenced" in (cause.diag.message_detail or ""):
            return Conflict("Other rows still refer to this one.")
        return NotFound(f"The {' and '.join(_constraint_columns(cause)) or 'key'} given is not there, or not yours.")
    if isinstance(cause, pg.CheckViolation):
        return Invalid(f"The values break the rule {cause.diag.constraint_name}.")
    if isinstance(cause, (pg.DataError, pg.UntranslatableCharacter)):
        return Invalid(f"A value cannot be stored: {cause.diag.message_primary or cause}.")
    if isinstance(cause, (*RETRYABLE, pg.LockNotAvailable, pg.QueryCanceled)):
        return Busy("Somebody else is changing the same rows; try again in a second.")
    if isinstance(error, OperationalError):
        return Busy("The database cannot be reached right now; try again in a few seconds.")
    return None


def _constraint_columns(cause: pg.Error) -> list[str]:
    """Read the columns out of a constraint's name: PostgreSQL tells no values under row-level security."""
    table = metadata.tables.get(cause.diag.table_name or "")
    rest = (cause.diag.constraint_name or "").removeprefix(f"{cause.diag.table_name}_tenant_id_")
    columns: list[str] = []
    known = sorted(table.columns.keys() if table is not None else (), key=len, reverse=True)
    while name := next((name for name in known if rest.startswith(f"{name}_")), None):
        columns.append(name)
        rest = rest.removeprefix(f"{name}_")
    return columns if rest in ("key", "fkey") else []


def document(fault: Fault, *, instance: str) -> tuple[int, str]:
    """Write a fault as a problem document, with its HTTP status."""
    status = STATUS_OF_KIND[fault.kind]
    return status, problem(
        status=status,
        kind=fault.kind,
        title=fault.title,
        detail=fault.detail,
        instance=instance,
        places=fault.places,
        more=fault.more,
    )


def headers_of(fault: Fault) -> dict[str, str]:
    """Return the headers of a fault's problem document: its type, when to try again, how to authenticate."""
    headers = {"Content-Type": PROBLEM}
    if fault.wait:
        headers["Retry-After"] = str(fault.wait)
    if isinstance(fault, Unauthenticated):
        headers["WWW-Authenticate"] = fault.challenge
    return headers


def problem(
    *,
    status: int,
    kind: str,
    title: str,
    detail: str,
    instance: str,
    places: Sequence[Place] = (),
    more: Mapping[str, str] | None = None,
) -> str:
    """Write an application/problem+json body; `more` are members of this kind's own."""
    body: dict[str, Any] = {
        "type": f"urn:wagebook:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        **(more or {}),
    }
    if places:
        body["errors"] = [{"pointer": place.pointer, "detail": place.detail} for place in places]
    return json.dumps(body)
