"""The local server's own answers: unknown paths, unreadable requests, and the headers of all of them."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import chalice.local
import pytest
from chalice.config import Config

import app
from infra.local.gateway_replies import answer_as_deployed

SECURE = {"x-content-type-options": "nosniff", "strict-transport-security": "max-age=31536000"}


@pytest.fixture(scope="module", name="port")
def _port(database: object) -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chalice.local.LocalGateway, "handle_request", chalice.local.LocalGateway.handle_request)
        for name in ("send_error", "send_header", "end_headers"):
            patch.setattr(chalice.local.ChaliceRequestHandler, name, getattr(chalice.local.ChaliceRequestHandler, name))
        answer_as_deployed(chalice.local)
        server = chalice.local.LocalDevServer(app.app, Config(), "127.0.0.1", 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server.server_address[1]
        server.server.shutdown()
        server.server.server_close()


def ask(port: int, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers=headers)
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return reply.status, {name.lower(): value for name, value in reply.getheaders()}, body and json.loads(body)


@pytest.mark.parametrize("path", ["/", "/nothing", "/users/1/2/3/4?x=1", "/pay-register"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer \xe9"}], ids=str)
def test_unknown_paths_are_404_problem_documents(port: int, path: str, headers: dict[str, str]) -> None:
    status, headers_got, body = ask(port, "GET", path, **headers)
    assert (status, headers_got["content-type"]) == (404, "application/problem+json")
    assert body["type"] == "urn:wagebook:problem:not-found"
    assert body["instance"] == path.partition("?")[0]
    assert headers_got["x-request-id"]
    assert {name: headers_got[name] for name in SECURE} == SECURE
    assert headers_got["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/me", 401),
        ("DELETE", "/me", 405),
        ("OPTIONS", "/me", 200),
        ("TRACE", "/me", 501),
        ("GET", "/docs", 200),
    ],
)
def test_every_reply_has_the_security_headers_once(port: int, method: str, path: str, status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path)
    reply = connection.getresponse()
    names = [name.lower() for name, _ in reply.getheaders()]
    reply.read()
    connection.close()
    assert reply.status == status
    assert [names.count(name) for name in (*SECURE, "cache-control")] == [1, 1, 1]
    if status >= 400:
        assert reply.getheader("Content-Type") == "application/problem+json"
    assert reply.getheader("Cache-Control") == ("public, no-cache" if path == "/docs" else "no-store")


def test_what_is_no_http_is_a_problem_document(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(b"GET /me HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n")
        reply = raw.makefile("rb").read()
    head, _, body = reply.partition(b"\r\n\r\n")
    assert b" 431 " in head.splitlines()[0]
    assert b"nosniff" in head
    assert json.loads(body)["status"] == 431
