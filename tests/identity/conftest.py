"""An issuer of tokens for the tests: an RSA key and a JWKS server on this machine."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from chalicelib.backing.settings import settings
from chalicelib.identity import tokens
from tests.support.api import Api
from tests.support.cast import Cast, tenant
from tests.support.people import sql

ISSUER, AUDIENCE, KID = "https://login.example/pool", "wagebook-client", "k1"


@dataclass(frozen=True)
class Issuer:
    """An OIDC issuer: its key, and tokens signed with it."""

    key: rsa.RSAPrivateKey

    def token(self, *, key: Any = None, algorithm: str = "RS256", headers: Any = None, **claims: object) -> str:
        """Sign an ID token; a claim given as None is left out."""
        present = {name: value for name, value in (self.claims() | claims).items() if value is not None}
        return jwt.encode(present, key or self.key, algorithm=algorithm, headers={"kid": KID} | (headers or {}))

    def claims(self) -> dict[str, object]:
        """Return the claims of a good token."""
        now = datetime.now(UTC)
        return {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "s-1",
            "email": "rahim@acme.example",
            "email_verified": True,
            "iat": now,
            "exp": now + timedelta(minutes=5),
        }

    def caller(self, **claims: object) -> Api:
        """Return a caller with such a token."""
        return bearing(self.token(**claims))

    def unsigned(self) -> str:
        """Make a token that says that it needs no signature."""
        return jwt.encode(self._plain(), None, algorithm="none", headers={"kid": KID})

    def confused(self) -> str:
        """Sign with HMAC, the public key being the secret: what a careless verifier takes for RS256."""
        public = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        head = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': KID})}.{encoded(self._plain())}"
        signature = hmac.new(public, head.encode(), hashlib.sha256).digest()
        return f"{head}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def _plain(self) -> dict[str, object]:
        return {
            name: int(value.timestamp()) if isinstance(value, datetime) else value
            for name, value in self.claims().items()
        }


def encoded(part: object) -> str:
    """Write one part of a token by hand."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def bearing(token: str) -> Api:
    """Return a caller who shows a token."""
    return Api(headers={"authorization": f"Bearer {token}"})


@pytest.fixture(scope="session", name="signing_key")
def _signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(name="issuer")
def _issuer(signing_key: rsa.RSAPrivateKey, database: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """Serve the key as an OIDC issuer does, and have the product trust it."""
    jwk = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(signing_key.public_key())), "kid": KID, "use": "sig"}
    served = json.dumps({"keys": [jwk]}).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(served)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        trust(monkeypatch, f"http://127.0.0.1:{server.server_port}/jwks.json")
        yield Issuer(signing_key)
        server.shutdown()
    settings.cache_clear()
    tokens._issuer_keys.cache_clear()


def trust(monkeypatch: pytest.MonkeyPatch, jwks_url: str, *, issuer: str = ISSUER, audience: str = AUDIENCE) -> None:
    """Have the product trust an issuer."""
    monkeypatch.setenv("OIDC_ISSUER", issuer)
    monkeypatch.setenv("OIDC_AUDIENCE", audience)
    monkeypatch.setenv("OIDC_JWKS_URL", jwks_url)
    settings.cache_clear()
    tokens._issuer_keys.cache_clear()


@pytest.fixture(name="acme")
def _acme(database: object) -> Iterator[Cast]:
    cast = tenant("Acme")
    yield cast
    sql(cast, "delete from members")  # the next test's people have the same addresses


@pytest.fixture(name="zenith")
def _zenith(database: object) -> Iterator[Cast]:
    cast = tenant("Zenith")
    yield cast
    sql(cast, "delete from members")
