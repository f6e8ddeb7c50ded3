"""A bank file of the tenant's own making: columns in their order, separated by a sign.

What is written is for a bank's machine and not for a spreadsheet: account numbers, amounts and references are never
altered, neither by a leading apostrophe nor by cutting zeros. They cannot become a formula, since `Account` and
`Transfer` take none that begins with another sign than a letter or digit. Names and texts, which people type, lose
the signs that formulas begin with (= + - @) at their start; headers and constants may not begin with them at all.
"""

import csv
import io
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from chalicelib.entry.rows import RowInput
from chalicelib.features.payouts.batches.bank_files.orders import (
    LONGEST_REFERENCE,
    FileOrder,
    Transfer,
    check_order,
    format_amount,
    format_minor_units,
)
from chalicelib.features.payouts.batches.bank_files.wording import NOTHING_LEFT, transliterate
from chalicelib.kernel.errors import Invalid
from chalicelib.kernel.schema import Currency, Input, LongText, MoneyIn, Text
from chalicelib.kernel.text import JOINERS

MOST_COLUMNS = 60
FORMULAS = "=+-@"


class ColumnValue(StrEnum):
    """What a column can hold."""

    REFERENCE = "reference"
    AMOUNT = "amount"
    AMOUNT_MINOR = "amount_minor"
    CURRENCY = "currency"
    HOLDER = "holder"
    ACCOUNT_NUMBER = "account_number"
    IBAN = "iban"
    BIC = "bic"
    BANK_CODE = "bank_code"
    BRANCH_CODE = "branch_code"
    BANK_NAME = "bank_name"
    EXECUTION_DATE = "execution_date"
    REMITTANCE = "remittance"


class Encoding(StrEnum):
    UTF_8 = "utf-8"
    UTF_8_BOM = "utf-8-bom"
    LATIN_1 = "latin-1"
    WINDOWS_1252 = "windows-1252"
    ASCII = "ascii"


_CODECS = {Encoding.UTF_8_BOM: "utf-8-sig", Encoding.WINDOWS_1252: "cp1252"}
_DATES = {
    "YYYY-MM-DD": "%Y-%m-%d", "YYYYMMDD": "%Y%m%d", "DD/MM/YYYY": "%d/%m/%Y", "DD.MM.YYYY": "%d.%m.%Y",
    "DD-MM-YYYY": "%d-%m-%Y", "DDMMYYYY": "%d%m%Y", "MM/DD/YYYY": "%m/%d/%Y",
}  # fmt: skip
_QUOTING: dict[str, Any] = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL, "none": csv.QUOTE_NONE}
_TYPED_TEXTS = frozenset({ColumnValue.HOLDER, ColumnValue.BANK_NAME, ColumnValue.REMITTANCE})


def _check_one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of printable characters")
    if text.startswith(tuple(FORMULAS)):
        raise ValueError("must not begin with a sign that spreadsheets take for a formula (= + - @)")
    return text


PlainText = Annotated[str, Field(max_length=60), AfterValidator(_check_one_line)]


class Column(Input):
    """One column: a value of the transfer, or the same constant text in every row."""

    header: PlainText = ""
    value: ColumnValue | None = None
    constant: PlainText | None = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.value is None) == (self.constant is None):
            raise ValueError("say either value or constant")
        return self


class Template(Input):
    """How a bank wants its file."""

    columns: Annotated[list[Column], Field(min_length=1, max_length=MOST_COLUMNS)]
    delimiter: Literal[",", ";", "\t", "|"] = ","
    quote: Literal["minimal", "all", "none"] = Field(
        "minimal", description="none: a delimiter or quote within a text becomes a space"
    )
    header: bool = True
    line_ending: Literal["crlf", "lf"] = "crlf"
    date_format: Literal[
        "YYYY-MM-DD", "YYYYMMDD", "DD/MM/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "DDMMYYYY", "MM/DD/YYYY"
    ] = "YYYY-MM-DD"
    decimal_separator: Literal[".", ","] = "."
    encoding: Encoding = Field(
        Encoding.UTF_8, description="what an encoding other than UTF-8 lacks is spelled in Latin letters"
    )

    @model_validator(mode="after")
    def _pays(self) -> Self:
        has = self.column_values
        if ColumnValue.REFERENCE not in has:
            raise ValueError("a column with the value reference is needed, by which the bank's answer is understood")
        if not has & {ColumnValue.AMOUNT, ColumnValue.AMOUNT_MINOR}:
            raise ValueError("a column with the value amount or amount_minor is needed")
        if not has & {ColumnValue.ACCOUNT_NUMBER, ColumnValue.IBAN}:
            raise ValueError("a column with the value account_number or iban is needed")
        if self.quote == "none":
            if self.decimal_separator == self.delimiter and ColumnValue.AMOUNT in has:
                raise ValueError("without quotes, amounts with a decimal comma cannot be separated by commas")
            if any({self.delimiter, '"'} & {*column.header, *(column.constant or "")} for column in self.columns):
                raise ValueError("without quotes, headers and constants cannot hold the delimiter or a quote")
        return self

    @property
    def column_values(self) -> set[ColumnValue]:
        """Return which values of a transfer the file has."""
        return {column.value for column in self.columns if column.value is not None}


def find_missing_column(template: Template, transfer: Transfer) -> str | None:
    """Return what a bank would need of this transfer and the template has no column for, or nothing."""
    has, to = template.column_values, transfer.creditor
    if not ((to.iban and ColumnValue.IBAN in has) or (to.number and ColumnValue.ACCOUNT_NUMBER in has)):
        there, column = ("an IBAN", ColumnValue.IBAN) if to.iban else ("an account number", ColumnValue.ACCOUNT_NUMBER)
        return f"the account has {there}, and the template has no column {column}"
    return None


def write(order: FileOrder, template: Template) -> bytes:
    """Write an order as the template has it. The same order always gives the same bytes."""
    check_order(order)
    for transfer in order.transfers:
        if wrong := find_missing_column(template, transfer):
            raise Invalid(f"Transfer {transfer.reference}: {wrong}.")
    if (
        ColumnValue.CURRENCY not in template.column_values
        and len({transfer.currency for transfer in order.transfers}) > 1
    ):
        raise Invalid("The template has no column for the currency, so that a file can hold only one.")
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=template.delimiter,
        quoting=_QUOTING[template.quote],
        quotechar=None if template.quote == "none" else '"',
        lineterminator="\r\n" if template.line_ending == "crlf" else "\n",
    )
    if template.header:
        writer.writerow([_to_encodable(column.header, template.encoding) for column in template.columns])
    for transfer in order.transfers:
        writer.writerow([_cell(column, transfer, order.execution_on, template) for column in template.columns])
    return text.getvalue().encode(_codec(template.encoding))


def _cell(column: Column, transfer: Transfer, execution_on: date, template: Template) -> str:
    if column.value is None:
        return _to_encodable(column.constant or "", template.encoding)
    text = _value(column.value, transfer, execution_on, template)
    if column.value in _TYPED_TEXTS:
        text = _sanitize(text, template) or (NOTHING_LEFT if column.value is ColumnValue.HOLDER else "")
    return text


def _value(value: ColumnValue, transfer: Transfer, execution_on: date, template: Template) -> str:
    to, amount, currency = transfer.creditor, transfer.amount, transfer.currency
    match value:
        case ColumnValue.REFERENCE:
            return transfer.reference
        case ColumnValue.AMOUNT:
            return format_amount(amount, currency).replace(".", template.decimal_separator)
        case ColumnValue.AMOUNT_MINOR:
            return format_minor_units(amount, currency)
        case ColumnValue.CURRENCY:
            return currency
        case ColumnValue.HOLDER:
            return to.holder
        case ColumnValue.ACCOUNT_NUMBER:
            return to.number or ""
        case ColumnValue.EXECUTION_DATE:
            return execution_on.strftime(_DATES[template.date_format])
        case ColumnValue.REMITTANCE:
            return transfer.remittance or ""
    return str(getattr(to, value) or "")  # iban, bic, bank_code, branch_code and bank_name are named alike


def _sanitize(text: str, template: Template) -> str:
    """Make a typed text one line, without a formula's beginning and without what would end the cell."""
    # joiners shape letters of Indic and Arabic scripts and are not spaces, though Python cannot print them
    text = "".join(sign if sign.isprintable() or sign in JOINERS else " " for sign in text)
    text = _to_encodable(text, template.encoding)
    if template.quote == "none":
        text = text.replace(template.delimiter, " ").replace('"', " ")
    return " ".join(text.split()).lstrip(FORMULAS + " ")


def _to_encodable(text: str, encoding: Encoding) -> str:
    codec = _codec(encoding)
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return "".join(
            sign if _is_encodable(sign, codec) else transliterate(sign) or " " for sign in text if sign not in JOINERS
        )
    return text


def _is_encodable(sign: str, codec: str) -> bool:
    try:
        sign.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _codec(encoding: Encoding) -> str:
    return _CODECS.get(encoding, encoding.value)


def _to_lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


class AnswerRow(RowInput):
    """One row of a bank's answer, or of what somebody read off the bank's statement."""

    reference: Annotated[Text, Field(max_length=LONGEST_REFERENCE)]
    status: Annotated[Literal["paid", "failed", "returned"], BeforeValidator(_to_lower)]
    reason: Annotated[LongText, Field(max_length=500)] | None = None
    bank_reference: Annotated[Text, Field(max_length=100)] | None = None
    amount: MoneyIn | None = None
    currency: Currency | None = None


REQUIRED = ("reference", "status")
OPTIONAL = ("reason", "bank_reference", "amount", "currency")
