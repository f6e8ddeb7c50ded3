"""Checks of a form's definition, field by field and between them. All wrong places are listed at once."""

from collections.abc import Iterator, Sequence
from itertools import chain

from chalicelib.features.forms.definitions import patterns
from chalicelib.features.forms.definitions.field_schemas import Condition, FieldType, FormField, Value
from chalicelib.kernel.errors import Invalid, Place

LARGEST_DEFINITION = 256 * 1024  # bytes of JSON
APPLIES = {
    "min_length": {FieldType.TEXT, FieldType.TEXTAREA},
    "max_length": {FieldType.TEXT, FieldType.TEXTAREA},
    "pattern": {FieldType.TEXT, FieldType.TEXTAREA, FieldType.EMAIL, FieldType.PHONE},
    "min": {FieldType.NUMBER},
    "max": {FieldType.NUMBER},
    "min_date": {FieldType.DATE},
    "max_date": {FieldType.DATE},
    "max_size_bytes": {FieldType.FILE},
    "content_types": {FieldType.FILE},
    "max_files": {FieldType.FILE},
}
_PAIRS = (("min_length", "max_length"), ("min", "max"), ("min_date", "max_date"))


def lay_out(fields: Sequence[FormField]) -> list[FormField]:
    """Check a definition and return its fields in the order in which they are shown, numbered from 1."""
    if wrong_places := list(chain.from_iterable(_check_field(fields, at) for at in range(len(fields)))):
        raise Invalid("The form's fields are wrong; each place is named.", wrong_places)
    if not patterns.fit_together([one for field in fields if (one := pattern_of(field))]):
        raise Invalid(
            "The patterns of this form are too large together; repeat less, or name the characters that you mean"
            " ([A-Za-z0-9_] for \\w)."
        )
    orders = [n if field.field_order is None else field.field_order for n, field in enumerate(fields, start=1)]
    in_order = sorted(range(len(fields)), key=orders.__getitem__)
    shown = [fields[at].model_copy(update={"field_order": n}) for n, at in enumerate(in_order, start=1)]
    if (
        sum(len(field.model_dump_json(by_alias=True, exclude_none=True).encode()) for field in shown)
        > LARGEST_DEFINITION
    ):
        raise Invalid(
            f"The fields have more than {LARGEST_DEFINITION // 1024} KB of text together; shorten the options."
        )
    return shown


def pattern_of(field: FormField) -> str | None:
    """Return the pattern of a field, from `validation_rule` or `validation`."""
    return field.validation_rule or (field.validation.pattern if field.validation else None)


def _check_field(fields: Sequence[FormField], at: int) -> Iterator[Place]:
    """Yield what is wrong with one field, by its place in the request."""
    field = fields[at]
    if any(field.field_name == other.field_name for other in fields[:at]):
        yield Place(f"/fields/{at}/field_name", f"there is another field {field.field_name}")
    for part, detail in chain(
        _check_options(field), _check_validation(field), _check_pattern(field), _check_conditions(fields, field)
    ):
        yield Place(f"/fields/{at}/{part}", detail)


def _check_options(field: FormField) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a field's options, as part and detail."""
    if field.field_type is FieldType.DROPDOWN and not field.options:
        yield "options", "a dropdown needs at least one option"
    if field.options and field.field_type not in (FieldType.DROPDOWN, FieldType.CHECKBOX):
        yield "options", f"a field of type {field.field_type} has no options; take dropdown or checkbox"
    values = [option.value for option in field.options or ()]
    for n, value in enumerate(values):
        if value in values[:n]:
            yield f"options/{n}/value", f"there is another option with the value {value}"


def _check_validation(field: FormField) -> Iterator[tuple[str, str]]:
    """Yield limits that do not apply to the field's type, or contradict each other."""
    if field.validation is None:
        return
    limits = field.validation.model_dump(exclude_none=True)
    for name in limits:
        if field.field_type not in APPLIES[name]:
            yield f"validation/{name}", f"does not apply to a field of type {field.field_type}"
    for least, most in _PAIRS:
        if least in limits and most in limits and limits[least] > limits[most]:
            yield f"validation/{most}", f"is less than {least}, so no value would do"


def _check_pattern(field: FormField) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a field's pattern."""
    in_validation = field.validation.pattern if field.validation else None
    if field.validation_rule and field.field_type not in APPLIES["pattern"]:
        yield "validation_rule", f"is a pattern, and does not apply to a field of type {field.field_type}"
    elif field.validation_rule and in_validation and in_validation != field.validation_rule:
        yield "validation_rule", "differs from the pattern in validation; say it once"
    elif (pattern := pattern_of(field)) and (problem := patterns.check_pattern(pattern)):
        yield "validation_rule" if field.validation_rule else "validation/pattern", problem


def _check_conditions(fields: Sequence[FormField], field: FormField) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a field's conditions on other fields."""
    by_name = {one.field_name: one for one in fields}
    for name in ("visible_if", "required_if"):
        condition: Condition | None = getattr(field, name)
        if condition is None:
            continue
        operators = [
            word
            for word, value in (("equals", condition.equals), ("in", condition.in_), ("is_set", condition.is_set))
            if value is not None
        ]
        if len(operators) != 1:
            yield name, "needs one of equals, in and is_set, and not more than one"
        other = by_name.get(condition.field)
        if other is None:
            yield f"{name}/field", f"there is no field {condition.field}"
        elif other is field:
            yield f"{name}/field", "is this very field; name another one"
        elif other.field_type is FieldType.FILE:
            yield f"{name}/field", "is a file, and conditions cannot ask for files"
        elif other.field_type is FieldType.ADDRESS and operators != ["is_set"]:
            yield f"{name}/field", "is an address, which can only be asked whether it is_set"
        else:
            yield from ((f"{name}/{part}", problem) for part, problem in _check_condition_values(condition, other))
    if _is_circular(by_name, field):
        yield "visible_if", "goes round in a circle: whether this field is shown depends on itself"


def _check_condition_values(condition: Condition, other: FormField) -> Iterator[tuple[str, str]]:
    """Yield the values of a condition that the other field can never have."""
    if condition.equals is not None and (problem := _explain_impossible_value(condition.equals, other)):
        yield "equals", problem
    for n, value in enumerate(condition.in_ or ()):
        if problem := _explain_impossible_value(value, other):
            yield f"in/{n}", problem


def _explain_impossible_value(value: Value, field: FormField) -> str | None:
    """Return why a field of this type can never have the value, or None."""
    if field.options:
        if value not in [option.value for option in field.options] or not isinstance(value, str):
            return f"is not among the options of {field.field_name}"
    elif field.field_type is FieldType.CHECKBOX:
        if not isinstance(value, bool):
            return f"{field.field_name} is true or false"
    elif field.field_type is FieldType.NUMBER:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{field.field_name} is a number"
    elif not isinstance(value, str):
        return f"{field.field_name} is a text"
    return None


def _is_circular(by_name: dict[str, FormField], field: FormField) -> bool:
    """Return whether following `visible_if` from a field leads back to it."""
    at: FormField | None = field
    for _ in range(len(by_name)):
        at = by_name.get(at.visible_if.field) if at is not None and at.visible_if is not None else None
        if at is field:
            return True
    return False
