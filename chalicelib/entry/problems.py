"""Turn errors into problem documents for the caller (RFC 9457). A stack trace never leaves the server."""

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

RETRYABLE = (pg.DeadlockDetected, pg.SerializationFailure)  # the same transaction may succeed when run again


def fault_of(error: Exception) -> Fault | None:
    """Return the fault that an exception is to the caller, or None where it is an error of our own (500)."""
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
    """List the wrong fields of a validation error as JSON pointers."""
    return [
        Place("/" + "/".join(_escape_pointer(part) for part in problem_part["loc"]), message_of(problem_part))
        for problem_part in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def message_of(error: Mapping[str, Any]) -> str:
    """Return Pydantic's message about one wrong value, reworded for callers who do not know Python."""
    # members of an enum are listed by their values, not by Python's repr
    message = re.sub(r"<\w+\.\w+: ('[^']*')>", r"\1", error["msg"].removeprefix("Value error, "))
    # Pydantic counts "items" of a text that was cleaned before its length was checked
    return re.sub(
        r"^Value should have at (most|least) (\d+) items? after validation, not \d+$",
        lambda match: f"String should have at {match[1]} {match[2]} character{'' if match[2] == '1' else 's'}",
        message,
    )


def _escape_pointer(part: int | str) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _database_fault(error: DBAPIError) -> Fault | None:
    """Return the fault that a database error is to the caller, or None where it is our own."""
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
    """Return the columns in a constraint's name: under row-level security PostgreSQL's error has no values."""
    table = metadata.tables.get(cause.diag.table_name or "")
    rest = (cause.diag.constraint_name or "").removeprefix(f"{cause.diag.table_name}_tenant_id_")
    columns: list[str] = []
    known = sorted(table.columns.keys() if table is not None else (), key=len, reverse=True)
    while name := next((name for name in known if rest.startswith(f"{name}_")), None):
        columns.append(name)
        rest = rest.removeprefix(f"{name}_")
    return columns if rest in ("key", "fkey") else []


def document(fault: Fault, *, instance: str) -> tuple[int, str]:
    """Return a fault's HTTP status and problem document."""
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
    """Return the headers of a fault's reply: Content-Type, Retry-After, WWW-Authenticate."""
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
    """Return an application/problem+json body; `more` has the extension members of this kind."""
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
