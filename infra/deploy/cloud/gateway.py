"""API Gateway: its rate limit, and its own refusals as problem documents like all others."""

import json
from typing import Any

from chalicelib.entry.problems import PROBLEM
from chalicelib.entry.reply_headers import SECURITY_HEADERS
from chalicelib.kernel.errors import Unauthenticated
from infra.deploy.cloud.naming import physical

AT_ONCE = 200  # requests; kept for the API of the account's 1,000, whatever queues ask for, and all the proxy may meet
PER_SECOND = 10 * AT_ONCE  # where each takes a tenth of a second; tenants' own limits are far below
AGAIN_AFTER = 1  # seconds; the Retry-After of requests that were throttled

# by the gateway's word for it: status (none: whichever it is), kind, title
REFUSALS: dict[str, tuple[int | None, str, str]] = {
    "DEFAULT_4XX": (None, "unreadable", "The request cannot be read"),
    "DEFAULT_5XX": (None, "internal", "Something went wrong on our side"),
    "UNAUTHORIZED": (401, "unauthenticated", "Who you are is not known"),
    "ACCESS_DENIED": (403, "forbidden", "You may not do this"),
    "MISSING_AUTHENTICATION_TOKEN": (404, "not-found", "There is no such route"),  # what it says of unknown paths
    "RESOURCE_NOT_FOUND": (404, "not-found", "There is no such route"),
    "REQUEST_TOO_LARGE": (413, "too-large", "The request is too large"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "unsupported-media-type", "This route does not take this content type"),
    "THROTTLED": (429, "too-many-requests", "There are too many requests right now; try again in a second"),
    "QUOTA_EXCEEDED": (429, "too-many-requests", "There are too many requests right now; try again in a second"),
    # The function was not called, for all its places were taken (to the gateway that is a failure), or broke down.
    "INTEGRATION_FAILURE": (503, "busy", "This cannot be answered right now; try again in a second"),
    "INTEGRATION_TIMEOUT": (504, "internal", "It took too long"),
}


def properties(stage: str) -> dict[str, Any]:
    """Return the API's properties that Chalice leaves out: rate limit and refusals."""
    return {
        "DefinitionBody": definition(stage),
        "MethodSettings": [
            {
                "ResourcePath": "/*",
                "HttpMethod": "*",
                "ThrottlingRateLimit": PER_SECOND,
                "ThrottlingBurstLimit": AT_ONCE,
            }
        ],
    }


def definition(stage: str) -> dict[str, Any]:
    """Return what is added to the API's Swagger document. The title is the API's name, also in metrics."""
    return {
        "info": {"title": physical(stage, "api")},
        "x-amazon-apigateway-gateway-responses": {
            response: _response(*refusal) for response, refusal in REFUSALS.items()
        },
    }


def _response(status: int | None, kind: str, title: str) -> dict[str, Any]:
    body = {
        "type": f"urn:wagebook:problem:{kind}",
        "title": title,
        **({"status": status} if status else {}),
        "detail": title,
        "instance": "$context.path",
    }
    headers = {"Content-Type": PROBLEM, **SECURITY_HEADERS}
    if status in (429, 503):
        headers["Retry-After"] = str(AGAIN_AFTER)
    if status == 401:
        headers["WWW-Authenticate"] = Unauthenticated.challenge
    return {
        **({"statusCode": str(status)} if status else {}),
        "responseParameters": {
            "gatewayresponse.header.X-Request-Id": "context.requestId",
            **{f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()},
        },
        "responseTemplates": {"application/json": json.dumps(body)},
    }
