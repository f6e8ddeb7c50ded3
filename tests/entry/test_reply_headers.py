"""Headers of every reply, whether an endpoint, the framework or API Gateway makes it."""

from typing import Any

import pytest

import app
from chalicelib.entry.registry import ENDPOINTS, DeclaredEndpoint
from infra.local.lambda_events import Context
from tests.support.api import Api, event
from tests.support.cast import Cast
from tests.support.people import employee

GETS = [endpoint for endpoint in ENDPOINTS if endpoint.method == "GET"]


def headers_of(answer: dict[str, Any]) -> dict[str, str]:
    return {name.lower(): value for name, value in answer["headers"].items()}


def assert_secure(headers: dict[str, str], cache: str = "no-store") -> None:
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["cache-control"] == cache


class TestEveryReply:
    @pytest.mark.parametrize("endpoint", GETS, ids=lambda endpoint: endpoint.path)
    @pytest.mark.parametrize("is_known", [True, False], ids=["caller", "nobody"])
    def test_of_an_endpoint_is_not_stored_nor_guessed_at(
        self, acme: Cast, endpoint: DeclaredEndpoint, is_known: bool
    ) -> None:
        path = (
            endpoint.path.replace("{month}", "2026-01").replace("{date}", "2026-01-05").replace("{day}", "2026-01-05")
        )
        while "{" in path:
            path = path[: path.index("{")] + "019a0000-0000-7000-8000-000000000000" + path[path.index("}") + 1 :]
        reply = (acme.admin if is_known else Api()).get(path)
        headers = {name.lower(): value for name, value in reply.headers.items()}
        if endpoint.path in ("/docs", "/openapi.json"):  # documents, the same for all callers
            assert_secure(headers, "public, no-cache")
        else:
            assert_secure(headers, "private, no-cache" if "etag" in headers else "no-store")

    def test_that_has_an_etag_may_be_kept_by_the_caller_and_is_asked_about_again(self, acme: Cast) -> None:
        assert_secure(_lower(acme.admin.get("/tenant").headers), "private, no-cache")

    def test_of_a_change_is_not_kept_though_it_has_an_etag(self, acme: Cast) -> None:
        reply = acme.admin.patch("/tenant", {"name": "Acme 2"})
        assert reply.headers["ETag"] == '"2"'
        assert_secure(_lower(reply.headers))

    def test_with_the_tenants_rows_as_a_file_is_not_stored(self, acme: Cast) -> None:
        employee(acme)
        reply = acme.hr.get("/pay-register/2026-01/export?format=csv", headers={"accept": "*/*"})
        assert reply.status == 200
        assert_secure(_lower(reply.headers))

    def test_of_the_framework_has_them_too(self, acme: Cast) -> None:
        wrong_method = app.app(event("DELETE", "/me", None, {}), Context("api"))
        assert wrong_method["statusCode"] == 405
        assert_secure(headers_of(wrong_method))
        wrong_type = app.app(event("POST", "/branches", "x", {"content-type": "image/png"}), Context("api"))
        assert wrong_type["statusCode"] == 415
        assert_secure(headers_of(wrong_type))
        unknown = app.app({"requestContext": {}}, Context("api"))
        assert unknown["statusCode"] == 500
        assert_secure(headers_of(unknown))


class TestUnauthenticated:
    @pytest.mark.parametrize(
        ("headers", "challenge"),
        [
            ({}, 'Bearer realm="wagebook"'),
            ({"x-api-key": "nonsense"}, 'Bearer realm="wagebook"'),
            ({"authorization": "Basic cm9vdDpyb290"}, 'Bearer realm="wagebook"'),
        ],
    )
    def test_says_how_to_authenticate(self, acme: Cast, headers: dict[str, str], challenge: str) -> None:
        reply = Api(headers=headers).get("/me")
        assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, challenge)

    def test_is_not_challenged_otherwise(self, acme: Cast) -> None:
        assert "WWW-Authenticate" not in acme.hr.get("/members").headers


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
