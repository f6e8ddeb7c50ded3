"""Delimited bank files by a tenant's own template: columns in its order, separated by a character.

The file is read by a bank's program and not by a spreadsheet: account numbers, amounts and references are not altered,
neither by a leading apostrophe nor by cutting zeros. They cannot become a formula (CSV injection), as `BankAccount` and
`Transfer` accept only those that begin with a letter or digit. Names and texts typed by users lose the characters that
formulas begin with (= + - @) at their start; headers and constants may not begin with them at all.
"""

import csv
import io
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

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
_QUOTING: dict[str, Literal[0, 1, 2, 3]] = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL, "none": csv.QUOTE_NONE}
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
    def _check_value_or_constant(self) -> Self:
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
    def _check_columns(self) -> Self:
        values = self.column_values
        if ColumnValue.REFERENCE not in values:
            raise ValueError("a column with the value reference is needed, by which the bank's answer is understood")
        if not values & {ColumnValue.AMOUNT, ColumnValue.AMOUNT_MINOR}:
            raise ValueError("a column with the value amount or amount_minor is needed")
        if not values & {ColumnValue.ACCOUNT_NUMBER, ColumnValue.IBAN}:
            raise ValueError("a column with the value account_number or iban is needed")
        if self.quote == "none":
            if self.decimal_separator == self.delimiter and ColumnValue.AMOUNT in values:
                raise ValueError("without quotes, amounts with a decimal comma cannot be separated by commas")
            if any({self.delimiter, '"'} & {*column.header, *(column.constant or "")} for column in self.columns):
                raise ValueError("without quotes, headers and constants cannot hold the delimiter or a quote")
        return self

    @property
    def column_values(self) -> set[ColumnValue]:
        """Return the values of a transfer that the file has."""
        return {column.value for column in self.columns if column.value is not None}


def find_missing_column(template: Template, transfer: Transfer) -> str | None:
    """Return which value the bank needs of a transfer has no column in the template, or None."""
    values, creditor = template.column_values, transfer.creditor
    has_iban = creditor.iban and ColumnValue.IBAN in values
    if not (has_iban or (creditor.number and ColumnValue.ACCOUNT_NUMBER in values)):
        number, column = (
            ("an IBAN", ColumnValue.IBAN) if creditor.iban else ("an account number", ColumnValue.ACCOUNT_NUMBER)
        )
        return f"the account has {number}, and the template has no column {column}"
    return None


def write(order: FileOrder, template: Template) -> bytes:
    """Write an order by a template. The same order always gives the same bytes."""
    check_order(order)
    for transfer in order.transfers:
        if missing := find_missing_column(template, transfer):
            raise Invalid(f"Transfer {transfer.reference}: {missing}.")
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
        writer.writerow([_format_cell(column, transfer, order.execution_on, template) for column in template.columns])
    return text.getvalue().encode(_find_codec(template.encoding))


def _format_cell(column: Column, transfer: Transfer, execution_on: date, template: Template) -> str:
    """Return one cell: the column's constant, or its value of the transfer."""
    if column.value is None:
        return _to_encodable(column.constant or "", template.encoding)
    text = _format_value(column.value, transfer, execution_on, template)
    if column.value in _TYPED_TEXTS:
        text = _sanitize(text, template) or (NOTHING_LEFT if column.value is ColumnValue.HOLDER else "")
    return text


def _format_value(value: ColumnValue, transfer: Transfer, execution_on: date, template: Template) -> str:
    """Return one value of a transfer as the template writes it."""
    creditor, amount, currency = transfer.creditor, transfer.amount, transfer.currency
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
            return creditor.holder
        case ColumnValue.ACCOUNT_NUMBER:
            return creditor.number or ""
        case ColumnValue.EXECUTION_DATE:
            return execution_on.strftime(_DATES[template.date_format])
        case ColumnValue.REMITTANCE:
            return transfer.remittance or ""
    # the others are fields of BankAccount: iban, bic, bank_code, branch_code, bank_name
    return str(getattr(creditor, value) or "")


def _sanitize(text: str, template: Template) -> str:
    """Return a typed text as one line, without what would begin a formula or end the cell."""
    # joiners shape the letters of Indic and Arabic scripts: not printable for Python, and no spaces
    text = "".join(char if char.isprintable() or char in JOINERS else " " for char in text)
    text = _to_encodable(text, template.encoding)
    if template.quote == "none":
        text = text.replace(template.delimiter, " ").replace('"', " ")
    return " ".join(text.split()).lstrip(FORMULAS + " ")


def _to_encodable(text: str, encoding: Encoding) -> str:
    """Return a text with the characters that the encoding lacks in Latin letters."""
    codec = _find_codec(encoding)
    if _is_encodable(text, codec):
        return text
    return "".join(
        char if _is_encodable(char, codec) else transliterate(char) or " " for char in text if char not in JOINERS
    )


def _is_encodable(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _find_codec(encoding: Encoding) -> str:
    return _CODECS.get(encoding, encoding.value)


def _to_lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


class AnswerRow(RowInput):
    """One row of a bank's answer, or of what a user read off the bank's statement."""

    reference: Annotated[Text, Field(max_length=LONGEST_REFERENCE)]
    status: Annotated[Literal["paid", "failed", "returned"], BeforeValidator(_to_lower)]
    reason: Annotated[LongText, Field(max_length=500)] | None = None
    bank_reference: Annotated[Text, Field(max_length=100)] | None = None
    amount: MoneyIn | None = None
    currency: Currency | None = None


REQUIRED = ("reference", "status")
OPTIONAL = ("reason", "bank_reference", "amount", "currency")
