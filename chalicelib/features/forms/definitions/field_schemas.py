"""What a form's definition is made of: fields, their options, checks and conditions."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, TypeAdapter, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from chalicelib.kernel.moments import LifeDay
from chalicelib.kernel.schema import NUMBER, Input, LongText, SourceText, Text

MOST_FIELDS, MOST_OPTIONS = 100, 200
LONGEST_TEXT = 10_000
LARGEST_FILE = 50 * 1024 * 1024
MOST_FILES = 20


class FieldType(StrEnum):
    TEXT = "text"
    EMAIL = "email"
    NUMBER = "number"
    DATE = "date"
    TEXTAREA = "textarea"
    DROPDOWN = "dropdown"
    CHECKBOX = "checkbox"
    FILE = "file"
    PHONE = "phone"
    ADDRESS = "address"


def _explain_value(value: Any, handler: ValidatorFunctionWrapHandler) -> object:
    # pydantic reports each form of a union in turn, at places that no caller has written
    try:
        return handler(value)
    except ValidationError:
        raise ValueError("must be a text, a number, true or false") from None


FieldName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", min_length=1, max_length=64, examples=["reason"])]
Length = Annotated[int, Field(ge=0, le=LONGEST_TEXT)]
Bound = Annotated[
    Decimal,
    Field(max_digits=15, ge=-(10**15), le=10**15),
    NUMBER,
    PlainSerializer(float, return_type=float),
]
Value = Annotated[
    bool | Annotated[int, Field(ge=-(10**15), le=10**15)] | Annotated[float, Field(allow_inf_nan=False)] | Text,
    WrapValidator(_explain_value),
]
ContentType = Annotated[
    str, Field(pattern=r"^[a-z0-9.+-]+/[a-z0-9.+-]+$", max_length=100, examples=["application/pdf"])
]


class Option(Input):
    """One choice: what people see, and what is kept."""

    label: Text
    value: Text


class Checks(Input):
    """What a value must keep to. Each applies to some types of field only, as said; the others are refused."""

    min_length: Length | None = Field(None, description="characters: text, textarea")
    max_length: Length | None = Field(None, description="characters: text, textarea")
    pattern: Annotated[SourceText, Field(max_length=500)] | None = Field(
        None,
        description="what the whole value must look like: text, textarea, email, phone. A regular expression without"
        " look-around and back-references, so that no value takes long to check",
    )
    min: Bound | None = Field(None, description="number")
    max: Bound | None = Field(None, description="number")
    min_date: LifeDay | None = Field(None, description="date")
    max_date: LifeDay | None = Field(None, description="date")
    max_size_bytes: Annotated[int, Field(ge=1, le=LARGEST_FILE)] | None = Field(None, description="file, each")
    content_types: Annotated[list[ContentType], Field(min_length=1, max_length=20)] | None = Field(
        None, description="file"
    )
    max_files: Annotated[int, Field(ge=1, le=MOST_FILES)] | None = Field(None, description="file; 10 if not said")


class Condition(Input):
    """Something about another field's value: that it equals one, is one of several, or is given at all."""

    field: FieldName
    equals: Value | None = None
    in_: Annotated[list[Value], Field(min_length=1, max_length=MOST_OPTIONS)] | None = Field(None, alias="in")
    is_set: bool | None = Field(None, description="true: has a value; false: has none")


class FormField(Input):
    """One field of a form."""

    field_name: FieldName
    field_label: Text
    field_type: FieldType
    is_required: bool = False
    placeholder: Text | None = None
    help_text: LongText | None = None
    options: Annotated[list[Option], Field(max_length=MOST_OPTIONS)] | None = Field(
        None, description="dropdown: one may be chosen; checkbox: several, and without options it is true or false"
    )
    validation: Checks | None = None
    validation_rule: Annotated[SourceText, Field(max_length=500)] | None = Field(
        None, description="short for a `validation` of this pattern"
    )
    field_order: Annotated[int, Field(ge=0, le=100_000)] | None = Field(
        None, description="its place; where it is not said, its place in the list"
    )
    visible_if: Condition | None = Field(None, description="otherwise the field is not shown, and its value is dropped")
    required_if: Condition | None = Field(None, description="required too where this holds")


FIELDS: TypeAdapter[list[FormField]] = TypeAdapter(list[FormField])
