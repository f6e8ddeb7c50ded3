"""Sending: claim, send, settle; the retry schedule; recovery after a killed worker."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto.sns.models import sns_backends

from chalicelib.backing import clock, mail, push
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from chalicelib.notifications import NotificationKind, delivery, rules
from chalicelib.notifications.delivery import NOTIFICATIONS
from tests.support.cast import Cast
from tests.support.notifications import DUE, caller, let_pass, log, mail_ids, mailbox, notify, person, statuses
from tests.support.people import sql
from tests.support.stack import Stack

DEVICE = "arn:aws:sns:eu-central-1:123456789012:endpoint/GCM/wagebook/5e3e9847-3183-3f18-a7e8-671c3a57d4b3"


def again(cast: Cast, running: Stack) -> None:
    """Let the time to the next attempt pass, and work it off."""
    let_pass(cast)
    running.tick("notifications-to-look-at")
    running.drain()


def refusing(code: str) -> Callable[..., Any]:
    def send_email(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "to rahim@acme.example"}}, "SendEmail")

    return send_email


@pytest.fixture
def failing(running: Stack, monkeypatch: pytest.MonkeyPatch) -> list[Callable[..., Any]]:
    """Let SES do what is listed, one for each mail, and after that take them."""
    answers: list[Callable[..., Any]] = []
    takes = mail.client().send_email

    def send_email(**request: Any) -> Any:
        return (answers.pop(0) if answers else takes)(**request)

    monkeypatch.setattr(mail.client(), "send_email", send_email)
    return answers


def claimed(cast: Cast, log_id: str) -> Any:
    """Claim an attempt, as a worker does before it is killed."""
    with job_scope(cast.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
        return NOTIFICATIONS.attempt(scope, UUID(log_id))


def settle(cast: Cast, side_effect: Any, answer: Any) -> None:
    with job_scope(cast.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
        side_effect.settle(scope, answer)


class TestAttempt:
    def test_that_fails_is_made_again_six_times_in_all(self, acme: Cast, running: Stack, failing: list) -> None:
        failing += [refusing("TooManyRequestsException")] * 6
        notify(acme, person(acme))
        running.drain()
        waits = []
        for _ in range(5):
            waits += [
                row[0]
                for row in sql(
                    acme, "select look_at - clock_timestamp() from notification_logs where look_at is not null"
                )
            ]
            again(acme, running)
        for wait, seconds in zip(waits, [60, 300, 1800, 7200, 21600], strict=True):
            assert seconds - 5 <= wait.total_seconds() <= seconds * 1.2
        [row] = log(acme, "?channel=email")
        assert (row["status"], row["attempts"], row["problem"], row["next_attempt_at"]) == (
            "failed",
            6,
            "it could not be sent (ClientError)",
            None,
        )
        again(acme, running)
        assert mailbox() == []

    def test_that_succeeds_later_ends_it(self, acme: Cast, running: Stack, failing: list) -> None:
        def times_out(**_: Any) -> Any:
            raise ReadTimeoutError(endpoint_url="https://email")

        failing += [times_out]
        notify(acme, person(acme))
        running.drain()
        assert statuses(acme)["email"] == "pending"
        again(acme, running)
        again(acme, running)
        assert len(mailbox()) == 1
        [row] = log(acme, "?channel=email")
        assert (row["status"], row["attempts"], row["problem"]) == ("sent", 2, None)
        assert row["provider_id"] == mail_ids()[0]

    def test_that_is_refused_for_good_is_not_made_again(self, acme: Cast, running: Stack, failing: list) -> None:
        failing += [refusing("MessageRejected")]
        notify(acme, person(acme))
        running.drain()
        again(acme, running)
        [row] = log(acme, "?channel=email")
        assert (row["status"], row["attempts"], row["problem"]) == ("failed", 1, "SES refused it (MessageRejected)")

    def test_is_made_once_for_a_message_that_comes_twice_or_too_early(self, acme: Cast, running: Stack) -> None:
        notify(acme, person(acme))
        [row] = log(acme, "?channel=email")
        for _ in range(2):
            running.sqs.send_message(
                QueueUrl=f"{running.sqs.meta.endpoint_url}/123456789012/wagebook-notifications",
                MessageBody=json.dumps({"tenant_id": str(acme.id), "log_id": row["id"]}),
            )
        running.drain()
        assert len(mailbox()) == 1

    def test_of_a_worker_killed_before_sending_is_made_again_after_its_lease(self, acme: Cast, running: Stack) -> None:
        notify(acme, person(acme))
        [row] = log(acme, "?channel=email")
        assert claimed(acme, row["id"]) is not None
        running.drain()  # its own message finds a lease that runs
        assert mailbox() == []
        assert claimed(acme, row["id"]) is None
        lease = sql(acme, "select look_at - clock_timestamp() from notification_logs where attempts = 1")[0][0]
        assert timedelta(seconds=50) < lease <= timedelta(seconds=60)
        again(acme, running)
        assert len(mailbox()) == 1
        assert log(acme, "?channel=email")[0]["attempts"] == 2

    def test_of_a_worker_killed_between_sending_and_settling_arrives_twice_and_not_never(
        self, acme: Cast, running: Stack
    ) -> None:
        notify(acme, person(acme))
        [row] = log(acme, "?channel=email")
        side_effect = claimed(acme, row["id"])
        answer = side_effect.call()
        again(acme, running)
        assert len(mailbox()) == 2
        settle(acme, side_effect, answer)  # the first was not killed, but slow: the latest attempt has the say
        [row] = log(acme, "?channel=email")
        assert (row["status"], row["provider_id"]) == ("sent", mail_ids()[1])

    def test_is_made_by_one_of_two_at_once(self, acme: Cast, running: Stack) -> None:
        notify(acme, person(acme))
        [row] = log(acme, "?channel=email")
        assert [claimed(acme, row["id"]) is None for _ in range(2)] == [False, True]

    def test_ends_where_the_last_worker_never_came_back(self, acme: Cast, running: Stack) -> None:
        notify(acme, person(acme))
        sql(acme, "update notification_logs set attempts = 6 where look_at is not null")
        again(acme, running)
        [row] = log(acme, "?channel=email")
        assert row["status"] == "failed"
        assert row["problem"] == "the worker that made the last attempt did not come back; it may have arrived"

    def test_that_nobody_took_is_sent_to_the_queue_again(self, acme: Cast, running: Stack) -> None:
        notify(acme, person(acme))
        running.sqs.purge_queue(QueueUrl=f"{running.sqs.meta.endpoint_url}/123456789012/wagebook-notifications")
        assert running.tick("notifications-to-look-at") == {"found": 0}  # its own message may be on the way
        again(acme, running)
        assert len(mailbox()) == 1

    def test_ends_where_the_address_is_gone_or_the_words_are_wrong(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        notify(acme, rahim)
        notify(acme, rahim, cause="2", kind=NotificationKind.KPI_DUE, values={**DUE, "due_on": "soon"})
        running.drain()
        assert log(acme, "?kind=kpi_due&channel=email")[0]["problem"] == (
            "it could not be put into words; tell us its id"
        )
        notify(acme, rahim, cause="3")
        sql(acme, "update users set email = null where id = :id", id=rahim)
        running.drain()
        assert log(acme, "?channel=email")[0]["problem"] == "the person has no address for this channel any more"

    def test_of_another_tenants_row_finds_nothing(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        notify(acme, person(acme))
        [row] = log(acme, "?channel=email")
        assert claimed(zenith, row["id"]) is None
        assert claimed(zenith, str(uuid4())) is None

    def test_says_neither_address_nor_text_in_logs(
        self, acme: Cast, running: Stack, failing: list, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture
    ) -> None:
        failing += [refusing("TooManyRequestsException")]
        with mock.patch.object(delivery.logger, "warning") as warned:
            notify(acme, person(acme))
            running.drain()
        logged = str(warned.call_args_list) + capsys.readouterr().out + caplog.text
        assert "not sent" in logged
        assert "rahim" not in logged.lower()
        assert "Annual" not in logged


class TestChannels:
    def test_over_sms_and_push_reach_phone_and_device(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        application = push.client().create_platform_application(Name="wagebook", Platform="GCM", Attributes={})
        device = push.client().create_platform_endpoint(
            PlatformApplicationArn=application["PlatformApplicationArn"], Token="t"
        )["EndpointArn"]
        caller(acme, rahim).ok("PUT", "/notification-preferences", {"phone": "+8801712345678", "push_endpoint": device})
        notify(acme, rahim)
        running.drain()
        assert statuses(acme) == {"email": "sent", "in_app": "sent", "push": "sent", "sms": "sent"}
        exchange = sns_backends["123456789012"]["eu-central-1"]
        [(number, text)] = list(exchange.sms_messages.values())
        assert (number, text) == ("+8801712345678", "Acme: Your leave is approved: Annual leave, 5 January 2026")
        [shown] = exchange.platform_endpoints[device].messages.values()
        forms = json.loads(shown)
        assert (
            json.loads(forms["GCM"])["notification"]["title"] == "Your leave is approved: Annual leave, 5 January 2026"
        )
        assert json.loads(forms["APNS"])["aps"]["alert"]["body"].startswith("Your leave is approved: 3 days")
        ids = {row["channel"]: row["provider_id"] for row in log(acme)}
        assert ids["push"]
        assert ids["sms"]

    def test_to_a_device_that_is_gone_fail_for_good(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme, address=None)
        caller(acme, rahim).ok("PUT", "/notification-preferences", {"push_endpoint": DEVICE})
        notify(acme, rahim)
        running.drain()
        [row] = log(acme, "?channel=push")
        assert (row["status"], row["attempts"]) == ("failed", 1)
        assert row["problem"].startswith("SNS refused it (NotFound")


class TestRules:
    def test_wait_longer_each_time_and_then_no_more(self) -> None:
        assert [rules.RETRY.wait_after(number) for number in (1, 5, 6)] == [
            timedelta(minutes=1),
            timedelta(hours=6),
            None,
        ]
