"""Security and caching headers of every reply, stated once.

Three places send replies: the application (endpoints, and the framework's own refusals), API Gateway before the
function runs (infra/deploy/cloud/gateway.py), and the local server (infra/local/gateway_replies.py). All take them
from here.
"""

from collections.abc import Mapping

NO_STORE = "no-store"  # data of employees and pay must not stay in a cache on a shared machine
REVALIDATED = "private, no-cache"  # a read with an ETag: kept by the caller's own cache, which revalidates each time
PUBLIC = "public, no-cache"  # the same for all callers, such as the documentation

SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": NO_STORE,
    "X-Content-Type-Options": "nosniff",
    # without includeSubDomains: the host may be a tenant's domain, with subdomains that are not ours
    "Strict-Transport-Security": "max-age=31536000",
}


def missing_from(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the security headers that a reply does not set itself (names compared without case)."""
    present = {name.lower() for name in headers}
    return {name: value for name, value in SECURITY_HEADERS.items() if name.lower() not in present}
