"""HTTP calls to addresses that a tenant or a provider named, safe from SSRF and DNS rebinding, in bounded time.

- SSRF (server-side request forgery): a name may lead into our own network. Every address that the host has is checked
  to be public before anything is sent; one that is not refuses the call.
- DNS rebinding: a name may have another address at the second look-up. The host is looked up once, and the connection
  of urllib3 is pinned to the addresses that were checked; certificate and Host header remain the name's.
- Redirects are not followed, proxies of the environment are not used, and no more than a bounded part of the answer is
  read.
- One deadline holds for look-up, connection, TLS, sending and reading together.

It is also the HTTP client for adapters of payout providers (`call`).

WEBHOOKS_LOCAL=true allows this machine too, over http and at any port: for development and tests, never in Lambda.
"""

import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from chalicelib.backing import addresses
from chalicelib.backing.log import logger
from chalicelib.backing.settings import settings

PORTS = (443, 8443)
MOST_ADDRESSES = 4  # of a host, tried one after the other
KEPT = 1000  # characters of an answer, unless the caller asks for more
LOOK_UP = 3.0  # seconds for a look-up when an address is saved

_NAME = re.compile(r"[a-z0-9._-]{1,253}")


class CallRefused(ValueError):
    """A call that is not made; the text is the reason, for the one who named the address."""


@dataclass(frozen=True, slots=True)
class CallTarget:
    """Where a call goes to, read from a URL."""

    scheme: str
    host: str
    port: int
    path: str
    named: str  # host and port as they were written: the Host header


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of a call: the HTTP status and the beginning of the answer, or the problem."""

    status: int | None
    ms: int
    text: str = ""
    problem: str | None = None


def parse_target(url: str) -> CallTarget:
    """Parse a URL, without a look-up. Raises CallRefused for one that may not be called."""
    if not (url.isascii() and url.isprintable()) or re.search(r"[\s\\#]", url):
        raise CallRefused("must be plain ASCII without spaces, backslash or #; write a foreign host name as xn--...")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise CallRefused("cannot be read as an address; write it like https://host/path") from None
    local = settings().webhooks_local
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise CallRefused("must begin with https://")
    if "@" in parts.netloc:
        raise CallRefused("must not hold a user name or password; deliveries are signed instead")
    if not (_is_ipv6(host) if "[" in parts.netloc else _NAME.fullmatch(host)):
        raise CallRefused("names no host that can be looked up")
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    if port not in PORTS and not local:
        raise CallRefused(f"must use port {' or '.join(map(str, PORTS))}")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return CallTarget(parts.scheme, host, port, path, parts.netloc)


def resolve_public_addresses(target: CallTarget, *, seconds: float = LOOK_UP) -> list[str]:
    """Look a host up once and return its addresses. Raises CallRefused where one of them is not public (SSRF)."""
    resolved = list(dict.fromkeys(_look_up(target, seconds)))
    for address in resolved:
        why = addresses.why_not_public(address)
        if why is not None and not (settings().webhooks_local and addresses.is_loopback(address)):
            logger.info("an address was refused", host=target.host, address=address, because=why)
            raise _unreachable(target)
    return resolved[:MOST_ADDRESSES]


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Reply:
    """Send a body by POST and return the reply or the problem, within so many seconds. Never raises."""
    return call("POST", url, body, headers, seconds=seconds)


def call(
    method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, seconds: float, keep: int = KEPT
) -> Reply:
    """Make one HTTP call and return the reply or the problem, within so many seconds. Never raises.

    Of the answer `keep` characters are returned. A call with a problem may have reached the other side.
    """
    started = time.monotonic()
    seconds_left = partial(_seconds_until, started + seconds)
    try:
        status, text = _exchange(method, parse_target(url), body, headers, seconds_left, keep)
    except CallRefused as refusal:
        return Reply(None, _ms(started), problem=f"not sent: {refusal}")
    except TimeoutError:
        return Reply(None, _ms(started), problem=f"no answer within {seconds:g} s")
    except ssl.SSLCertVerificationError as error:
        return Reply(None, _ms(started), problem=f"its certificate was refused: {error.verify_message}")
    except ssl.SSLError:
        return Reply(None, _ms(started), problem="the encrypted connection failed")
    except OSError as error:
        return Reply(None, _ms(started), problem=f"the connection failed: {error.strerror or 'it was closed'}")
    except (http.client.HTTPException, ValueError):
        return Reply(None, _ms(started), problem="what it answered is not HTTP")
    return Reply(status, _ms(started), text)


def _exchange(
    method: str,
    target: CallTarget,
    body: bytes | None,
    headers: Mapping[str, str],
    seconds_left: Callable[[], float],
    keep: int,
) -> tuple[int, str]:
    """Send one request to a checked address of the target, and return status and text of the answer."""
    from urllib3.exceptions import HTTPError
    from urllib3.util import SKIP_HEADER

    from chalicelib.backing.pinned import connection_to

    public = resolve_public_addresses(target, seconds=seconds_left())
    connection = connection_to(
        target.scheme, target.host, target.port, addresses=public, seconds_left=seconds_left, tls=_tls()
    )
    all_headers = {"Host": target.named, "Connection": "close", "User-Agent": SKIP_HEADER, **headers}
    try:
        connection.connect()
        with _shut_down_after(seconds_left(), connection.sock) as expired:
            connection.request(method, target.path, body=body, headers=all_headers, preload_content=False)
            response = connection.getresponse()
            if expired.is_set():  # the headers ended by our shutdown
                raise TimeoutError
            try:
                text = response.read(keep * 4, decode_content=False).decode("utf-8", "replace")
            except (OSError, HTTPError, http.client.HTTPException):
                text = ""  # the status came, and it is what counts
            finally:
                response.close()
        return response.status, text.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:keep]
    except HTTPError as error:  # two lengths of one body, for instance
        raise http.client.HTTPException(str(error)) from error
    finally:
        connection.close()


@contextmanager
def _shut_down_after(seconds: float, sock: socket.socket) -> Iterator[threading.Event]:
    """Shut a connection down at the deadline, and raise TimeoutError for an error after it.

    A socket's own time-out begins anew with every read, so an answer of one byte at a time would never end.
    """
    expired = threading.Event()

    def shut_down() -> None:
        expired.set()
        with suppress(OSError):  # it is closed already
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, shut_down)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    except Exception:
        if expired.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()


def _look_up(target: CallTarget, seconds: float) -> list[str]:
    """Return the addresses of a host. Raises CallRefused where there are none, or not in time."""
    # the system's resolver has no time limit, so its thread is left behind where it takes too long
    answers: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def resolve() -> None:
        try:
            rows = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            answers.put([str(row[4][0]) for row in rows])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=resolve, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise _unreachable(target) from None
    if isinstance(answer, Exception) or not answer:
        raise _unreachable(target)
    return answer


def _unreachable(target: CallTarget) -> CallRefused:
    """Return the same refusal for every host that is not public, does not exist, or is not resolved in time.

    Our resolver also answers for names of our own network. The wording must not reveal which of them exist, or their
    addresses; the log has the reason.
    """
    return CallRefused(f"{target.host} cannot be reached on the public internet; check the name, or try again")


def _seconds_until(deadline: float) -> float:
    if (left := deadline - time.monotonic()) <= 0:
        raise TimeoutError
    return left


def _ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _is_ipv6(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, host)
    except OSError:
        return False
    return True


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
