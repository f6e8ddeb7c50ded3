"""Calls over the network: at their moments, whatever becomes of others, and none lost."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest

from infra.labs.load.calls import Calls, Tenant
from infra.labs.load.sender import Caller, Sender, Stream, sender

ACME = Tenant(0, "wbk_acme", ("person-1", "person-2"), ("seller-1",))
ZENITH = Tenant(1, "wbk_zenith", ("person-3",), ("seller-2",))


class _Api(BaseHTTPRequestHandler):
    """Answers Acme, refuses Zenith; slow in reading balances."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/balances"):
            time.sleep(0.3)
        refused = self.headers["X-API-Key"] == "wbk_zenith"
        self.send_response(429 if refused else 200)
        if refused:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PUT = _answer  # noqa: N815  # as the library calls them

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module", name="to")
def _to() -> Iterator[Sender]:
    class Server(ThreadingHTTPServer):
        daemon_threads, request_queue_size = True, 512

    with Server(("127.0.0.1", 0), _Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sender(server.server_address[1]) as to:
            yield to
        server.shutdown()


class TestOffer:
    def test_makes_every_call_and_times_it_from_when_it_was_due(self, to: Sender) -> None:
        answers, began = to.offer([Stream(ACME, 80, 1), Stream(ZENITH, 40, 2)], 1.0)
        of_acme = [one for one in answers if one.who == 0]
        assert len(of_acme) == sum(1 for one in answers if not one.failed) > 40
        assert all(one.refused for one in answers if one.who == 1)
        assert all(began <= one.due < began + 1.0 for one in answers)
        assert all(one.seconds >= max(one.late, 0.3) for one in answers if one.what == "balances")

    def test_does_not_wait_for_slow_ones(self, to: Sender) -> None:
        answers, _ = to.offer([Stream(ACME, 100, 3)], 1.0)
        slow = sorted((one.due, one.due + one.seconds) for one in answers if one.what == "balances")
        assert len(slow) > 3
        assert any(begins < ended for (_, ended), (begins, _) in pairwise(slow))


class TestCaller:
    def test_counts_from_when_a_call_was_due_and_not_from_when_it_was_sent(self, to: Sender) -> None:
        caller = Caller(to._port)
        answer = caller.make(Calls(ACME, 1).next(), time.monotonic() - 5)
        caller.close()
        assert answer.status == 200
        assert 5 <= answer.late <= answer.seconds < 10


class TestPress:
    def test_goes_on_until_the_time_is_over(self, to: Sender) -> None:
        answers = to.press([ACME, ZENITH], 0.5, callers=4, seed=1)
        assert {one.who for one in answers} == {0, 1}
        assert len(answers) > 4


class TestNobodyThere:
    def test_is_noted_as_no_answer(self) -> None:
        with sender(1) as to:
            [first, *_] = to.offer([Stream(ACME, 20, 1)], 0.5)[0]
        assert (first.status, first.problem, first.failed, first.refused) == (0, "ConnectionRefusedError", True, False)


class TestCalls:
    def test_are_reads_and_writes_of_the_tenant_and_the_same_for_a_seed(self) -> None:
        mix = Calls(ACME, 7)
        answers_seen = [mix.next() for _ in range(1000)]
        writes = [one for one in answers_seen if one.body]
        assert 250 < len(writes) < 350
        assert {one.headers["X-API-Key"] for one in answers_seen} == {"wbk_acme"}
        assert len({one.body for one in answers_seen if one.what == "sale"}) == sum(
            one.what == "sale" for one in answers_seen
        )
        again = Calls(ACME, 7)
        assert [one.what for one in answers_seen] == [again.next().what for _ in range(1000)]
