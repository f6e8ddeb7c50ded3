"""Parse a request's body without trusting it: size, syntax, duplicate names, NaN, depth, NUL, lone surrogates."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel

from chalicelib.kernel.errors import Invalid, TooLarge, Unreadable, invalid

LARGEST_BODY = 6 * 1024 * 1024  # bytes: Lambda's limit of one synchronous call
DEEPEST = 32  # levels of nesting
B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class RawBody:
    """A body that the feature parses itself: rows as JSON or CSV, a bank's XML."""

    content_type: str
    data: bytes


def parse_model(model: type[B], data: bytes) -> B:
    """Parse JSON strictly into a model; where the model requires nothing, the body may be left out."""
    if not data.strip() and not any(field.is_required() for field in model.model_fields.values()):
        return model()
    load_json(data)
    return model.model_validate_json(data)


def is_no_body(data: bytes) -> bool:
    """Return whether the body is empty or `{}`, which means the same."""
    return data.strip() in (b"", b"{}")


def refuse_body(data: bytes) -> None:
    """Refuse a body where a route takes none, since what it asks for would be ignored.

    Raises Unreadable if it is not JSON, else Invalid with the place of its first field. Empty and `{}` pass.
    """
    if not is_no_body(data) and (value := load_json(data)) != {}:
        place = "/" + next(iter(value)).replace("~", "~0").replace("/", "~1") if isinstance(value, dict) else ""
        raise invalid(place, "this route takes no body; leave it away, or send {}")


def load_json(data: bytes) -> object:
    """Parse plain JSON: UTF-8, unique names, finite numbers, bounded size and depth. Raises Unreadable or TooLarge."""
    if len(data) > LARGEST_BODY:
        raise TooLarge(f"The body has {len(data):,} bytes; at most {LARGEST_BODY:,} can be taken. Send it in parts.")
    if not data.strip():
        raise Unreadable("The body is empty; send a JSON object.")
    try:
        value: object = json.loads(
            data.decode("utf-8"), object_pairs_hook=_reject_duplicate_names, parse_constant=_reject_constant
        )
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The body is not the JSON that we take: {error}.") from None
    _check_nested(value, depth=1)
    return value


def _reject_duplicate_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return names


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _check_nested(value: object, *, depth: int) -> None:
    """Check every text in a JSON value, and how deep it is nested."""
    if depth > DEEPEST:
        raise Unreadable(f"The body is nested deeper than {DEEPEST} levels.")
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            check_text(name)
            _check_nested(inner, depth=depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_nested(inner, depth=depth + 1)


def check_text(value: str) -> None:
    """Refuse text that PostgreSQL cannot hold: NUL, and half of a surrogate pair."""
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise Invalid("A text holds a character that cannot be stored (NUL, or half of a surrogate pair).")
