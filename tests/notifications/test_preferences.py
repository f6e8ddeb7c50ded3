"""Preferences by kind and channel, and the one-click unsubscribe link of a mail."""

import re
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.notifications import NotificationKind
from tests.support.api import Api
from tests.support.cast import Cast
from tests.support.notifications import DUE, caller, log, mailbox, notify, person, statuses, text_of
from tests.support.people import sql
from tests.support.stack import Stack

PHONE = "+8801712345678"
DEVICE = "arn:aws:sns:eu-central-1:123456789012:endpoint/GCM/wagebook/5e3e9847-3183-3f18-a7e8-671c3a57d4b3"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class TestPreferences:
    def test_begin_with_everything_on(self, acme: Cast) -> None:
        reply = caller(acme, person(acme)).ok("GET", "/notification-preferences")
        assert (reply["phone"], reply["push_endpoint"], reply["version"]) == (None, None, 1)
        assert len(reply["kinds"]) == 13
        assert set(map(str, reply["kinds"].values())) == {"{'email': True, 'in_app': True, 'push': True, 'sms': True}"}

    def test_are_replaced_and_kept(self, acme: Cast) -> None:
        mine = caller(acme, person(acme))
        reply = mine.ok(
            "PUT",
            "/notification-preferences",
            {"phone": PHONE, "push_endpoint": DEVICE, "kinds": {"kpi_due": {"email": False}}},
        )
        assert reply == mine.ok("GET", "/notification-preferences")
        assert reply["kinds"]["kpi_due"] == {"email": False, "in_app": True, "push": True, "sms": True}
        assert reply["kinds"]["custom"]["email"] is True
        assert (reply["phone"], reply["version"]) == (PHONE, 2)
        # what it answers can be sent back
        same = mine.ok("PUT", "/notification-preferences", {name: reply[name] for name in reply if name != "version"})
        assert same == {**reply, "version": 3}
        assert mine.ok("PUT", "/notification-preferences", {})["phone"] is None

    def test_seen_by_an_older_version_are_not_replaced(self, acme: Cast) -> None:
        mine = caller(acme, person(acme))
        assert mine.put("/notification-preferences", {}, headers={"if-match": '"1"'}).status == 200
        assert mine.put("/notification-preferences", {}, headers={"if-match": '"1"'}).status == 412

    @pytest.mark.parametrize("wrong", [
        {"phone": "01712345678"}, {"phone": "+0123456789"}, {"phone": "+88017 12345678"},
        {"phone": "+1234567890123456"},
        {"push_endpoint": "arn:aws:sns:eu-central-1:123456789012:everybody"}, {"push_endpoint": "https://x.example"},
        {"kinds": {"nonsense": {}}}, {"kinds": {"custom": {"fax": True}}}, {"kinds": {"custom": {"sms": "no"}}},
        {"user_id": str(uuid4())},
    ])  # fmt: skip
    def test_that_are_wrong_are_refused(self, acme: Cast, wrong: dict[str, Any]) -> None:
        assert caller(acme, person(acme)).put("/notification-preferences", wrong).status == 422

    def test_decide_which_rows_are_made(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        rahim = person(acme)
        kinds = {"leave_approved": {"email": False}, "kpi_due": {"sms": False, "in_app": False}}
        caller(acme, rahim).ok("PUT", "/notification-preferences", {"phone": PHONE, "kinds": kinds})
        notify(acme, rahim)
        assert statuses(acme) == {"in_app": "sent", "sms": "pending"}
        notify(acme, rahim, kind=NotificationKind.KPI_DUE, values=DUE)
        assert {one["channel"] for one in log(acme, "?kind=kpi_due")} == {"email"}
        notify(zenith, person(zenith))
        assert set(statuses(zenith)) == {"email", "in_app"}

    def test_switched_off_meanwhile_stop_what_waits(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        notify(acme, rahim)
        caller(acme, rahim).ok("PUT", "/notification-preferences", {"kinds": {"leave_approved": {"email": False}}})
        running.drain()
        assert mailbox() == []
        assert log(acme, "?channel=email")[0]["problem"] == "the person switched these off in the meantime"


def link(
    acme: Cast, running: Stack, user_id: Any, kind: NotificationKind = NotificationKind.KPI_DUE, cause: str = "1"
) -> str:
    """Send a reminder and give the path in its header."""
    notify(acme, user_id, kind=kind, values=DUE if kind is NotificationKind.KPI_DUE else None, cause=cause)
    running.drain()
    link_match = re.fullmatch(
        r"<https://pay\.example/api(/notifications/unsubscribe/[A-Za-z0-9_-]{103})>", mailbox()[-1]["List-Unsubscribe"]
    )
    assert link_match
    return link_match[1]


class TestUnsubscribe:
    def test_is_offered_in_mails_that_are_not_essential(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        path = link(acme, running, rahim)
        [mail] = mailbox()
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert f"https://pay.example/api{path}" in text_of(mail)
        assert f'href="https://pay.example/api{path}"' in text_of(mail, "html")
        notify(acme, rahim)
        running.drain()
        assert mailbox()[-1]["List-Unsubscribe"] is None
        assert "unsubscribe" not in text_of(mailbox()[-1])

    def test_takes_one_click_without_signing_in(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        path = link(acme, running, rahim)
        for _ in range(2):
            reply = Api().post(path, "List-Unsubscribe=One-Click", headers=FORM)
            assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        reply = caller(acme, rahim).ok("GET", "/notification-preferences")
        assert reply["kinds"]["kpi_due"] == {"email": False, "in_app": True, "push": True, "sms": True}
        assert reply["version"] == 2
        notify(acme, rahim, kind=NotificationKind.KPI_DUE, values=DUE, cause="2")
        notify(acme, rahim)
        running.drain()
        assert [mail["Subject"][:8] for mail in mailbox()] == ["Sales of", "Your lea"]

    def test_keeps_what_was_switched_off_before(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        caller(acme, rahim).ok(
            "PUT", "/notification-preferences", {"phone": PHONE, "kinds": {"custom": {"sms": False}}}
        )
        assert Api().post(link(acme, running, rahim), "", headers=FORM).status == 200
        reply = caller(acme, rahim).ok("GET", "/notification-preferences")
        assert (reply["phone"], reply["kinds"]["custom"]["sms"], reply["kinds"]["kpi_due"]["email"]) == (
            PHONE,
            False,
            False,
        )

    def test_asks_first_where_the_link_is_only_opened(self, acme: Cast, running: Stack) -> None:
        # programs that look for harm follow every link of a mail
        rahim = person(acme)
        path = link(acme, running, rahim)
        reply = Api().get(path)
        assert reply.status == 200
        assert "<form method=" in reply.text
        assert "form-action 'self'" in reply.text
        assert "rahim" not in reply.text.lower()
        assert Api().get("/notifications/unsubscribe/nonsense").text == reply.text
        assert caller(acme, rahim).ok("GET", "/notification-preferences")["version"] == 1

    def test_takes_no_token_that_we_did_not_make(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        rahim = person(acme)
        path = link(acme, running, rahim)
        head, _, token = path.rpartition("/")
        other = link(zenith, running, person(zenith)).rpartition("/")[2]
        swapped = "A" if token[-2] != "A" else "B"
        wrong = [
            "x",
            "é",
            "%00",
            "A" * 103,
            token[:-1],
            token + "AA",
            token[:-2] + swapped + token[-1],
            other[:21] + token[21:],
            token[:22] + other[22:43] + token[43:],
        ]
        for one in wrong:
            reply = Api().post(f"{head}/{one}", "", headers=FORM)
            assert reply.status == 404, one
        assert sql(acme, "select count(*) from notification_preferences")[0][0] == 0
        assert sql(zenith, "select count(*) from notification_preferences")[0][0] == 0
