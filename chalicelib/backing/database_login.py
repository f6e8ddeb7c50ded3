"""Log in at the database's proxy (RDS Proxy): each new connection shows an IAM token signed by the function's role.

So no function knows a password, and its role's policy (`rds-db:connect`) says as which user it may log in. A token
opens connections for 15 minutes, and is signed without a call:
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-connecting.html
"""

import os
from functools import cache
from typing import Any
from urllib.parse import urlencode

LASTS = 900  # seconds; the longest that AWS accepts


def sign_in(_dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
    """Set the password of a connection that is about to be made: a listener of SQLAlchemy's event `do_connect`."""
    parameters["password"] = token(
        host=parameters["host"], port=int(parameters.get("port", 5432)), user=parameters["user"]
    )


def token(*, host: str, port: int, user: str) -> str:
    """Return a signed token that the proxy accepts as the password of `user`, by this process's credentials."""
    from botocore.auth import SigV4QueryAuth  # takes 0.1 s, which the API's cold start must not pay
    from botocore.awsrequest import AWSRequest

    request = AWSRequest("GET", f"https://{host}:{port}/?{urlencode({'Action': 'connect', 'DBUser': user})}")
    region = os.environ["AWS_REGION"]  # set by Lambda and CodeBuild
    SigV4QueryAuth(_session().get_credentials(), "rds-db", region, expires=LASTS).add_auth(request)
    return str(request.url).removeprefix("https://")


@cache
def _session() -> Any:
    import botocore.session

    return botocore.session.Session()
