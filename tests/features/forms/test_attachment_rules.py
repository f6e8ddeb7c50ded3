"""What a file of each type looks like, which names are taken, and which uploads a message from S3 tells of."""

import io
import zipfile
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.features.forms.attachments import office_rules as office
from chalicelib.features.forms.attachments import rules
from chalicelib.features.forms.attachments import type_rules as types
from chalicelib.features.forms.definitions.field_schemas import FIELDS

PDF, PNG, JPEG, WEBP = "application/pdf", "image/png", "image/jpeg", "image/webp"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV, TXT = "text/csv", "text/plain"
ACME = "0199aaaa-0000-7000-8000-000000000001"
FILE = "0199cccc-0000-7000-8000-000000000003"


def archive(*names: str, content: bytes = b"<xml/>") -> bytes:
    """Make an office document of such parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            packed.writestr(name, content)
    return buffer.getvalue()


WORD = archive("[Content_Types].xml", "word/document.xml")
EXCEL = archive("[Content_Types].xml", "xl/workbook.xml")
GOOD = {
    PDF: b"%PDF-1.7\n%%EOF",
    PNG: b"\x89PNG\r\n\x1a\n....",
    JPEG: b"\xff\xd8\xff\xe0....",
    WEBP: b"RIFF\x04\x00\x00\x00WEBPVP8 ",
    DOCX: WORD,
    XLSX: EXCEL,
    CSV: "নাম,টাকা\nরহিম,100\n".encode("utf-8-sig"),
    TXT: b"medical leave, 3 days",
}
# what is text is text, also a short PDF
OTHERS = [
    (real, claimed)
    for real in GOOD
    for claimed in GOOD
    if real != claimed and not (claimed in (CSV, TXT) and real in (CSV, TXT, PDF))
]
PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00"


def problem(data: bytes, content_type: str) -> str | None:
    return types.check_content(data, content_type=content_type, size_bytes=len(data))


class TestContent:
    def test_of_every_type_that_we_take_has_a_sample_here(self) -> None:
        assert set(GOOD) == set(types.TYPES)

    @pytest.mark.parametrize("content_type", GOOD)
    def test_is_taken_where_it_is_what_it_claims_to_be(self, content_type: str) -> None:
        assert problem(GOOD[content_type], content_type) is None

    @pytest.mark.parametrize(("real", "claimed"), OTHERS)
    def test_of_another_type_is_refused(self, real: str, claimed: str) -> None:
        assert problem(GOOD[real], claimed) is not None

    @pytest.mark.parametrize("content_type", GOOD)
    def test_of_a_program_is_refused(self, content_type: str) -> None:
        assert problem(PROGRAM, content_type) is not None

    @pytest.mark.parametrize("content_type", sorted(set(GOOD) - {CSV, TXT}))
    def test_that_is_empty_or_cut_is_refused(self, content_type: str) -> None:
        assert problem(b"", content_type) is not None
        assert problem(GOOD[content_type][:2], content_type) is not None

    def test_of_another_size_is_refused(self) -> None:
        problem = types.check_content(b"%PDF-", content_type=PDF, size_bytes=1234)
        assert problem == "it has 5 bytes, and 1,234 were announced"

    @pytest.mark.parametrize(
        ("data", "detail"),
        [
            (b"a\x00b", "it is not a text file: it is not text: it holds a NUL character"),
            ("naïve".encode("latin-1"), "it is not a text file: it is not text in UTF-8; save it as UTF-8"),
        ],
    )
    def test_of_a_text_is_utf8_without_nul(self, data: bytes, detail: str) -> None:
        assert problem(data, TXT) == detail

    def test_of_a_document_with_macros_is_refused(self) -> None:
        macros = archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")
        assert problem(macros, DOCX) == "it is not a Word document: it holds macros; save it without"

    def test_of_a_document_that_unpacks_to_too_much_is_refused_and_not_unpacked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # 30 MB of zeros, nine times over, in some 260 kB
        parts = [f"word/media/{number}.png" for number in range(8)]
        bomb = archive("[Content_Types].xml", "word/document.xml", *parts, content=bytes(30 * 1024 * 1024))
        assert len(bomb) < 400_000
        monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("was unpacked"))
        assert problem(bomb, DOCX) == "it is not a Word document: it unpacks to more than any document needs"

    def test_of_a_document_with_too_many_parts_is_refused_before_they_are_listed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        many = archive("[Content_Types].xml", "word/document.xml", *map(str, range(office.MOST_ENTRIES)), content=b"")
        monkeypatch.setattr(office, "ZipFile", lambda *_: pytest.fail("was listed"))
        assert problem(many, DOCX) is not None

    @given(place=st.integers(0, len(WORD) - 1), length=st.integers(1, 40), noise=st.binary(max_size=40))
    def test_of_a_damaged_document_raises_nothing(self, place: int, length: int, noise: bytes) -> None:
        damaged = WORD[:place] + noise + WORD[place + length :]
        assert isinstance(problem(damaged, DOCX), str | None)


class TestName:
    @pytest.mark.parametrize(
        ("name", "content_type"),
        [("report.pdf", PDF), ("Report.final.PDF", PDF), ("me.jpg", JPEG), ("me.JPEG", JPEG), ("রহিম.pdf", PDF),
         ("تقرير.pdf", PDF), ("a b (1).docx", DOCX), ("../../etc/passwd.pdf", PDF), ('x"; y=".pdf', PDF),
         ("=cmd|' /C calc'!A0.csv", CSV)],
    )  # fmt: skip
    def test_may_be_anything_that_can_be_seen_and_ends_as_its_type_does(self, name: str, content_type: str) -> None:
        assert types.check_name(name, content_type) is None

    @pytest.mark.parametrize("name", ["report", "report.exe", "report.pdf.exe", ".pdf", " .pdf", "pdf", "report.pdf."])
    def test_that_ends_otherwise_is_refused(self, name: str) -> None:
        assert types.check_name(name, PDF) == "must end with .pdf, as a PDF's name does"

    @pytest.mark.parametrize(
        "name", ["a\nb.pdf", "a\rSet-Cookie: x.pdf", "a\tb.pdf", "annexe\u202efdp.pdf", "\u2067a.pdf", "a\x7f.pdf"]
    )
    def test_with_characters_that_cannot_be_seen_is_refused(self, name: str) -> None:
        assert types.check_name(name, PDF) == "holds characters that cannot be seen; rename the file"

    @pytest.mark.parametrize(
        ("name", "content_type", "saved"),
        [("report.pdf", PDF, "report.pdf"), ("রহিম.pdf", PDF, "file.pdf"),
         ("../../etc/passwd.pdf", PDF, "etc-passwd.pdf"),
         ('x"; y=".pdf', PDF, "x-y.pdf"), ("me.JPEG", JPEG, "me.jpg"),
         ("a" * 300 + ".csv", CSV, "a" * 100 + ".csv"),
         ("=1+1.csv", CSV, "1-1.csv")],
    )  # fmt: skip
    def test_is_saved_in_plain_letters_with_the_ending_of_its_type(
        self, name: str, content_type: str, saved: str
    ) -> None:
        assert types.name_to_save(name, content_type) == saved


class TestFileFields:
    def test_take_what_they_say_as_far_as_we_take_it(self) -> None:
        fields = FIELDS.validate_python(
            [
                {"field_name": "reason", "field_label": "Reason", "field_type": "text"},
                {"field_name": "open", "field_label": "Open", "field_type": "file"},
                {
                    "field_name": "note",
                    "field_label": "Note",
                    "field_type": "file",
                    "validation": {
                        "content_types": ["image/png", "application/pdf", "application/x-msdownload"],
                        "max_size_bytes": 50 * 1024 * 1024,
                        "max_files": 2,
                    },
                },
                {
                    "field_name": "small",
                    "field_label": "Small",
                    "field_type": "file",
                    "validation": {"max_size_bytes": 1000},
                },
            ],
            strict=False,
        )
        by_name = rules.file_fields(fields)
        assert set(by_name) == {"open", "note", "small"}
        assert by_name["open"] == rules.FileField(tuple(types.TYPES), 10 * 1024 * 1024, 10)
        assert by_name["note"] == rules.FileField((PDF, PNG), 10 * 1024 * 1024, 2)
        assert by_name["small"].most_bytes == 1000


def event(*keys: str, bucket: str = "files", source: str = "aws:s3") -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventSource": source,
                "eventName": "ObjectCreated:Post",
                "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": 5}},
            }
            for key in keys
        ]
    }


class TestUploadsIn:
    def found(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        return rules.parse_uploads(body, bucket="files")

    def test_reads_tenant_and_attachment_from_the_key(self) -> None:
        key = rules.quarantine_key(UUID(ACME), UUID(FILE))
        assert self.found(event(key)) == [{"tenant_id": ACME, "attachment_id": FILE}]
        assert self.found(event(key.replace("/", "%2F"))) == [{"tenant_id": ACME, "attachment_id": FILE}]

    def test_tells_of_each_upload_once(self) -> None:
        other = FILE.replace("c", "d")
        keys = [f"tenants/{ACME}/quarantine/{one}" for one in (FILE, other, FILE)]
        assert [one["attachment_id"] for one in self.found(event(*keys))] == [FILE, other]

    @pytest.mark.parametrize(
        "key",
        [f"tenants/{ACME}/attachments/{FILE}", f"tenants/{ACME}/quarantine/{FILE}/x", f"tenants/{ACME}/quarantine/",
         f"/tenants/{ACME}/quarantine/{FILE}", f"tenants/{ACME}/quarantine/{FILE}\n", f"tenants/{ACME}/../{FILE}",
         f"tenants/{ACME.upper()}/quarantine/{FILE}", "tenants/" + "-" * 36 + f"/quarantine/{FILE}",
         f"tenants/{ACME}/quarantine/{'0' * 36}", "x", ""],
    )  # fmt: skip
    def test_passes_over_every_other_key(self, key: str) -> None:
        assert self.found(event(key)) == []

    def test_passes_over_other_buckets_and_senders(self) -> None:
        key = f"tenants/{ACME}/quarantine/{FILE}"
        assert self.found(event(key, bucket="another")) == []
        assert self.found(event(key, source="aws:ses")) == []

    def test_passes_over_the_test_that_s3_sends_when_it_is_set_up(self) -> None:
        assert self.found({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "files"}) == []

    def test_lets_our_own_messages_through(self) -> None:
        message = {"tenant_id": ACME, "attachment_id": FILE}
        assert self.found(message) == [message]

    @pytest.mark.parametrize("body", [{}, {"Records": [{}]}, {"Records": None}])
    def test_raises_where_it_is_worded_otherwise(self, body: dict[str, Any]) -> None:
        with pytest.raises((KeyError, TypeError)):
            self.found(body)
