"""A suspended tenant: its callers get the reason, its messages are parked, and none is lost."""

import json
from typing import Any

import pytest

import app
from chalicelib.backing import clock, outbox, queues
from chalicelib.entry.registry import CONSUMERS
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from infra.local.events import consumers_of
from infra.local.lambda_events import Context
from tests.entry.test_outbox import later
from tests.support.cast import Cast, platform_admin
from tests.support.people import sql

RESTING = sorted(name for name, one in CONSUMERS.items() if not one.while_suspended) if app.app else []
# What goes on, with why: these are about what happened already, and would be lost or doubtful otherwise.
GOES_ON = {
    "payouts": "what became of payouts already sent",
    "payroll-payments": "what became of payouts of payroll runs",
    "mail-events": "what became of mails already sent",
    "uploads": "files that arrived already",
}


def patch(cast: Cast, **changes: object) -> Any:
    return platform_admin().patch(f"/tenants/{cast.id}", changes)


def deliver(queue: str, *bodies: dict[str, Any]) -> list[str]:
    """Deliver messages to a queue's consumer as Lambda does, and return the ids of those that failed."""
    handler = next(one.handler for one in consumers_of(app.app) if one.queue == queues.configured_name(queue))
    records = [
        {
            "messageId": f"m{n}",
            "receiptHandle": f"r{n}",
            "body": json.dumps(body),
            "attributes": {"ApproximateReceiveCount": "1"},
            "eventSource": "aws:sqs",
        }
        for n, body in enumerate(bodies)
    ]
    return [one["itemIdentifier"] for one in handler({"Records": records}, Context("queue"))["batchItemFailures"]]


def parked(cast: Cast) -> list[Any]:
    return sql(cast, "select queue, body - 'tenant_id' as body from outbox where sent_at is null order by id")


class TestCallers:
    def test_get_the_reason(self, acme: Cast, zenith: Cast) -> None:
        assert patch(acme, status="suspended", suspended_because="The March invoice is open.").status == 200
        reply = acme.hr.get("/me")
        assert (reply.status, reply.json["title"]) == (403, "The tenant is suspended")
        assert reply.json["type"] == "urn:wagebook:problem:tenant-suspended"
        assert reply.json["detail"] == "This tenant is suspended: The March invoice is open."
        assert zenith.hr.get("/me").status == 200

    def test_come_in_again_and_the_reason_is_gone(self, acme: Cast) -> None:
        patch(acme, status="suspended", suspended_because="A review.")
        reply = patch(acme, status="active")
        assert (reply.status, reply.json["suspended_because"]) == (200, None)
        assert acme.hr.get("/me").status == 200
        last = acme.admin.ok("GET", "/audit-logs?entity_type=tenant")["items"][0]
        assert last["before"] == {"status": "suspended", "suspended_because": "A review."}

    def test_of_an_active_tenant_get_no_reason(self, acme: Cast) -> None:
        reply = patch(acme, suspended_because="A review.")
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/suspended_because")


class TestQueues:
    def test_that_go_on_are_few_and_have_a_reason(self) -> None:
        assert set(CONSUMERS) - set(RESTING) == set(GOES_ON)
        assert len(RESTING) >= 8

    @pytest.mark.parametrize("queue", RESTING)
    def test_keep_a_message_untouched_until_the_tenant_is_active(self, acme: Cast, sqs: Any, queue: str) -> None:
        patch(acme, status="suspended")
        body = {"tenant_id": str(acme.id), "nobody": "can work with this"}
        assert deliver(queue, body) == []
        assert parked(acme) == [(queue, {"nobody": "can work with this"})]
        assert outbox.sweep(now=later(5)) == 0
        patch(acme, status="active")
        assert outbox.sweep(now=later(5)) == 1
        got = sqs.receive_message(QueueUrl=queues.url_of(queue), MaxNumberOfMessages=10)["Messages"]
        assert [json.loads(message["Body"]) for message in got] == [body]
        assert parked(acme) == []

    def test_keep_a_message_that_comes_again_and_again_once(self, acme: Cast, sqs: Any) -> None:
        patch(acme, status="suspended")
        one, other = ({"tenant_id": str(acme.id), "n": n} for n in (1, 2))
        assert deliver(RESTING[0], one, one, other) == []
        assert deliver(RESTING[0], one) == []
        assert parked(acme) == [(RESTING[0], {"n": 1}), (RESTING[0], {"n": 2})]

    def test_send_what_an_active_tenant_has_meanwhile(self, acme: Cast, zenith: Cast, sqs: Any) -> None:
        for cast in (acme, zenith):
            with job_scope(cast.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
                scope.send(RESTING[0], [{"n": 1}])
        patch(acme, status="suspended")
        assert outbox.sweep(now=later(5)) == 1
        assert (len(parked(acme)), parked(zenith)) == (1, [])
