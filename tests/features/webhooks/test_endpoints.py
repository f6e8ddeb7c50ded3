"""Endpoints over HTTP: who may, what is taken, what is shown of a secret."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.backing import clock
from chalicelib.features.webhooks import endpoint_actions
from chalicelib.features.webhooks.schemas import NewEndpoint
from chalicelib.identity.callers import job_scope
from chalicelib.identity.permissions import Role
from chalicelib.identity.scope import Origin
from chalicelib.kernel.errors import Conflict
from tests.support.cast import Cast, key
from tests.support.people import employee, sql
from tests.support.receiver import Receiver, listen
from tests.support.stack import Stack

PUBLIC = {"url": "https://1.1.1.1/hooks"}
EVENTS = ["payout.cancelled", "payout.failed", "payout.paid", "payout.returned", "payout.review", "payout.unknown"]

UNREACHABLE = "cannot be reached on the public internet; check the name, or try again"


def made(cast: Cast, **more: Any) -> dict[str, Any]:
    return dict(cast.admin.ok("POST", "/webhook-endpoints", {**PUBLIC, **more}))


def audited(cast: Cast) -> list[tuple[str, str]]:
    items = cast.admin.ok("GET", "/audit-logs?entity_type=webhook_endpoint")["items"]
    return [(one["action"], one["actor"]) for one in items]


class TestAdd:
    def test_shows_everything_and_the_secret_once(self, acme: Cast) -> None:
        new = made(acme, events=["payout.paid", "payout.failed", "payout.paid"], description="the shop")
        assert new["secret"].startswith("whsec_")
        assert len(new["secret"]) == len("whsec_") + 44  # 32 bytes in base64
        shown = acme.admin.ok("GET", f"/webhook-endpoints/{new['id']}")
        assert shown == {name: value for name, value in new.items() if name != "secret"}
        assert {**shown, "id": "", "created_at": ""} == {
            "id": "",
            "created_at": "",
            "url": "https://1.1.1.1/hooks",
            "events": ["payout.failed", "payout.paid"],
            "description": "the shop",
            "enabled": True,
            "disabled_because": None,
            "failing_since": None,
            "old_secret_until": None,
            "version": 1,
        }
        assert audited(acme) == [("webhook_endpoint.added", "tenant_admin:tenant_admin key")]

    def test_listens_to_all_unless_said(self, acme: Cast) -> None:
        assert made(acme)["events"] == "all"
        assert made(acme, events="all")["events"] == "all"

    def test_keeps_the_secret_out_of_a_repeated_answer_the_log_and_every_row(self, acme: Cast) -> None:
        headers = {"idempotency-key": "k1"}
        first = acme.admin.ok("POST", "/webhook-endpoints", PUBLIC, headers=headers)
        repeated = acme.admin.ok("POST", "/webhook-endpoints", PUBLIC, headers=headers)
        assert repeated == {**first, "secret": None}
        for table in ("webhook_endpoints", "audit_logs", "idempotency_keys", "outbox"):
            rows = str(sql(acme, f"select t::text from {table} t"))
            assert first["secret"] not in rows
            assert first["secret"].encode().hex() not in rows

    def test_takes_twenty(self, acme: Cast, zenith: Cast) -> None:
        for _ in range(20):
            made(acme)
        reply = acme.admin.post("/webhook-endpoints", PUBLIC)
        assert (reply.status, reply.json["detail"]) == (
            409,
            "There are 20 webhook endpoints already; delete one first.",
        )
        made(zenith)

    def test_takes_no_more_when_two_come_at_once(self, acme: Cast) -> None:
        for _ in range(19):
            made(acme)

        def add() -> None:
            with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
                endpoint_actions.add_endpoint(scope, new=NewEndpoint(**PUBLIC))

        with ThreadPoolExecutor() as pool:
            with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
                endpoint_actions.add_endpoint(scope, new=NewEndpoint(**PUBLIC))
                second = pool.submit(add)
                with pytest.raises(TimeoutError):
                    second.result(timeout=0.5)  # it waits for us
            with pytest.raises(Conflict, match="There are 20 webhook endpoints already"):
                second.result(timeout=10)

    @pytest.mark.parametrize(("body", "pointer", "detail"), [
        ({}, "/url", "Field required"),
        ({"url": "http://1.1.1.1/"}, "/url", "must begin with https://"),
        ({"url": "ftp://1.1.1.1/"}, "/url", "must begin with https://"),
        ({"url": "https://1.1.1.1:8080/"}, "/url", "must use port 443 or 8443"),
        ({"url": "https://me:secret@1.1.1.1/"}, "/url",
         "must not hold a user name or password; deliveries are signed instead"),
        ({"url": "https://127.0.0.1/"}, "/url",
         f"127.0.0.1 {UNREACHABLE}"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "/url",
         f"::ffff:10.0.0.1 {UNREACHABLE}"),
        ({"url": "https://nobody.invalid/"}, "/url", f"nobody.invalid {UNREACHABLE}"),
        ({**PUBLIC, "events": []}, "/events", f'must be "all", or a list of {", ".join(EVENTS)}'),
        ({**PUBLIC, "events": ["payout.made"]}, "/events", f'must be "all", or a list of {", ".join(EVENTS)}'),
        ({**PUBLIC, "events": None}, "/events", f'must be "all", or a list of {", ".join(EVENTS)}'),
    ])  # fmt: skip
    def test_refuses_with_place_and_reason(self, acme: Cast, body: dict[str, Any], pointer: str, detail: str) -> None:
        reply = acme.admin.post("/webhook-endpoints", body)
        assert reply.status == 422
        assert reply.json["errors"] == [{"pointer": pointer, "detail": detail}]


class TestChange:
    def test_changes_what_is_sent_and_nothing_else(self, acme: Cast) -> None:
        new = made(acme, description="the shop")
        path = f"/webhook-endpoints/{new['id']}"
        changed = acme.admin.ok("PATCH", path, {"events": ["payout.paid"]}, headers={"if-match": '"1"'})
        assert (changed["events"], changed["description"], changed["version"]) == (["payout.paid"], "the shop", 2)
        assert acme.admin.ok("PATCH", path, {"events": ["payout.paid"]})["version"] == 2
        assert acme.admin.ok("PATCH", path, {"events": "all", "description": None})["events"] == "all"
        assert acme.admin.patch(path, {"enabled": False}, headers={"if-match": '"1"'}).status == 412
        assert acme.admin.ok("PATCH", path, {"enabled": False})["enabled"] is False
        assert acme.admin.patch(path, {"url": "https://10.0.0.1/"}).status == 422
        assert acme.admin.get(path).headers["ETag"] == '"4"'

    def test_begins_anew_when_enabled_again(self, acme: Cast) -> None:
        path = f"/webhook-endpoints/{made(acme)['id']}"
        sql(
            acme,
            "update webhook_endpoints set enabled = false, disabled_because = 'it answered 410 Gone',"
            " failing_since = now()",
        )
        assert acme.admin.ok("GET", path)["disabled_because"] == "it answered 410 Gone"
        changed = acme.admin.ok("PATCH", path, {"enabled": True})
        assert (changed["enabled"], changed["disabled_because"], changed["failing_since"]) == (True, None, None)


class TestDelete:
    def test_ends_it_with_its_log(self, acme: Cast, running: Stack, receiver: Receiver) -> None:
        new = listen(acme, receiver)
        delivery = acme.admin.ok("POST", f"/webhook-endpoints/{new['id']}/test")
        assert acme.admin.delete(f"/webhook-endpoints/{new['id']}").status == 204
        assert acme.admin.get(f"/webhook-endpoints/{new['id']}").status == 404
        assert acme.admin.get(f"/webhook-deliveries/{delivery['id']}").status == 404
        assert audited(acme)[0] == ("webhook_endpoint.deleted", "tenant_admin:tenant_admin key")


class TestOthers:
    @pytest.mark.parametrize(("method", "path"), [
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate-secret"), ("POST", "/test"),
    ])  # fmt: skip
    def test_tenant_isolation_find_nothing(self, acme: Cast, zenith: Cast, method: str, path: str) -> None:
        new = made(acme)
        for asked in (new["id"], uuid4()):
            reply = zenith.admin.call(method, f"/webhook-endpoints/{asked}{path}", {} if method == "PATCH" else None)
            assert (reply.status, reply.json["detail"]) == (404, "There is no such webhook endpoint.")
        assert zenith.admin.ok("GET", "/webhook-endpoints")["items"] == []
        assert acme.admin.ok("GET", f"/webhook-endpoints/{new['id']}")["version"] == 1

    def test_who_are_not_admins_may_nothing(self, acme: Cast) -> None:
        new = made(acme)
        person = employee(acme)
        for caller in (acme.hr, key(acme.id, Role.MANAGER, person), key(acme.id, Role.EMPLOYEE, person)):
            assert caller.get("/webhook-endpoints").status == 403
            assert caller.post("/webhook-endpoints", PUBLIC).status == 403
            assert caller.post(f"/webhook-endpoints/{new['id']}/rotate-secret").status == 403
            assert caller.get("/webhook-deliveries").status == 403
