"""API keys: `wbk_<tenant>_<secret>`. The key names its tenant, so that its row is read under row-level security."""

import hashlib
import secrets
from uuid import UUID

from chalicelib.kernel.errors import WrongKey

_TENANT, _PLATFORM = "wbk", "wbp"


def make(tenant_id: UUID | None) -> str:
    """Make a new key, for a tenant or for the platform; 256 bits of it are secret."""
    secret = secrets.token_urlsafe(32)
    return f"{_TENANT}_{tenant_id.hex}_{secret}" if tenant_id else f"{_PLATFORM}_{secret}"


def digest(key: str) -> bytes:
    """Return the hash of a key that is stored. The key is random, so one round of SHA-256 is enough."""
    # a header may have any characters, even half of a surrogate pair; such a key is simply unknown
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()


def tenant_of(key: str) -> UUID | None:
    """Return the tenant that a key claims, or None for a platform key. Raises WrongKey for what is no key."""
    kind, _, rest = key.partition("_")
    if kind == _PLATFORM and rest:
        return None
    try:
        if kind == _TENANT:
            return UUID(hex=rest.partition("_")[0])
    except ValueError:
        pass
    raise WrongKey("This is not an API key. A key starts with wbk_ and was shown once when it was made.")
