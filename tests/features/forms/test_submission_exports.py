"""Submissions as a file: one column for each field of all versions, safe to open, readable by who may read them."""

import base64
import csv
import io
from typing import Any
from uuid import UUID

import openpyxl
import pytest

from chalicelib.features.forms.submissions import exports as submission_exports
from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key, tenant
from tests.support.people import employee, row

pytestmark = pytest.mark.usefixtures("database")

FIELDS = [
    {"field_name": "title", "field_label": "=Title", "field_type": "text"},
    {"field_name": "score", "field_label": "Score", "field_type": "number"},
    {"field_name": "color", "field_label": "Score", "field_type": "checkbox",
     "options": [{"label": "Red", "value": "red"}, {"label": "At", "value": "@at"}]},
    {"field_name": "sure", "field_label": "Sure", "field_type": "checkbox"},
    {"field_name": "home", "field_label": "Home", "field_type": "address"},
    {"field_name": "phone", "field_label": "Phone", "field_type": "phone"},
    {"field_name": "paper", "field_label": "Paper", "field_type": "file"},
]  # fmt: skip
WHOLE = {
    "title": "=HYPERLINK(1)",
    "score": "-2.50",
    "color": ["@at", "red"],
    "sure": False,
    "phone": "+8801712345678",
    "home": {"line1": "-1", "city": "Dhaka", "country": "BD"},
}


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="rahim_id")
def _rahim_id(acme: Cast) -> UUID:
    return employee(acme, name="@Rahim", employee_no="E-1")


@pytest.fixture(name="form_id")
def _form_id(acme: Cast, rahim_id: UUID) -> str:
    """Make a form of two versions, the first submitted with everything hostile, the second plainly."""
    created = acme.hr.ok("POST", "/forms", {"name": '=cmd|"/etc', "form_type": "custom", "fields": FIELDS})
    path = f"/forms/{created['id']}"
    file_id = row(
        acme,
        "form_attachments",
        {
            "form_id": created["id"],
            "user_id": rahim_id,
            "field_name": "paper",
            "file_name": "+a.pdf",
            "content_type": "application/pdf",
            "size_bytes": 5,
            "status": "clean",
            "sha256": "0" * 64,
            "scanned_by": "none",
            "checked_at": "2026-01-05T00:00:00Z",
        },
    )
    rahim = key(acme.id, Role.EMPLOYEE, rahim_id)
    rahim.ok("POST", f"{path}/submit", {"submission_data": WHOLE, "attachments": [str(file_id)]})
    new = {"field_name": "new", "field_label": "New", "field_type": "text"}
    acme.hr.ok("PATCH", path, {"fields": [{**FIELDS[0], "field_label": "Title"}, new]})
    rahim.ok("POST", f"{path}/submit", {"submission_data": {"title": "Plain", "new": "two\nlines"}})
    rahim.ok("POST", f"{path}/submit", {"submission_data": {"title": "Mine"}, "draft": True})
    return str(created["id"])


def lines(reply: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(reply.text)))


class TestExport:
    def test_has_a_column_for_each_field_of_all_versions(self, acme: Cast, form_id: str) -> None:
        reply = acme.hr.get(f"/forms/{form_id}/submissions/export")
        assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
        first, second = lines(reply)
        assert list(first) == [
            "submission_id",
            "employee_no",
            "name",
            "status",
            "version_number",
            "submitted_at",
            "reviewed_at",
            "notes",
            "Title",
            "New",
            "Score (score)",
            "Score (color)",
            "Sure",
            "Home",
            "Phone",
            "Paper",
        ]
        assert {name: first[name] for name in list(first)[8:]} == {
            "Title": "'=HYPERLINK(1)",
            "New": "",
            "Score (score)": "-2.50",
            "Score (color)": "'@at; red",
            "Sure": "false",
            "Home": "'-1, Dhaka, BD",
            "Phone": "'+8801712345678",
            "Paper": "'+a.pdf",
        }
        assert (first["name"], first["version_number"], first["submitted_at"][-6:]) == ("'@Rahim", "1", "+06:00")
        assert (second["Title"], second["New"], second["version_number"]) == ("Plain", "two lines", "2")

    def test_is_named_safely(self, acme: Cast, form_id: str) -> None:
        reply = acme.hr.get(f"/forms/{form_id}/submissions/export")
        assert reply.headers["Content-Disposition"] == 'attachment; filename="cmd-etc-submissions.csv"'

    def test_quotes_a_heading_that_begins_like_a_formula(self, acme: Cast) -> None:
        created = acme.hr.ok("POST", "/forms", {"name": "F", "form_type": "custom", "fields": FIELDS[:1]})
        assert acme.hr.get(f"/forms/{created['id']}/submissions/export").text.strip().endswith(",'=Title")

    def test_writes_xlsx(self, acme: Cast, form_id: str) -> None:
        reply = acme.hr.get(f"/forms/{form_id}/submissions/export?format=xlsx", headers={"accept": "*/*"})
        sheet = openpyxl.load_workbook(io.BytesIO(base64.b64decode(reply.text))).active
        head, first, _ = sheet.iter_rows(values_only=True)
        assert (first[head.index("Title")], first[head.index("Score (score)")]) == ("'=HYPERLINK(1)", -2.5)

    def test_is_of_one_status_if_asked(self, acme: Cast, form_id: str) -> None:
        path = f"/forms/{form_id}/submissions"
        submission_id = acme.hr.ok("GET", path)["items"][0]["id"]
        acme.hr.ok("PATCH", f"/forms/submissions/{submission_id}", {"status": "approved", "notes": "=1+1"})
        [line] = lines(acme.hr.get(f"{path}/export?status=approved"))
        assert (line["submission_id"], line["notes"]) == (submission_id, "'=1+1")

    def test_has_only_those_within_reach(self, acme: Cast, form_id: str) -> None:
        other = key(acme.id, Role.EMPLOYEE, employee(acme, employee_no="E-2"))
        assert lines(other.get(f"/forms/{form_id}/submissions/export")) == []

    def test_is_read_in_parts(self, acme: Cast, form_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(submission_exports, "BATCH", 1)
        assert [one["Title"] for one in lines(acme.hr.get(f"/forms/{form_id}/submissions/export"))] == [
            "'=HYPERLINK(1)",
            "Plain",
        ]

    def test_is_refused_where_it_would_not_fit_into_an_answer(
        self, acme: Cast, form_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(submission_exports, "LARGEST", 100)
        reply = acme.hr.get(f"/forms/{form_id}/submissions/export")
        assert (reply.status, reply.json["detail"]) == (413, "There is more than one file can hold; export by status.")

    def test_is_not_there_for_a_stranger(self, acme: Cast, form_id: str) -> None:
        assert tenant("Zenith").admin.get(f"/forms/{form_id}/submissions/export").status == 404
