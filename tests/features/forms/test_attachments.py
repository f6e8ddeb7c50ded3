"""Files of forms: announced, uploaded past us, looked at, submitted once, opened by whoever may, and removed if not."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import boto3
import pytest
import requests
from sqlalchemy import text

from chalicelib.backing import clock, files, queues, scanner
from chalicelib.backing.settings import settings
from chalicelib.features.forms.attachments import actions, rules
from chalicelib.features.forms.attachments import check_actions as checks
from chalicelib.features.forms.attachments import removal_actions as removal
from chalicelib.features.forms.attachments.type_rules import TYPES
from chalicelib.identity.callers import job_scope
from chalicelib.identity.permissions import Role
from chalicelib.identity.scope import Origin, Scope
from chalicelib.kernel.errors import Busy, Fault, Invalid, NotFound
from infra.local import aws
from migrations.setup import Urls
from tests.support import stack
from tests.support.api import Api, Reply
from tests.support.cast import Cast, key, tenant
from tests.support.people import branch, employee, row, sql
from tests.support.stack import Stack
from tests.support.waiting import until_lock_wait

BUCKET = "wagebook-files"
PDF = b"%PDF-1.7\nmedical certificate\n%%EOF"
FIELDS: list[dict[str, Any]] = [
    {"field_name": "reason", "field_label": "Reason", "field_type": "text"},
    {"field_name": "certificate", "field_label": "Certificate", "field_type": "file",
     "validation": {"content_types": ["application/pdf", "image/png"], "max_size_bytes": 1000, "max_files": 2}},
    {"field_name": "anything", "field_label": "Anything else", "field_type": "file", "validation": {"max_files": 1}},
]  # fmt: skip


@dataclass
class Company:
    """A tenant with a form, and two employees under a manager."""

    cast: Cast
    form_id: UUID
    rahim_id: UUID
    rahim: Api
    karim_id: UUID
    karim: Api
    manager: Api
    other_manager: Api
    s3: Any = field(repr=False)

    def announce(self, *, by: Api | None = None, form_id: UUID | None = None, **overrides: Any) -> Reply:
        """Announce a certificate of Rahim's, or what is said instead."""
        body = {
            "field_name": "certificate",
            "file_name": "certificate.pdf",
            "content_type": "application/pdf",
            "size_bytes": len(PDF),
            **overrides,
        }
        return (by or self.rahim).post(f"/forms/{form_id or self.form_id}/attachments", body)

    def announced(self, **overrides: Any) -> dict[str, Any]:
        reply = self.announce(**overrides)
        assert reply.status == 201, reply.text
        return reply.json

    def uploaded(self, data: bytes = PDF, **overrides: Any) -> UUID:
        """Announce a file and upload it, as a browser does."""
        announced = self.announced(**{"size_bytes": len(data), **overrides})
        upload(announced, data)
        return UUID(announced["id"])

    def row(self, attachment_id: UUID) -> Any:
        [attachment] = sql(self.cast, "select * from form_attachments where id = :id", id=attachment_id)
        return attachment

    def status(self, attachment_id: UUID) -> tuple[str, str | None]:
        attachment = self.row(attachment_id)
        return attachment.status, attachment.problem

    def stored(self) -> list[str]:
        """List what the tenant has in the bucket, without the tenant."""
        home = f"tenants/{self.cast.id}/"
        objects = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=home).get("Contents", [])
        return sorted(one["Key"].removeprefix(home) for one in objects)

    def attach(self, *attachment_ids: UUID, version: int = 1) -> dict[str, Any]:
        """Submit the form with files of Rahim's, in a transaction of its own."""
        with scope_of(self.cast) as scope:
            return self.attach_in(scope, attachment_ids, version)

    def attach_in(self, scope: Scope, attachment_ids: Sequence[UUID], version: int = 1) -> dict[str, Any]:
        submission_id = scope.session.execute(
            text(
                "insert into form_submissions (tenant_id, form_id, version_number, user_id, status, submitted_at)"
                " values (:tenant_id, :form_id, :version, :user_id, 'submitted', now()) returning id"
            ),
            {"tenant_id": scope.tenant_id, "form_id": self.form_id, "user_id": self.rahim_id, "version": version},
        ).scalar_one()
        return actions.attach(
            scope,
            form_id=self.form_id,
            submission_id=submission_id,
            user_id=self.rahim_id,
            attachment_ids=attachment_ids,
        )

    def refused(self, *attachment_ids: UUID, fault: type[Fault] = Invalid, **options: Any) -> dict[str, str]:
        """Told why the files cannot be submitted, by place."""
        with pytest.raises(fault) as raised:
            self.attach(*attachment_ids, **options)
        return {place.pointer: place.detail for place in raised.value.places}


def scope_of(cast: Cast) -> Any:
    return job_scope(cast.id, name="test", now=clock.now(), origin=Origin("-"))


def form(cast: Cast, fields: Sequence[dict[str, Any]] = FIELDS, **overrides: Any) -> UUID:
    form_id: UUID = row(cast, "forms", {"name": f"Form {uuid4()}", "form_type": "custom", **overrides})
    version = {"form_id": form_id, "number": 1, "fields": json.dumps(fields), "published_at": clock.now()}
    row(cast, "form_versions", version, returning="number")
    return form_id


def company(name: str, s3: Any) -> Company:
    cast = tenant(name)
    boss, other = employee(cast, name="Boss", employee_no="B-1"), employee(cast, name="Other", employee_no="B-2")
    rahim = employee(cast, name="Rahim", employee_no="E-1", manager_id=boss)
    karim = employee(cast, name="Karim", employee_no="E-2", manager_id=boss)
    return Company(
        cast,
        form(cast),
        rahim,
        key(cast.id, Role.EMPLOYEE, rahim),
        karim,
        key(cast.id, Role.EMPLOYEE, karim),
        key(cast.id, Role.MANAGER, boss),
        key(cast.id, Role.MANAGER, other),
        s3,
    )


def upload(announced: dict[str, Any], data: bytes) -> None:
    answer = requests.post(announced["url"], data=announced["fields"], files={"file": data}, timeout=5)
    assert answer.status_code == 204


@pytest.fixture(scope="module", name="started")
def _started(database: Urls) -> Iterator[Stack]:
    """Run the queues beside a bucket that tells them of uploads."""
    with stack.running() as started:
        aws.notify_of_uploads(boto3.client("s3"), started.sqs, bucket=BUCKET, queue=queues.configured_name("uploads"))
        yield started


@pytest.fixture(name="running")
def _running(started: Stack) -> Iterator[Stack]:
    """Return empty queues, and the settings as they are without a scanner."""
    lose(started, "uploads", "attachment-removal")
    settings.cache_clear()
    yield started
    settings.cache_clear()


@pytest.fixture(name="acme")
def _acme(running: Stack) -> Company:
    return company("Acme", boto3.client("s3"))


@pytest.fixture(name="zenith")
def _zenith(running: Stack) -> Company:
    return company("Zenith", boto3.client("s3"))


class TestAnnounce:
    def test_gives_a_form_that_takes_exactly_this_file_into_quarantine(self, acme: Company) -> None:
        announced = acme.announced(size_bytes=999)
        policy = json.loads(base64.b64decode(announced["fields"]["policy"]))["conditions"]
        place = f"tenants/{acme.cast.id}/quarantine/{announced['id']}"
        assert {"key": place} in policy
        assert {"bucket": BUCKET} in policy
        assert {"Content-Type": "application/pdf"} in policy
        assert {"x-amz-server-side-encryption": "aws:kms"} in policy
        assert ["content-length-range", 999, 999] in policy
        assert announced["fields"]["key"] == place
        assert announced["method"] == "POST"
        assert set(announced) == {"id", "url", "fields", "method", "expires_at"}

    @pytest.mark.parametrize(
        ("overrides", "pointer", "detail"),
        [
            ({"field_name": "reason"}, "/field_name",
             "is no file field of this form; those are: certificate, anything"),
            ({"field_name": "other"}, "/field_name",
             "is no file field of this form; those are: certificate, anything"),
            ({"content_type": "image/jpeg", "file_name": "me.jpg"}, "/content_type",
             "is not taken here; what is: application/pdf, image/png"),
            ({"content_type": "application/x-msdownload", "field_name": "anything"}, "/content_type",
             "is not taken here; what is: " + ", ".join(TYPES)),
            ({"content_type": "text/html", "field_name": "anything"}, "/content_type",
             "is not taken here; what is: " + ", ".join(TYPES)),
            ({"size_bytes": 1001}, "/size_bytes", "is too large; at most 1,000 bytes are taken here"),
            ({"size_bytes": 0}, "/size_bytes", "Input should be greater than or equal to 1"),
            ({"size_bytes": 10 * 1024 * 1024 + 1, "field_name": "anything"}, "/size_bytes",
             "Input should be less than or equal to 10485760"),
            ({"file_name": "certificate.exe"}, "/file_name", "must end with .pdf, as a PDF's name does"),
            ({"file_name": "annexe\u202efdp.pdf"}, "/file_name",
             "holds a character that turns the direction of text around (U+202E), so that it reads differently than it"
             " is stored; type the text again without it"),
            ({"file_name": "a" * 297 + ".pdf"}, "/file_name", "String should have at most 200 characters"),
        ],
    )  # fmt: skip
    def test_refuses_what_the_field_does_not_take(
        self, acme: Company, overrides: dict[str, Any], pointer: str, detail: str
    ) -> None:
        reply = acme.announce(**overrides)
        assert (reply.status, reply.json["errors"]) == (422, [{"pointer": pointer, "detail": detail}])
        assert sql(acme.cast, "select count(*) from form_attachments")[0][0] == 0

    def test_tells_all_that_is_wrong_together(self, acme: Company) -> None:
        reply = acme.announce(file_name="x.exe", size_bytes=5000)
        assert [one["pointer"] for one in reply.json["errors"]] == ["/file_name", "/size_bytes"]

    @pytest.mark.parametrize("name", ["../../etc/passwd.pdf", 'x"; filename="y.pdf', "রহিমের সনদ.pdf", "<script>.pdf"])
    def test_keeps_a_name_as_it_was_said(self, acme: Company, name: str) -> None:
        announced = acme.announced(file_name=name)
        assert acme.row(announced["id"]).file_name == name
        assert announced["fields"]["key"] == f"tenants/{acme.cast.id}/quarantine/{announced['id']}"

    def test_leaves_room_for_fifty_files_of_a_person_that_are_in_no_submission(self, acme: Company) -> None:
        for _ in range(49):
            row(
                acme.cast,
                "form_attachments",
                {
                    "form_id": acme.form_id,
                    "user_id": acme.rahim_id,
                    "field_name": "certificate",
                    "file_name": "a.pdf",
                    "content_type": "application/pdf",
                    "size_bytes": 1,
                },
            )
        acme.announced()
        assert acme.announce().status == 409
        acme.announced(by=acme.karim)

    def test_is_for_a_person(self, acme: Company) -> None:
        assert acme.announce(by=acme.cast.hr).status == 403

    def test_of_a_form_that_is_not_in_use_is_refused(self, acme: Company) -> None:
        sql(acme.cast, "update forms set is_active = false where id = :id", id=acme.form_id)
        assert acme.announce().status == 404
        assert acme.announce(by=key(acme.cast.id, Role.HR, acme.rahim_id)).status == 409

    def test_of_a_form_of_another_branch_is_refused(self, acme: Company) -> None:
        elsewhere = form(acme.cast, branch_id=branch(acme.cast))
        assert acme.announce(form_id=elsewhere).status == 404
        assert acme.announce(form_id=elsewhere, by=key(acme.cast.id, Role.HR, acme.rahim_id)).status == 409

    def test_of_a_strangers_form_is_as_of_none(self, acme: Company, zenith: Company) -> None:
        answers = [zenith.announce(form_id=form_id) for form_id in (acme.form_id, uuid4())]
        assert [one.status for one in answers] == [404, 404]
        assert answers[0].json["detail"] == answers[1].json["detail"]


class TestLook:
    def test_moves_a_file_that_is_what_it_claims_to_be_out_of_quarantine(self, acme: Company, running: Stack) -> None:
        attachment_id = acme.uploaded()
        assert acme.status(attachment_id) == ("pending", None)
        assert acme.stored() == [f"quarantine/{attachment_id}"]
        running.drain()
        attachment = acme.row(attachment_id)
        sha256 = "6cdf25505b45ddde6dc62024046a2deb1baa9c57c6571f9d4cbfb9a6a66099e1"
        assert (attachment.status, attachment.scanned_by, attachment.sha256) == ("clean", "none", sha256)
        assert acme.stored() == [f"attachments/{attachment_id}/{sha256}"]
        head = acme.s3.head_object(Bucket=BUCKET, Key=f"tenants/{acme.cast.id}/{acme.stored()[0]}")
        assert (head["ContentType"], head["ServerSideEncryption"]) == ("application/pdf", "aws:kms")

    @pytest.mark.parametrize(
        ("data", "size", "problem"),
        [
            (PDF + b"x", len(PDF), "it has more than the 34 bytes that were announced"),
            (PDF[:-1], len(PDF), "it has 33 bytes, and 34 were announced"),
            (b"MZ\x90\x00\x03\x00", 6, "it is not a PDF: its content is something else"),
            (b"\x89PNG\r\n\x1a\n", 8, "it is not a PDF: its content is something else"),
        ],
    )
    def test_refuses_what_is_something_else_than_was_announced(
        self, acme: Company, running: Stack, data: bytes, size: int, problem: str
    ) -> None:
        attachment_id = acme.uploaded(data, size_bytes=size)
        running.drain()
        assert acme.status(attachment_id) == ("refused", problem)
        assert acme.stored() == []
        [audited] = sql(acme.cast, "select after from audit_logs where action = 'form_attachment.refused'")
        assert audited.after["problem"] == problem

    def test_refuses_a_document_that_would_fill_a_disk_without_unpacking_it(
        self, acme: Company, running: Stack
    ) -> None:
        bomb = io.BytesIO()
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as office:
            for name in ("[Content_Types].xml", "word/document.xml", *(f"word/{n}" for n in range(6))):
                office.writestr(name, bytes(30 * 1024 * 1024))
        docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        attachment_id = acme.uploaded(bomb.getvalue(), field_name="anything", file_name="cv.docx", content_type=docx)
        with mock.patch.object(zipfile.ZipFile, "open", side_effect=AssertionError("was unpacked")):
            running.drain()
        assert acme.status(attachment_id) == (
            "refused",
            "it is not a Word document: it unpacks to more than any document needs",
        )

    def test_refuses_what_the_scanner_finds_something_in(
        self, acme: Company, running: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scanning(monkeypatch, lambda data: "Eicar-Test-Signature")
        attachment_id = acme.uploaded()
        running.drain()
        assert acme.status(attachment_id) == ("refused", "the virus scanner found Eicar-Test-Signature")
        assert acme.stored() == []

    def test_says_who_passed_it(self, acme: Company, running: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[bytes] = []
        scanning(monkeypatch, lambda data: seen.append(data))  # which is None: nothing found
        attachment_id = acme.uploaded()
        running.drain()
        assert seen == [PDF]
        assert acme.row(attachment_id).scanned_by == "test"

    def test_waits_for_a_scanner_that_is_away_and_lets_nothing_through(
        self, acme: Company, running: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(data: bytes) -> None:
            raise Busy("The scanner does not answer.")

        scanning(monkeypatch, away)
        attachment_id = acme.uploaded()
        running.drain()
        assert acme.status(attachment_id) == ("pending", None)
        assert acme.stored() == [f"quarantine/{attachment_id}"]
        assert running.waiting("uploads") == 1

    def test_comes_to_the_same_however_often_it_is_told(self, acme: Company, running: Stack) -> None:
        attachment_id = acme.uploaded()
        for _ in range(3):
            tell(running, acme, attachment_id)
        running.drain()
        attachment, kept = acme.row(attachment_id), acme.stored()
        tell(running, acme, attachment_id)
        running.drain()
        assert (acme.row(attachment_id), acme.stored()) == (attachment, kept)
        assert sql(acme.cast, "select count(*) from audit_logs where action = 'form_attachment.clean'")[0][0] == 1

    def test_that_is_told_before_anything_arrived_changes_nothing(self, acme: Company, running: Stack) -> None:
        attachment_id = UUID(acme.announced()["id"])
        tell(running, acme, attachment_id)
        running.drain()
        assert acme.status(attachment_id) == ("pending", None)
        assert running.waiting("uploads") == 0

    def test_takes_the_last_of_several_uploads_that_came_before_it(self, acme: Company, running: Stack) -> None:
        announced = acme.announced()
        upload(announced, b"MZ" + PDF[2:])
        upload(announced, PDF)
        running.drain()
        assert acme.status(UUID(announced["id"])) == ("clean", None)

    def test_is_not_changed_by_a_file_that_comes_after_it(self, acme: Company, running: Stack) -> None:
        announced = acme.announced()
        attachment_id = UUID(announced["id"])
        upload(announced, PDF)
        running.drain()
        attachment, kept = acme.row(attachment_id), acme.stored()
        upload(announced, PDF.replace(b"medical", b"hostile"))
        running.drain()
        assert (acme.row(attachment_id), acme.stored()) == (attachment, kept)
        assert content(acme, kept[0]) == PDF

    def test_keeps_what_it_read_though_it_is_replaced_while_it_looks(
        self, acme: Company, running: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        announced = acme.announced()
        attachment_id = UUID(announced["id"])
        upload(announced, PDF)
        hostile = PDF.replace(b"medical", b"hostile")
        # between the check and the write
        scanning(monkeypatch, lambda data: upload(announced, hostile) if data == PDF else "Hostile")
        running.drain()
        assert acme.status(attachment_id) == ("clean", None)
        [kept] = acme.stored()
        assert content(acme, kept) == PDF

    def test_by_two_at_once_of_two_contents_names_the_one_that_the_row_says(
        self, acme: Company, running: Stack
    ) -> None:
        announced = acme.announced()
        attachment_id = UUID(announced["id"])
        upload(announced, PDF)
        with scope_of(acme.cast) as slow:
            side_effect = checks.CHECKS.attempt(slow, attachment_id)
        assert side_effect is not None
        finding = side_effect.call()  # the slow one has read the first content, and kept it
        upload(announced, PDF.replace(b"medical", b"another"))
        running.drain()  # a quick one reads the second, and says so first
        with scope_of(acme.cast) as slow:
            side_effect.settle(slow, finding)
        attachment = acme.row(attachment_id)
        assert b"another" in content(acme, f"attachments/{attachment_id}/{attachment.sha256}")
        assert opened(acme.rahim, attachment_id)["url"].split("?")[0].endswith(attachment.sha256)

    def test_that_was_killed_before_it_could_say_so_is_done_again(self, acme: Company, running: Stack) -> None:
        attachment_id = acme.uploaded()
        with mock.patch.object(checks, "settle", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            running.drain()
        assert acme.status(attachment_id) == ("pending", None)
        assert len(acme.stored()) == 2  # what was kept already, and what is in quarantine still
        tell(running, acme, attachment_id)  # the message is seen again
        running.drain()
        assert acme.stored() == [f"attachments/{attachment_id}/{acme.row(attachment_id).sha256}"]

    def test_that_was_killed_before_it_cleared_the_quarantine_is_cleared_later(
        self, acme: Company, running: Stack
    ) -> None:
        attachment_id = acme.uploaded()
        with mock.patch.object(checks, "delete_files", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            running.drain()
        assert acme.status(attachment_id) == ("clean", None)
        assert f"quarantine/{attachment_id}" in acme.stored()
        tell(running, acme, attachment_id)
        running.drain()
        assert acme.stored() == [f"attachments/{attachment_id}/{acme.row(attachment_id).sha256}"]

    def test_removes_an_upload_that_nobody_announced(self, acme: Company, running: Stack) -> None:
        attachment_id = uuid4()
        acme.s3.put_object(Bucket=BUCKET, Key=f"tenants/{acme.cast.id}/quarantine/{attachment_id}", Body=PDF)
        tell(running, acme, attachment_id)
        running.drain()
        assert acme.stored() == []

    def test_told_of_under_another_tenants_key_touches_nobodys_row(
        self, acme: Company, zenith: Company, running: Stack
    ) -> None:
        # Zenith's worker is told of an id that is Acme's
        attachment_id = acme.uploaded()
        queues.send_many("uploads", [{"tenant_id": str(zenith.cast.id), "attachment_id": str(attachment_id)}])
        with mock.patch.object(checks, "check_content", side_effect=AssertionError("looked")):
            running.loop.drain(max_seconds=1)
        assert acme.status(attachment_id) == ("pending", None)
        assert acme.stored() == [f"quarantine/{attachment_id}"]


class TestAttach:
    def test_takes_clean_files_and_gives_them_by_field(self, acme: Company, running: Stack) -> None:
        first, second = acme.uploaded(), acme.uploaded()
        third = acme.uploaded(b"notes", field_name="anything", file_name="notes.txt", content_type="text/plain")
        running.drain()
        by_field = acme.attach(second, third, first)
        assert by_field == {"certificate": [second, first], "anything": [third]}
        assert acme.row(first).submission_id == acme.row(third).submission_id is not None

    def test_is_what_submitting_over_http_does(self, acme: Company, zenith: Company, running: Stack) -> None:
        attachment_id, of_zenith = acme.uploaded(file_name="সনদ.pdf"), zenith.uploaded()
        running.drain()
        path, body = f"/forms/{acme.form_id}/submit", {"submission_data": {"reason": "fever"}}
        replies = [acme.rahim.post(path, {**body, "attachments": [str(one)]}) for one in (of_zenith, uuid4())]
        assert [one.status for one in replies] == [404, 404]
        submission = acme.rahim.ok("POST", path, {**body, "attachments": [str(attachment_id)]})
        shown = acme.manager.ok("GET", f"/forms/submissions/{submission['id']}")
        assert [(one["id"], one["file_name"]) for one in shown["attachments"]] == [(str(attachment_id), "সনদ.pdf")]
        again = acme.rahim.post(path, {**body, "attachments": [str(attachment_id)]})
        assert (again.status, again.json["errors"]) == (
            422,
            [{"pointer": "/attachments/0", "detail": "was submitted before; upload it again"}],
        )

    def test_of_nothing_is_nothing(self, acme: Company) -> None:
        assert acme.attach() == {}

    def test_looks_at_once_at_files_that_nobody_told_of(self, acme: Company, running: Stack) -> None:
        attachment_id = acme.uploaded()
        lose(running, "uploads")  # what S3 said is lost
        acme.attach(attachment_id)
        assert acme.status(attachment_id) == ("clean", None)

    def test_refuses_for_every_reason_together_and_takes_none(
        self, acme: Company, zenith: Company, running: Stack
    ) -> None:
        never = UUID(acme.announced()["id"])
        program = acme.uploaded(b"MZ\x90\x00\x03\x00")
        fine = acme.uploaded()
        elsewhere = acme.uploaded(form_id=form(acme.cast))
        used = acme.uploaded()
        karims = acme.uploaded(by=acme.karim)
        of_zenith = zenith.uploaded()
        running.drain()
        acme.attach(used)
        gone = "is not there, or not yours"
        assert acme.refused(
            never, program, fine, fine, elsewhere, used, karims, of_zenith, uuid4(), fault=NotFound
        ) == {
            "/attachments/0": "has not arrived; upload it first",
            "/attachments/1": "was refused: it is not a PDF: its content is something else",
            "/attachments/3": "is there twice",
            "/attachments/4": "was uploaded for another form; upload it for this one",
            "/attachments/5": "was submitted before; upload it again",
            "/attachments/6": gone,
            "/attachments/7": gone,
            "/attachments/8": gone,
        }
        assert acme.row(fine).submission_id is None

    def test_refuses_more_files_than_a_field_takes(self, acme: Company, running: Stack) -> None:
        three = [acme.uploaded() for _ in range(3)]
        running.drain()
        assert acme.refused(*three) == {"/attachments/2": "is one too many for the field certificate, which takes 2"}
        acme.attach(*three[:2])

    def test_refuses_files_of_a_field_that_the_form_has_no_more(self, acme: Company, running: Stack) -> None:
        attachment_id = acme.uploaded()
        running.drain()
        version = {"form_id": acme.form_id, "number": 2, "fields": json.dumps(FIELDS[:1]), "published_at": clock.now()}
        row(acme.cast, "form_versions", version, returning="number")
        assert acme.refused(attachment_id, version=2) == {
            "/attachments/0": "is for the field certificate, which takes no files any more"
        }

    def test_of_one_file_twice_at_once_takes_it_once(self, acme: Company, running: Stack) -> None:
        attachment_id = acme.uploaded()
        running.drain()

        with ThreadPoolExecutor(1) as other:
            with scope_of(acme.cast) as first:
                acme.attach_in(first, [attachment_id])
                second = other.submit(acme.refused, attachment_id)
                until_lock_wait(acme.cast)
            assert second.result(timeout=10) == {"/attachments/0": "was submitted before; upload it again"}


class TestOpen:
    def test_gives_its_owner_a_link_that_saves_it_under_a_safe_name(self, acme: Company, running: Stack) -> None:
        attachment_id = acme.uploaded(file_name='../x"; a="b.pdf')
        running.drain()
        attachment = opened(acme.rahim, attachment_id)
        answer = requests.get(attachment["url"], timeout=5)
        assert answer.content == PDF
        assert answer.headers["Content-Disposition"] == 'attachment; filename="x-a-b.pdf"'
        assert answer.headers["Content-Type"] == "application/pdf"
        assert (attachment["file_name"], attachment["size_bytes"], attachment["status"]) == (
            '../x"; a="b.pdf',
            len(PDF),
            "clean",
        )
        assert "X-Amz-Expires=300" in attachment["url"]

    def test_is_not_public(self, acme: Company, running: Stack) -> None:
        acme.uploaded()
        running.drain()
        acl = acme.s3.get_object_acl(Bucket=BUCKET, Key=f"tenants/{acme.cast.id}/{acme.stored()[0]}")
        assert [grant["Grantee"]["Type"] for grant in acl["Grants"]] == ["CanonicalUser"]

    def test_gives_no_link_before_it_is_known_to_be_clean(self, acme: Company, running: Stack) -> None:
        attachment = opened(acme.rahim, UUID(acme.announced()["id"]))
        assert (attachment["status"], attachment["url"], attachment["expires_at"]) == ("pending", None, None)

    def test_gives_no_link_to_what_was_refused(self, acme: Company, running: Stack) -> None:
        attachment_id = acme.uploaded(b"MZ\x90\x00\x03\x00")
        running.drain()
        attachment = opened(acme.rahim, attachment_id)
        assert (attachment["status"], attachment["url"]) == ("refused", None)
        assert attachment["problem"] == "it is not a PDF: its content is something else"

    def test_looks_at_once_where_nobody_told_of_the_upload_and_clears_the_quarantine(
        self, acme: Company, running: Stack
    ) -> None:
        attachment_id = acme.uploaded()
        lose(running, "uploads")
        attachment = opened(acme.rahim, attachment_id)
        assert attachment["status"] == "clean"
        assert requests.get(attachment["url"], timeout=5).content == PDF
        running.drain()
        assert acme.stored() == [f"attachments/{attachment_id}/{acme.row(attachment_id).sha256}"]

    def test_is_for_its_owner_alone_until_it_is_submitted(self, acme: Company, running: Stack) -> None:
        attachment_id = acme.uploaded()
        running.drain()
        for caller in (acme.karim, acme.manager, acme.cast.hr, acme.cast.admin):
            assert caller.get(f"/forms/attachments/{attachment_id}").status == 404

    def test_is_for_those_who_review_it_once_it_is_submitted(self, acme: Company, running: Stack) -> None:
        attachment_id = acme.uploaded()
        running.drain()
        acme.attach(attachment_id)
        for caller in (acme.rahim, acme.manager, acme.cast.hr, acme.cast.admin):
            assert opened(caller, attachment_id)["url"]
        for caller in (acme.karim, acme.other_manager):
            assert caller.get(f"/forms/attachments/{attachment_id}").status == 404
        audited = sql(acme.cast, "select actor from audit_logs where action = 'form_attachment.opened'")
        assert len(audited) == 3  # not its owner

    def test_by_a_stranger_is_as_of_none(self, acme: Company, zenith: Company, running: Stack) -> None:
        attachment_id = acme.uploaded()
        running.drain()
        acme.attach(attachment_id)
        for caller in (zenith.rahim, zenith.manager, zenith.cast.admin):
            answers = [caller.get(f"/forms/attachments/{one}") for one in (attachment_id, uuid4())]
            assert [one.status for one in answers] == [404, 404]
            assert answers[0].json["detail"] == answers[1].json["detail"]


class TestRemove:
    def clear(self, running: Stack, *, at: str) -> None:
        with stack.at(at):
            running.tick("remove-attachments")
            running.drain()

    def test_takes_what_was_not_submitted_within_a_day(self, acme: Company, zenith: Company, running: Stack) -> None:
        with stack.at("2026-11-20T08:00:00+00:00"):
            clean, used, never = acme.uploaded(), acme.uploaded(), UUID(acme.announced()["id"])
            refused = acme.uploaded(b"MZ\x90\x00\x03\x00")
            zeniths = zenith.uploaded()
            running.drain()
            unseen = acme.uploaded()
            lose(running, "uploads")
            acme.attach(used)
        with stack.at("2026-11-21T07:00:00+00:00"):
            young = acme.uploaded()
            running.drain()
        self.clear(running, at="2026-11-21T07:59:00+00:00")
        everybody = {clean, used, never, refused, unseen, young}
        assert {one.id for one in sql(acme.cast, "select id from form_attachments")} == everybody
        self.clear(running, at="2026-11-21T08:01:00+00:00")
        assert {one.id for one in sql(acme.cast, "select id from form_attachments")} == {used, young}
        assert sorted(name.split("/")[1] for name in acme.stored()) == sorted(map(str, (used, young)))
        assert sql(zenith.cast, "select id from form_attachments") == []
        assert zenith.stored() == []
        assert opened(acme.rahim, used)["url"]
        for gone in (clean, never, refused, unseen, zeniths):
            assert acme.rahim.get(f"/forms/attachments/{gone}").status == 404

    def test_spares_for_a_month_what_a_draft_names(self, acme: Company, running: Stack) -> None:
        with stack.at("2026-10-01T08:00:00+00:00"):
            named, unseen = acme.uploaded(), UUID(acme.announced()["id"])
            running.drain()
        row(
            acme.cast,
            "form_submissions",
            {"form_id": acme.form_id, "version_number": 1, "user_id": acme.rahim_id, "attachment_ids": [named, unseen]},
        )
        self.clear(running, at="2026-10-30T08:00:00+00:00")
        assert [one.id for one in sql(acme.cast, "select id from form_attachments")] == [named]
        self.clear(running, at="2026-10-31T08:01:00+00:00")
        assert sql(acme.cast, "select id from form_attachments") == []
        assert acme.stored() == []

    def test_goes_on_in_batches(self, acme: Company, running: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(removal, "AT_ONCE", 2)
        with stack.at("2026-10-01T08:00:00+00:00"):
            for _ in range(5):
                acme.uploaded()
            running.drain()
        self.clear(running, at="2026-10-03T08:00:00+00:00")
        assert sql(acme.cast, "select id from form_attachments") == []
        assert acme.stored() == []

    def test_that_was_killed_in_between_is_finished_by_the_next_and_nobody_submits_it_meanwhile(
        self, acme: Company, running: Stack
    ) -> None:
        with stack.at("2026-10-01T08:00:00+00:00"):
            attachment_id = acme.uploaded()
            running.drain()
        with mock.patch.object(checks, "delete_files", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            self.clear(running, at="2026-10-03T08:00:00+00:00")
        assert acme.status(attachment_id)[0] == "removed"
        assert acme.refused(attachment_id, fault=NotFound) == {"/attachments/0": "is not there, or not yours"}
        assert acme.rahim.get(f"/forms/attachments/{attachment_id}").status == 404
        self.clear(running, at="2026-10-03T09:00:00+00:00")
        assert sql(acme.cast, "select id from form_attachments") == []
        assert acme.stored() == []

    @pytest.mark.parametrize("finished", [True, False])
    def test_while_somebody_looks_leaves_nothing_behind(self, acme: Company, running: Stack, finished: bool) -> None:
        with stack.at("2026-10-01T08:00:00+00:00"):
            attachment_id = acme.uploaded()
        with scope_of(acme.cast) as slow:
            side_effect = checks.CHECKS.attempt(slow, attachment_id)
        assert side_effect is not None
        lose(running, "uploads")
        data = files.get(acme.cast.id, rules.quarantine_key(acme.cast.id, attachment_id), at_most=100)
        with scope_of(acme.cast) as scope:
            removing = removal.remove_left_over(scope)
        assert removing is not None
        removing.call()
        if finished:
            with scope_of(acme.cast) as scope:
                removing.settle(scope, None)
        with mock.patch.object(files, "get", return_value=data):
            finding = side_effect.call()  # it had read the file, and keeps it only now
        assert len(acme.stored()) == 1
        with scope_of(acme.cast) as slow:
            following = side_effect.settle(slow, finding)
        assert following is not None
        following.call()
        assert acme.stored() == []

    def test_does_not_take_what_is_submitted_at_the_same_moment(self, acme: Company, running: Stack) -> None:
        with stack.at("2026-10-01T08:00:00+00:00"):
            attachment_id = acme.uploaded()
            running.drain()
        with scope_of(acme.cast) as scope:
            left_over = removal.queries.list_left_over(scope, limit=10)
        assert left_over == [attachment_id]
        acme.attach(attachment_id)
        with scope_of(acme.cast) as scope, mock.patch.object(removal.queries, "list_left_over", return_value=left_over):
            side_effect = removal.remove_left_over(scope)
        assert side_effect is not None
        side_effect.call()
        assert acme.status(attachment_id) == ("clean", None)
        assert len(acme.stored()) == 1


def opened(caller: Api, attachment_id: UUID) -> dict[str, Any]:
    attachment: dict[str, Any] = caller.ok("GET", f"/forms/attachments/{attachment_id}")
    return attachment


def content(company: Company, name: str) -> bytes:
    data: bytes = company.s3.get_object(Bucket=BUCKET, Key=f"tenants/{company.cast.id}/{name}")["Body"].read()
    return data


def tell(running: Stack, company: Company, attachment_id: UUID) -> None:
    """Return what S3 says of an upload, once more."""
    place = rules.quarantine_key(company.cast.id, attachment_id)
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Post",
        "s3": {"bucket": {"name": BUCKET}, "object": {"key": place}},
    }
    running.sqs.send_message(QueueUrl=queues.url_of("uploads"), MessageBody=json.dumps({"Records": [record]}))


def lose(running: Stack, *names: str) -> None:
    """Lose every message that is on its way."""
    for name in names:
        running.sqs.delete_queue(QueueUrl=queues.url_of(name))
        aws.make_queues(running.sqs, [queues.configured_name(name)])


def scanning(monkeypatch: pytest.MonkeyPatch, scan: Any) -> None:
    """Plug in a scanner."""

    class Scanner:
        def scan(self, data: bytes) -> str | None:
            malware: str | None = scan(data)
            return malware

    monkeypatch.setattr(scanner, "SCANNERS", {"test": Scanner})
    monkeypatch.setenv("SCANNER", "test")
    settings.cache_clear()
