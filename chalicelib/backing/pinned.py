"""Connections of urllib3 that go to addresses that were checked before, under the host's name.

A module of its own, loaded with the first call: importing urllib3 takes 20 ms, which the API's cold start does not pay.
"""

import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

SecondsLeft = Callable[[], float]  # until the deadline of the call; raises TimeoutError when it is over


class _PinnedConnection(HTTPConnection):
    """Connects to the first of some addresses that answers, and never looks its host's name up."""

    def __init__(
        self, host: str, port: int, *, addresses: Sequence[str], seconds_left: SecondsLeft, **more: Any
    ) -> None:
        super().__init__(host, port, timeout=seconds_left(), **more)
        self._addresses = addresses
        self._seconds_left = seconds_left

    def _new_conn(self) -> socket.socket:
        problem = OSError(0, "it has no address")
        for turn, address in enumerate(self._addresses):
            try:
                # each gets its share of the time that is left
                return self._connect(address, self._seconds_left() / (len(self._addresses) - turn))
            except OSError as error:
                problem = error
        raise problem

    def _connect(self, address: str, seconds: float) -> socket.socket:
        """Connect to the checked address; socket.create_connection would resolve it like a name."""
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        try:
            sock.settimeout(seconds)
            sock.connect((address, self.port))
            sock.settimeout(self._seconds_left())  # for the TLS handshake as a whole
        except BaseException:
            sock.close()
            raise
        return sock


class _PinnedTlsConnection(_PinnedConnection, HTTPSConnection):
    """The same with TLS: the certificate must be of the host's name."""


def connection_to(
    scheme: str, host: str, port: int, *, addresses: Sequence[str], seconds_left: SecondsLeft, tls: ssl.SSLContext
) -> HTTPConnection:
    """Return a connection, not yet open, to one of the addresses of a host."""
    # urllib3 warns about malformed headers with the URL, whose path may be the tenant's secret
    logging.getLogger("urllib3.connection").setLevel(logging.ERROR)
    if scheme == "http":
        return _PinnedConnection(host, port, addresses=addresses, seconds_left=seconds_left)
    return _PinnedTlsConnection(host, port, addresses=addresses, seconds_left=seconds_left, ssl_context=tls)
