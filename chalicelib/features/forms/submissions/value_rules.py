"""Checks of what people fill in, from the form's definition alone. Every wrong place is told, all at once.

A value that is null, blank or an empty list is as good as none. A field that is not shown has no value: what was sent
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


class _Wrong(Exception):
    def __init__(self, detail: str, part: str = "") -> None:
        super().__init__(detail)
        self.detail, self.part = detail, part


def check_names(fields: Sequence[FormField], data: Mapping[str, Any]) -> None:
    """Refuse what cannot even be kept for later: too much, or values of fields that there are not."""
    try:
        size = len(json.dumps(data, ensure_ascii=False, allow_nan=False).encode())
    except ValueError:
        raise Invalid("The submission holds a number that is too large to be kept.") from None
    if size > LARGEST_DATA:
        raise TooLarge(f"The submission has more than {LARGEST_DATA // 1024} KB; send long documents as attachments.")
    known = {field.field_name for field in fields}
    if places := [Place(_pointer(name), "is not a field of this form") for name in data if name not in known]:
        raise Invalid("The submission names fields that this form does not have.", places)


def checked(fields: Sequence[FormField], data: Mapping[str, Any]) -> dict[str, Any]:
    """Check a whole submission, but for its files, and give the values to keep, in the form's order."""
    check_names(fields, data)
    given = _given(fields, data)
    kept: dict[str, Any] = {}
    places: list[Place] = []
    for field in _shown(fields, given):
        name = field.field_name
        try:
            if field.field_type is FieldType.FILE:
                if name in given:
                    raise _Wrong("is a file: upload it, and put its id into attachments instead")
            elif name in given:
                kept[name] = _CHECKS[field.field_type](field, field.validation or _NO_CHECKS, given[name])
                if kept[name] is False and _is_required(field, given):
                    raise _Wrong("must be ticked")
            elif _is_required(field, given):
                raise _Wrong("is required")
        except _Wrong as wrong:
            places.append(Place(_pointer(name) + wrong.part, wrong.detail))
    if places:
        raise Invalid("Some fields are wrong; each is listed with its place.", places)
    return kept


def check_files(fields: Sequence[FormField], data: Mapping[str, Any], files: Mapping[str, Sequence[Any]]) -> None:
    """Check that files are where they have to be, and only there; `data` is what `checked` gave."""
    shown = {field.field_name for field in _shown(fields, data)}
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


def _given(fields: Sequence[FormField], data: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields:
        value = data.get(field.field_name)
        if isinstance(value, str):
            value = _cleaned_or_as_sent(field, value)
        if value is not None and value not in ("", [], {}):
            found[field.field_name] = value
    return found


def _cleaned_or_as_sent(field: FormField, value: str) -> str:
    """Return the cleaned text; one that is refused stays as it is, for its field's check to say so at its place."""
    try:
        return clean_lines(value) if field.field_type is FieldType.TEXTAREA else clean_line(value)
    except ValueError:
        return value


def _clean_line(value: str, part: str = "") -> str:
    try:
        return clean_line(value)
    except ValueError as wrong:
        raise _Wrong(str(wrong), part) from None


def _shown(fields: Sequence[FormField], given: Mapping[str, Any]) -> Iterator[FormField]:
    by_name = {field.field_name: field for field in fields}

    def value_of(name: str) -> Any:
        return given.get(name) if is_shown(by_name[name]) else None

    def is_shown(field: FormField) -> bool:  # it ends: a definition that goes round in a circle is never saved
        condition = field.visible_if
        return condition is None or _holds(condition, value_of(condition.field))

    return (field for field in fields if is_shown(field))


def _is_required(field: FormField, given: Mapping[str, Any]) -> bool:
    condition = field.required_if
    return field.is_required or (condition is not None and _holds(condition, given.get(condition.field)))


def _holds(condition: Condition, value: Any) -> bool:
    if condition.is_set is not None:
        return condition.is_set is (value is not None)
    wanted = [condition.equals] if condition.equals is not None else condition.in_ or []
    values = value if isinstance(value, list) else [value]  # of several ticked, one is enough
    return any(_same(one, other) for one in values for other in wanted)


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted
    if isinstance(wanted, int | float):
        try:
            return _decimal(value) == _decimal(wanted)
        except _Wrong:
            return False
    return bool(value == wanted)


def _text(field: FormField, checks: Checks, value: Any, *, longest: int = LONGEST_LINE) -> str:
    if not isinstance(value, str):
        raise _Wrong("must be a text")
    try:
        value = clean_lines(value) if field.field_type is FieldType.TEXTAREA else clean_line(value)
    except ValueError as wrong:
        raise _Wrong(str(wrong)) from None
    least, pattern = checks.min_length or 0, pattern_of(field)
    most = min(longest if checks.max_length is None else checks.max_length, LONGEST_TEXT)
    if pattern:
        most = min(most, patterns.LONGEST)
    if len(value) < least:
        raise _Wrong(f"must have at least {_counted(least, 'character')}")
    if len(value) > most:
        raise _Wrong(f"must have at most {_counted(most, 'character')}")
    if pattern and not patterns.matches(pattern, value):
        raise _Wrong(f"must look like {pattern}")
    return value


def _textarea(field: FormField, checks: Checks, value: Any) -> str:
    return _text(field, checks, value, longest=LONGEST_TEXT)


def _email(field: FormField, checks: Checks, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 254 or not _EMAIL.fullmatch(value):
        raise _Wrong("must be an e-mail address such as rahim@acme.example")
    return _text(field, checks, value)


def _phone(field: FormField, checks: Checks, value: Any) -> str:
    # E.164 has at most 15 digits; how they are grouped, and whether the country is said, is left to people
    if (
        not isinstance(value, str)
        or len(value) > 30
        or not _PHONE.fullmatch(value)
        or not 7 <= sum(one.isdigit() for one in value) <= 15
    ):
        raise _Wrong("must be a phone number of 7 to 15 digits such as +880 1712-345678")
    return _text(field, checks, value)


def _number(field: FormField, checks: Checks, value: Any) -> Any:
    number = _decimal(value)
    if checks.min is not None and number < checks.min:
        raise _Wrong(f"must be at least {checks.min:f}")
    if checks.max is not None and number > checks.max:
        raise _Wrong(f"must be at most {checks.max:f}")
    return value


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _Wrong('must be a number such as 12.5 or "12.50"')
    if isinstance(value, str) and (len(value) > MOST_DIGITS + 2 or not _NUMBER.fullmatch(value)):
        raise _Wrong(f'must be a number such as 12.5 or "12.50", of at most {MOST_DIGITS} digits')
    if isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:
        raise _Wrong(f"has more than {MOST_DIGITS} digits")
    number = Decimal(str(value))
    if isinstance(value, float):
        if not number.is_finite() or number.adjusted() >= MOST_DIGITS or number.adjusted() < -MOST_DIGITS:
            raise _Wrong(f"has more than {MOST_DIGITS} digits")
        if len(number.as_tuple().digits) > FLOAT_DIGITS:
            raise _Wrong(f"has more than {FLOAT_DIGITS} digits; send it as a text to keep them all")
    return number


def _date(field: FormField, checks: Checks, value: Any) -> str:
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValueError
        day = dt.date.fromisoformat(value)
    except ValueError:
        raise _Wrong("must be a date such as 2026-01-31") from None
    if checks.min_date is not None and day < checks.min_date:
        raise _Wrong(f"must be on or after {checks.min_date}")
    if checks.max_date is not None and day > checks.max_date:
        raise _Wrong(f"must be on or before {checks.max_date}")
    return value


def _dropdown(field: FormField, checks: Checks, value: Any) -> str:
    if not isinstance(value, str) or value not in _values(field):
        raise _Wrong(f"must be one of: {_listed(field)}")
    return value


def _checkbox(field: FormField, checks: Checks, value: Any) -> Any:
    if not field.options:
        if not isinstance(value, bool):
            raise _Wrong("must be true or false")
        return value
    known = _values(field)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _Wrong(f"must be a list of some of: {_listed(field)}")
    value = [_clean_line(one) for one in value]
    if not all(one in known for one in value):
        raise _Wrong(f"must be a list of some of: {_listed(field)}")
    if len(set(value)) != len(value):
        raise _Wrong("names an option twice")
    return value


def _address(field: FormField, checks: Checks, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _Wrong(f"must be an object with {', '.join(ADDRESS)}")
    if strange := next((name for name in value if name not in ADDRESS), None):
        raise _Wrong(f"has a part {strange[:50]} that no address has; the parts are {', '.join(ADDRESS)}")
    kept: dict[str, str] = {}
    for name, (longest, is_needed) in ADDRESS.items():
        said = value.get(name)
        if said is not None and not isinstance(said, str):
            raise _Wrong("must be a text", f"/{name}")
        said = _clean_line(said or "", f"/{name}")
        if not said:
            if is_needed:
                raise _Wrong("is required", f"/{name}")
            continue
        if len(said) > longest:
            raise _Wrong(f"must have at most {longest} characters", f"/{name}")
        kept[name] = said
    return kept


def _values(field: FormField) -> set[str]:
    return {option.value for option in field.options or ()}


def _listed(field: FormField) -> str:
    values = [option.value for option in field.options or ()]
    return ", ".join(values[:20]) + (", ..." if len(values) > 20 else "")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


_CHECKS: dict[FieldType, Callable[[FormField, Checks, Any], Any]] = {
    FieldType.TEXT: _text,
    FieldType.TEXTAREA: _textarea,
    FieldType.EMAIL: _email,
    FieldType.NUMBER: _number,
    FieldType.DATE: _date,
    FieldType.DROPDOWN: _dropdown,
    FieldType.CHECKBOX: _checkbox,
    FieldType.PHONE: _phone,
    FieldType.ADDRESS: _address,
}
