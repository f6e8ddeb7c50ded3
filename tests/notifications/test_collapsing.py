"""Two hundred notifications of one cause are one mail; the app shows each, and each row says what became of it."""

from typing import Any
from uuid import UUID

import pytest

from chalicelib import notifications
from chalicelib.backing import clock, outbox
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from chalicelib.notifications import NotificationKind, UserNotification, rules
from tests.notifications.test_sending import again, refusing
from tests.support.cast import Cast
from tests.support.notifications import DUE, LEAVE, caller, let_pass, log, mailbox, notify, person, text_of
from tests.support.people import sql
from tests.support.stack import Stack


def notify_many(
    cast: Cast, user_id: UUID, count: int, *, kind: NotificationKind = NotificationKind.LEAVE_APPROVED, first: int = 0
) -> None:
    """Notify one user many times in one transaction, as an import does."""
    with job_scope(cast.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
        for number in range(first, first + count):
            values = {
                **LEAVE,
                "start_date": f"2026-{number % 12 + 1:02}-05",
                "end_date": f"2026-{number % 12 + 1:02}-07",
            }
            notification = UserNotification(user_id, f"cause {number}", values, number)
            notifications.notify(scope, kind=kind, entity_type="leave_request", user_notifications=[notification])
    outbox.send(scope.outgoing)


def mails(cast: Cast) -> list[Any]:
    return [one for one in log(cast, "?limit=200") if one["channel"] == "email"]


class TestOneCause:
    def test_of_one_transaction_is_one_mail(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        notify_many(acme, rahim, 60)
        running.drain()
        [mail] = mailbox()
        assert str(mail["Subject"]) == "Your leave was approved: Annual leave, 5 January 2026 (+59)" or (
            str(mail["Subject"]).endswith("(+59)")
        )
        text = text_of(mail)
        assert text.count("Annual leave") >= 20
        assert "And 39 more; the app shows them all." in text
        assert "And 39 more; the app shows them all." in text_of(mail, "html")
        rows = mails(acme)
        assert {one["status"] for one in rows} == {"sent"}
        assert sorted(one["collapsed_into"] is None for one in rows) == [False] * 59 + [True]
        assert len({one["provider_id"] for one in rows}) == 1
        assert len(caller(acme, rahim).ok("GET", "/notifications?limit=200")["items"]) == 60

    def test_within_minutes_of_a_mail_waits_and_leaves_as_one(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        for number in range(4):
            notify_many(acme, rahim, 1, first=number)
            running.drain()
        assert len(mailbox()) == 1
        waiting = [one for one in mails(acme) if one["status"] == "pending"]
        assert (len(waiting), {one["attempts"] for one in waiting}) == (3, {0})
        sql(acme, "update notification_logs set sent_at = sent_at - interval '5 minutes' where status = 'sent'")
        again(acme, running)
        first, second = mailbox()
        assert "(+" not in str(first["Subject"])
        assert str(second["Subject"]).endswith("(+2)")
        assert {one["status"] for one in mails(acme)} == {"sent"}

    def test_is_of_one_person_one_kind_and_one_tenant(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        rahim, karim = person(acme), person(acme, name="Karim", address="karim@acme.example")
        zenith_user = person(zenith, address="rahim@zenith.example")
        for cast, who in ((acme, rahim), (acme, karim), (zenith, zenith_user)):
            notify_many(cast, who, 3)
        notify_many(acme, rahim, 3, kind=NotificationKind.LEAVE_REJECTED, first=10)
        running.drain()
        assert len(mailbox()) == 4

    def test_is_in_the_readers_language(self, acme: Cast, running: Stack) -> None:
        notify_many(acme, person(acme, language="bn"), 25)
        running.drain()
        [mail] = mailbox()
        assert "(+২৪)" in str(mail["Subject"])
        assert "এবং আরও ৪টি" in text_of(mail)

    @pytest.mark.parametrize("kind", [kind for kind in NotificationKind if kind not in rules.COLLAPSIBLE])
    def test_is_never_what_somebody_wrote_or_what_guards_access(self, kind: NotificationKind) -> None:
        assert kind in {NotificationKind.CUSTOM, NotificationKind.PAYROLL_READY} or kind.endswith(
            ("_changed", "_recounted", "_waiting", "_decided")
        )

    def test_does_not_hold_announcements_back(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        for number in range(3):
            notify(
                acme,
                rahim,
                kind=NotificationKind.CUSTOM,
                cause=str(number),
                values={"title": f"T{number}", "message": "M"},
            )
            running.drain()
        assert [str(mail["Subject"]) for mail in mailbox()] == ["T0", "T1", "T2"]


class TestOutcome:
    def test_of_a_mail_that_fails_is_everybodys_and_is_tried_again_together(
        self, acme: Cast, running: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from chalicelib.backing import mail as ses

        rahim = person(acme)
        takes, answers = ses.client().send_email, [refusing("TooManyRequestsException")]
        monkeypatch.setattr(
            ses.client(), "send_email", lambda **request: (answers.pop() if answers else takes)(**request)
        )
        notify_many(acme, rahim, 3)
        running.drain()
        assert mailbox() == []
        assert {one["status"] for one in mails(acme)} == {"pending"}
        again(acme, running)
        [mail] = mailbox()
        assert str(mail["Subject"]).endswith("(+2)")
        assert {one["status"] for one in mails(acme)} == {"sent"}

    def test_of_a_worker_that_died_is_tried_again_together(self, acme: Cast, running: Stack) -> None:
        from tests.notifications.test_sending import claimed

        rahim = person(acme)
        notify_many(acme, rahim, 3)
        leader = sorted(one["id"] for one in mails(acme))[0]
        assert claimed(acme, leader) is not None  # it never calls
        running.drain()
        assert mailbox() == []
        let_pass(acme)
        running.tick("notifications-to-look-at")
        running.drain()
        [mail] = mailbox()
        assert str(mail["Subject"]).endswith("(+2)")

    def test_of_reminders_of_one_night_is_one_mail(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        for number in range(3):
            notify(acme, rahim, kind=NotificationKind.KPI_DUE, cause=str(number), values=DUE)
        running.drain()
        assert len(mailbox()) == 1
