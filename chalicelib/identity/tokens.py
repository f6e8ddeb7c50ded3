"""OIDC tokens, verified here and not by API Gateway, whose authorizer does not exist on a developer's machine."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt

from chalicelib.backing.settings import settings
from chalicelib.kernel.errors import Busy, InvalidToken, Unauthenticated

ALGORITHMS = ["RS256", "ES256"]  # asymmetric only: a shared-secret token could be forged with the public key
LONGEST_TOKEN = 8_192  # characters; API Gateway takes 10,240 bytes of all headers together
LONGEST_SUBJECT = 255  # characters, by OpenID Connect Core, section 2
LAST_MOMENT = 253_402_300_799  # seconds since 1970: the last one of the year 9999


@dataclass(frozen=True, slots=True)
class Identity:
    """The bearer of a verified token; `email` only if the issuer has verified it."""

    issuer: str
    subject: str
    email: str | None


def verify(token: str) -> Identity:
    """Check signature, issuer, audience and expiry of an ID token, and return its bearer.

    Until the signature is verified, everything in a token comes from its bearer. So anything wrong with it, in any
    part, raises the same InvalidToken.
    """
    known = settings()
    if not known.oidc_issuer:
        raise Unauthenticated("Tokens are not accepted here: no OIDC issuer is configured. Use an API key.")
    if len(token) > LONGEST_TOKEN:
        raise InvalidToken(f"The token has {len(token):,} characters; ours have at most {LONGEST_TOKEN:,}.")
    try:
        key = _issuer_keys(known.oidc_jwks_url).get_signing_key(_key_id(token))
        # the key's own algorithm, not the header's: a forged header must not choose how it is verified
        if key.algorithm_name not in ALGORITHMS:
            raise ValueError("the issuer's key is of another algorithm")
        claims = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=known.oidc_issuer,
            audience=known.oidc_audience,
            leeway=30,
            options={"require": ["exp", "iat", "iss", "sub", "aud"]},
        )
        return _identity(claims)
    except jwt.ExpiredSignatureError:
        raise InvalidToken("The token has expired; sign in again.") from None
    except jwt.PyJWKClientConnectionError:
        raise Busy("The issuer of tokens cannot be reached right now; try again in a few seconds.") from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise InvalidToken("The token is not one of ours: wrong signature, issuer, audience or form.") from None


def _key_id(token: str) -> str:
    """Return the `kid` of a token's header. Raises ValueError if there is none, or the algorithm is not allowed."""
    header = jwt.get_unverified_header(token)
    key_id, algorithm = header.get("kid"), header.get("alg")
    if not (isinstance(key_id, str) and key_id and algorithm in ALGORITHMS):
        raise ValueError("no key, or an algorithm that we do not take")
    return key_id


def _identity(claims: dict[str, Any]) -> Identity:
    """Return the bearer in verified claims. Raises ValueError for claims that no issuer would write."""
    subject, email = claims["sub"], claims.get("email")
    if max(float(claims["exp"]), float(claims["iat"])) > LAST_MOMENT:
        raise ValueError("a moment after the end of time")
    if not (isinstance(subject, str) and 0 < len(subject) <= LONGEST_SUBJECT):  # OpenID Connect Core, section 2
        raise ValueError("the subject is none")
    for text in (subject, email):
        if isinstance(text, str) and ("\x00" in text or not text.isprintable()):  # NUL, half of a surrogate pair
            raise ValueError("a text that nobody is called by")
    verified = str(claims.get("email_verified", "")).lower() == "true"
    return Identity(claims["iss"], subject, str(email).lower() if email and verified else None)


@cache
def _issuer_keys(url: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(url, cache_keys=True, lifespan=3600, timeout=5)
