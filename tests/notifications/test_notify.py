"""Notifying: one row per user and channel, once for each cause, only after the commit."""

from decimal import Decimal
from uuid import uuid4

import pytest

from chalicelib.notifications import NotificationKind
from tests.support.cast import Cast
from tests.support.notifications import DUE, LEAVE, caller, log, mailbox, notify, person, statuses, text_of
from tests.support.people import sql
from tests.support.stack import Stack


class TestTell:
    def test_reaches_the_mailbox_and_the_app(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        rahim = person(acme)
        notify(acme, rahim)
        assert statuses(acme) == {"email": "pending", "in_app": "sent"}
        running.drain()
        [mail] = mailbox()
        assert mail["To"] == "Rahim <rahim@acme.example>"
        assert mail["From"] == "Acme <payroll@wagebook.example>"
        assert mail["Subject"] == "Your leave is approved: Annual leave, 5 January 2026"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert text_of(mail).startswith(
            "Hello Rahim,\n\nYour leave is approved: 3 days of Annual leave, from 5 January 2026 to 7 January 2026.\n"
        )
        assert "from 5 January 2026 to 7 January 2026" in text_of(mail, "html")
        row = log(acme, "?channel=email")[0]
        assert (row["status"], row["attempts"], row["entity_type"], row["entity_id"]) == (
            "sent",
            1,
            "leave_request",
            "4711",
        )
        assert row["provider_id"]
        assert row["sent_at"] is not None
        assert log(zenith) == []

    def test_is_in_the_language_of_the_person(self, acme: Cast, running: Stack) -> None:
        notify(acme, person(acme, language="bn"))
        running.drain()
        [mail] = mailbox()
        assert mail["Subject"] == "আপনার ছুটি অনুমোদিত হয়েছে: Annual leave, ৫ জানুয়ারি ২০২৬"
        assert "৩ দিন (Annual leave)" in text_of(mail)
        assert mail["Content-Language"] == "bn"

    def test_of_the_same_cause_twice_notifies_once(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        notify(acme, rahim)
        notify(acme, rahim, rahim)
        running.drain()
        assert len(mailbox()) == 1
        assert len(log(acme)) == 2
        # as if some minutes had passed: within them another of the same kind would wait (test_collapsing.py)
        sql(acme, "update notification_logs set sent_at = sent_at - interval '5 minutes' where status = 'sent'")
        notify(acme, rahim, cause="2")
        notify(acme, rahim, kind=NotificationKind.LEAVE_REJECTED)
        running.drain()
        assert len(mailbox()) == 3

    def test_says_nothing_where_the_change_is_rolled_back(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        with pytest.raises(RuntimeError, match="rolled back"):
            notify(acme, rahim, fails=True)
        running.drain()
        assert (mailbox(), log(acme)) == ([], [])
        assert sql(acme, "select count(*) from outbox")[0][0] == 0

    def test_makes_a_row_for_each_channel_that_the_person_can_be_reached_over(self, acme: Cast, running: Stack) -> None:
        notify(acme, person(acme, address=None))
        assert statuses(acme) == {"in_app": "sent"}

    def test_notifies_many_in_one_statement(self, acme: Cast, running: Stack) -> None:
        people = [person(acme, name=f"P{number}", address=f"p{number}@acme.example") for number in range(30)]
        notify(acme, *people)
        running.drain()
        assert len({mail["To"] for mail in mailbox()}) == 30

    def test_passes_over_people_of_another_tenant(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        notify(acme, person(zenith), uuid4())
        assert (log(acme), log(zenith)) == ([], [])

    def test_refuses_values_that_the_wording_would_miss(self, acme: Cast, running: Stack) -> None:
        with pytest.raises(ValueError, match="the wording of leave_approved needs days, notes"):
            notify(acme, person(acme), values={name: LEAVE[name] for name in LEAVE if name not in ("days", "notes")})

    def test_takes_days_as_decimals(self, acme: Cast, running: Stack) -> None:
        notify(acme, person(acme), values={**LEAVE, "days": Decimal("1.0")})
        assert log(acme, "?channel=in_app")[0]["message"].startswith("Your leave is approved: 1 day of Annual leave,")

    def test_puts_only_ids_into_messages(self, acme: Cast, running: Stack) -> None:
        notify(acme, person(acme), kind=NotificationKind.KPI_DUE, values=DUE)
        [message] = sql(acme, "select body from outbox where queue = 'notifications'")
        assert list(message.body) == ["log_id"]


class TestInApp:
    def test_is_listed_newest_first_for_the_person_alone(self, acme: Cast, running: Stack) -> None:
        rahim, karim = person(acme), person(acme, name="Karim", address=None)
        notify(acme, rahim)
        notify(acme, rahim, karim, kind=NotificationKind.KPI_DUE, values=DUE)
        mine = caller(acme, rahim).ok("GET", "/notifications")["items"]
        assert [one["title"] for one in mine] == [
            "Sales of January is due on 31 January 2026",
            "Your leave is approved: Annual leave, 5 January 2026",
        ]
        assert len(caller(acme, karim).ok("GET", "/notifications")["items"]) == 1

    def test_is_in_the_language_that_its_reader_has_now(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        notify(acme, rahim, kind=NotificationKind.KPI_DUE, values=DUE)
        sql(acme, "update users set language = 'bn' where id = :id", id=rahim)
        [one] = caller(acme, rahim).ok("GET", "/notifications")["items"]
        assert one["title"] == "Sales of January: শেষ তারিখ ৩১ জানুয়ারি ২০২৬"

    def test_pages_do_not_repeat_or_lose_any(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        for number in range(5):
            notify(acme, rahim, cause=str(number))
        mine, seen, cursor = caller(acme, rahim), [], ""
        while True:
            page = mine.ok("GET", f"/notifications?limit=2{cursor}")
            seen += [one["id"] for one in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert len(seen) == len(set(seen)) == 5
        assert seen == sorted(seen, reverse=True)

    def test_is_opened_once_and_keeps_the_first_time(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        notify(acme, rahim)
        notify(acme, rahim, cause="2")
        mine = caller(acme, rahim)
        newest, oldest = mine.ok("GET", "/notifications?unread=true")["items"]
        first = mine.ok("POST", f"/notifications/{oldest['id']}/open")
        assert first["opened_at"] is not None
        assert mine.ok("POST", f"/notifications/{oldest['id']}/open") == first
        assert [one["id"] for one in mine.ok("GET", "/notifications?unread=true")["items"]] == [newest["id"]]
        assert len(mine.ok("GET", "/notifications")["items"]) == 2

    def test_of_another_person_or_tenant_is_not_there(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        rahim = person(acme)
        notify(acme, rahim)
        [one] = caller(acme, rahim).ok("GET", "/notifications")["items"]
        [mail] = log(acme, "?channel=email")
        others = [caller(acme, person(acme, name="Karim", address=None)), caller(zenith, person(zenith)), acme.admin]
        for other in others:
            assert other.post(f"/notifications/{one['id']}/open").status == 404
        assert caller(acme, rahim).post(f"/notifications/{mail['id']}/open").status == 404

    def test_that_cannot_be_worded_hides_no_other(self, acme: Cast, running: Stack) -> None:
        rahim = person(acme)
        notify(acme, rahim)
        notify(acme, rahim, cause="2", values={**LEAVE, "start_date": "soon"})
        titles = [one["title"] for one in caller(acme, rahim).ok("GET", "/notifications")["items"]]
        assert titles == ["leave approved", "Your leave is approved: Annual leave, 5 January 2026"]

    def test_needs_a_caller_who_is_a_person(self, acme: Cast) -> None:
        assert acme.admin.get("/notifications").status == 409
        assert acme.admin.get("/notification-preferences").status == 409


class TestLog:
    def test_is_filtered(self, acme: Cast, running: Stack) -> None:
        rahim, karim = person(acme), person(acme, name="Karim", address="karim@acme.example")
        notify(acme, rahim)
        notify(acme, karim, kind=NotificationKind.KPI_DUE, values=DUE)
        assert len(log(acme)) == 4
        assert {one["user_id"] for one in log(acme, f"?user_id={rahim}")} == {str(rahim)}
        assert {one["kind"] for one in log(acme, "?kind=kpi_due")} == {"kpi_due"}
        assert {one["status"] for one in log(acme, "?status=pending&channel=email")} == {"pending"}
        assert log(acme, "?status=bounced") == []

    def test_is_for_hr_and_admins(self, acme: Cast) -> None:
        assert caller(acme, person(acme)).get("/notification-logs").status == 403
        assert acme.admin.get("/notification-logs").status == 200


class TestAnnounce:
    def test_announces_a_text_of_the_callers(self, acme: Cast, running: Stack) -> None:
        rahim, karim = person(acme), person(acme, name="Karim", address="karim@acme.example")
        body = {"user_ids": [str(rahim), str(karim), str(rahim)], "title": "Closed", "message": "On Friday.\n\nThanks."}
        reply = acme.hr.call("POST", "/notifications", body)
        assert reply.status == 201
        assert (reply.json["recipients"], reply.json["title"]) == (2, "Closed")
        running.drain()
        assert sorted(mail["To"] for mail in mailbox()) == ["Karim <karim@acme.example>", "Rahim <rahim@acme.example>"]
        assert mailbox()[0]["Subject"] == "Closed"
        assert "On Friday.\n\nThanks.\n" in text_of(mailbox()[0])

    def test_notifies_nobody_where_one_is_of_another_tenant(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        body = {"user_ids": [str(person(acme)), str(person(zenith))], "title": "Closed", "message": "On Friday."}
        assert acme.hr.call("POST", "/notifications", body).status == 404
        running.drain()
        assert (mailbox(), log(acme), log(zenith)) == ([], [], [])

    def test_is_bounded_and_for_hr(self, acme: Cast) -> None:
        rahim = person(acme)
        body = {"user_ids": [str(uuid4()) for _ in range(501)], "title": "Closed", "message": "On Friday."}
        assert acme.hr.call("POST", "/notifications", body).status == 422
        assert acme.hr.call("POST", "/notifications", {**body, "user_ids": []}).status == 422
        assert caller(acme, rahim).call("POST", "/notifications", {**body, "user_ids": [str(rahim)]}).status == 403
