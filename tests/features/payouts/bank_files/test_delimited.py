"""Files of a tenant's own template: every option, what they cannot say, and texts that spreadsheets would run."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import ValidationError

from chalicelib.entry.bodies import RawBody
from chalicelib.entry.rows import read_rows, validate_rows
from chalicelib.features.payouts.batches.bank_files import delimited
from chalicelib.features.payouts.batches.bank_files.delimited import AnswerRow, Template
from chalicelib.features.payouts.batches.bank_files.orders import BankAccount, FileOrder, Transfer
from chalicelib.kernel.errors import Invalid

RAHIM = BankAccount(
    "Rahim Uddin", number="0012345678901", bank_code="175", branch_code="175260732", bank_name="Pubali, Bank"
)
GRETA = BankAccount("Greta Müller", iban="DE75512108001245126199", bic="SOGEDEFF")
ALL = [
    "reference",
    "amount",
    "amount_minor",
    "currency",
    "holder",
    "account_number",
    "iban",
    "bic",
    "bank_code",
    "branch_code",
    "bank_name",
    "execution_date",
    "remittance",
]


def template(*values: str, **options: Any) -> Template:
    """Read a template as the API does: strictly, from JSON."""
    columns = [{"header": value.upper(), "value": value} for value in values or ALL]
    return Template.model_validate_json(json.dumps({"columns": columns, **options}))


def transfer(
    reference: str = "WB-1", amount: str = "12.00", currency: str = "BDT", to: BankAccount = RAHIM
) -> Transfer:
    return Transfer(reference, Decimal(amount), currency, to, "Advance November")


def written(bank_template: Template, *transfers: Transfer) -> bytes:
    order = FileOrder("M1", datetime(2026, 11, 21, tzinfo=UTC), date(2026, 11, 23), transfers or (transfer(),))
    return delimited.write(order, bank_template)


class TestWritten:
    def test_fills_every_column(self) -> None:
        assert written(template(), transfer(), transfer("WB-2", "1.5", "KWD", GRETA)).decode() == (
            "REFERENCE,AMOUNT,AMOUNT_MINOR,CURRENCY,HOLDER,ACCOUNT_NUMBER,IBAN,BIC,BANK_CODE,BRANCH_CODE,BANK_NAME,"
            "EXECUTION_DATE,REMITTANCE\r\n"
            "WB-1,12.00,1200,BDT,Rahim Uddin,0012345678901,,,175,175260732,"
            '"Pubali, Bank",2026-11-23,Advance November\r\n'
            "WB-2,1.500,1500,KWD,Greta Müller,,DE75512108001245126199,SOGEDEFF,,,,2026-11-23,Advance November\r\n"
        )

    def test_writes_constants_in_every_row(self) -> None:
        columns = [
            {"constant": "SAL"},
            {"value": "reference"},
            {"value": "amount"},
            {"constant": ""},
            {"value": "account_number"},
        ]
        document = {"header": False, "delimiter": "|", "line_ending": "lf", "columns": columns}
        bank_template = Template.model_validate_json(json.dumps(document))
        assert written(bank_template, transfer(), transfer("WB-2", "68")) == (
            b"SAL|WB-1|12.00||0012345678901\nSAL|WB-2|68.00||0012345678901\n"
        )

    @pytest.mark.parametrize(
        ("date_format", "date_written"),
        [("YYYY-MM-DD", "2026-11-23"), ("YYYYMMDD", "20261123"), ("DD/MM/YYYY", "23/11/2026"),
         ("DD.MM.YYYY", "23.11.2026"), ("DD-MM-YYYY", "23-11-2026"), ("DDMMYYYY", "23112026"),
         ("MM/DD/YYYY", "11/23/2026")],
    )  # fmt: skip
    def test_writes_dates_as_the_bank_reads_them(self, date_format: str, date_written: str) -> None:
        bank_template = template(
            "reference", "amount", "account_number", "execution_date", header=False, date_format=date_format
        )
        assert written(bank_template).decode().strip().split(",")[3] == date_written

    def test_writes_decimals_of_the_currency_with_the_banks_own_sign(self) -> None:
        bank_template = template(
            "reference",
            "amount",
            "amount_minor",
            "currency",
            "account_number",
            header=False,
            delimiter=";",
            decimal_separator=",",
        )
        rows = written(
            bank_template, transfer("A", "500", "JPY"), transfer("B", "0.05"), transfer("C", "1234567.891", "KWD")
        )
        assert rows.decode().splitlines() == [
            "A;500;500;JPY;0012345678901",
            "B;0,05;5;BDT;0012345678901",
            "C;1234567,891;1234567891;KWD;0012345678901",
        ]

    def test_quotes_all_some_or_nothing(self) -> None:
        def row(quote: str) -> str:
            bank_template = template("reference", "amount", "account_number", "holder", header=False, quote=quote)
            return written(bank_template, transfer(to=replace(RAHIM, holder='Uddin, "R"'))).decode().strip()

        assert row("minimal") == 'WB-1,12.00,0012345678901,"Uddin, ""R"""'
        assert row("all") == '"WB-1","12.00","0012345678901","Uddin, ""R"""'
        assert row("none") == "WB-1,12.00,0012345678901,Uddin R"

    @pytest.mark.parametrize(
        ("encoding", "name"),
        [("utf-8", "Müller রহিম €".encode()), ("utf-8-bom", "Müller রহিম €".encode()),
         ("latin-1", b"M\xfcller rhim EUR"), ("windows-1252", b"M\xfcller rhim \x80"), ("ascii", b"Muller rhim EUR")],
    )  # fmt: skip
    def test_spells_what_the_encoding_lacks(self, encoding: str, name: bytes) -> None:
        bank_template = template("reference", "amount", "account_number", "holder", header=False, encoding=encoding)
        content = written(bank_template, transfer(to=replace(RAHIM, holder="Müller রহিম €")))
        assert content.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-bom")
        assert content.strip().split(b",")[3] == name

    def test_keeps_texts_to_one_line_and_takes_formulas_off_their_beginning(self) -> None:
        def holder(name: str) -> str:
            bank_template = template("reference", "amount", "account_number", "holder", header=False)
            return written(bank_template, transfer(to=replace(RAHIM, holder=name))).decode().strip().split(",", 3)[3]

        assert holder("Rahim\r\nUddin\t\x00x") == "Rahim Uddin x"
        assert holder("=HYPERLINK(1)") == "HYPERLINK(1)"
        assert holder(" @-+=Rahim") == "Rahim"
        assert holder("Rahim-Uddin = x") == "Rahim-Uddin = x"
        assert holder("===") == "NOTPROVIDED"

    def test_never_alters_account_numbers(self) -> None:
        bank_template = template("reference", "amount", "account_number", header=False, quote="none")
        odd = "000-12/34.5E10"
        assert written(bank_template, transfer(to=replace(RAHIM, number=odd))) == f"WB-1,12.00,{odd}\r\n".encode()


class TestRefusals:
    def test_of_several_currencies_without_a_column_for_them(self) -> None:
        bank_template = template("reference", "amount", "account_number")
        with pytest.raises(Invalid, match="only one"):
            written(bank_template, transfer("A"), transfer("B", currency="USD"))
        assert written(bank_template, transfer("A"), transfer("B"))

    def test_of_an_account_that_the_template_cannot_name(self) -> None:
        with pytest.raises(Invalid, match="WB-1: the account has an IBAN, and the template has no column iban"):
            written(template("reference", "amount", "account_number"), transfer(to=GRETA))
        with pytest.raises(Invalid, match="has an account number, and the template has no column account_number"):
            written(template("reference", "amount", "iban"), transfer())

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"columns": []}, "at least 1"),
            ({"columns": [{"value": "reference"}] * 61}, "at most 60"),
            ({"columns": [{"value": "amount"}, {"value": "iban"}]}, "value reference is needed"),
            ({"columns": [{"value": "reference"}, {"value": "iban"}]}, "amount or amount_minor is needed"),
            ({"columns": [{"value": "reference"}, {"value": "amount"}]}, "account_number or iban is needed"),
            ({"columns": [{"header": "x"}]}, "either value or constant"),
            ({"columns": [{"value": "iban", "constant": "x"}]}, "either value or constant"),
            ({"columns": [{"value": "password"}]}, "Input should be"),
            ({"columns": [{"constant": "=1+1"}]}, "formula"),
            ({"columns": [{"header": "@x", "value": "iban"}]}, "formula"),
            ({"columns": [{"constant": "a\nb"}]}, "one line"),
            ({"delimiter": "x"}, "Input should be"),
            ({"encoding": "utf-7"}, "Input should be"),
            ({"quote": "none", "decimal_separator": ","}, "decimal comma"),
            ({"quote": "none", "columns": [{"value": "reference"}, {"value": "amount"}, {"value": "iban"},
                                           {"constant": "a,b"}]}, "cannot hold the delimiter"),
            ({"formula": "1"}, "Extra inputs"),
        ],
    )  # fmt: skip
    def test_of_templates_that_make_no_file(self, changes: dict[str, Any], why: str) -> None:
        good = {"columns": [{"value": "reference"}, {"value": "amount"}, {"value": "iban"}]}
        with pytest.raises(ValidationError) as refused:
            Template.model_validate_json(json.dumps({**good, **changes}))
        assert why in str(refused.value)


class TestAnyText:
    @settings(max_examples=200, deadline=None)
    @given(
        some.text(min_size=1).filter(str.strip),
        some.text(),
        some.sampled_from([",", ";", "\t", "|"]),
        some.sampled_from(["minimal", "all", "none"]),
        some.sampled_from([*delimited.Encoding]),
    )
    def test_stays_in_its_cell(self, holder: str, remittance: str, delimiter: str, quote: str, encoding: str) -> None:
        bank_template = template(
            "reference",
            "remittance",
            "holder",
            "amount",
            "account_number",
            delimiter=delimiter,
            quote=quote,
            encoding=encoding,
        )
        ordered = replace(transfer(to=replace(RAHIM, holder=holder)), remittance=remittance)
        text = written(bank_template, ordered).decode(
            {"utf-8-bom": "utf-8-sig", "windows-1252": "cp1252"}.get(encoding, encoding)
        )
        quoting = csv.QUOTE_NONE if quote == "none" else csv.QUOTE_MINIMAL
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True))
        assert len(rows) == 2
        reference, holder, name, amount, number = rows[1]
        assert (reference, amount, number) == ("WB-1", "12.00", "0012345678901")
        assert name
        assert not holder.startswith(("=", "+", "-", "@"))
        assert not name.startswith(("=", "+", "-", "@"))


class TestAnswerRow:
    def read(self, text: str) -> tuple[list[tuple[int, AnswerRow]], list[tuple[int, str | None]]]:
        body = RawBody("text/csv", text.encode())
        rows, errors = validate_rows(
            AnswerRow, read_rows(body, required=delimited.REQUIRED, optional=delimited.OPTIONAL, limit=100)
        )
        return rows, [(error.line, error.column) for error in errors]

    def test_reads_what_a_bank_lists(self) -> None:
        rows, errors = self.read(
            "Reference;Status;Reason;Bank Reference;Amount;Currency\n"
            "WB-1;Paid;;FT1;12.00;BDT\n"
            "WB-2;RETURNED;closed;;;\n"
        )
        assert errors == []
        assert [
            (line, row.reference, row.status, row.reason, row.bank_reference, row.amount, row.currency)
            for line, row in rows
        ] == [
            (2, "WB-1", "paid", None, "FT1", Decimal("12.00"), "BDT"),
            (3, "WB-2", "returned", "closed", None, None, None),
        ]

    def test_reports_wrong_rows_by_line(self) -> None:
        rows, errors = self.read("reference,status,amount\nWB-1,sent,\n,paid,\nWB-2,failed,x\nWB-3,failed,1\n")
        assert errors == [(2, "status"), (3, "reference"), (4, "amount")]
        assert [row.reference for _, row in rows] == ["WB-3"]
