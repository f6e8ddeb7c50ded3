"""What every message of the API is made of: strict input, described output, decimals as strings."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the NUL character")
    return text


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_nul)]
LongText = Annotated[str, Field(max_length=2000), AfterValidator(_no_nul)]
Email = Annotated[
    str,
    Field(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+\.[^@\s\x00]+$", examples=["rahim@acme.example"]),
    AfterValidator(str.lower),
]
Currency = Annotated[
    str,
    Field(pattern=r"^[A-Z]{3}$", min_length=3, max_length=3, description="ISO 4217", examples=["BDT"]),
]
_MONEY = WithJsonSchema(
    {"type": "string", "pattern": r"^[0-9]{1,15}(\.[0-9]{1,3})?$", "examples": ["15000.00"]}, mode="validation"
)
MoneyIn = Annotated[Decimal, Field(ge=0, lt=Decimal(10) ** 15, allow_inf_nan=False, examples=["15000.00"]), _MONEY]
PositiveMoneyIn = Annotated[Decimal, Field(gt=0, lt=Decimal(10) ** 15, allow_inf_nan=False, examples=["40.00"]), _MONEY]
MoneyOut = Annotated[
    Decimal,
    PlainSerializer(lambda amount: format(amount, "f"), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["13636.36"]}, mode="serialization"),
]


def _plain(number: Decimal) -> str:
    said = format(number, "f")
    return said.rstrip("0").rstrip(".") if "." in said else said


# what a formula takes and gives, with all its digits and no zeros after them
Exact = Annotated[
    Decimal,
    PlainSerializer(_plain, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["714.2857142857"]}, mode="serialization"),
]
Number = Annotated[Decimal, PlainSerializer(float, return_type=float)]  # days and hours are JSON numbers
Version = Annotated[int, Field(ge=1, description="rises with each change; send it back as If-Match")]

UNSET: Any = None  # the default of a field that may be left out but not be null; `given()` leaves it out too


class Input(BaseModel):
    """Strict: unknown fields, wrong types and missing values are refused, each with its place."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)

    def given(self) -> dict[str, Any]:
        """This will give only the fields that the caller sent."""
        return self.model_dump(exclude_unset=True)


class Output(BaseModel):
    """Described by its fields; values come from our own database and are not checked twice."""

    model_config = ConfigDict(extra="ignore", from_attributes=True)
