"""The HTTP client of provider adapters: pinned (SSRF, DNS rebinding), in bounded time, and sure of what is no answer.

Only a document that the provider answered with 2xx or 4xx is an answer. Everything else (time-out, reset, redirect,
429, 5xx, a body that is no JSON object) is Unclear: the provider may have paid.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.backing import outside
from chalicelib.features.payouts.delivery.providers import Unclear

CALL_SECONDS = 30.0  # less than half of rules.LEASE
MOST_CHARACTERS = 1_000_000  # of an answer; a longer one cannot be read
TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class ProviderReply:
    """A provider's answer: its HTTP status and its document, in which numbers with decimals are strings."""

    status: int
    document: Mapping[str, Any]

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def call(
    method: str, url: str, *, headers: Mapping[str, str], document: Mapping[str, Any] | None = None
) -> ProviderReply | Unclear:
    """Call a provider with a JSON document, and return its answer. Never raises."""
    body = None if document is None else json.dumps(document).encode()
    reply = outside.call(
        method,
        url,
        body,
        {"Content-Type": "application/json", "Accept": "application/json", **headers},
        seconds=CALL_SECONDS,
        keep=MOST_CHARACTERS,
    )
    if reply.status is None:
        return Unclear(reply.problem or "no answer")
    if not (200 <= reply.status < 300 or 400 <= reply.status < 500) or reply.status == TOO_MANY_REQUESTS:
        return Unclear(f"HTTP {reply.status}")
    try:
        # amounts must not pass through float
        answer = json.loads(reply.text, parse_float=str)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        return Unclear(f"HTTP {reply.status}, and an answer that is no JSON object")
    return ProviderReply(reply.status, answer)
