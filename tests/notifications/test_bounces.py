"""Bounces and complaints of SES: which mail they are about, and suppressed addresses."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.support.cast import Cast
from tests.support.notifications import caller, log, mail_ids, mailbox, notify, person
from tests.support.people import sql
from tests.support.stack import Stack


def event(
    cast: Cast, log_id: str, provider_id: str, *, what: str = "Bounce", kind: str = "Permanent"
) -> dict[str, Any]:
    """Word an event as SES publishes it by a configuration set."""
    detail: dict[str, Any] = {
        "complaint": {
            "complainedRecipients": [{"emailAddress": "else@where.example"}],
            "complaintFeedbackType": "abuse",
        }
    }
    if what == "Bounce":
        recipients = [{"emailAddress": "else@where.example", "status": "5.1.1"}]
        detail = {"bounce": {"bounceType": kind, "bounceSubType": "General", "bouncedRecipients": recipients}}
    return {
        "eventType": what,
        "mail": {
            "messageId": provider_id,
            "destination": ["rahim@acme.example"],
            "tags": {"ses:configuration-set": ["wagebook"], "tenant_id": [str(cast.id)], "log_id": [log_id]},
        },
        **detail,
    }


def arrive(running: Stack, *events: dict[str, Any], wrapped: bool = True) -> None:
    """Send events as they arrive: through SNS, which wraps them unless configured otherwise."""
    for one in events:
        body = {"Type": "Notification", "TopicArn": "arn:...", "Message": json.dumps(one)} if wrapped else one
        running.sqs.send_message(
            QueueUrl=f"{running.sqs.meta.endpoint_url}/123456789012/wagebook-mail-events", MessageBody=json.dumps(body)
        )
    running.drain()


def sent(cast: Cast, running: Stack, address: str = "rahim@acme.example") -> dict[str, Any]:
    """Send one mail and return its row of the log."""
    notify(cast, person(cast, address=address))
    running.drain()
    return log(cast, "?channel=email")[0]


def suppressions(cast: Cast) -> list[dict[str, Any]]:
    return list(cast.admin.ok("GET", "/notification-suppressions")["items"])


class TestBounce:
    @pytest.mark.parametrize("wrapped", [True, False])
    def test_marks_the_mail_and_suppresses_its_address(self, acme: Cast, running: Stack, wrapped: bool) -> None:
        row = sent(acme, running)
        arrive(running, event(acme, row["id"], row["provider_id"]), wrapped=wrapped)
        assert log(acme, "?status=bounced")[0]["problem"] == "it bounced (Permanent, General)"
        [one] = suppressions(acme)
        # the address that we wrote to, whatever address the event names
        assert (one["address"], one["reason"], one["log_id"]) == ("rahim@acme.example", "bounce", row["id"])

    def test_keeps_later_mails_of_this_tenant_from_the_address_and_says_so(
        self, acme: Cast, zenith: Cast, running: Stack
    ) -> None:
        row = sent(acme, running)
        arrive(running, event(acme, row["id"], row["provider_id"]))
        [rahim] = [one.user_id for one in sql(acme, "select distinct user_id from notification_logs")]
        notify(acme, rahim, cause="2")
        running.drain()
        later = log(acme, "?channel=email")[0]
        today = sql(acme, "select to_char(now() at time zone 'UTC', 'YYYY-MM-DD')")[0][0]
        assert (later["status"], later["attempts"]) == ("failed", 0)
        assert later["problem"] == (
            f"no mail goes to this address since {today}: a mail to it bounced; correct the address, or let a tenant"
            " admin delete its row of the notification suppressions"
        )
        assert sent(zenith, running)["status"] == "sent"
        assert len(mailbox()) == 2

    def test_that_passes_marks_the_mail_only(self, acme: Cast, running: Stack) -> None:
        row = sent(acme, running)
        arrive(running, event(acme, row["id"], row["provider_id"], kind="Transient"))
        assert log(acme, "?status=bounced")[0]["id"] == row["id"]
        assert suppressions(acme) == []

    def test_reported_twice_does_not_suppress_again_what_was_lifted(self, acme: Cast, running: Stack) -> None:
        row = sent(acme, running)
        bounce = event(acme, row["id"], row["provider_id"])
        arrive(running, bounce, bounce)
        [one] = suppressions(acme)
        acme.admin.ok("DELETE", f"/notification-suppressions/{one['id']}")
        arrive(running, bounce)
        assert suppressions(acme) == []

    def test_of_a_mail_whose_worker_was_killed_is_known_by_its_tags(self, acme: Cast, running: Stack) -> None:
        notify(acme, person(acme))
        [row] = log(acme, "?channel=email")
        sql(
            acme,
            "update notification_logs set attempts = 1, sent_to = 'rahim@acme.example',"
            " look_at = clock_timestamp() + interval '1 minute' where channel = 'email'",
        )
        arrive(running, event(acme, row["id"], "0100-of-ses"))
        [row] = log(acme, "?channel=email")
        assert (row["status"], row["provider_id"], row["next_attempt_at"]) == ("bounced", "0100-of-ses", None)
        running.drain()
        assert mailbox() == []

    def test_that_names_another_tenants_mail_or_another_id_changes_nothing(
        self, acme: Cast, zenith: Cast, running: Stack
    ) -> None:
        row = sent(acme, running)
        arrive(
            running,
            event(zenith, row["id"], row["provider_id"]),
            event(acme, str(uuid4()), row["provider_id"]),
            event(acme, row["id"], "another"),
        )
        assert log(acme, "?channel=email")[0]["status"] == "sent"
        assert suppressions(acme) == suppressions(zenith) == []
        assert running.waiting("mail-events") == 0

    def test_of_a_tenant_that_is_not_there_and_what_is_not_about_ours_are_done(
        self, acme: Cast, running: Stack
    ) -> None:
        row = sent(acme, running)
        bounce = event(acme, row["id"], row["provider_id"])
        strange = {**bounce, "mail": {**bounce["mail"], "tags": {"tenant_id": [str(uuid4())], "log_id": [row["id"]]}}}
        untagged = {**bounce, "mail": {**bounce["mail"], "tags": {}}}
        arrive(running, strange, untagged, {**bounce, "eventType": "Delivery"})
        arrive(running, {"Type": "SubscriptionConfirmation", "Token": "x"}, wrapped=False)
        assert log(acme, "?channel=email")[0]["status"] == "sent"
        assert running.waiting("mail-events") == 0

    def test_that_cannot_be_read_is_held_back(self, acme: Cast, running: Stack) -> None:
        arrive(running, {"Type": "Notification", "Message": "not json"}, wrapped=False)
        assert running.waiting("mail-events") == 1


class TestComplaint:
    def test_leaves_the_mail_sent_and_suppresses_its_address(self, acme: Cast, running: Stack) -> None:
        row = sent(acme, running)
        arrive(running, event(acme, row["id"], mail_ids()[0], what="Complaint"))
        [row] = log(acme, "?channel=email")
        assert (row["status"], row["problem"]) == ("sent", "it arrived, and its reader reported it as unwanted")
        assert [one["reason"] for one in suppressions(acme)] == ["complaint"]


class TestSuppression:
    def test_is_lifted_by_an_admin_and_mail_goes_again(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        row = sent(acme, running)
        arrive(running, event(acme, row["id"], row["provider_id"]))
        [one] = suppressions(acme)
        path = f"/notification-suppressions/{one['id']}"
        assert zenith.admin.delete(path).status == 404
        assert acme.hr.delete(path).status == 403
        assert acme.hr.get("/notification-suppressions").status == 200
        assert caller(acme, person(acme, address=None)).get("/notification-suppressions").status == 403
        assert acme.admin.delete(path).status == 204
        assert acme.admin.delete(path).status == 404
        assert suppressions(acme) == suppressions(zenith) == []
        audit = acme.admin.ok("GET", "/audit-logs?action=notification_suppression.lifted")["items"]
        assert audit[0]["before"] == {"reason": "bounce", "log_id": row["id"]}
        [rahim] = [
            log_row.user_id
            for log_row in sql(acme, "select user_id from notification_logs where id = :id", id=row["id"])
        ]
        notify(acme, rahim, cause="2")
        running.drain()
        assert len(mailbox()) == 2
