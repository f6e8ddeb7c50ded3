"""The OpenAPI 3.1 document, made from the endpoints' own declarations."""

import inspect
import json
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from chalicelib.entry.bodies import RawBody
from chalicelib.entry.problems import PROBLEM
from chalicelib.entry.registry import ENDPOINTS, DeclaredEndpoint

TITLE, VERSION = "Wagebook", "0.1.0"
SENTENCE = (
    "Attendance becomes a pay register, the register becomes balances and payslips, and every amount explains itself."
)
_REFS = "#/components/schemas/{model}"
_REFUSALS = {
    "400": "The request cannot be read.",
    "401": "No credentials, or bad ones.",
    "403": "Not permitted for this role.",
    "404": "Not there, or not yours.",
    "405": "This route does not take this method.",
    "409": "The present state does not allow this.",
    "412": "Somebody changed it in the meantime.",
    "413": "More than can be taken at once.",
    "415": "This route does not take this content type.",
    "421": "The tenant lives in another cell, which `cell` names.",
    "422": "Readable, but wrong: each place is named.",
    "429": "More requests than the tenant may make in a minute.",
    "503": "Not now; try again after a moment.",
}
_WAITS = {"headers": {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}}}
_CHALLENGES = {"headers": {"WWW-Authenticate": {"description": "how to authenticate", "schema": {"type": "string"}}}}
_EXTRA = {"401": _CHALLENGES, "429": _WAITS, "503": _WAITS}
_OPEN_REFUSALS = ("400", "405", "413", "415", "422", "503")
_PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "cell": {"type": "string", "description": "where the tenant lives (421)"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


@cache
def document() -> str:
    """Return the whole document as JSON; it is the same for all callers, so it is made once."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for endpoint in ENDPOINTS:
        if isinstance(endpoint.body, type) and issubclass(endpoint.body, BaseModel):
            models.append((endpoint.body, "validation"))
        if _is_model(endpoint.reply):
            models.append((endpoint.reply, "serialization"))
    names, schemas = models_json_schema(list(dict.fromkeys(models)), ref_template=_REFS)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, names)
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": TITLE, "version": VERSION, "description": SENTENCE},
            "servers": [{"url": "."}],
            "tags": [{"name": area} for area in dict.fromkeys(_tag(endpoint) for endpoint in ENDPOINTS)],
            "paths": paths,
            "components": {
                "schemas": {**_without_unset(schemas.get("$defs", {})), "Problem": _PROBLEM_SCHEMA},
                "securitySchemes": {
                    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                    "Token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                },
            },
        }
    )


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _tag(endpoint: DeclaredEndpoint) -> str:
    return endpoint.area.replace("_", " ")


def _operation(endpoint: DeclaredEndpoint, names: Any) -> dict[str, Any]:
    """Write one endpoint's operation object."""
    summary, _, rest = inspect.getdoc(endpoint.function).partition("\n\n")  # type: ignore[union-attr]  # a test: all have one
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.area}_{endpoint.function.__name__}",
        "tags": [_tag(endpoint)],
        "summary": " ".join(summary.split()).rstrip("."),
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, names),
        "security": [{"ApiKey": []}, {"Token": []}] if endpoint.may else [],
    }
    if rest:
        operation["description"] = rest
    if endpoint.may:
        operation["x-permission"] = endpoint.may
    if endpoint.body is RawBody:
        rows: dict[str, Any] = {
            "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
            "text/csv": {"schema": {"type": "string"}},
            "application/xml": {"schema": {"type": "string"}},
            "text/xml": {"schema": {"type": "string"}},
        }
        operation["requestBody"] = {"required": True, "content": {kind: rows[kind] for kind in endpoint.accepts}}
    elif endpoint.body is not None:
        content = {"application/json": {"schema": names[endpoint.body, "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(endpoint: DeclaredEndpoint) -> list[dict[str, Any]]:
    """Write the parameters of path, query and headers."""
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": kind.json_schema()}
        for name, kind in endpoint.path_types.items()
    ]
    if endpoint.query is not None:
        schema = TypeAdapter(endpoint.query).json_schema()
        parameters += [
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "description": part.get("description", ""),
                "schema": _inlined(part, schema.get("$defs", {})),
            }
            for name, part in schema["properties"].items()
        ]
    if endpoint.may:
        parameters.append(_header("X-Tenant", "which of your tenants, where you belong to several"))
    if endpoint.takes_version:
        parameters.append(_header("If-Match", "the ETag you saw; a stale one is refused with 412"))
    if endpoint.takes_idempotency_key:
        parameters.append(
            _header(
                "Idempotency-Key",
                "the same key and body replays the stored answer",
                required=endpoint.needs_idempotency_key,
            )
        )
    return parameters


def _without_unset(part: Any) -> Any:
    """Remove `default: null` where null may not be sent: it stands for a field left out (UNSET)."""
    if isinstance(part, list):
        return [_without_unset(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    nullable = any(one.get("type") == "null" for one in part.get("anyOf", ()))
    return {
        name: _without_unset(inner)
        for name, inner in part.items()
        if nullable or name != "default" or inner is not None
    }


def _inlined(part: Any, definitions: dict[str, Any]) -> Any:
    """Write shared definitions in place: query parameters are flat, and use few of them."""
    if isinstance(part, dict):
        if "$ref" in part:
            return _inlined(definitions[part["$ref"].rsplit("/", 1)[1]], definitions)
        return {name: _inlined(inner, definitions) for name, inner in part.items()}
    return [_inlined(inner, definitions) for inner in part] if isinstance(part, list) else part


def _header(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": 200}
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


def _responses(endpoint: DeclaredEndpoint, names: Any) -> dict[str, Any]:
    """Write the responses: success, and the problem documents that may occur."""
    done: dict[str, Any] = {"description": "Done."}
    if _is_model(endpoint.reply):
        done["content"] = {"application/json": {"schema": names[endpoint.reply, "serialization"]}}
    elif endpoint.status != 204:
        done["content"] = {endpoint.produces: {"schema": {}}}
    open_to_all = (*_OPEN_REFUSALS, *(("404", "421") if endpoint.path_types else ()))
    refusals = _REFUSALS if endpoint.may else {status: _REFUSALS[status] for status in open_to_all}
    problem = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(endpoint.status): done} | {
        status: {"description": description, "content": problem, **_EXTRA.get(status, {})}
        for status, description in refusals.items()
    }
