"""Payslips as files: made once for each, told once, read by whose they are."""

import io
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from unittest import mock
from uuid import UUID

import boto3
import pytest
from pypdf import PdfReader

from chalicelib.backing import clock, files, mail, outbox, queues
from chalicelib.backing.database import transaction
from chalicelib.backing.settings import settings
from chalicelib.entry import messages
from chalicelib.features.payroll.documents import actions as documents
from chalicelib.features.payroll.documents import rendering
from chalicelib.identity.callers import job_scope
from chalicelib.identity.permissions import Role
from chalicelib.identity.scope import Origin
from chalicelib.operators import checks
from migrations.setup import Urls
from tests.support import stack
from tests.support.cast import Cast, key
from tests.support.notifications import log, mailbox, text_of
from tests.support.payslips import payslip, run
from tests.support.people import employee, sql
from tests.support.stack import Stack

BUCKET = "wagebook-files"
MONTH = "payslip-2026-01-E-1.pdf"


@pytest.fixture(name="running")
def _running(database: Urls, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Run the queues beside a bucket and a mailbox."""
    monkeypatch.setenv("MAIL_FROM", "payroll@wagebook.example")
    monkeypatch.setenv("WAGEBOOK_URL", "https://pay.example/api/")
    settings.cache_clear()
    with stack.running() as started:
        for service in (files, mail):
            service.client.cache_clear()
        mail.client().create_email_identity(EmailIdentity="payroll@wagebook.example")
        yield started
    for service in (files, mail):
        service.client.cache_clear()
    settings.cache_clear()


def request(cast: Cast, run_id: UUID) -> None:
    """Ask for a run's files as its posting does, and send what it leaves to be sent."""
    with job_scope(cast.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
        documents.request(scope, run_id=run_id)
    outbox.send(scope.outgoing)


def stored() -> dict[str, bytes]:
    """Read the whole bucket."""
    s3 = boto3.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
    return {name: s3.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in keys}


def text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def told(cast: Cast) -> list[dict[str, Any]]:
    return [one for one in log(cast) if one["channel"] == "in_app"]


class TestRequest:
    def test_makes_a_private_file_of_each_payslip(self, acme: Cast, running: Stack) -> None:
        rahim, karim = employee(acme), employee(acme, name="Karim", employee_no="E-2")
        january = run(acme)
        first, second = payslip(acme, january, rahim), payslip(acme, january, karim)
        request(acme, january)
        running.drain()

        found = stored()
        assert sorted(name.rpartition("/")[0] for name in found) == sorted(
            f"tenants/{acme.id}/payslips/{one}" for one in (first, second)
        )
        [of_rahim] = [pdf for name, pdf in found.items() if str(first) in name]
        assert all(said in text(of_rahim) for said in ("Rahim", "E-1", "January 2026", "17,600.00", str(first)))
        [head] = [boto3.client("s3").head_object(Bucket=BUCKET, Key=name) for name in found if str(first) in name]
        assert (head["ContentType"], head["ServerSideEncryption"]) == ("application/pdf", "aws:kms")

    def test_tells_each_person_once_however_often_it_is_asked_for(self, acme: Cast, running: Stack) -> None:
        rahim, january = employee(acme, email="rahim@acme.example"), run(acme)
        made = payslip(acme, january, rahim)
        request(acme, january)
        running.drain()
        before = stored()
        sql(acme, "update payslip_documents set asked_at = now() - interval '1 day'")
        request(acme, january)
        assert running.waiting(documents.QUEUE) == 0, "nothing is missing, so nothing is asked for"
        again = {"tenant_id": str(acme.id), "run_id": str(january), "first": str(rahim), "last": str(rahim)}
        with mock.patch.object(rendering, "render_pdf", side_effect=AssertionError("nothing is to be made")):
            queues.send_many(documents.QUEUE, [again, again])
            running.drain()

        assert running.waiting(documents.QUEUE) == 0
        assert stored() == before
        [notice] = told(acme)
        assert (notice["kind"], notice["entity_type"], notice["entity_id"]) == ("payroll_ready", "payslip", str(made))
        assert len(mailbox()) == 1

    def test_sends_at_most_fifty_payslips_in_a_message(self, acme: Cast, running: Stack) -> None:
        january = run(acme)
        for number in range(101):
            payslip(acme, january, employee(acme, employee_no=f"E-{number}"))
        request(acme, january)
        bodies = [
            row.body for row in sql(acme, "select body from outbox where queue = 'payslip-documents' order by id")
        ]
        assert len(bodies) == 3
        ranges = [(body["first"], body["last"]) for body in bodies]
        assert ranges == sorted(ranges), "each begins after the one before it ends"
        held = [
            sql(
                acme,
                "select count(*) as n from payslips where user_id between :first and :last",
                **{name: body[name] for name in ("first", "last")},
            )[0].n
            for body in bodies
        ]
        assert held == [50, 50, 1]

    def test_asks_for_nothing_of_a_run_that_is_not_approved(self, acme: Cast, running: Stack) -> None:
        january = run(acme, status="calculated")
        payslip(acme, january, employee(acme))
        request(acme, january)
        running.drain()
        assert stored() == {}

    def test_mails_a_link_in_the_words_of_the_person(self, acme: Cast, running: Stack) -> None:
        rahim, january = employee(acme, name="রহিম", email="rahim@acme.example"), run(acme)
        sql(acme, "update users set language = 'bn-BD' where id = :id", id=rahim)
        made = payslip(acme, january, rahim)
        request(acme, january)
        running.drain()
        [letter] = mailbox()
        assert letter["subject"] == "জানুয়ারি ২০২৬ মাসের বেতনের বিবরণী প্রস্তুত"
        assert f"https://pay.example/api/payslips/{made}/pdf" in text_of(letter)
        [pdf] = stored().values()
        assert PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/Lang"] == "bn"

    def test_mails_no_link_where_nobody_said_what_it_would_begin_with(
        self, acme: Cast, running: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WAGEBOOK_URL", "")
        settings.cache_clear()
        january = run(acme)
        payslip(acme, january, employee(acme, email="rahim@acme.example"))
        request(acme, january)
        running.drain()
        [letter] = mailbox()
        assert "Your payslip for January 2026 is ready." in text_of(letter)
        assert "http" not in text_of(letter)


class TestMake:
    def test_tells_nobody_of_a_file_that_could_not_be_put_away(self, acme: Cast, running: Stack) -> None:
        rahim, january = employee(acme), run(acme)
        payslip(acme, january, rahim)
        with mock.patch.object(files, "put", side_effect=RuntimeError("S3 is away")):
            request(acme, january)
            with pytest.raises(RuntimeError):
                messages.process_message(
                    lambda scope, message: documents.make(scope, run_id=january, first=rahim, last=rahim),
                    {"tenant_id": str(acme.id)},
                    name="test",
                    origin=Origin("-"),
                )
        assert told(acme) == []
        running.drain()
        assert len(told(acme)) == len(stored()) == 1

    @pytest.mark.parametrize("where", ["render_pdf", "make_sheet"])
    def test_holds_no_other_where_one_cannot_be_set(self, acme: Cast, running: Stack, where: str) -> None:
        people, january = [employee(acme, name=f"P{n}", employee_no=f"E-{n}") for n in range(3)], run(acme)
        for one in people:
            payslip(acme, january, one)
        room = rendering if where == "render_pdf" else documents
        right = getattr(room, where)

        def fails_for_one(said: Any, *more: Any, **named: Any) -> Any:
            if "P1" in str(said):
                raise ValueError("no font has this")
            return right(said, *more, **named)

        with mock.patch.object(room, where, fails_for_one):
            request(acme, january)
            running.drain()
            assert (len(told(acme)), len(stored())) == (2, 2)
            rest = [
                row.id
                for row in sql(
                    acme,
                    "select id from payslips where id not in (select payslip_id from"
                    " payslip_documents where sha256 is not null)",
                )
            ]
            assert len(rest) == 1
            with pytest.raises(ValueError, match="no font"):  # which fails alone, until somebody mends it
                messages.process_message(
                    lambda scope, message: documents.make(scope, run_id=january, first=people[1], last=people[1]),
                    {"tenant_id": str(acme.id)},
                    name="test",
                    origin=Origin("-"),
                )
        messages.process_message(
            lambda scope, message: documents.make(scope, run_id=january, first=people[0], last=people[2]),
            {"tenant_id": str(acme.id)},
            name="test",
            origin=Origin("-"),
        )
        assert (len(told(acme)), len(stored())) == (3, 3)

    def test_makes_the_same_file_again_after_a_crash_before_it_was_noted(self, acme: Cast, running: Stack) -> None:
        rahim, january = employee(acme), run(acme)
        payslip(acme, january, rahim)
        with mock.patch.object(documents, "_settle", side_effect=RuntimeError("killed")):
            request(acme, january)
            with pytest.raises(RuntimeError):
                messages.process_message(
                    lambda scope, message: documents.make(scope, run_id=january, first=rahim, last=rahim),
                    {"tenant_id": str(acme.id)},
                    name="test",
                    origin=Origin("-"),
                )
        before = stored()
        assert len(before) == 1
        running.drain()
        assert stored() == before
        assert len(told(acme)) == 1

    def test_notes_one_of_two_that_made_it_at_once(self, acme: Cast, running: Stack) -> None:
        rahim, january = employee(acme), run(acme)
        payslip(acme, january, rahim)
        request(acme, january)

        def one(scope: Any) -> Any:
            return documents.make(scope, run_id=january, first=rahim, last=rahim)

        def other(scope: Any, message: object) -> Any:
            side_effect = one(scope)

            def call() -> Any:
                running.drain()  # the message of the request overtakes this one ...
                with mock.patch.object(rendering, "render_pdf", return_value=b"the same in other words"):
                    return side_effect.call()

            return messages.SideEffect(call, side_effect.settle)

        messages.process_message(other, {"tenant_id": str(acme.id)}, name="test", origin=Origin("-"))
        [document] = sql(acme, "select sha256, size_bytes from payslip_documents")
        assert {sha256(pdf).hexdigest(): len(pdf) for pdf in stored().values()}[document.sha256] == document.size_bytes
        assert document.size_bytes > 10_000, "... and it is the file of that one that people are told of"
        assert len(told(acme)) == 1

    def test_makes_the_files_of_twenty_beside_a_name_that_holds_a_byte_order_mark(
        self, acme: Cast, running: Stack
    ) -> None:
        january = run(acme)
        for number in range(20):
            name = "\ufeffRahim" if number == 7 else "Karim"  # as it came in before texts were cleaned
            payslip(acme, january, employee(acme, name=name, employee_no=f"E-{number}"))
        request(acme, january)
        running.drain()
        assert len(stored()) == len(told(acme)) == 20
        assert sum("Rahim" in text(pdf) for pdf in stored().values()) == 1

    def test_leaves_to_check_what_was_booked_an_hour_ago_and_has_no_file(self, acme: Cast, running: Stack) -> None:
        rahim, january = employee(acme), run(acme)
        made = payslip(acme, january, rahim)
        draft = run(acme, month="2026-02", status="calculated")
        payslip(acme, draft, rahim)
        for since, found in (
            ("59 minutes", []),
            ("61 minutes", [f"payslip {made} of 2026-01 {rahim}: approved since "]),
        ):
            sql(acme, f"update payroll_runs set posted_at = now() - interval '{since}' where id = :id", id=january)
            with transaction(tenant_id=acme.id) as session:
                said = checks.check_tenant(session, "documents", acme.id).problems
            assert [one[: one.index("since ") + 6] for one in said] == found
        request(acme, january)
        running.drain()
        with transaction(tenant_id=acme.id) as session:
            assert checks.check_tenant(session, "documents", acme.id).problems == []


class TestGetPayslipPdf:
    def test_gives_a_link_that_saves_the_file_for_five_minutes(self, acme: Cast, running: Stack) -> None:
        rahim, january = employee(acme), run(acme)
        made = payslip(acme, january, rahim)
        request(acme, january)
        running.drain()
        [(name, pdf)] = stored().items()
        with stack.at("2026-02-05T10:00:00+00:00"):
            found = key(acme.id, Role.EMPLOYEE, rahim).ok("GET", f"/payslips/{made}/pdf")
        assert (found["name"], found["size_bytes"]) == (MONTH, len(pdf))
        assert found["expires_at"] == "2026-02-05T10:05:00Z"
        assert name in found["url"]
        assert "response-content-disposition=attachment%3B%20filename%3D%22payslip-2026-01-E-1.pdf%22" in found["url"]
        assert "X-Amz-Expires=300" in found["url"]

    def test_has_it_made_where_it_is_not_there_and_asks_once(self, acme: Cast, running: Stack) -> None:
        january = run(acme)
        made = payslip(acme, january, employee(acme))
        other = payslip(acme, january, employee(acme, employee_no="E-2"))
        for _ in range(3):
            reply = acme.hr.get(f"/payslips/{made}/pdf")
            assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
            assert reply.json["detail"] == "The PDF of this payslip is being made; try again in a few seconds."
        assert running.waiting(documents.QUEUE) == 1
        running.drain()
        assert acme.hr.ok("GET", f"/payslips/{made}/pdf")["name"] == MONTH
        assert acme.hr.get(f"/payslips/{other}/pdf").status == 503, "only the one that was wanted was made"

    def test_asks_again_when_the_message_went_astray(self, acme: Cast, running: Stack) -> None:
        january = run(acme)
        made = payslip(acme, january, employee(acme))
        acme.hr.get(f"/payslips/{made}/pdf")
        sql(acme, "update payslip_documents set asked_at = now() - interval '6 minutes'")
        acme.hr.get(f"/payslips/{made}/pdf")
        assert running.waiting(documents.QUEUE) == 2

    def test_waits_while_the_run_is_being_booked(self, acme: Cast, running: Stack) -> None:
        made = payslip(acme, run(acme, posted=False), employee(acme))
        assert acme.hr.get(f"/payslips/{made}/pdf").status == 503
        assert running.waiting(documents.QUEUE) == 0

    def test_refuses_a_payslip_that_may_still_change(self, acme: Cast, running: Stack) -> None:
        rahim = employee(acme)
        made = payslip(acme, run(acme, status="calculated"), rahim)
        reply = acme.hr.get(f"/payslips/{made}/pdf")
        assert reply.status == 409
        assert reply.json["detail"] == (
            "The payroll run of this payslip is calculated: payslips are made into files once the run is approved."
            " Approve the run first."
        )
        assert key(acme.id, Role.EMPLOYEE, rahim).get(f"/payslips/{made}/pdf").status == 404, "not shown to them yet"

    def test_is_not_there_for_strangers_and_colleagues(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        rahim, karim, january = employee(acme), employee(acme, employee_no="E-2"), run(acme)
        made = payslip(acme, january, rahim)
        request(acme, january)
        running.drain()
        assert zenith.hr.get(f"/payslips/{made}/pdf").status == 404
        assert key(acme.id, Role.EMPLOYEE, karim).get(f"/payslips/{made}/pdf").status == 404
        assert key(acme.id, Role.MANAGER, karim).get(f"/payslips/{made}/pdf").status == 404
        assert key(acme.id, Role.EMPLOYEE, rahim).get(f"/payslips/{made}/pdf").status == 200
