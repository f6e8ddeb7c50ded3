"""Types of the API's models: strict input, described output, decimals as strings.

Input models have no bare `str`, `Decimal`, `date` or `datetime`: human text, money, numbers, days and moments have the
types here and in kernel.moments, and an architecture test lists the exceptions with their reasons.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)

from chalicelib.kernel import numbers, text

STORED = "stored"  # validation context of stored values, which may be older than today's rules: nothing is refused


def _cleaner(clean: Callable[[str], str], harmless: Callable[[str], str]) -> BeforeValidator:
    """Return the validator that cleans input, and only makes stored values harmless."""

    def read(value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        return harmless(value) if info.context == STORED else clean(value)

    return BeforeValidator(read)


def no_nul(value: str) -> str:
    """Refuse NUL, which PostgreSQL cannot store, in texts that are kept exactly as sent. Raises ValueError."""
    if "\x00" in value:
        raise ValueError("must not contain the NUL character")
    return value


# Cleans a text before it is checked, so that its length is that of the stored text (kernel.text).
CLEAN_LINE = _cleaner(text.clean_line, text.harmless_line)
CLEAN_LINES = _cleaner(text.clean_lines, text.harmless_lines)
Text = Annotated[str, Field(min_length=1, max_length=200), CLEAN_LINE]
LongText = Annotated[str, Field(max_length=2000), CLEAN_LINES]
Reason = Annotated[str, Field(min_length=1, max_length=2000), CLEAN_LINES]
Search = Annotated[str, Field(max_length=200), CLEAN_LINE]
# Formulas and patterns: they stay as sent, since errors name the character at which they are wrong.
SourceText = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(no_nul)]
Email = Annotated[
    str,
    Field(
        max_length=254,
        pattern=rf"^[^@\s\x00{text.JOINERS}]+@[^@\s\x00{text.JOINERS}]+\.[^@\s\x00{text.JOINERS}]+$",
        examples=["rahim@acme.example"],
    ),
    CLEAN_LINE,
    AfterValidator(str.lower),
]
Currency = Annotated[
    str,
    Field(pattern=r"^[A-Z]{3}$", min_length=3, max_length=3, description="ISO 4217", examples=["BDT"]),
]
_BELOW = Decimal(10) ** numbers.MOST_DIGITS


def _money_schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]}, mode="validation")


MoneyIn = Annotated[
    Decimal,
    Field(ge=0, lt=_BELOW, examples=["15000.00"]),
    BeforeValidator(numbers.read_amount),
    _money_schema(numbers.AMOUNT_PATTERN, "15000.00"),
]
PositiveMoneyIn = Annotated[
    Decimal,
    Field(gt=0, lt=_BELOW, examples=["40.00"]),
    BeforeValidator(numbers.read_amount),
    _money_schema(numbers.AMOUNT_PATTERN, "15000.00"),
]
SignedMoneyIn = Annotated[
    Decimal,
    Field(gt=-_BELOW, lt=_BELOW, examples=["-500.00"]),
    BeforeValidator(numbers.read_signed_amount),
    _money_schema(numbers.SIGNED_AMOUNT_PATTERN, "-500.00"),
]
NUMBER = BeforeValidator(numbers.read_number)  # of days, hours, rates and measures; bounds are the field's own
MoneyOut = Annotated[
    Decimal,
    PlainSerializer(lambda amount: format(amount, "f"), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["13636.36"]}, mode="serialization"),
]


def _format_plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# arguments and results of formulas, with all digits and no trailing zeros
Exact = Annotated[
    Decimal,
    PlainSerializer(_format_plain, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["714.2857142857"]}, mode="serialization"),
]
Number = Annotated[Decimal, PlainSerializer(float, return_type=float)]  # days and hours are JSON numbers
Version = Annotated[int, Field(ge=1, description="rises with each change; send it back as If-Match")]

UNSET: Any = None  # the default of a field that may be left out but not be null; `sent_fields()` leaves it out too


class Input(BaseModel):
    """Base of input models: unknown fields, wrong types and missing values are refused, each with its place."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)

    def sent_fields(self) -> dict[str, Any]:
        """Return only the fields that the caller sent."""
        return self.model_dump(exclude_unset=True)


class Output(BaseModel):
    """Base of replies: made from rows of our own database, also from attributes of dataclasses."""

    model_config = ConfigDict(extra="ignore", from_attributes=True)
