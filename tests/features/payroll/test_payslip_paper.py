"""What a payslip says on paper, and that it can be read: every amount, every script, nothing of it run."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from fontTools.ttLib import TTCollection, TTFont
from pypdf import PdfReader

from chalicelib.features.payroll.documents import rendering
from chalicelib.features.payroll.documents.rendering import font_files, render_pdf
from chalicelib.features.payroll.documents.wording import Letterhead, list_texts, make_sheet, money, number
from chalicelib.features.payroll.runs.schemas import Payslip, PayslipLine

DATED = datetime(2026, 2, 1, 4, 30, 15, 123456, tzinfo=UTC)
PAYSLIP_ID = UUID("019c0000-0000-7000-8000-000000000001")
HEAD = Letterhead("Acme Ltd.", None, "Finance", "en")
# a name in each script that payslips are read in, and the font that shows it
NAMES = {
    "মোহাম্মদ আব্দুর রহিম": "NotoSansBengali",
    "محمد عبد الله الأنصاري": "NotoSansArabic",
    "שרה כהן": "NotoSansHebrew",
    "अनीता शर्मा": "NotoSans",  # has it as well
    "கவிதா": "NotoSansTamil",
    "సీత": "NotoSansTelugu",
    "สมชาย ใจดี": "NotoSansThai",
    "သီတာ": "NotoSansMyanmar",
    "សុភា": "NotoSansKhmer",
    "张伟": "NotoSansCJKsc",
    "Ольга Ѓорѓиева": "NotoSans",
    "José Đặng Łukasz": "NotoSans",
}


def line(name: str, category: str, amount: str, **more: Any) -> PayslipLine:
    rest = {
        "kind": "component",
        "code": "x",
        "calculation": None,
        "formula": None,
        "inputs": {},
        "warnings": [],
        "detail": None,
        "number": 1,
    }
    return PayslipLine.model_validate({**rest, "name": name, "category": category, "amount": Decimal(amount), **more})


def a_payslip(name: str = "Rahim", **more: Any) -> Payslip:
    """Make a payslip as run_queries gives it."""
    days = {
        "working_days": 21,
        "present_days": Decimal("18.50"),
        "paid_leave_days": 1,
        "lop_days": Decimal("0.5"),
        "absent_days": 1,
        "ot_hours": Decimal("2.5"),
        "late_count": 3,
    }
    return Payslip.model_validate(
        {
            "id": PAYSLIP_ID,
            "run_id": PAYSLIP_ID,
            "run_kind": "regular",
            "run_title": None,
            "run_status": "approved",
            "month": "2026-01",
            "start_date": date(2026, 1, 1),
            "end_date": date(2026, 1, 31),
            "user": {"id": PAYSLIP_ID, "name": name, "employee_no": "E-1", "department_id": None},
            "currency": "BDT",
            "lines": [
                line("Salary", "earning", "13571.43", kind="salary", inputs={"base_salary": Decimal(15000)}),
                line(
                    "House rent",
                    "earning",
                    "5428.57",
                    formula="earned_salary * 40%",
                    inputs={"earned_salary": Decimal("13571.43")},
                ),
                line("Provident fund", "deduction", "1000.00", formula="1000"),
                line("Income tax", "tax", "400.00", formula="a / b", inputs={"a": None}, warnings=["b is 0"]),
                line("Health insurance", "benefit", "1200.00"),
            ],
            "totals": {
                "gross": Decimal("19000.00"),
                "deductions": Decimal("1000.00"),
                "taxes": Decimal("400.00"),
                "benefits": Decimal("1200.00"),
                "net": Decimal("17600.00"),
            },
            "pays": Decimal("17600.00"),
            "carried": Decimal(0),
            "inputs": days,
            "previous_net": None,
            "anomalies": [],
            "calculated_at": DATED,
            **more,
        }
    )


def paper(payslip: Payslip, head: Letterhead = HEAD) -> PdfReader:
    return PdfReader(io.BytesIO(render_pdf(make_sheet(payslip, head), dated=DATED)))


def text(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


@cache
def shown() -> set[int]:
    """Return every character that one of the fonts has a glyph for."""
    collections = [TTCollection(file).fonts if file.suffix == ".ttc" else [TTFont(file)] for file in font_files()]
    return {code for fonts in collections for font in fonts for code in font.getBestCmap()}


def fonts_in(reader: PdfReader) -> set[str]:
    """Return the fonts that are in a PDF, without the prefix that says that only a part of each is."""
    found: set[str] = set()
    for page in reader.pages:
        resources: Any = page["/Resources"]
        found |= {str(font.get_object()["/BaseFont"]).split("+")[-1] for font in resources["/Font"].values()}
    return found


class TestSheetOf:
    def test_says_how_each_line_came_about(self) -> None:
        earnings, deductions, taxes = make_sheet(a_payslip(), HEAD)["parts"]
        assert earnings == {
            "title": "Earnings",
            "lines": [
                {"name": "Salary", "how": ["base salary 15,000"], "warnings": [], "amount": "13,571.43"},
                {
                    "name": "House rent",
                    "how": ["earned salary × 40%", "earned salary 13,571.43"],
                    "warnings": [],
                    "amount": "5,428.57",
                },
            ],
            "total_label": "Gross pay",
            "total": "19,000.00",
        }
        assert deductions["lines"][0]["how"] == [], "a fixed amount needs no explanation"
        assert taxes["lines"][0] == {
            "name": "Income tax",
            "how": ["a / b", "a —"],
            "warnings": ["b is 0"],
            "amount": "400.00",
        }

    def test_counts_the_days_and_leaves_out_what_was_not_counted(self) -> None:
        days = make_sheet(a_payslip(), HEAD)["days"]
        assert {day["label"]: day["value"] for day in days} == {
            "Working days": "21",
            "Present": "18.5",
            "Leave": "1.5",
            "Absent": "1",
            "Overtime hours": "2.5",
        }
        assert make_sheet(a_payslip(inputs={}), HEAD)["days"] == []
        assert make_sheet(a_payslip(run_kind="off_cycle"), HEAD)["days"] == []

    def test_tells_what_changed_in_a_month_that_is_paid_anew(self) -> None:
        detail = {
            "month": "2025-12",
            "inputs": {"present_days": {"was": "21", "now": "20.5"}, "kpi_score": {"was": None, "now": "88.00"}},
        }
        arrears = line("Arrears of 2025-12", "deduction", "357.14", kind="arrears", code=None, detail=detail)
        [part] = make_sheet(a_payslip(lines=[arrears]), HEAD)["parts"]
        assert part["lines"][0]["how"] == ["present days 21 → 20.5 · kpi score — → 88"]

    @pytest.mark.parametrize(
        ("language", "name"), [("en", "Arrears December 2025: Salary"), ("bn", "বকেয়া ডিসেম্বর ২০২৫: Salary")]
    )
    def test_names_the_month_and_the_component_of_arrears(self, language: str, name: str) -> None:
        detail = {
            "month": "2025-12",
            "component": "Salary",
            "paid": "60000.00",
            "now": "59000.00",
            "inputs": {
                "earned_salary": {"was": "60000.00", "now": "59000.00"},
                "present_days": {"was": "21", "now": "20.5"},
            },
        }
        arrears = line("Arrears 2025-12: Salary", "earning", "-1000", kind="arrears", detail=detail)
        [part] = make_sheet(a_payslip(lines=[arrears]), Letterhead("Acme Ltd.", None, None, language))["parts"]
        assert part["lines"][0] == {
            "name": name,
            "how": ["60,000.00 → 59,000.00", "present days 21 → 20.5"],
            "warnings": [],
            "amount": "-1,000.00",
        }

    def test_adds_what_is_below_0_where_it_sums_up(self) -> None:
        totals = {
            "gross": Decimal(19000),
            "deductions": Decimal(-40),
            "taxes": Decimal(400),
            "benefits": Decimal(0),
            "net": Decimal(18640),
        }
        assert make_sheet(a_payslip(totals=totals), HEAD)["sum"] == (
            "Gross pay 19,000.00 + deductions 40.00 − taxes 400.00"
        )

    def test_says_what_is_carried_over_where_nothing_is_paid(self) -> None:
        said = make_sheet(a_payslip(pays=Decimal(0), carried=Decimal("1250.5")), HEAD)
        assert said["pays"] == "0.00"
        assert said["notes"] == [
            "The deductions are higher than the pay. BDT 1,250.50 is carried into the next payroll run."
        ]

    def test_reads_the_same_before_and_after_it_is_paid(self) -> None:
        assert make_sheet(a_payslip(run_status="paid"), HEAD) == make_sheet(a_payslip(), HEAD)

    def test_speaks_bengali_to_those_who_want_it_and_english_to_the_rest(self) -> None:
        said = make_sheet(a_payslip(), Letterhead("Acme Ltd.", None, None, "bn-BD"))
        assert (said["language"], said["period"], said["parts"][0]["title"]) == ("bn", "জানুয়ারি ২০২৬", "উপার্জন")
        assert make_sheet(a_payslip(), Letterhead("Acme Ltd.", None, None, "ar"))["period"] == "January 2026"

    def test_takes_out_what_would_turn_a_text_around_or_cannot_be_seen(self) -> None:
        said = make_sheet(a_payslip("Rahim\u202emoc\x00\nKarim"), HEAD)
        assert said["name"] == "Rahimmoc Karim"
        assert not [one for one in list_texts(said) if "\u202e" in one or "\n" in one]

    @pytest.mark.parametrize(
        ("currency", "amount", "written"),
        [("BDT", "13636.36", "13,636.36"), ("BDT", "0", "0.00"), ("JPY", "1234567", "1,234,567"),
         ("KWD", "-1.5", "-1.500")],
    )  # fmt: skip
    def test_writes_money_with_the_decimals_of_its_currency(self, currency: str, amount: str, written: str) -> None:
        assert money(Decimal(amount), currency) == written

    @pytest.mark.parametrize(
        ("value", "written"), [("21.00", "21"), ("0.5", "0.5"), ("681.8181818182", "681.8182"), ("45000", "45,000")]
    )
    def test_writes_numbers_no_longer_than_they_are(self, value: str, written: str) -> None:
        assert number(Decimal(value)) == written


class TestPdfOf:
    def test_shows_every_amount_and_who_it_is_for(self) -> None:
        said = text(paper(a_payslip()))
        for one in (
            "Acme Ltd.",
            "January 2026",
            "Rahim",
            "E-1",
            "Finance",
            "Approved",
            "13,571.43",
            "5,428.57",
            "1,000.00",
            "400.00",
            "1,200.00",
            "19,000.00",
            "17,600.00",
            "BDT",
            "earned salary × 40%",
            "b is 0",
            str(PAYSLIP_ID),
        ):
            assert one in said, one

    def test_is_the_same_file_each_time(self) -> None:
        said = make_sheet(a_payslip("মোহাম্মদ"), HEAD)
        assert render_pdf(said, dated=DATED) == render_pdf(said, dated=DATED)
        metadata = paper(a_payslip()).metadata
        assert metadata is not None
        assert metadata.creation_date == DATED.replace(microsecond=0), "and not the time of the day on which it is made"

    @pytest.mark.parametrize("name", sorted(NAMES))
    def test_shows_names_in_their_own_script(self, name: str) -> None:
        found = paper(a_payslip(name))
        assert any(font.startswith(NAMES[name]) for font in fonts_in(found)), fonts_in(found)
        # it is what the file is called by readers, and so it was not put into other letters
        assert found.metadata is not None
        assert found.metadata.title == f"Payslip January 2026: {name}"

    @pytest.mark.parametrize("name", sorted(NAMES))
    def test_has_a_glyph_for_every_character_of_them(self, name: str) -> None:
        assert [one for one in name if ord(one) not in shown()] == []

    def test_shows_a_chinese_a_japanese_and_a_korean_name_each_in_its_own_form(self) -> None:
        of = {
            language: fonts_in(paper(a_payslip("直樹"), Letterhead("Acme", None, None, language)))
            for language in ("en", "zh-TW", "ja", "ko")
        }
        shown = {language: [font for font in fonts if "CJK" in font] for language, fonts in of.items()}
        assert [fonts[0].split("-")[0][-2:] for fonts in shown.values()] == ["sc", "tc", "jp", "kr"]

    @pytest.mark.parametrize(
        ("name", "written"), [("ගුණ", "gun"), ("Rahim 🎉", "Rahim :tada:"), ("\ue000", "?"), ("Ⴢ রহিম", "Y rhim")]
    )
    def test_puts_into_latin_letters_what_no_font_shows(self, name: str, written: str) -> None:
        payslip = a_payslip(name)
        payslip.lines[0].name = "বেতন"
        found = paper(payslip)
        assert written in text(found)
        assert "E-1" in text(found)
        assert any("Bengali" in font for font in fonts_in(found)), "what can be shown stays as it is"

    @pytest.mark.parametrize(
        "name", ['#read("/etc/passwd")', "*bold* _it_ $x^2$ @ref <label> `raw`", '"]; #panic("x") //', "\\u{41} \\ #"]
    )
    def test_prints_what_would_be_markup_as_it_is(self, name: str) -> None:
        payslip = a_payslip(name)
        payslip.lines[0].name = payslip.lines[1].formula = name
        said = text(paper(payslip, Letterhead(name, None, name, "en")))
        assert said.count(name) >= 4

    def test_goes_on_over_pages_with_every_line(self) -> None:
        lines = [line(f"Component {number}", "earning", f"{number}.00", formula="a + b" * 100) for number in range(90)]
        found = paper(a_payslip("Rahim " * 30, lines=lines))
        said = text(found)
        assert len(found.pages) > 1
        assert [number for number in range(90) if f"Component {number}\n" not in said] == []
        assert f"{len(found.pages)} / {len(found.pages)}" in said

    @pytest.mark.parametrize("color", ["#ffffff", "#000000", "#f5d90a"])
    def test_takes_any_color_of_a_tenant(self, color: str) -> None:
        assert "17,600.00" in text(paper(a_payslip(), Letterhead("Acme", color, None, "en")))

    def test_says_that_it_can_be_read_aloud_and_in_thirty_years(self) -> None:
        found = paper(a_payslip())
        assert found.trailer["/Root"]["/MarkInfo"]["/Marked"].value is True
        said = found.trailer["/Root"]["/Metadata"].get_data().decode()
        assert "<pdfaid:part>2</pdfaid:part>" in said
        assert "<pdfaid:conformance>A</pdfaid:conformance>" in said
        assert "<pdfuaid:part>1</pdfuaid:part>" in said


class TestPlainerText:
    """Whatever the typesetter says of a sheet, that sheet is tried again in plainer text."""

    def test_shows_the_rest_of_a_text_with_what_the_standard_forbids(self) -> None:
        # not cleaned by sheet_of: as if a character was forbidden of which we know nothing
        sheet = {**make_sheet(a_payslip("রহিম"), HEAD), "company": "Ac\ufeffme"}
        found = PdfReader(io.BytesIO(render_pdf(sheet, dated=DATED)))
        assert "Acme" in text(found)
        assert any("Bengali" in font for font in fonts_in(found)), "what can be set stays as it is"

    def test_sets_names_with_joiners_as_they_are_spelled(self) -> None:
        for name, font in (("র\u200d্যাব", "Bengali"), ("می\u200cروم", "Arabic"), ("क्\u200dष", "Sans")):
            assert any(font in one for one in fonts_in(paper(a_payslip(name))))

    @pytest.mark.parametrize("failures", [1, 2])
    def test_is_tried_until_ascii_whatever_was_said(self, failures: int, monkeypatch: pytest.MonkeyPatch) -> None:
        sheet, tried = make_sheet(a_payslip("রহিম"), HEAD), []
        compile_sheet = rendering._render

        def refusing(template: bytes, sheet: Any, dated: datetime | None = None) -> bytes:
            if dated is None:
                return compile_sheet(template, sheet, dated)
            tried.append(sheet["name"])
            if len(tried) <= failures:
                raise rendering.RenderingFailed("something that nobody has seen yet")
            return compile_sheet(template, sheet, dated)

        monkeypatch.setattr(rendering, "_render", refusing)
        found = PdfReader(io.BytesIO(render_pdf(sheet, dated=DATED)))
        assert tried == ["রহিম", "রহিম", "rhim"][: failures + 1]
        assert "17,600.00" in text(found)

    def test_says_so_where_not_even_ascii_can_be_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rendering, "_template", lambda: b"#panic(1)")
        with pytest.raises(rendering.RenderingFailed, match="panicked"):
            render_pdf(make_sheet(a_payslip(), HEAD), dated=DATED)
