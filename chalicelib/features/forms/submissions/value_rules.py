"""Checks of submitted values against the form's definition alone. All wrong places are listed at once.

A value that is null, blank or an empty list counts as none. A field that is not shown has no value: what was sent
for it is dropped, and conditions on it see nothing. Texts are cleaned as all human text is (kernel.text) before they
are checked; numbers and dates are kept as they were sent.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from chalicelib.features.forms.definitions import patterns
from chalicelib.features.forms.definitions.field_rules import pattern_of
from chalicelib.features.forms.definitions.field_schemas import LONGEST_TEXT, Checks, Condition, FieldType, FormField
from chalicelib.kernel.errors import Invalid, Place, TooLarge
from chalicelib.kernel.text import clean_line, clean_lines

LARGEST_DATA = 64 * 1024  # bytes of JSON
MOST_DIGITS = 30
FLOAT_DIGITS = 15  # a JSON number of more digits has been rounded on its way, somewhere
LONGEST_LINE = 1000
_NO_CHECKS = Checks()
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[0-9(][0-9 ().-]*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# The parts of an address, how long each may be, and whether there is no address without it.
ADDRESS = {
    "line1": (200, True),
    "line2": (200, False),
    "city": (100, True),
    "postal_code": (20, False),
    "country": (100, True),
}


class _Refusal(Exception):
    """Why a value is refused, and the part of it that is wrong, as the end of a JSON pointer."""

    def __init__(self, detail: str, part: str = "") -> None:
        super().__init__(detail)
        self.detail, self.part = detail, part


def check_names(fields: Sequence[FormField], data: Mapping[str, Any]) -> None:
    """Refuse what cannot even be kept as a draft: too much data, or values of unknown fields."""
    try:
        size = len(json.dumps(data, ensure_ascii=False, allow_nan=False).encode())
    except ValueError:
        raise Invalid("The submission holds a number that is too large to be kept.") from None
    if size > LARGEST_DATA:
        raise TooLarge(f"The submission has more than {LARGEST_DATA // 1024} KB; send long documents as attachments.")
    known = {field.field_name for field in fields}
    if places := [Place(_pointer(name), "is not a field of this form") for name in data if name not in known]:
        raise Invalid("The submission names fields that this form does not have.", places)


def validate_values(fields: Sequence[FormField], data: Mapping[str, Any]) -> dict[str, Any]:
    """Check a whole submission except its files, and return the values to keep, in the form's order."""
    check_names(fields, data)
    values = _read_values(fields, data)
    kept: dict[str, Any] = {}
    places: list[Place] = []
    for field in _list_shown(fields, values):
        name = field.field_name
        try:
            if field.field_type is FieldType.FILE:
                if name in values:
                    raise _Refusal("is a file: upload it, and put its id into attachments instead")
            elif name in values:
                kept[name] = _CHECKS[field.field_type](field, field.validation or _NO_CHECKS, values[name])
                if kept[name] is False and _is_required(field, values):
                    raise _Refusal("must be ticked")
            elif _is_required(field, values):
                raise _Refusal("is required")
        except _Refusal as refusal:
            places.append(Place(_pointer(name) + refusal.part, refusal.detail))
    if places:
        raise Invalid("Some fields are wrong; each is listed with its place.", places)
    return kept


def check_files(fields: Sequence[FormField], data: Mapping[str, Any], files: Mapping[str, Sequence[Any]]) -> None:
    """Check that required file fields have files, and hidden ones none; `data` is the result of `validate_values`."""
    shown = {field.field_name for field in _list_shown(fields, data)}
    places = []
    for field in fields:
        name, count = field.field_name, len(files.get(field.field_name, ()))
        if field.field_type is not FieldType.FILE:
            continue
        if count and name not in shown:
            places.append(Place(_pointer(name), "is not shown with these values, and takes no file"))
        elif not count and name in shown and _is_required(field, data):
            places.append(Place(_pointer(name), "needs a file: upload it, and put its id into attachments"))
    if places:
        raise Invalid("Some files are missing, or are where none belongs; each is listed with its place.", places)


def is_number(value: str) -> bool:
    """Return whether a text is a decimal number as a number field takes it."""
    return _NUMBER.fullmatch(value) is not None


def _pointer(name: str) -> str:
    return "/submission_data/" + name.replace("~", "~0").replace("/", "~1")


def _read_values(fields: Sequence[FormField], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that count, with texts cleaned, also of fields that are not shown."""
    values: dict[str, Any] = {}
    for field in fields:
        value = data.get(field.field_name)
        if isinstance(value, str):
            value = _clean_if_possible(field, value)
        if value is not None and value not in ("", [], {}):
            values[field.field_name] = value
    return values


def _clean_if_possible(field: FormField, value: str) -> str:
    """Return the cleaned text, or an unclean one as it is: its field's check refuses it, at its place."""
    try:
        return clean_lines(value) if field.field_type is FieldType.TEXTAREA else clean_line(value)
    except ValueError:
        return value


def _clean_line(value: str, part: str = "") -> str:
    try:
        return clean_line(value)
    except ValueError as error:
        raise _Refusal(str(error), part) from None


def _list_shown(fields: Sequence[FormField], values: Mapping[str, Any]) -> Iterator[FormField]:
    """Return the fields that are shown with these values: a condition on a hidden field sees no value."""
    by_name = {field.field_name: field for field in fields}

    def value_of(name: str) -> object:
        return values.get(name) if is_shown(by_name[name]) else None

    def is_shown(field: FormField) -> bool:  # it ends: circular definitions are never saved
        condition = field.visible_if
        return condition is None or _is_met(condition, value_of(condition.field))

    return (field for field in fields if is_shown(field))


def _is_required(field: FormField, values: Mapping[str, Any]) -> bool:
    condition = field.required_if
    return field.is_required or (condition is not None and _is_met(condition, values.get(condition.field)))


def _is_met(condition: Condition, value: Any) -> bool:
    """Return whether a condition holds for the other field's value (None: it has none)."""
    if condition.is_set is not None:
        return condition.is_set is (value is not None)
    accepted = [condition.equals] if condition.equals is not None else condition.in_ or []
    values = value if isinstance(value, list) else [value]  # of several ticked, one is enough
    return any(_equals(one, other) for one in values for other in accepted)


def _equals(value: Any, accepted: Any) -> bool:
    """Compare two values as the form means them: numbers by value, also as text; true is not 1."""
    if isinstance(accepted, bool) or isinstance(value, bool):
        return value is accepted
    if isinstance(accepted, int | float):
        try:
            return _parse_decimal(value) == _parse_decimal(accepted)
        except _Refusal:
            return False
    return bool(value == accepted)


def _check_text(field: FormField, checks: Checks, value: Any, *, longest: int = LONGEST_LINE) -> str:
    """Clean a text and check its length and pattern."""
    if not isinstance(value, str):
        raise _Refusal("must be a text")
    try:
        cleaned = clean_lines(value) if field.field_type is FieldType.TEXTAREA else clean_line(value)
    except ValueError as error:
        raise _Refusal(str(error)) from None
    least, pattern = checks.min_length or 0, pattern_of(field)
    most = min(longest if checks.max_length is None else checks.max_length, LONGEST_TEXT)
    if pattern:
        most = min(most, patterns.LONGEST)
    if len(cleaned) < least:
        raise _Refusal(f"must have at least {_pluralize(least, 'character')}")
    if len(cleaned) > most:
        raise _Refusal(f"must have at most {_pluralize(most, 'character')}")
    if pattern and not patterns.matches(pattern, cleaned):
        raise _Refusal(f"must look like {pattern}")
    return cleaned


def _check_textarea(field: FormField, checks: Checks, value: Any) -> str:
    return _check_text(field, checks, value, longest=LONGEST_TEXT)


def _check_email(field: FormField, checks: Checks, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 254 or not _EMAIL.fullmatch(value):
        raise _Refusal("must be an e-mail address such as rahim@acme.example")
    return _check_text(field, checks, value)


def _check_phone(field: FormField, checks: Checks, value: Any) -> str:
    # E.164 has at most 15 digits; grouping and country code are free
    if (
        not isinstance(value, str)
        or len(value) > 30
        or not _PHONE.fullmatch(value)
        or not 7 <= sum(one.isdigit() for one in value) <= 15
    ):
        raise _Refusal("must be a phone number of 7 to 15 digits such as +880 1712-345678")
    return _check_text(field, checks, value)


def _check_number(field: FormField, checks: Checks, value: Any) -> object:
    """Check a number against its bounds; it is kept as it was sent."""
    number = _parse_decimal(value)
    if checks.min is not None and number < checks.min:
        raise _Refusal(f"must be at least {checks.min:f}")
    if checks.max is not None and number > checks.max:
        raise _Refusal(f"must be at most {checks.max:f}")
    return value


def _parse_decimal(value: Any) -> Decimal:
    """Read a number that can be kept exactly. Raises _Refusal."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _Refusal('must be a number such as 12.5 or "12.50"')
    if isinstance(value, str) and (len(value) > MOST_DIGITS + 2 or not _NUMBER.fullmatch(value)):
        raise _Refusal(f'must be a number such as 12.5 or "12.50", of at most {MOST_DIGITS} digits')
    if isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:
        raise _Refusal(f"has more than {MOST_DIGITS} digits")
    number = Decimal(str(value))
    if isinstance(value, float):
        if not number.is_finite() or number.adjusted() >= MOST_DIGITS or number.adjusted() < -MOST_DIGITS:
            raise _Refusal(f"has more than {MOST_DIGITS} digits")
        if len(number.as_tuple().digits) > FLOAT_DIGITS:
            raise _Refusal(f"has more than {FLOAT_DIGITS} digits; send it as a text to keep them all")
    return number


def _check_date(field: FormField, checks: Checks, value: Any) -> str:
    """Check a date in ISO form against its bounds."""
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValueError
        day = dt.date.fromisoformat(value)
    except ValueError:
        raise _Refusal("must be a date such as 2026-01-31") from None
    if checks.min_date is not None and day < checks.min_date:
        raise _Refusal(f"must be on or after {checks.min_date}")
    if checks.max_date is not None and day > checks.max_date:
        raise _Refusal(f"must be on or before {checks.max_date}")
    return value


def _check_dropdown(field: FormField, checks: Checks, value: Any) -> str:
    if not isinstance(value, str) or value not in _option_values(field):
        raise _Refusal(f"must be one of: {_list_options(field)}")
    return value


def _check_checkbox(field: FormField, checks: Checks, value: Any) -> bool | list[str]:
    """Check true or false, or a list of options, each at most once."""
    if not field.options:
        if not isinstance(value, bool):
            raise _Refusal("must be true or false")
        return value
    known = _option_values(field)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _Refusal(f"must be a list of some of: {_list_options(field)}")
    chosen = [_clean_line(one) for one in value]
    if not all(one in known for one in chosen):
        raise _Refusal(f"must be a list of some of: {_list_options(field)}")
    if len(set(chosen)) != len(chosen):
        raise _Refusal("names an option twice")
    return chosen


def _check_address(field: FormField, checks: Checks, value: Any) -> dict[str, str]:
    """Check an address part by part, and return those that are filled in."""
    if not isinstance(value, dict):
        raise _Refusal(f"must be an object with {', '.join(ADDRESS)}")
    if unknown := next((name for name in value if name not in ADDRESS), None):
        raise _Refusal(f"has a part {unknown[:50]} that no address has; the parts are {', '.join(ADDRESS)}")
    kept: dict[str, str] = {}
    for name, (longest, is_needed) in ADDRESS.items():
        text = value.get(name)
        if text is not None and not isinstance(text, str):
            raise _Refusal("must be a text", f"/{name}")
        text = _clean_line(text or "", f"/{name}")
        if not text:
            if is_needed:
                raise _Refusal("is required", f"/{name}")
            continue
        if len(text) > longest:
            raise _Refusal(f"must have at most {longest} characters", f"/{name}")
        kept[name] = text
    return kept


def _option_values(field: FormField) -> set[str]:
    return {option.value for option in field.options or ()}


def _list_options(field: FormField) -> str:
    values = [option.value for option in field.options or ()]
    return ", ".join(values[:20]) + (", ..." if len(values) > 20 else "")


def _pluralize(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


_CHECKS: dict[FieldType, Callable[[FormField, Checks, Any], Any]] = {
    FieldType.TEXT: _check_text,
    FieldType.TEXTAREA: _check_textarea,
    FieldType.EMAIL: _check_email,
    FieldType.NUMBER: _check_number,
    FieldType.DATE: _check_date,
    FieldType.DROPDOWN: _check_dropdown,
    FieldType.CHECKBOX: _check_checkbox,
    FieldType.PHONE: _check_phone,
    FieldType.ADDRESS: _check_address,
}
