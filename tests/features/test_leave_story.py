"""The week of a leave: designed, asked for with a certificate, approved, used, mailed, audited; or given back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import boto3
import pytest
import requests

from chalicelib.backing import clock, files, mail, queues
from chalicelib.backing.settings import settings
from chalicelib.identity.permissions import Role
from infra.local import aws
from migrations.setup import Urls
from tests.support import stack
from tests.support.api import Api
from tests.support.cast import Cast, key
from tests.support.notifications import mailbox, text_of
from tests.support.people import employee
from tests.support.stack import Stack

BUCKET = "wagebook-files"
PDF = b"%PDF-1.7\nThe patient needs rest.\n%%EOF"
FIELDS: list[dict[str, Any]] = [
    {"field_name": "leave_type", "field_label": "Leave Type", "field_type": "dropdown", "is_required": True,
     "options": [{"label": "Annual Leave", "value": "annual"}, {"label": "Sick Leave", "value": "sick"}]},
    {"field_name": "start_date", "field_label": "Start Date", "field_type": "date", "is_required": True},
    {"field_name": "end_date", "field_label": "End Date", "field_type": "date"},
    {"field_name": "reason", "field_label": "Reason", "field_type": "textarea", "is_required": False},
    {"field_name": "certificate", "field_label": "Certificate", "field_type": "file",
     "required_if": {"field": "leave_type", "equals": "sick"}},
]  # fmt: skip


@dataclass
class Office:
    """Acme in January 2026: Friday and Saturday off, Rahim reports to Boss, it is Sunday the 4th."""

    hr: Api
    boss: Api
    rahim: Api
    rahim_id: UUID
    form_id: str

    def upload(self) -> str:
        """Send a certificate to S3, as a browser does."""
        made = self.rahim.ok(
            "POST",
            f"/forms/{self.form_id}/attachments",
            {
                "field_name": "certificate",
                "file_name": "certificate.pdf",
                "content_type": "application/pdf",
                "size_bytes": len(PDF),
            },
        )
        answer = requests.post(made["url"], data=made["fields"], files={"file": PDF}, timeout=5)
        assert answer.status_code == 204
        return str(made["id"])

    def submit(self) -> dict[str, Any]:
        """Ask for Thursday the 8th to Sunday the 11th: two working days."""
        said = {"leave_type": "sick", "start_date": "2026-01-08", "end_date": "2026-01-11", "reason": "Fever"}
        body = {"submission_data": said, "attachments": [self.upload()]}
        return dict(self.rahim.ok("POST", f"/forms/{self.form_id}/submit", body))

    def decide(self, submission: dict[str, Any], status: str) -> dict[str, Any]:
        """Decide as the manager."""
        body = {"status": status, "notes": "Get well soon"}
        return dict(self.boss.ok("PATCH", f"/forms/submissions/{submission['id']}", body))

    def days(self) -> tuple[float, float, float]:
        """Return what is pending, used and left."""
        [balance] = self.rahim.ok("GET", f"/users/{self.rahim_id}/leave-balances")["items"]
        return balance["pending"], balance["used"], balance["remaining"]

    def register(self) -> dict[str, list[str]]:
        """Compute January anew and give the halves of the days around the leave."""
        self.hr.ok("POST", "/pay-register/2026-01/sync", {"user_ids": [str(self.rahim_id)]})
        rows = self.hr.ok("GET", f"/pay-register/2026-01/{self.rahim_id}")["daily_records"]
        return {row["date"][-2:]: [row["first_half"]["status"], row["second_half"]["status"]] for row in rows}


@pytest.fixture(name="running")
def _running(database: Urls, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Run the queues, with a bucket that tells of uploads and a sender's address."""
    monkeypatch.setenv("MAIL_FROM", "payroll@wagebook.example")
    clients = (files.client, mail.client, settings)
    with stack.running() as started:
        for cached in clients:
            cached.cache_clear()
        aws.notify_of_uploads(boto3.client("s3"), started.sqs, bucket=BUCKET, queue=queues.configured_name("uploads"))
        mail.client().create_email_identity(EmailIdentity="payroll@wagebook.example")
        yield started
    for cached in clients:
        cached.cache_clear()


@pytest.fixture(name="office")
def _office(acme: Cast, running: Stack, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 1, 4, 6, tzinfo=UTC))
    boss = employee(acme, name="Boss", employee_no="B-1", email="boss@acme.example")
    rahim = employee(acme, name="Rahim", employee_no="E-1", email="rahim@acme.example", manager_id=boss)
    rule = {"name": "End of March", "expiry_date_formula": "03-31", "auto_expire_action": "transfer_to_next_cycle"}
    rule_id = acme.hr.ok("POST", "/leave-expiry-rules", rule)["id"]
    sick = {"name": "Sick Leave", "days_per_year": 14, "expiry_rule_id": rule_id}
    type_id = acme.hr.ok("POST", "/leave-types", sick)["id"]
    year = {"leave_type_id": type_id, "cycle_start_date": "2026-01-01", "all": True}
    assert acme.hr.ok("POST", "/leave-allocations/bulk", year)["people"] == 2
    form = acme.hr.ok("POST", "/forms", {"name": "Leave Request Form", "form_type": "leave_request", "fields": FIELDS})
    return Office(acme.hr, key(acme.id, Role.MANAGER, boss), key(acme.id, Role.EMPLOYEE, rahim), rahim, form["id"])


def subjects(address: str) -> list[str]:
    return [str(one["Subject"]) for one in mailbox() if address in str(one["To"])]


def test_approving_uses_the_days_and_tells_everybody(office: Office, running: Stack, acme: Cast) -> None:
    asked = office.submit()
    running.drain()
    assert (asked["status"], office.days()) == ("submitted", (2, 0, 12))
    assert len(subjects("boss@acme.example")) == 1
    assert office.decide(asked, "approved")["status"] == "approved"
    running.drain()
    assert office.days() == (0, 2, 12)
    halves = office.register()
    assert [halves[day] for day in ("08", "09", "10", "11")] == [
        ["leave", "leave"],
        ["week_off", "week_off"],
        ["week_off", "week_off"],
        ["leave", "leave"],
    ]
    [letter] = [one for one in mailbox() if "rahim@acme.example" in str(one["To"])]
    assert all(word in text_of(letter) for word in ("Sick Leave", "Get well soon"))
    [notice] = office.rahim.ok("GET", "/notifications")["items"]
    assert notice["kind"] == "leave_approved"
    [file] = office.boss.ok("GET", f"/forms/submissions/{asked['id']}")["attachments"]
    opened = office.boss.ok("GET", f"/forms/attachments/{file['id']}")
    assert requests.get(opened["url"], timeout=5).content == PDF
    done = [row["action"] for row in acme.admin.ok("GET", "/audit-logs?limit=200")["items"]]
    assert {
        "form.added",
        "form_submission.submitted",
        "leave_request.asked",
        "leave_request.approved",
        "form_submission.approved",
    } <= set(done)


def test_rejecting_gives_everything_back(office: Office, running: Stack) -> None:
    office.decide(office.submit(), "rejected")
    running.drain()
    assert office.days() == (0, 0, 14)
    assert office.register()["08"] == ["blank", "blank"]  # still to come
    assert [one["kind"] for one in office.rahim.ok("GET", "/notifications")["items"]] == ["leave_rejected"]


def test_cancelling_gives_everything_back(office: Office, running: Stack) -> None:
    office.decide(office.submit(), "approved")
    [leave] = office.rahim.ok("GET", "/leave-requests")["items"]
    office.rahim.ok("PATCH", f"/leave-requests/{leave['id']}", {"status": "cancelled"})
    running.drain()
    assert office.days() == (0, 0, 14)
    assert office.register()["08"] == ["blank", "blank"]  # still to come
