"""Calls to addresses that a stranger named: only on the public internet, in bounded time, and no further.

The host is looked up once. Every address found is checked, and the connection is made to one of these very addresses,
so that a name which changes its answer in between gains nothing. Redirects are not followed.

WEBHOOKS_LOCAL=true allows this machine too, over http and at any port: for development and tests, never in Lambda.
"""

import http.client
import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from chalicelib.backing import addresses
from chalicelib.backing.log import logger
from chalicelib.backing.settings import settings

PORTS = (443, 8443)
MOST_ADDRESSES = 4  # of a host, tried one after the other
KEPT = 1000  # characters of an answer
LOOK_UP = 3.0  # seconds, for looking a host up when its address is saved

_NAME = re.compile(r"[a-z0-9._-]{1,253}")


class CallRefused(ValueError):
    """A call that is not made; the text says why, for whoever named the address."""


@dataclass(frozen=True, slots=True)
class CallTarget:
    """Where a call goes."""

    scheme: str
    host: str
    port: int
    path: str
    named: str  # as the Host header says it


@dataclass(frozen=True, slots=True)
class Reply:
    """How a call went: the status, or the problem that there was instead."""

    status: int | None
    ms: int
    text: str = ""
    problem: str | None = None


def parse_target(url: str) -> CallTarget:
    """Read an address, or raise Refused. Nothing is looked up yet."""
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
    """Look a host up and give its addresses, or raise Refused where one of them is not public."""
    found = list(dict.fromkeys(_looked_up(target, seconds)))
    for address in found:
        why = addresses.why_not_public(address)
        if why is not None and not (settings().webhooks_local and addresses.is_loopback(address)):
            logger.info("an address was refused", host=target.host, address=address, because=why)
            raise _unreachable(target)
    return found[:MOST_ADDRESSES]


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Reply:
    """Send a body and give what was answered, in so many seconds at most. It never raises."""
    started = time.monotonic()
    try:
        status, text = _exchange(parse_target(url), body, headers, started + seconds)
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


def _exchange(target: CallTarget, body: bytes, headers: Mapping[str, str], deadline: float) -> tuple[int, str]:
    found = resolve_public_addresses(target, seconds=_left(deadline))
    sock = _connected(found, target, deadline)
    try:
        if target.scheme == "https":
            sock.settimeout(_left(deadline))
            sock = _tls().wrap_socket(sock, server_hostname=target.host)
        connection = http.client.HTTPConnection(target.host, target.port)
        wire: Any = _Wire(sock, deadline)
        connection.sock = wire
        said = {"Host": target.named, "Connection": "close", **headers}
        connection.request("POST", target.path, body=body, headers=said)
        response = connection.getresponse()
        try:
            text = response.read(KEPT * 4).decode("utf-8", "replace")
        except (OSError, ValueError, http.client.HTTPException):
            text = ""  # the status was said, and it is what counts
        return response.status, text.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:KEPT]
    finally:
        sock.close()


def _connected(found: list[str], target: CallTarget, deadline: float) -> socket.socket:
    problem: OSError = OSError(0, "it has no address")
    for turn, address in enumerate(found):
        try:
            # each gets its share of the time that is left
            return _connect(address, target.port, _left(deadline) / (len(found) - turn))
        except OSError as error:
            problem = error
    raise problem


def _connect(address: str, port: int, seconds: float) -> socket.socket:
    # not create_connection, which would look the address up like a name
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        sock.settimeout(seconds)
        sock.connect((address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _looked_up(target: CallTarget, seconds: float) -> list[str]:
    # the system's resolver knows no time limit, so it is left behind where it takes too long
    answers: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            answers.put([str(row[4][0]) for row in rows])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise _unreachable(target) from None
    if isinstance(answer, Exception) or not answer:
        raise _unreachable(target)
    return answer


def _unreachable(target: CallTarget) -> CallRefused:
    """Return the one refusal of every host that is not public, not there, or not answered for in time.

    Our resolver also answers for names of the network that we run in: whoever named the host must not learn from the
    wording which of them exist, or at which addresses. The log says which it was.
    """
    return CallRefused(f"{target.host} cannot be reached on the public internet; check the name, or try again")


class _Wire:
    """What http.client takes for a socket, where all that is sent and read has one deadline together.

    A socket's own time-out counts anew for every read, so that an answer of one byte at a time would never end.
    """

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(_left(self._deadline))
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self._sock, self._deadline))

    def close(self) -> None:
        """Do nothing: the opener closes the socket, as http.client would close it before it has read."""


class _Reading(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline))
        return self._sock.recv_into(buffer)


def _left(deadline: float) -> float:
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
