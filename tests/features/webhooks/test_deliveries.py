"""From a payout to a system of the tenant's: published with the change, signed, tried again, kept in a log."""

import base64
import hashlib
import hmac
import json
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from chalicelib.backing import clock
from chalicelib.backing.database import transaction
from chalicelib.features.webhooks import actions, delivery_actions, rules
from chalicelib.features.webhooks.rules import EventType
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from tests.support.cast import Cast
from tests.support.people import sql
from tests.support.receiver import Receiver, again, attempts, let_pass, listen, log, pay
from tests.support.stack import Stack, at

JSON = {"content-type": "application/json"}


def ping(cast: Cast, endpoint: dict[str, Any]) -> str:
    return str(cast.admin.ok("POST", f"/webhook-endpoints/{endpoint['id']}/test")["id"])


def health(cast: Cast, endpoint: dict[str, Any]) -> dict[str, Any]:
    return dict(cast.admin.ok("GET", f"/webhook-endpoints/{endpoint['id']}"))


class TestPayout:
    def test_that_is_paid_is_told_without_names_or_bank_details(
        self, acme: Cast, zenith: Cast, running: Stack, receiver: Receiver
    ) -> None:
        new = listen(acme, receiver)
        listen(zenith, receiver)
        payout = acme.admin.ok("GET", f"/payouts/{pay(acme, running)}")
        [(headers, body)] = receiver.heard
        event = json.loads(body)
        assert datetime.fromisoformat(event.pop("timestamp")).utcoffset() == timedelta(0)
        assert event == {
            "type": "payout.paid",
            "data": {
                "id": payout["id"],
                "user_id": payout["user_id"],
                "amount": "40.00",
                "currency": "BDT",
                "status": "paid",
                "previous_status": "sending",
                "reference": payout["reference"],
            },
        }
        assert receiver.paths == ["/hooks?from=wagebook"]
        assert headers["host"] == f"127.0.0.1:{receiver.port}"
        assert headers["content-type"] == "application/json"
        assert "Mina" not in body
        assert Webhook(new["secret"]).verify(body, headers)["type"] == "payout.paid"
        with pytest.raises(WebhookVerificationError):
            Webhook(new["secret"]).verify(body.replace("40.00", "90.00"), headers)
        [row] = log(acme)
        assert (row["status"], row["type"], row["attempts_made"]) == ("delivered", "payout.paid", 1)
        assert row["event_id"] == headers["webhook-id"]
        assert log(zenith) == []

    @pytest.mark.parametrize(("behaviour", "events"), [
        ("refuse", [("payout.failed", "sending", "refused: account unknown")]),
        ("timeout_after", [("payout.unknown", "sending", "no answer within 30 s")]),
        ("other_amount", [("payout.review", "sending",
                           "the provider says it paid 80.00 BDT instead of 40.00 BDT")]),
    ])  # fmt: skip
    def test_that_goes_wrong_is_told_with_its_problem(
        self, acme: Cast, running: Stack, receiver: Receiver, behaviour: str, events: list[tuple[str, str, str]]
    ) -> None:
        listen(acme, receiver)
        pay(acme, running, behaviour)
        assert [
            (event["type"], event["data"]["previous_status"], event["data"]["problem"]) for event in receiver.bodies()
        ] == events

    def test_that_comes_back_is_told_and_its_claims_are_not(
        self, acme: Cast, running: Stack, receiver: Receiver
    ) -> None:
        listen(acme, receiver)
        acme.admin.ok("POST", f"/payouts/{pay(acme, running)}/return", {"reason": "account closed"})
        running.drain()
        assert [event["type"] for event in receiver.bodies()] == ["payout.paid", "payout.returned"]
        assert len(set(receiver.ids())) == 2

    def test_that_is_only_asked_about_again_is_not_told_again(
        self, acme: Cast, running: Stack, receiver: Receiver
    ) -> None:
        listen(acme, receiver)
        payout_id = pay(acme, running)
        sql(acme, "update payouts set look_at = clock_timestamp() - interval '1 minute' where look_at is not null")
        running.tick("payouts-to-look-at")
        running.drain()
        events = acme.admin.ok("GET", f"/payouts/{payout_id}")["events"]
        assert [event["what"] for event in events] == ["made", "sent", "answered", "asked", "answered"]
        assert [said["type"] for said in receiver.bodies()] == ["payout.paid"]

    def test_is_told_to_those_who_asked_for_it(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        asked = listen(acme, receiver, events=["payout.paid"])
        every = listen(acme, receiver)
        listen(acme, receiver, events=["payout.failed"])
        off = listen(acme, receiver)
        acme.admin.ok("PATCH", f"/webhook-endpoints/{off['id']}", {"enabled": False})
        pay(acme, running)
        assert sorted(row["endpoint_id"] for row in log(acme)) == sorted([asked["id"], every["id"]])
        # one event for both, under one id
        assert len(receiver.ids()) == 2
        assert len(set(receiver.ids())) == 1

    def test_costs_nothing_where_nobody_listens(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        listen(acme, receiver, events=["payout.failed"])
        pay(acme, running)
        assert sql(acme, "select count(*) from webhook_events")[0][0] == 0
        assert sql(acme, "select count(*) from outbox where queue = 'webhooks'")[0][0] == 0


class TestPublish:
    def test_says_nothing_where_the_change_is_rolled_back(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        listen(acme, receiver)

        def change(*, fails: bool) -> None:
            with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
                assert actions.publish(scope, event_type=EventType.PAYOUT_PAID, data={"id": "1"}) == 1
                assert [message.queue for message in scope.outgoing] == ["webhooks"]
                if fails:
                    raise RuntimeError("rolled back")

        with pytest.raises(RuntimeError, match="rolled back"):
            change(fails=True)
        assert log(acme) == []
        assert sql(acme, "select count(*) from outbox")[0][0] == 0
        change(fails=False)
        assert len(log(acme)) == 1

    def test_passes_over_an_endpoint_that_is_deleted_at_the_same_time(
        self, acme: Cast, running: Stack, receiver: Receiver
    ) -> None:
        # a payout's transaction must not fail over somebody's webhook
        stays, goes = listen(acme, receiver), listen(acme, receiver)
        published: list[int] = []

        def change() -> None:
            with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
                published.append(actions.publish(scope, event_type=EventType.PAYOUT_PAID, data={}))

        publishing = Thread(target=change)
        with transaction(tenant_id=acme.id) as session:
            session.execute(text("delete from webhook_endpoints where id = :id"), {"id": goes["id"]})
            publishing.start()
            publishing.join(0.5)
            assert publishing.is_alive()  # it waits for us
        publishing.join(10)
        assert published == [1]
        assert [row["endpoint_id"] for row in log(acme)] == [stays["id"]]


class TestAttempt:
    def test_that_fails_is_made_again_ten_times_in_all_with_the_same_id(
        self, acme: Cast, running: Stack, receiver: Receiver
    ) -> None:
        new = listen(acme, receiver)
        receiver.answers += [500] * 10
        delivery = ping(acme, new)
        running.drain()
        waits = []
        for _ in range(9):
            waits += [row[0] for row in sql(acme, "select look_at - clock_timestamp() from webhook_deliveries")]
            again(acme, running)
        asked = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
        for wait, seconds in zip(waits, asked, strict=True):
            assert seconds - 2 <= wait.total_seconds() <= seconds * 1.2
        assert len(receiver.heard) == 10
        assert len(set(receiver.ids())) == 1
        assert len({body for _, body in receiver.heard}) == 1
        row = acme.admin.ok("GET", f"/webhook-deliveries/{delivery}")
        assert (row["status"], row["problem"], row["next_attempt_at"]) == ("failed", "it answered 500", None)
        assert [(one["number"], one["status_code"], one["response"]) for one in row["attempts"]] == [
            (number, 500, "no") for number in range(1, 11)
        ]
        again(acme, running)
        assert len(receiver.heard) == 10

    def test_that_succeeds_ends_it(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        new = listen(acme, receiver)
        receiver.answers += [503, 204]
        delivery = ping(acme, new)
        running.drain()
        assert health(acme, new)["failing_since"] is not None
        again(acme, running)
        assert [(one["status_code"], one["problem"]) for one in attempts(acme, delivery)] == [
            (503, "it answered 503"),
            (204, None),
        ]
        assert health(acme, new)["failing_since"] is None
        assert log(acme, "?status=delivered")[0]["id"] == delivery
        assert log(acme, "?status=pending") == []
        again(acme, running)
        assert len(receiver.heard) == 2

    def test_is_made_once_for_a_message_that_comes_twice_or_too_early(
        self, acme: Cast, running: Stack, receiver: Receiver
    ) -> None:
        new = listen(acme, receiver)
        receiver.answers += [500, 500]
        message = {"tenant_id": str(acme.id), "delivery_id": ping(acme, new)}
        for _ in range(3):
            running.sqs.send_message(QueueUrl=queue_url(running), MessageBody=json.dumps(message))
        running.drain()
        assert len(receiver.heard) == 1
        let_pass(acme)
        for _ in range(3):
            running.sqs.send_message(QueueUrl=queue_url(running), MessageBody=json.dumps(message))
        running.drain()
        assert len(receiver.heard) == 2

    def test_follows_no_redirect(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        new = listen(acme, receiver)
        receiver.answers += [302]
        delivery = ping(acme, new)
        running.drain()
        assert receiver.paths == ["/hooks?from=wagebook"]
        assert [(one["status_code"], one["problem"]) for one in attempts(acme, delivery)] == [
            (302, "it answered 302; redirects are not followed")
        ]

    def test_keeps_the_beginning_of_an_answer_as_text(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        new = listen(acme, receiver)
        answer = b"\x00\xff" + "é".encode() * 5_000_000

        def endless(request: Any) -> None:
            request.send_response(200)
            request.end_headers()
            with suppress(OSError):  # nobody reads so much
                request.wfile.write(answer)

        receiver.answers += [endless]
        delivery = ping(acme, new)
        running.drain()
        [one] = attempts(acme, delivery)
        assert one["status_code"] == 200
        assert one["response"] == "\ufffd\ufffd" + "é" * 998

    def test_that_is_refused_says_why_and_is_tried_again(
        self, acme: Cast, running: Stack, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from chalicelib.backing.settings import settings

        new = listen(acme, receiver)
        monkeypatch.setenv("WEBHOOKS_LOCAL", "false")
        settings.cache_clear()
        delivery = ping(acme, new)
        running.drain()
        [one] = attempts(acme, delivery)
        assert (one["status_code"], one["problem"]) == (None, "not sent: must begin with https://")
        assert log(acme)[0]["status"] == "pending"
        assert receiver.heard == []

    def test_whose_worker_died_is_made_again_when_its_lease_ends(
        self, acme: Cast, running: Stack, receiver: Receiver
    ) -> None:
        new = listen(acme, receiver)
        delivery = ping(acme, new)
        with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
            assert delivery_actions.WEBHOOKS.attempt(scope, UUID(delivery)) is not None  # and is never run
        running.drain()
        running.tick("webhooks-to-look-at")
        running.drain()
        assert receiver.heard == []
        again(acme, running)
        assert [(one["number"], one["status_code"]) for one in attempts(acme, delivery)] == [(1, None), (2, 200)]

    def test_whose_worker_wakes_late_says_nothing_any_more(
        self, acme: Cast, running: Stack, receiver: Receiver
    ) -> None:
        new = listen(acme, receiver)
        delivery = ping(acme, new)
        with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
            side_effect = delivery_actions.WEBHOOKS.attempt(scope, UUID(delivery))
        assert side_effect is not None
        again(acme, running)
        receiver.answers += [410]
        reply = side_effect.call()
        with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
            side_effect.settle(scope, reply)
        assert [one["status_code"] for one in attempts(acme, delivery)] == [410, 200]
        assert log(acme)[0]["status"] == "delivered"
        assert health(acme, new)["enabled"] is True

    def test_whose_worker_wakes_late_leaves_it_to_the_one_that_followed(
        self, acme: Cast, running: Stack, receiver: Receiver
    ) -> None:
        new = listen(acme, receiver)
        delivery = ping(acme, new)
        side_effects = []
        for _ in range(2):
            with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
                side_effects.append(delivery_actions.WEBHOOKS.attempt(scope, UUID(delivery)))
            let_pass(acme)
        first, second = (side_effect for side_effect in side_effects if side_effect is not None)
        receiver.answers += [500, 200]
        for side_effect, status in ((first, "pending"), (second, "delivered")):
            reply = side_effect.call()
            with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
                side_effect.settle(scope, reply)
            assert (log(acme)[0]["status"], log(acme)[0]["problem"]) == (status, None)
            assert health(acme, new)["failing_since"] is None
        assert [one["status_code"] for one in attempts(acme, delivery)] == [500, 200]

    def test_is_not_made_at_an_endpoint_that_was_disabled_meanwhile(
        self, acme: Cast, running: Stack, receiver: Receiver
    ) -> None:
        new = listen(acme, receiver)
        ping(acme, new)
        acme.admin.ok("PATCH", f"/webhook-endpoints/{new['id']}", {"enabled": False})
        running.drain()
        assert receiver.heard == []
        [row] = log(acme)
        assert (row["status"], row["problem"], row["attempts_made"]) == (
            "failed",
            "the endpoint is disabled; enable it, then replay this delivery",
            0,
        )

    def test_is_not_made_with_a_secret_that_does_not_open(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        first, second = listen(acme, receiver), listen(acme, receiver)
        sql(
            acme,
            "update webhook_endpoints e set secret_sealed = o.secret_sealed from webhook_endpoints o"
            " where e.id = :first and o.id = :second",
            first=first["id"],
            second=second["id"],
        )
        ping(acme, first)
        running.drain()
        assert receiver.heard == []
        assert log(acme)[0]["problem"] == (
            "the endpoint's secret cannot be opened; rotate it, then replay this delivery"
        )


class TestEndpoint:
    def test_that_says_gone_is_disabled(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        new = listen(acme, receiver)
        receiver.answers += [410]
        ping(acme, new)
        running.drain()
        shown = health(acme, new)
        assert (shown["enabled"], shown["disabled_because"], shown["version"]) == (False, "it answered 410 Gone", 2)
        assert log(acme)[0]["status"] == "failed"
        [last, *_] = acme.admin.ok("GET", "/audit-logs?entity_type=webhook_endpoint")["items"]
        assert (last["action"], last["actor"]) == ("webhook_endpoint.disabled", "tenant_admin:webhooks")
        pay(acme, running)
        assert len(log(acme)) == 1
        assert acme.admin.post(f"/webhook-endpoints/{new['id']}/test").json["detail"] == (
            "This webhook endpoint is disabled; enable it first."
        )

    @pytest.mark.parametrize(("days", "enabled"), [(4.9, True), (5.1, False)])
    def test_that_failed_for_five_days_is_disabled(
        self, acme: Cast, running: Stack, receiver: Receiver, days: float, enabled: bool
    ) -> None:
        new = listen(acme, receiver)
        receiver.answers += [500, 500]
        ping(acme, new)
        running.drain()
        sql(
            acme, "update webhook_endpoints set failing_since = clock_timestamp() - :days * interval '1 day'", days=days
        )
        again(acme, running)
        shown = health(acme, new)
        assert (shown["enabled"], shown["disabled_because"]) == (enabled, None if enabled else "it failed for 5 days")


class TestRotate:
    def test_signs_with_both_secrets_for_a_day(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        new = listen(acme, receiver)
        path = f"/webhook-endpoints/{new['id']}"
        with at("2026-03-01T12:00:00Z"):
            other = acme.admin.ok("POST", f"{path}/rotate-secret")
        assert other["old_secret_until"] == "2026-03-02T12:00:00Z"
        assert other["secret"] != new["secret"]
        signatures = []
        for moment in ("2026-03-02T11:59:59Z", "2026-03-02T12:00:01Z"):
            with at(moment):
                ping(acme, new)
                running.drain()
                signatures.append(acme.admin.ok("GET", path)["old_secret_until"])
        assert signatures == ["2026-03-02T12:00:00Z", None]
        [before, after] = receiver.heard
        assert before[0]["webhook-signature"] == f"{signed(other['secret'], before)} {signed(new['secret'], before)}"
        assert after[0]["webhook-signature"] == signed(other["secret"], after)
        assert after[0]["webhook-timestamp"] == "1772452801"


class TestLog:
    def test_is_read_by_endpoint_and_status(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        first, second = listen(acme, receiver), listen(acme, receiver)
        one, other = ping(acme, first), ping(acme, second)
        assert [row["id"] for row in log(acme)] == [other, one]
        assert [row["id"] for row in log(acme, f"?endpoint_id={first['id']}")] == [one]
        assert [row["id"] for row in log(acme, f"?endpoint_id={second['id']}&status=pending")] == [other]
        page = acme.admin.ok("GET", "/webhook-deliveries?limit=1")
        assert [row["id"] for row in log(acme, f"?cursor={page['next_cursor']}")] == [one]

    def test_shows_what_was_said(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        new = listen(acme, receiver)
        delivery = ping(acme, new)
        running.drain()
        shown = acme.admin.ok("GET", f"/webhook-deliveries/{delivery}")
        assert shown["payload"] == receiver.bodies()[0]
        assert (shown["type"], shown["payload"]["data"]) == ("ping", {"endpoint_id": new["id"]})
        assert 0 <= shown["attempts"][0]["ms"] < 5000
        assert shown["attempts"][0]["response"] == "thanks"

    def test_is_forgotten_after_thirty_days(self, acme: Cast, zenith: Cast, running: Stack, receiver: Receiver) -> None:
        pings = [(cast, ping(cast, listen(cast, receiver))) for cast in (acme, zenith)]
        running.drain()
        for days, status in ((29.9, 200), (30.1, 404)):
            with at((clock.now() + timedelta(days=days)).isoformat()):
                running.tick("forget-webhooks")
            for cast, delivery in pings:
                assert cast.admin.get(f"/webhook-deliveries/{delivery}").status == status
        assert sql(acme, "select count(*) from webhook_attempts")[0][0] == 0
        assert acme.admin.ok("GET", "/webhook-endpoints")["items"] != []

    def test_is_nobody_elses(self, acme: Cast, zenith: Cast, running: Stack, receiver: Receiver) -> None:
        new = listen(acme, receiver)
        delivery = ping(acme, new)
        for asked in (delivery, uuid4()):
            for method, path in (("GET", ""), ("POST", "/replay")):
                reply = zenith.admin.call(method, f"/webhook-deliveries/{asked}{path}")
                assert (reply.status, reply.json["detail"]) == (404, "There is no such webhook delivery.")
        assert log(zenith) == []
        assert zenith.admin.get(f"/webhook-deliveries?endpoint_id={new['id']}").status == 404


class TestReplay:
    def test_sends_again_under_the_same_id(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        new = listen(acme, receiver)
        delivery = ping(acme, new)
        running.drain()
        replayed = acme.admin.ok("POST", f"/webhook-deliveries/{delivery}/replay")
        assert (replayed["status"], replayed["settled_at"]) == ("pending", None)
        running.drain()
        assert len(receiver.heard) == 2
        assert len(set(receiver.ids())) == 1
        assert [one["number"] for one in attempts(acme, delivery)] == [1, 2]
        [last] = acme.admin.ok("GET", f"/audit-logs?entity_id={delivery}")["items"]
        assert last["action"] == "webhook_delivery.replayed"

    def test_begins_the_ladder_anew(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        new = listen(acme, receiver)
        receiver.answers += [500] * 11
        delivery = ping(acme, new)
        running.drain()
        for _ in range(9):
            again(acme, running)
        assert log(acme)[0]["status"] == "failed"
        acme.admin.ok("POST", f"/webhook-deliveries/{delivery}/replay")
        running.drain()
        [row] = log(acme)
        assert (row["status"], row["attempts_made"]) == ("pending", 11)

    def test_is_refused_while_the_endpoint_is_disabled(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        new = listen(acme, receiver)
        receiver.answers += [410]
        delivery = ping(acme, new)
        running.drain()
        assert acme.admin.post(f"/webhook-deliveries/{delivery}/replay").status == 409


class TestSchedule:
    def test_finds_what_nobody_took_and_leaves_what_is_on_its_way(
        self, acme: Cast, running: Stack, receiver: Receiver
    ) -> None:
        ping(acme, listen(acme, receiver))
        running.sqs.purge_queue(QueueUrl=queue_url(running))
        assert running.tick("webhooks-to-look-at") == {"found": 0}
        sql(acme, "update webhook_deliveries set look_at = clock_timestamp() - :nudge", nudge=rules.RETRY.resend_after)
        assert running.tick("webhooks-to-look-at") == {"found": 1}
        running.drain()
        assert len(receiver.heard) == 1
        let_pass(acme)
        assert running.tick("webhooks-to-look-at") == {"found": 0}


def queue_url(running: Stack) -> str:
    return str(running.sqs.get_queue_url(QueueName="wagebook-webhooks")["QueueUrl"])


def signed(secret: str, call: tuple[dict[str, str], str]) -> str:
    """Sign what was heard as the specification says, by hand."""
    headers, body = call
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
