"""What the local server answers before the application runs, in the words of API Gateway in AWS.

`chalice local` answers an unknown path with 403 and a body of its own, and Python's HTTP server what it cannot read
with a page of HTML. Deployed, both are problem documents (infra/deploy/cloud/gateway.py), and every reply has the
security headers; so it is here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import uuid4

from chalicelib.entry.problems import PROBLEM, problem
from chalicelib.entry.reply_headers import SECURITY_HEADERS
from infra.deploy.cloud.gateway import REFUSALS

Refusal = dict[str, Any]


def refusal(status: int, kind: str, title: str, *, path: str) -> Refusal:
    """Return a reply in the form that Lambda gives to the gateway."""
    body = problem(status=status, kind=kind, title=title, detail=title, instance=path)
    headers = {"Content-Type": PROBLEM, "X-Request-Id": str(uuid4())}
    return {"statusCode": status, "headers": headers, "multiValueHeaders": {}, "body": body, "isBase64Encoded": False}


def answer_as_deployed(local: Any) -> None:
    """Change the server classes of `chalice.local`: problem documents, and the security headers on every reply."""
    handler = local.ChaliceRequestHandler
    local.LocalGateway.handle_request = _with_unknown_paths(local.LocalGateway.handle_request, local)
    handler.send_error = _send_problem
    handler.send_header = _remembering(handler.send_header)
    handler.end_headers = _completing(handler.end_headers)


def _with_unknown_paths(handle: Callable[..., Any], local: Any) -> Callable[..., Any]:
    @wraps(handle)
    def handle_request(self: Any, method: str, path: str, headers: Any, body: bytes | None) -> Any:
        try:
            local.RouteMatcher(list(self._app_object.routes)).match_route(path)
        except ValueError:
            status, kind, title = REFUSALS["MISSING_AUTHENTICATION_TOKEN"]
            return refusal(status or 404, kind, title, path=path.partition("?")[0])
        return handle(self, method, path, headers, body)

    return handle_request


def _send_problem(self: Any, code: int, message: str | None = None, explain: str | None = None) -> None:
    """Answer what Python's HTTP server cannot read: a broken request line, a header too long, an unknown method."""
    kind, title = ("internal", REFUSALS["DEFAULT_5XX"][2]) if code == 500 else ("unreadable", message or "Unreadable")
    answer = refusal(code, kind, title, path=(getattr(self, "path", "") or "/").partition("?")[0])
    data = answer["body"].encode()
    self.close_connection = True
    self.send_response(code, message)
    for name, value in {**answer["headers"], "Connection": "close", "Content-Length": str(len(data))}.items():
        self.send_header(name, value)
    self.end_headers()
    if self.command != "HEAD":
        self.wfile.write(data)


def _remembering(send_header: Callable[..., None]) -> Callable[..., None]:
    @wraps(send_header)
    def remember(self: Any, keyword: str, value: str) -> None:
        self.__dict__.setdefault("_sent_headers", set()).add(keyword.lower())
        send_header(self, keyword, value)

    return remember


def _completing(end_headers: Callable[..., None]) -> Callable[..., None]:
    @wraps(end_headers)
    def complete(self: Any) -> None:
        sent = self.__dict__.pop("_sent_headers", set())
        for name, value in SECURITY_HEADERS.items():
            if name.lower() not in sent:
                self.send_header(name, value)
        self.__dict__.pop("_sent_headers", None)
        end_headers(self)

    return complete
