"""A made-up payout provider: the adapter as its module would be, and a stand-in for the provider's HTTP API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from pydantic import BaseModel, ConfigDict, SecretStr

from chalicelib.features.payouts.delivery import provider_http
from chalicelib.features.payouts.delivery.provider_http import ProviderReply
from chalicelib.features.payouts.delivery.providers import (
    Abilities,
    Answer,
    CameBack,
    Paid,
    PaymentOrder,
    PayoutRefused,
    Provider,
    ProviderMovement,
    Unclear,
    UnknownReference,
)
from chalicelib.kernel.errors import Busy


class AcmepayCredentials(BaseModel):
    """What a tenant has at the provider."""

    model_config = ConfigDict(extra="forbid")

    url: str
    api_key: SecretStr


class AcmepayAdapter:
    """Pays by POST /payments under an idempotency key, and answers for it by GET /payments/{reference}."""

    def send(self, order: PaymentOrder, *, now: datetime) -> Answer:
        payment = {
            "reference": order.reference,
            "amount": str(order.amount),
            "currency": order.currency,
            "payee": str(order.user_id),
        }
        credentials = order.credentials_as(AcmepayCredentials)
        reply = provider_http.call(
            "POST",
            f"{credentials.url}/payments",
            headers={**_authorization(credentials), "Idempotency-Key": order.reference},
            document=payment,
        )
        return _answer(reply)

    def find(self, order: PaymentOrder, *, now: datetime) -> Answer:
        credentials = order.credentials_as(AcmepayCredentials)
        url = f"{credentials.url}/payments/{order.reference}"
        reply = provider_http.call("GET", url, headers=_authorization(credentials))
        if isinstance(reply, ProviderReply) and reply.status == 404:
            return UnknownReference()
        return _answer(reply)

    def movements(
        self, tenant_id: UUID, *, since: datetime, credentials: BaseModel | None = None
    ) -> list[ProviderMovement]:
        assert isinstance(credentials, AcmepayCredentials)
        url = f"{credentials.url}/payments?since={since:%Y-%m-%dT%H:%M:%SZ}"
        reply = provider_http.call("GET", url, headers=_authorization(credentials))
        if isinstance(reply, Unclear):
            raise Busy(f"acmepay does not list its payments: {reply.why}")
        return [
            ProviderMovement(
                one["reference"],
                UUID(one["payee"]),
                Decimal(one["amount"]),
                one["currency"],
                datetime.fromisoformat(one["at"]),
                one["status"] == "returned",
            )
            for one in reply.document["payments"]
            if one["status"] != "refused"
        ]


PROVIDER = Provider(
    Abilities(keeps_keys_for=timedelta(hours=24), supports_lookup=True), AcmepayAdapter(), AcmepayCredentials
)


def _authorization(credentials: AcmepayCredentials) -> dict[str, str]:
    return {"Authorization": f"Bearer {credentials.api_key.get_secret_value()}"}


def _answer(reply: ProviderReply | Unclear) -> Answer:
    if isinstance(reply, Unclear):
        return reply
    match reply.document.get("status"):
        case "paid":
            document = reply.document
            return Paid(str(document["id"]), Decimal(document["amount"]), str(document["currency"]))
        case "refused":
            return PayoutRefused("the account is closed", "AC04")
        case "returned":
            return CameBack("the account is closed", "AC04")
    return Unclear(f"HTTP {reply.status}, and a payment of no known status")


@dataclass
class Acmepay:
    """The far end: it pays each key once, unless told to fail, and keeps what it heard."""

    port: int = 0
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)  # the API key of each call
    failures: list[int] = field(default_factory=list)  # HTTP statuses of the next calls, instead of an answer
    refuses: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def credentials(self, api_key: str) -> str:
        """Return credentials as an operator brings them."""
        return json.dumps({"url": self.url, "api_key": api_key})

    def pay(self, payment: dict[str, Any]) -> dict[str, Any]:
        """Pay once per reference."""
        status = "refused" if self.refuses else "paid"
        made = {**payment, "id": f"A-{len(self.payments) + 1}", "status": status, "at": "2026-01-31T10:00:00+00:00"}
        return self.payments.setdefault(payment["reference"], made)


@contextmanager
def serving() -> Iterator[Acmepay]:
    """Serve the provider's API at a port of this machine."""
    made = Acmepay()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            payment = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert self.headers["idempotency-key"] == payment["reference"]
            self._answer(made.pay(payment))

        def do_GET(self) -> None:
            path = urlsplit(self.path)
            if path.path == "/payments":
                assert parse_qs(path.query)["since"]
                self._answer({"payments": list(made.payments.values())})
            else:
                self._answer(made.payments.get(path.path.rpartition("/")[2]))

        def _answer(self, document: dict[str, Any] | None) -> None:
            made.keys.append(self.headers["authorization"].removeprefix("Bearer "))
            status = made.failures.pop(0) if made.failures else 404 if document is None else 200
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(document or {}).encode())

        def log_message(self, *_: Any) -> None:
            """Keep tests silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()
