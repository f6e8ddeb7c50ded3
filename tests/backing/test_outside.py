"""Calls outside: SSRF and DNS rebinding lead nowhere, certificates are checked for the name, time is bounded."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from unittest import mock

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chalicelib.backing import outside
from chalicelib.backing.outside import CallRefused, Reply
from chalicelib.backing.settings import settings
from migrations.setup import Urls
from tests.support.receiver import listening

pytestmark = pytest.mark.usefixtures("database")

UNREACHABLE = "cannot be reached on the public internet; check the name, or try again"


@pytest.fixture(name="local")
def _local(database: Urls, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("WEBHOOKS_LOCAL", "true")
    settings.cache_clear()
    yield monkeypatch
    settings.cache_clear()


@pytest.fixture(name="lookups")
def _lookups(monkeypatch: pytest.MonkeyPatch) -> "Lookups":
    return Lookups(monkeypatch)


class Lookups:
    """A resolver with prepared answers, in turn, the last one again and again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.answers: list[list[str]] = []
        monkeypatch.setattr(socket, "getaddrinfo", self.answer)

    def answer(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked.append(host)
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, 1, 6, "", (one, port)) for one in addresses]


def send(url: str, *, seconds: float = 10) -> Reply:
    return outside.post(url, b"{}", {"Content-Type": "application/json"}, seconds=seconds)


class TestTarget:
    @pytest.mark.parametrize(("url", "host", "port", "path"), [
        ("https://hooks.acme.example", "hooks.acme.example", 443, "/"),
        ("https://Hooks.Acme.Example./a/b?c=d&e", "hooks.acme.example", 443, "/a/b?c=d&e"),
        ("https://hooks.acme.example:8443/%20", "hooks.acme.example", 8443, "/%20"),
        ("https://[2606:4700::1]/", "2606:4700::1", 443, "/"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
    ])  # fmt: skip
    def test_is_read(self, url: str, host: str, port: int, path: str) -> None:
        target = outside.parse_target(url)
        assert (target.scheme, target.host, target.port, target.path) == ("https", host, port, path)

    @pytest.mark.parametrize("url", [
        "", "x", "hooks.acme.example", "//hooks.acme.example/", "http://hooks.acme.example/", "ftp://a.example/",
        "https:hooks.acme.example", "https://", "https:///path", "https://:443/", "https://a.example:80/",
        "https://a.example:22/", "https://a.example:0/", "https://a.example:99999/", "https://a.example:x/",
        "https://user@a.example/", "https://user:pw@a.example/", "https://@a.example/", "https://a.example@10.0.0.1/",
        "https://a.example#@10.0.0.1/", "https://a.example/#x", "https://a.example\\@10.0.0.1/", "https://a b.example/",
        "https://a.example/\r\nX-Evil: 1", "https://a.example/\t", "https://a.example/é", "https://bücher.example/",
        "https://[::1", "https://[fe80::1%25eth0]/", "https://a%2eexample/", "https://[x]/", "https://a,b.example/",
        "https://[v1.a]/",
    ])  # fmt: skip
    def test_is_refused(self, url: str) -> None:
        with pytest.raises(CallRefused):
            outside.parse_target(url)

    @pytest.mark.parametrize("host", [
        "localhost", "localhost.", "127.1", "127.0.1", "0", "0.0.0", "2130706433", "0x7f000001", "0x7f.1",
        "0177.0.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "10.1.2.3", "3232235777",
        "169.254.169.254", "0xa9fea9fe", "2852039166", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fd00:ec2::254]",
    ])  # fmt: skip
    def test_is_refused_in_every_way_to_write_a_private_address(self, host: str) -> None:
        with pytest.raises(CallRefused):
            outside.resolve_public_addresses(outside.parse_target(f"https://{host}/"))

    def test_on_this_machine_is_allowed_where_the_setting_says_so(self, local: pytest.MonkeyPatch) -> None:
        assert outside.resolve_public_addresses(outside.parse_target("http://127.0.0.1:8123/")) == ["127.0.0.1"]
        for url in ("http://10.0.0.1/", "http://169.254.169.254/", "http://[fe80::1]/", "http://0.0.0.0/"):
            with pytest.raises(CallRefused):
                outside.resolve_public_addresses(outside.parse_target(url))

    def test_on_this_machine_is_never_allowed_in_lambda(self, local: pytest.MonkeyPatch) -> None:
        local.setenv("AWS_LAMBDA_FUNCTION_NAME", "wagebook-api")
        settings.cache_clear()
        for url in ("http://127.0.0.1:8123/", "https://127.0.0.1/"):
            with pytest.raises(CallRefused):
                outside.resolve_public_addresses(outside.parse_target(url))


class TestLookUp:
    def test_says_the_same_of_every_host_that_it_refuses(
        self, lookups: Lookups, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        problems = set()
        for answer in (["10.0.0.7"], ["169.254.169.254"], ["127.0.0.1"], ["1.1.1.1", "192.168.1.1"], []):
            lookups.answers = [answer]
            with pytest.raises(CallRefused) as refused:
                outside.resolve_public_addresses(outside.parse_target("https://db.internal/"))
            problems.add(str(refused.value))
        monkeypatch.setattr(socket, "getaddrinfo", mock.Mock(side_effect=socket.gaierror))
        with pytest.raises(CallRefused) as refused:
            outside.resolve_public_addresses(outside.parse_target("https://db.internal/"))
        assert problems | {str(refused.value)} == {f"db.internal {UNREACHABLE}"}

    def test_refuses_a_host_of_which_one_address_is_private(self, lookups: Lookups) -> None:
        lookups.answers = [["1.1.1.1", "2606:4700::1", "10.0.0.7"]]
        with pytest.raises(CallRefused, match=f"a.example {UNREACHABLE}"):
            outside.resolve_public_addresses(outside.parse_target("https://a.example/"))

    def test_says_that_a_host_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", mock.Mock(side_effect=socket.gaierror))
        with pytest.raises(CallRefused, match=f"nobody.invalid {UNREACHABLE}"):
            outside.resolve_public_addresses(outside.parse_target("https://nobody.invalid/"))

    def test_says_so_of_a_name_that_cannot_be_one(self) -> None:
        with pytest.raises(CallRefused, match=UNREACHABLE):
            outside.resolve_public_addresses(outside.parse_target(f"https://{'x' * 70}.example/"))

    def test_does_not_wait_for_a_resolver_that_says_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        done = Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: list("" * done.wait(5)))
        started = time.monotonic()
        with pytest.raises(CallRefused, match=UNREACHABLE):
            outside.resolve_public_addresses(outside.parse_target("https://a.example/"), seconds=0.1)
        assert time.monotonic() - started < 4
        done.set()


class TestPost:
    def test_gives_what_was_answered(self, local: pytest.MonkeyPatch) -> None:
        with listening() as receiver:
            reply = send(receiver.url)
        assert (reply.status, reply.text, reply.problem) == (200, "thanks", None)
        [(headers, body)] = receiver.heard
        assert (body, headers["content-type"], headers["connection"]) == ("{}", "application/json", "close")

    def test_goes_nowhere_when_a_name_turns_private_after_it_was_checked(
        self, monkeypatch: pytest.MonkeyPatch, lookups: Lookups
    ) -> None:
        lookups.answers = [["1.1.1.1"], ["127.0.0.1"]]
        assert outside.resolve_public_addresses(outside.parse_target("https://a.example/")) == ["1.1.1.1"]
        monkeypatch.setattr(socket, "socket", None)
        reply = send("https://a.example/")
        assert reply.problem == f"not sent: a.example {UNREACHABLE}"

    def test_looks_up_once_and_connects_to_what_was_checked(self, local: pytest.MonkeyPatch, lookups: Lookups) -> None:
        lookups.answers = [["127.0.0.1"], ["127.0.0.2"]]  # no server listens at the second
        with listening() as receiver:
            assert send(f"http://a.example:{receiver.port}/x").status == 200
        assert lookups.asked == ["a.example"]
        assert receiver.heard[0][0]["host"] == f"a.example:{receiver.port}"

    def test_tries_the_addresses_of_a_host_in_turn(self, local: pytest.MonkeyPatch, lookups: Lookups) -> None:
        lookups.answers = [["::1", "127.0.0.3", "127.0.0.1"]]
        with listening() as receiver:
            assert send(f"http://a.example:{receiver.port}/x").status == 200

    def test_returns_as_much_as_the_caller_keeps(self, local: pytest.MonkeyPatch) -> None:
        with listening() as receiver:
            reply = outside.call("POST", receiver.url, b"{}", {}, seconds=10, keep=3)
        assert (reply.status, reply.text) == (200, "tha")

    def test_sends_no_headers_of_its_own_but_host_and_connection(self, local: pytest.MonkeyPatch) -> None:
        with listening() as receiver:
            outside.call("POST", receiver.url, b"{}", {}, seconds=10)
        assert set(receiver.heard[0][0]) == {"host", "connection", "accept-encoding", "content-length"}

    def test_uses_no_proxy_of_the_environment(self, local: pytest.MonkeyPatch) -> None:
        local.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        local.setenv("http_proxy", "http://127.0.0.1:9")
        with listening() as receiver:
            assert send(receiver.url).status == 200

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_follows_no_redirect(self, local: pytest.MonkeyPatch, status: int) -> None:
        with listening() as receiver:
            receiver.answers += [status]
            assert send(receiver.url).status == status
        assert len(receiver.heard) == 1

    def test_ends_in_time_when_nothing_is_answered(self, local: pytest.MonkeyPatch) -> None:
        assert ends(lambda _: time.sleep(1)) == "no answer within 0.3 s"

    def test_ends_in_time_when_the_headers_come_a_byte_at_a_time(self, local: pytest.MonkeyPatch) -> None:
        def drip(request: BaseHTTPRequestHandler) -> None:
            request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            for _ in range(200):
                request.wfile.write(b"x")
                time.sleep(0.05)

        assert ends(drip) == "no answer within 0.3 s"

    def test_ends_in_time_when_nobody_takes_the_connection(self, local: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full, suppress(OSError):
            waiting = [socket.socket() for _ in range(3)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            started = time.monotonic()
            reply = send(f"http://127.0.0.1:{full.getsockname()[1]}/", seconds=0.3)
            assert time.monotonic() - started < 4
            assert reply.problem == "no answer within 0.3 s"
            for one in waiting:
                one.close()

    def test_takes_the_status_where_the_body_does_not_end(self, local: pytest.MonkeyPatch) -> None:
        def half(request: BaseHTTPRequestHandler) -> None:
            request.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\nhalf")
            time.sleep(0.6)

        with listening() as receiver:
            receiver.answers += [half]
            assert send(receiver.url, seconds=0.3).status == 202

    def test_reads_no_more_than_it_keeps(self, local: pytest.MonkeyPatch) -> None:
        written = []

        def endless(request: BaseHTTPRequestHandler) -> None:
            request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            with suppress(OSError):
                while True:
                    written.append(request.wfile.write(b"x" * 100_000))

        with listening() as receiver:
            receiver.answers += [endless]
            assert send(receiver.url).text == "x" * 1000
            time.sleep(0.1)
        assert sum(written) < 50_000_000

    @pytest.mark.parametrize(("answer", "problem"), [
        (b"", "the connection failed: it was closed"),
        (b"hello\r\n\r\n", "what it answered is not HTTP"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "what it answered is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "what it answered is not HTTP"),
        (b"HTTP/1.1 200 " + b"x" * 70_000, "what it answered is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "what it answered is not HTTP"),
    ])  # fmt: skip
    def test_says_what_is_wrong_with_an_answer(self, local: pytest.MonkeyPatch, answer: bytes, problem: str) -> None:
        with listening() as receiver:
            receiver.answers += [lambda request: request.wfile.write(answer)]
            assert send(receiver.url).problem == problem

    def test_says_that_nobody_listens(self, local: pytest.MonkeyPatch) -> None:
        with listening() as receiver:
            url = receiver.url
        assert send(url).problem == "the connection failed: Connection refused"


class TestTls:
    def test_is_checked_for_the_name_and_not_for_the_address(
        self, local: pytest.MonkeyPatch, lookups: Lookups, tmp_path: Path
    ) -> None:
        lookups.answers = [["127.0.0.1"]]
        with encrypted("hooks.acme.example", tmp_path, local) as (port, names):
            assert send(f"https://hooks.acme.example:{port}/").status == 200
            other = send(f"https://other.example:{port}/").problem
        assert names == ["hooks.acme.example", "other.example"]  # sent in the handshake (SNI)
        assert other == (
            "its certificate was refused: Hostname mismatch, certificate is not valid for 'other.example'."
        )

    def test_needs_an_authority_that_is_known(
        self, local: pytest.MonkeyPatch, lookups: Lookups, tmp_path: Path
    ) -> None:
        lookups.answers = [["127.0.0.1"]]
        with encrypted("hooks.acme.example", tmp_path, local) as (port, _):
            local.undo()
            local.setenv("WEBHOOKS_LOCAL", "true")
            local.setattr(socket, "getaddrinfo", lookups.answer)
            problem = send(f"https://hooks.acme.example:{port}/").problem
        assert problem == "its certificate was refused: self-signed certificate"

    def test_is_not_left_out_where_the_other_side_speaks_none(
        self, local: pytest.MonkeyPatch, lookups: Lookups
    ) -> None:
        lookups.answers = [["127.0.0.1"]]
        with listening() as receiver:
            assert send(f"https://a.example:{receiver.port}/").problem == "the encrypted connection failed"


def ends(answer: Callable[[BaseHTTPRequestHandler], None]) -> str | None:
    """Call a slow server, check that the call ends in time, and return the problem."""

    def slow(request: BaseHTTPRequestHandler) -> None:
        with suppress(OSError):
            answer(request)

    with listening() as receiver:
        receiver.answers += [slow]
        started = time.monotonic()
        reply = send(receiver.url, seconds=0.3)
        assert 0.25 < time.monotonic() - started < 4
        assert 250 < reply.ms < 4000
    return reply.problem


@contextmanager
def encrypted(name: str, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[tuple[int, list[str]]]:
    """Serve over TLS under a name, trusted by this test only; return the port and the names of SNI."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    names: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    context.sni_callback = lambda _, asked, __: names.append(str(asked))
    trusting = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    patch.setattr(outside, "_tls", lambda: trusting)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep tests silent."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Ignore it: a handshake that the client gives up is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server.server_address[1], names
    server.shutdown()
    server.server_close()
