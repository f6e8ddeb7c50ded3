"""Logging in at the database's proxy: each new connection shows a token that the function's own role has signed.

So no function knows a password, and what may log in as whom is a line of its role's policy (`rds-db:connect`). A token
opens connections for 15 minutes, and signing one asks nobody: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-connecting.html
"""

import os
from functools import cache
from typing import Any
from urllib.parse import urlencode

LASTS = 900  # seconds; the longest that AWS takes


def sign_in(_dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
    """Return a connection that is about to be made its password; an event of SQLAlchemy, `do_connect`."""
    parameters["password"] = token(
        host=parameters["host"], port=int(parameters.get("port", 5432)), user=parameters["user"]
    )


def token(*, host: str, port: int, user: str) -> str:
    """Sign what the proxy takes as the password of `user`, by the credentials of this process."""
    from botocore.auth import SigV4QueryAuth  # a tenth of a second, which an import of the API must not take
    from botocore.awsrequest import AWSRequest

    request = AWSRequest("GET", f"https://{host}:{port}/?{urlencode({'Action': 'connect', 'DBUser': user})}")
    region = os.environ["AWS_REGION"]  # as Lambda and CodeBuild say it
    SigV4QueryAuth(_session().get_credentials(), "rds-db", region, expires=LASTS).add_auth(request)
    return str(request.url).removeprefix("https://")


@cache
def _session() -> Any:
    import botocore.session

    return botocore.session.Session()
