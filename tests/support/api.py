"""Calls to the API as Lambda makes them: an API Gateway event in, a proxy reply out."""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from chalicelib.entry.registry import ENDPOINTS
from infra.local import lambda_events


@dataclass(frozen=True)
class Reply:
    """A reply."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Api:
    """A caller with one set of credentials."""

    key: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **options: Any) -> Reply:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        return self.call("POST", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Reply:
        return self.call("PATCH", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Reply:
        return self.call("PUT", path, body, **options)

    def delete(self, path: str, **options: Any) -> Reply:
        return self.call("DELETE", path, **options)

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Make a call that has to succeed, and return its JSON."""
        reply = self.call(method, path, body, **options)
        assert reply.status < 300, f"{method} {path} -> {reply.status} {reply.text}"
        return json.loads(reply.text) if reply.text else None

    def call(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> Reply:
        """Send one request; `body` is JSON, or text or bytes as they are."""
        import app

        all_headers = {
            "content-type": "application/json",
            **({"x-api-key": self.key} if self.key else {}),
            **self.headers,
            **(headers or {}),
        }
        raw = body if isinstance(body, str) or body is None else json.dumps(body)
        answer = app.app(event(method, path, raw, all_headers), lambda_events.Context("api"))
        return Reply(answer["statusCode"], {**answer["headers"]}, answer["body"])


def event(method: str, path: str, body: str | None, headers: dict[str, str]) -> dict[str, Any]:
    """Build an API Gateway (REST, proxy) event for a path with its query."""
    parts = urlsplit(path)
    resource, values = _resource(parts.path)
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    return lambda_events.api_event(method, resource, values, body=body, headers=headers, query=query)


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    paths = sorted({endpoint.path for endpoint in ENDPOINTS}, key=lambda path: (path.count("{"), path))
    return [(path, re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "$")) for path in paths]


def _resource(path: str) -> tuple[str, dict[str, str]]:
    for resource, pattern in _patterns():
        if match := pattern.match(path):
            return resource, match.groupdict()
    raise AssertionError(f"no door takes {path}")
