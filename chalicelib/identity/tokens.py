"""OIDC tokens, verified here and not at the gateway: the gateway's check does not exist locally."""

from dataclasses import dataclass
from functools import cache

import jwt

from chalicelib.backing.settings import settings
from chalicelib.kernel.errors import Busy, Unauthenticated

ALGORITHMS = ["RS256", "ES256"]  # asymmetric only: a shared-secret token could be forged with the public key


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token says its bearer is; `email` only if the issuer has verified it."""

    issuer: str
    subject: str
    email: str | None


def verify(token: str) -> Identity:
    """This will check signature, issuer, audience and expiry of an ID token, and say whose it is."""
    known = settings()
    if not known.oidc_issuer:
        raise Unauthenticated("Tokens are not accepted here: no OIDC issuer is configured. Use an API key.")
    try:
        key = _issuer_keys(known.oidc_jwks_url).get_signing_key_from_jwt(token)
        claims = jwt.decode(
            token,
            key.key,
            algorithms=ALGORITHMS,
            issuer=known.oidc_issuer,
            audience=known.oidc_audience,
            leeway=30,
            options={"require": ["exp", "iat", "iss", "sub", "aud"]},
        )
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("The token has expired; sign in again.") from None
    except jwt.PyJWKClientConnectionError:
        raise Busy("The issuer of tokens cannot be reached right now; try again in a few seconds.") from None
    except (jwt.PyJWTError, ValueError):
        raise Unauthenticated("The token is not one of ours: wrong signature, issuer, audience or form.") from None
    email = claims.get("email")
    verified = str(claims.get("email_verified", "")).lower() == "true"
    return Identity(claims["iss"], claims["sub"], str(email).lower() if email and verified else None)


@cache
def _issuer_keys(url: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(url, cache_keys=True, lifespan=3600, timeout=5)
