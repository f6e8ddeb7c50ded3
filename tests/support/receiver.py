"""Somebody who listens on this machine, and what tests about webhooks have in common."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.support.cast import Cast
from tests.support.people import sql
from tests.support.stack import Stack

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Receiver:
    """A system of the tenant's: it answers 200 unless told otherwise, and keeps what it heard."""

    port: int = 0
    heard: list[tuple[dict[str, str], str]] = field(default_factory=list)
    answers: list[int | Answer] = field(default_factory=list)  # one for each call; then 200 again
    paths: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?from=wagebook"

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.heard]

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.heard]


@contextmanager
def listening() -> Iterator[Receiver]:
    """Listen at a port of this machine."""
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            made.paths.append(self.path)
            made.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            answer = made.answers.pop(0) if made.answers else 200
            if callable(answer):
                answer(self)
            else:
                self.send_response(answer)
                self.send_header("Location", f"http://127.0.0.1:{made.port}/elsewhere")
                self.end_headers()
                self.wfile.write(b"thanks" if answer == 200 else b"no")

        def log_message(self, *_: Any) -> None:
            """Keep tests silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def listen(cast: Cast, receiver: Receiver, **more: Any) -> dict[str, Any]:
    """Make an endpoint and give it with its secret."""
    return dict(cast.admin.ok("POST", "/webhook-endpoints", {"url": receiver.url, **more}))


def pay(cast: Cast, running: Stack, behaviour: str = "accept") -> str:
    """Owe somebody 40.00, pay it by the simulated provider, and give the payout's id."""
    person = cast.admin.ok(
        "POST",
        "/sales/user",
        {"name": "Mina Akter", "payout_destination": {"kind": "simulated", "behaviour": behaviour}},
    )
    sale = cast.admin.ok("POST", "/sales", {"user_id": person["id"], "earning": "40.00"})
    cast.admin.ok("POST", "/reconcile", {"items": [{"sale_id": sale["id"], "status": "approved"}]})
    cast.admin.ok("POST", "/payouts/final/run", headers={"idempotency-key": person["id"]})
    running.drain()
    [payout] = cast.admin.ok("GET", f"/payouts?user_id={person['id']}")["items"]
    return str(payout["id"])


def log(cast: Cast, query: str = "") -> list[dict[str, Any]]:
    """Return the log of deliveries."""
    return list(cast.admin.ok("GET", f"/webhook-deliveries{query}")["items"])


def attempts(cast: Cast, delivery_id: str) -> list[dict[str, Any]]:
    return list(cast.admin.ok("GET", f"/webhook-deliveries/{delivery_id}")["attempts"])


def let_pass(cast: Cast) -> None:
    """Age what waits for its next attempt, as if all the time had passed."""
    sql(
        cast,
        "update webhook_deliveries set look_at = clock_timestamp() - interval '10 minutes'"
        " where tenant_id = :tenant_id and look_at is not null",
        tenant_id=cast.id,
    )


def again(cast: Cast, running: Stack) -> None:
    """Let the time to the next attempt pass, and work it off."""
    let_pass(cast)
    running.tick("webhooks-to-look-at")
    running.drain()
