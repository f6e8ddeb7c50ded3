"""Bodies that are no JSON, too large or ambiguous are refused, each with a problem document."""

import re
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.entry.registry import ENDPOINTS
from tests.architecture import samples
from tests.support.api import Api, Reply
from tests.support.cast import Cast, platform_admin
from tests.support.people import sql

HUGE = "9" * 4301  # digits: what Python itself refuses to turn into a number


def problem(reply: Reply) -> tuple[int, str]:
    """Check that a reply is a problem document of RFC 9457, and return its status and kind."""
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert re.fullmatch(r"[0-9a-f-]{36}", reply.headers["X-Request-Id"])
    document = reply.json
    assert (
        {"type", "title", "status", "detail", "instance"}
        <= document.keys()
        <= {"type", "title", "status", "detail", "instance", "errors"}
    )
    assert document["status"] == reply.status
    assert "Traceback" not in reply.text
    assert all(place.keys() == {"pointer", "detail"} for place in document.get("errors", []))
    return reply.status, document["type"].removeprefix("urn:wagebook:problem:")


class TestUnreadable:
    @pytest.mark.parametrize("body", [
        "", "  ", "{", "nonsense", '{"name": "x"', '{"name": NaN}', '{"name": Infinity}', '{"name": -Infinity}',
        '{"name": "a", "name": "b"}', '{"name": "a", "n": {"x": 1, "x": 1}}', '{"name": "x"} {}', "{'name': 'x'}",
        '{"name": "x",}', '{"name": 01}', '{"name": +1}', '{"name": .5}', "\ufeff{}", '{"name": "\t"}',
        f'{{"name": {HUGE}}}',
        "[" * 100_000, '{"a":' * 100_000, "[" * 40 + "]" * 40, '{"name": ' + "[" * 33 + "]" * 33 + "}",
        '{"name": "\\ud800x', '{"name": "\\x41"}', "\x00", "/* */ {}",
    ], ids=lambda body: repr(body[:20]))  # fmt: skip
    def test_is_400(self, acme: Cast, body: str) -> None:
        assert problem(acme.admin.post("/departments", body)) == (400, "unreadable")
        assert sql(acme, "select 1 from departments") == []

    def test_is_400_where_the_bytes_are_not_utf_8(self, acme: Cast) -> None:
        assert problem(binary(acme.admin, b'{"name": "\xff"}')) == (400, "unreadable")
        assert problem(binary(acme.admin, b'{"name": "\xed\xa0\x80"}')) == (400, "unreadable")
        assert problem(binary(acme.admin, '{"name": "x"}'.encode("utf-16"))) == (400, "unreadable")
        assert binary(acme.admin, '{"name": "ঢাকা"}'.encode()).status == 201


class TestTooLarge:
    @pytest.mark.parametrize("body", [
        '{"name": "' + "x" * 10_000_000 + '"}', " " * 10_000_000 + "{}", "[" * 10_000_000,
    ], ids=["text", "spaces", "brackets"])  # fmt: skip
    def test_is_413(self, acme: Cast, body: str) -> None:
        assert problem(acme.admin.post("/departments", body)) == (413, "too-large")

    def test_is_413_for_csv_too(self, acme: Cast) -> None:
        reply = acme.admin.post("/users/import", "x" * 10_000_000, headers={"content-type": "text/csv"})
        assert problem(reply) == (413, "too-large")


class TestInvalid:
    @pytest.mark.parametrize(("body", "pointer"), [
        ("[]", "/"), ("null", "/"), ("1", "/"), ('"x"', "/"), ("{}", "/name"), ('{"name": null}', "/name"),
        ('{"name": 1}', "/name"), ('{"name": ["x"]}', "/name"), ('{"name": {"x": 1}}', "/name"), ('{"name": ""}',
        "/name"),
        ('{"name": "   "}', "/name"), ('{"name": "' + "x" * 201 + '"}', "/name"), ('{"name": "x", "more": 1}', "/more"),
        ('{"name": "x", "tenant_id": "y"}', "/tenant_id"), ('{"name": "x", "a/b~": 1}', "/a~1b~0"), ('{"name": 1e400}',
        "/name"),
    ])  # fmt: skip
    def test_is_422_with_its_place(self, acme: Cast, body: str, pointer: str) -> None:
        reply = acme.admin.post("/departments", body)
        assert problem(reply) == (422, "invalid")
        assert pointer in [place["pointer"] for place in reply.json["errors"]]
        assert sql(acme, "select 1 from departments") == []

    @pytest.mark.parametrize("text", ["\\u0000", "a\\u0000b", "\\ud800", "\\udc00x", "\\ud83d"])
    def test_is_422_for_text_that_cannot_be_stored(self, acme: Cast, text: str) -> None:
        assert problem(acme.admin.post("/departments", f'{{"name": "{text}"}}')) == (422, "invalid")
        assert problem(acme.admin.post("/departments", f'{{"name": "x", "{text}": 1}}')) == (422, "invalid")
        assert problem(acme.admin.get("/users?search=%00")) == (422, "invalid")

    def test_takes_text_that_is_merely_unusual(self, acme: Cast) -> None:
        for name in ("😀", "ঢাকা", "ক্\u200dষ", "'; drop table users; --", "<script>", "\\u0000", "=1+1"):
            assert acme.admin.ok("POST", "/departments", {"name": name})["name"] == name

    @pytest.mark.parametrize("amount", ["1e400", "1e15", "999999999999999999999", "-1", "-0.01", "0.001", '"1e-7"',
                                        '"NaN"',
                                        '"Infinity"', '"-Infinity"', '"sNaN"', '""', '"1,5"', '"1 000"', '"0x10"',
                                        "true",
                                        '"1E+999999"', '"1E-999999"', "[]", "null", HUGE[:4300],
                                        '"' + HUGE + '"'])  # fmt: skip
    def test_is_422_for_amounts_that_are_none(self, acme: Cast, amount: str) -> None:
        user = acme.admin.ok("POST", "/users", {"name": "Rahim"})["id"]
        body = f'{{"amount": {amount}, "effective_from": "2026-01-01"}}'
        assert problem(acme.admin.post(f"/users/{user}/salaries", body)) == (422, "invalid")
        assert sql(acme, "select 1 from salaries") == []

    @pytest.mark.parametrize("query", ["?limit=1&limit=2", "?limit=", "?limit=1e2", "?limit=0x1", "?limit= 5 x",
                                       "?LIMIT=5",
                                       "?limit=%F0%9F%98%80", "?nonsense", "?" + "x" * 5000,
                                       "?limit=" + HUGE])  # fmt: skip
    def test_is_422_for_queries_that_are_none(self, acme: Cast, query: str) -> None:
        assert problem(acme.admin.get(f"/departments{query}")) == (422, "invalid")

    def test_is_422_for_a_query_where_none_is_taken(self, acme: Cast) -> None:
        assert problem(acme.admin.get("/me?x=1")) == (422, "invalid")


class TestContentType:
    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/xml", "multipart/form-data", "text/csv", "nonsense"]
    )
    def test_of_no_use_is_415(self, acme: Cast, content_type: str) -> None:
        reply = acme.admin.post("/departments", {"name": "x"}, headers={"content-type": content_type})
        assert problem(reply) == (415, "unsupported-media-type")
        assert sql(acme, "select 1 from departments") == []

    @pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON",
                                      "application/json;charset=UTF-8"])  # fmt: skip
    def test_of_json_may_be_written_in_several_ways(self, acme: Cast, content_type: str) -> None:
        assert (
            acme.admin.post("/departments", {"name": content_type}, headers={"content-type": content_type}).status
            == 201
        )


class TestMethod:
    def test_that_a_route_does_not_take_is_405(self, acme: Cast) -> None:
        assert problem(acme.admin.delete("/departments")) == (405, "method-not-allowed")


class TestConflict:
    def test_names_the_field_that_is_taken(self, acme: Cast) -> None:
        acme.admin.ok("POST", "/departments", {"name": "Sewing"})
        reply = acme.admin.post("/departments", {"name": "Sewing"})
        assert problem(reply) == (409, "conflict")
        assert reply.json["detail"] == "There is already one with this name."
        assert reply.json["errors"] == [{"pointer": "/name", "detail": "must be unique"}]


def binary(api: Api, data: bytes) -> Reply:
    """Send bytes as API Gateway does: in base64."""
    import base64

    import app
    from infra.local.lambda_events import Context
    from tests.support.api import event

    raw_event: dict[str, Any] = event(
        "POST",
        "/departments",
        base64.b64encode(data).decode(),
        {"content-type": "application/json", "x-api-key": str(api.key)},
    )
    raw_event["isBase64Encoded"] = True
    answer = app.app(raw_event, Context("api"))
    return Reply(answer["statusCode"], {**answer["headers"]}, answer["body"])


WITHOUT_BODY = [
    f"{one.method} {one.path}" for one in ENDPOINTS if one.body is None and one.accepts == ("application/json",)
]


class TestWhereNoneIsTaken:
    """A body on a route that takes none would be ignored, and what it asks for would not be done."""

    @pytest.mark.parametrize("endpoint", WITHOUT_BODY)
    def test_is_refused(self, acme: Cast, endpoint: str) -> None:
        method, path = endpoint.split()
        path = re.sub(r"\{(\w+)\}", lambda match: samples.PLAIN.get(match[1], samples.NOBODY), path)
        headers = {"idempotency-key": str(uuid4())}
        caller = platform_admin() if path.startswith("/tenants") else acme.admin
        for body, place in (
            (f'{{"user_ids": ["{samples.NOBODY}"]}}', "/user_ids"),
            ("[]", ""),
            ('{"a/b": 1}', "/a~1b"),
        ):
            reply = caller.call(method, path, body, headers=headers)
            assert problem(reply) == (422, "invalid"), (endpoint, reply.text)
            assert reply.json["errors"] == [
                {"pointer": place, "detail": "this route takes no body; leave it away, or send {}"}
            ]
        for body in ("{not json", "nonsense", '{"a": NaN}'):
            assert problem(caller.call(method, path, body, headers=headers)) == (400, "unreadable")

    def test_nothing_and_an_empty_object_are_none(self, acme: Cast) -> None:
        headers = {"idempotency-key": "once"}
        first = acme.admin.post("/payouts/final/run", headers=headers)
        assert first.status == 202
        for body in ("", " ", "{}", " {} "):
            again = acme.admin.post("/payouts/final/run", body, headers=headers)
            assert (again.status, again.json) == (202, first.json)
            assert acme.admin.call("GET", "/jobs", body).status == 200
