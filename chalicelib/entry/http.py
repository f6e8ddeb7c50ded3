"""@endpoint: an HTTP entry point. It owns transaction, scope, validation, errors, idempotency, ETag and log."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID, uuid4

from chalice import Blueprint, Response
from chalice.app import Request
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy.exc import DBAPIError

from chalicelib.backing import clock, outbox
from chalicelib.backing.log import duration, logger
from chalicelib.entry import idempotency, limits
from chalicelib.entry.bodies import RawBody, check_text, is_no_body, parse_model, refuse_body
from chalicelib.entry.idempotency import StoredReply
from chalicelib.entry.problems import PROBLEM, RETRYABLE, document, fault_of, headers_of, places_of, problem
from chalicelib.entry.registry import ENDPOINTS, DeclaredEndpoint, describe
from chalicelib.entry.reply_headers import NO_STORE, REVALIDATED
from chalicelib.identity.callers import caller_scope
from chalicelib.identity.scope import Origin, PlatformScope, Scope, check
from chalicelib.kernel.errors import Invalid, NotFound, Unreadable, invalid
from chalicelib.kernel.schema import STORED

JSON = "application/json"
TRIES = 3  # the victim of a deadlock is retried: nothing of it was committed


@dataclass(frozen=True, slots=True)
class JsonReply:
    """A reply that is JSON text already, such as JSON written by the database; it is sent unchanged."""

    text: str
    cache: str = NO_STORE


@dataclass(frozen=True, slots=True)
class FileReply:
    """A reply that is a file."""

    content: str | bytes
    content_type: str
    name: str | None = None
    cache: str = NO_STORE


def endpoint(
    blueprint: Blueprint,
    method: str,
    path: str,
    *,
    may: str | None,
    status: int = 200,
    moves_money: bool = False,
    accepts: tuple[str, ...] = (JSON,),
    produces: str = JSON,
    reply: type[BaseModel] | None = None,
    shown_once: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Make a function an HTTP endpoint.

    `may` is the permission of identity.permissions that the caller needs, or None for an endpoint open to all.
    The signature declares the rest: `scope`, `body` (a model, or RawBody), `query` (a model), `if_match` (the version
    that the caller saw, or None), and path parameters by name. The reply is the annotated return type; `reply` is the
    model of one that is a JsonReply. `shown_once` names secret fields that a replayed reply has as null.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Response]:
        registered = describe(
            function,
            method=method,
            path=path,
            may=may,
            status=status,
            moves_money=moves_money,
            accepts=accepts,
            produces=produces,
            reply=reply,
            shown_once=shown_once,
        )
        ENDPOINTS.append(registered)

        @wraps(function)
        def handler(**path_values: str) -> Response:
            return _serve(registered, blueprint.current_request, path_values)

        handler.__name__ = f"{function.__module__.rsplit('.', 2)[-2]}_{function.__name__}"
        route = blueprint.route(path, methods=[method], name=handler.__name__, content_types=list(accepts))
        route(handler)
        return handler

    return register


def _serve(registered: DeclaredEndpoint, request: Request, path_values: Mapping[str, str]) -> Response:
    """Handle one request: errors become problem documents, and the outcome is logged and measured."""
    started = time.perf_counter()
    context, path = request.context, registered.path.format(**path_values)
    origin = Origin(
        request_id=context.get("requestId") or str(uuid4()),
        ip=(context.get("identity") or {}).get("sourceIp"),
        agent=(request.headers.get("user-agent") or "")[:200] or None,
    )
    logger.thread_safe_append_keys(
        request_id=origin.request_id, endpoint=f"{registered.method} {registered.path}", tenant=None, actor=None
    )
    try:
        reply = _handle(registered, request, path_values, origin)
    except Exception as error:
        fault = fault_of(error)
        if fault is None:
            logger.exception("failed")
            reply = StoredReply(
                500,
                {"Content-Type": PROBLEM},
                problem(
                    status=500,
                    kind="internal",
                    title="Something went wrong on our side",
                    instance=path,
                    detail=f"It is logged under request {origin.request_id}; nothing was changed.",
                ),
            )
        else:
            code, body = document(fault, instance=path)
            reply = StoredReply(code, headers_of(fault), body)
    milliseconds = (time.perf_counter() - started) * 1000
    logger.info("served", status=reply.status, ms=round(milliseconds, 1))
    duration(
        "Served", milliseconds, endpoint=f"{registered.method} {registered.path}", status=f"{reply.status // 100}xx"
    )
    return Response(reply.body, {**reply.headers, "X-Request-Id": origin.request_id}, reply.status)


def _handle(
    registered: DeclaredEndpoint, request: Request, path_values: Mapping[str, str], origin: Origin
) -> StoredReply:
    """Handle one request within the rate limit; take a new lease of the limit first where the process has none."""
    if registered.may is None:
        return _render(registered, registered.function(**_read_arguments(registered, request, path_values)))
    limits.reject_flood(request.headers)
    try:
        return _handle_with_retries(registered, request, path_values, origin, counted=False)
    except limits.LeaseNeeded as need:  # nothing was done yet, and its transaction is over
        limits.take_lease(need)
        return _handle_with_retries(registered, request, path_values, origin, counted=True)


def _handle_with_retries(
    registered: DeclaredEndpoint, request: Request, path_values: Mapping[str, str], origin: Origin, *, counted: bool
) -> StoredReply:
    """Run the request's transaction, again where it lost a deadlock or a serialization conflict."""
    for attempt in range(1, TRIES + 1):
        try:
            return _handle_in_transaction(registered, request, path_values, origin, counted=counted or attempt > 1)
        except DBAPIError as error:
            if attempt == TRIES or not isinstance(error.orig, RETRYABLE):
                raise
    raise AssertionError("unreachable")


def _handle_in_transaction(
    registered: DeclaredEndpoint, request: Request, path_values: Mapping[str, str], origin: Origin, *, counted: bool
) -> StoredReply:
    """Do the whole request in one transaction; messages are sent after its commit.

    Order: authenticate, count for the rate limit (unless `counted`), check the permission, replay the idempotency
    key, validate, call the endpoint's function, keep the reply under the key, append to the audit.
    """
    with caller_scope(request.headers, now=clock.now(), origin=origin) as scope:
        tenant = scope.tenant.slug if isinstance(scope, Scope) else "-"
        logger.thread_safe_append_keys(tenant=tenant, actor=f"{scope.actor.role}:{scope.actor.name}")
        if isinstance(scope, Scope) and not counted:
            limits.spend(scope, limits.credentials_of(request.headers))
        check(scope, registered.may or "")
        key, digest = request.headers.get("idempotency-key") if registered.takes_idempotency_key else None, b""
        if registered.needs_idempotency_key and not key:
            raise Invalid("Send an Idempotency-Key: this moves money, and a repeated request must not move it twice.")
        if key:
            path, query = registered.path.format(**path_values), dict((request.query_params or {}).items())
            raw = _raw_body(request)
            digest = idempotency.key_digest(scope, registered.method, path, query, b"" if is_no_body(raw) else raw)
            if stored := idempotency.replay(scope, key, digest):
                return stored
        arguments = _read_arguments(registered, request, path_values)
        reply = _render(registered, registered.function(scope=scope, **arguments))
        if key:
            idempotency.keep(scope, key, digest, reply, without=registered.shown_once)
        for write in scope.at_commit:
            write()
    _send_outgoing(scope)
    return reply


def _send_outgoing(scope: Scope | PlatformScope) -> None:
    try:
        outbox.send(scope.outgoing)
    except Exception:  # the work is committed; the sweeper will send what could not be sent now
        logger.exception("messages wait for the sweeper", waiting=len(scope.outgoing))


def _read_arguments(registered: DeclaredEndpoint, request: Request, path_values: Mapping[str, str]) -> dict[str, Any]:
    """Parse and validate what the endpoint's function takes, by parameter name."""
    # where another type is accepted, the body is ignored: a mail program's one-click unsubscribe posts a form
    if registered.body is None and registered.accepts == (JSON,):
        refuse_body(_raw_body(request))
    arguments: dict[str, Any] = {
        name: _read_path_value(registered, name, kind, path_values[name])
        for name, kind in registered.path_types.items()
    }
    if registered.query is not None:
        arguments["query"] = _read_query(registered.query, request.query_params)
    elif request.query_params:
        raise invalid("/" + next(iter(request.query_params)), "this route takes no query parameters")
    if registered.body is RawBody:
        arguments["body"] = RawBody(request.headers.get("content-type", JSON), _raw_body(request))
    elif registered.body is not None:
        arguments["body"] = parse_model(registered.body, _raw_body(request))  # type: ignore[type-var]  # a model, as RawBody was above
    if registered.takes_version:
        arguments["if_match"] = _read_if_match(request.headers.get("if-match"))
    return arguments


def _raw_body(request: Request) -> bytes:
    """Return the body's bytes. Raises Unreadable where the event's text cannot be encoded."""
    try:
        body: Any = request.raw_body
        return bytes(body)
    except UnicodeEncodeError:
        raise Unreadable("The body is not UTF-8.") from None


def _read_path_value(registered: DeclaredEndpoint, name: str, kind: TypeAdapter[Any], text: str) -> object:
    """Parse one path parameter; what is no id is NotFound, as an unknown id would be."""
    if name in registered.path_is_id:
        try:
            return UUID(text)
        except ValueError:
            raise NotFound("There is none with this id.") from None
    try:
        return kind.validate_strings(text)
    except ValidationError as error:
        raise invalid(f"/{name}", places_of(error)[0].detail) from None


def _read_query(model: type[BaseModel], params: Any) -> BaseModel:
    """Parse query parameters into the model, each given at most once."""
    values = dict(params.items()) if params else {}
    for name, value in values.items():
        check_text(name)
        check_text(value)
    if params and any(len(params.getlist(name)) > 1 for name in values):
        raise Invalid("A query parameter is given twice.")
    return model.model_validate_strings(values)


def _read_if_match(header: str | None) -> int | None:
    """Return the version in an If-Match header; None where there is none, or `*`."""
    if header is None or header == "*":
        return None
    number = header.removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Invalid('If-Match must be the ETag of the row, such as "3".')
    return int(number)


def _render(registered: DeclaredEndpoint, result: Any) -> StoredReply:
    """Return the HTTP reply for what an endpoint's function returned; a version becomes the ETag."""
    status = registered.status
    if isinstance(result, FileReply):
        headers = {"Content-Type": result.content_type, "Cache-Control": result.cache}
        if result.name:
            headers["Content-Disposition"] = f'attachment; filename="{result.name}"'
        return StoredReply(status, headers, result.content)  # type: ignore[arg-type]  # Chalice takes bytes too
    if result is None:
        return StoredReply(204, {"Content-Type": JSON}, "")
    if isinstance(result, JsonReply):
        return StoredReply(status, {"Content-Type": JSON, "Cache-Control": result.cache}, result.text)
    reply = result if isinstance(result, BaseModel) else registered.reply.model_validate(result, context=STORED)
    headers = {"Content-Type": JSON}
    version = getattr(reply, "version", None)
    if version is not None:
        headers["ETag"] = f'"{version}"'
        if registered.method == "GET":
            headers["Cache-Control"] = REVALIDATED
    return StoredReply(status, headers, reply.model_dump_json(by_alias=True))
