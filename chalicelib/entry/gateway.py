"""Write what Chalice itself refuses (404, 405, 415, 500) as problem documents, like all other errors."""

from collections.abc import Callable
from uuid import uuid4

from chalice.app import Request, Response

from chalicelib.entry.problems import PROBLEM, problem

_REFUSALS = {
    400: ("unreadable", "The request cannot be read"),
    404: ("not-found", "There is no such route"),
    405: ("method-not-allowed", "This route does not take this method"),
    415: ("unsupported-media-type", "This route does not take this content type"),
}


def problem_documents(event: Request, get_response: Callable[[Request], Response]) -> Response:
    """Rewrite the framework's own refusals as problem documents; an endpoint's reply passes unchanged."""
    response = get_response(event)
    if response.status_code >= 400 and response.headers.get("Content-Type") != PROBLEM:
        kind, title = _REFUSALS.get(response.status_code, ("internal", "Something went wrong on our side"))
        message = response.body.get("Message") if isinstance(response.body, dict) else None
        response.body = problem(
            status=response.status_code,
            kind=kind,
            title=title,
            detail=str(message or title),
            instance=event.path,
        )
        response.headers["Content-Type"] = PROBLEM
        response.headers.setdefault("X-Request-Id", event.context.get("requestId") or str(uuid4()))
    return response
