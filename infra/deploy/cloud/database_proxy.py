"""The database proxy as functions see it: the URL that they connect to, and how many connections it can open.

Functions show the proxy a token of their IAM role, and know no password. The proxy itself is in foundation.yaml.
"""

from __future__ import annotations

from typing import Any

from infra.deploy.cloud.sizes import Size

APPLICATION = "wagebook_app"  # the role that functions have in the database
DATABASE = "wagebook"
PORT = 5432
CA = "/etc/pki/tls/certs/ca-bundle.crt"  # where Lambda and CodeBuild keep it; the proxy's certificate is Amazon's own
SHARE = 90  # percent of the database's connections; the rest is for migrations and people
AT_ONCE = 1000  # functions that Lambda runs at once for an account, unless AWS was asked for more


def url(host: dict[str, Any]) -> dict[str, Any]:
    """Return the application's URL without a password; TLS verifies the server's certificate."""
    template = f"postgresql://{APPLICATION}@${{Host}}:{PORT}/{DATABASE}?sslmode=verify-full&sslrootcert={CA}"
    return {"Fn::Sub": [template, {"Host": host}]}


def connections(size: Size) -> int:
    """Estimate how many connections the proxy can open in a database of its largest size.

    Aurora's `max_connections` is LEAST({DBInstanceClassMemory/9531392},5000); an ACU has 2 GiB, of which the engine
    itself takes a part, here a tenth; below 1 ACU of least capacity it is 2,000 at most.
    """
    memory = size.most_capacity * 2 * 1024**3 * 0.9
    most = min(int(memory / 9_531_392), 5000 if size.least_capacity >= 1 else 2000)
    return most * SHARE // 100
