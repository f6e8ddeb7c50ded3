"""The OpenAPI document is valid, and requests generated from it get only responses that it describes.

`WAGEBOOK_EXAMPLES=1000 .venv/bin/pytest tests/architecture/test_openapi.py` looks longer, with another seed each time.
"""

import json
import os
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

import app
from chalicelib.backing import queues
from chalicelib.entry import openapi
from chalicelib.entry.registry import CONSUMERS, ENDPOINTS, DeclaredEndpoint
from chalicelib.identity.permissions import GRANTS, Role
from infra.local.aws import make_queues
from infra.local.lambda_events import Context
from tests.architecture.generated import JUNK, Strategies, as_csv, as_json, mutate, rows
from tests.architecture.samples import BODIES, FIELDS, PLAIN, employee_of, make_all, parameters
from tests.support.api import Api, event
from tests.support.cast import Cast, platform_admin, tenant

EXAMPLES = int(os.environ.get("WAGEBOOK_EXAMPLES", "0"))
DOCUMENT = json.loads(openapi.document())
OPERATIONS = [(endpoint, DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]) for endpoint in ENDPOINTS]
REPLIES = jsonschema.Draft202012Validator({"components": DOCUMENT["components"]})
COLUMNS = ["employee_no", "user_id", "date", "check_in", "check_out", "worked_minutes", "status", "half", "name",
           "email",
           "joined_on", "left_on", "branch", "department", "shift", "manager_employee_no", "salary_amount",
           "salary_frequency", "salary_effective_from"]  # fmt: skip
HEADERS: dict[str, list[str]] = {
    "if-match": ['"1"', 'W/"1"', "*", '"999"', "abc", '""', "9" * 30, '"١"'],
    "idempotency-key": ["k1", "k2", "", " ", "x" * 300, "\x00", "ü"],
    "x-tenant": ["acme", "", "\x00", "ü"],
    "content-type": ["application/json; charset=utf-8", "text/csv", "text/plain", "", "application/json;", "nonsense"],
}


class TestDocument:
    def test_describes_every_endpoint_once(self) -> None:
        assert DOCUMENT["openapi"] == "3.1.0"
        assert len(OPERATIONS) == len({one["operationId"] for _, one in OPERATIONS}) >= 73
        assert sum(len(methods) for methods in DOCUMENT["paths"].values()) == len(ENDPOINTS)

    def test_has_schemas_that_are_json_schema(self) -> None:
        for schema in DOCUMENT["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def test_has_defaults_that_its_own_schemas_allow(self) -> None:
        for name, schema in DOCUMENT["components"]["schemas"].items():
            for field, part in schema.get("properties", {}).items():
                if "default" in part:
                    assert REPLIES.evolve(schema=within(part)).is_valid(part["default"]), f"{name}.{field}"

    def test_refers_only_to_what_it_has(self) -> None:
        referred = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(DOCUMENT)))
        assert referred - {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]} == set()

    def test_describes_every_parameter_and_answer(self) -> None:
        for endpoint, operation in OPERATIONS:
            described = [(part["name"], part["in"]) for part in operation["parameters"]]
            assert len(described) == len(set(described))
            in_path = {name for name, place in described if place == "path"}
            assert in_path == set(re.findall(r"\{(\w+)\}", endpoint.path))
            assert all(answer["description"] for answer in operation["responses"].values())
            assert operation["summary"]
            assert ("401" in operation["responses"]) == (endpoint.may is not None)

    def test_is_served(self, office: "Office") -> None:
        assert Api().ok("GET", "/openapi.json") == DOCUMENT


class Office:
    """Two tenants, the callers, and ids of both."""

    def __init__(self) -> None:
        acme, zenith = tenant("Acme"), tenant("Zenith")
        self.callers = {
            "admin": acme.admin,
            "employee": employee_of(acme),
            "outsider": zenith.admin,
            "nobody": Api(),
            "root": platform_admin(),
        }
        # users and tenants that these calls may suspend, lock or change are not the callers
        other: Cast = tenant("Third")
        samples = {**make_all(acme), "/tenants/{tenant_id}": other.id}
        self.ids = [
            str(one) for one in [*samples.values(), *make_all(zenith).values()] if one not in (acme.id, zenith.id)
        ]
        self.samples = samples
        named = {field: [str(samples[place])] for field, place in FIELDS.items()}
        self.strategies = Strategies(DOCUMENT, self.ids, named)

    def own(self, path: str) -> dict[str, str]:
        """Return Acme's ids for the parameters of a path."""
        return {part: str(self.samples[place]) for part, place in parameters(path).items() if part not in PLAIN}


@pytest.fixture(scope="module", name="office")
def _office(database: object) -> Iterator[Office]:
    with mock_aws():
        make_queues(boto3.client("sqs"), [queues.configured_name(queue) for queue in CONSUMERS])
        queues.client.cache_clear()
        queues.url_of.cache_clear()
        yield Office()
    queues.client.cache_clear()
    queues.url_of.cache_clear()


@st.composite
def requests(
    draw: Any, endpoint: DeclaredEndpoint, operation: dict[str, Any], office: Office
) -> tuple[str, dict[str, Any]]:
    """Draw one request of an operation: the caller and the event."""
    caller = draw(st.sampled_from([*["admin"] * 8, "employee", "outsider", "nobody", "root"]))
    if endpoint.may == "platform.tenants" and caller == "admin":
        caller = "root"
    make, own = office.strategies, {**PLAIN, **office.own(endpoint.path)}
    way = draw(st.sampled_from([make.of_field, make.of_field, make.mutated]))
    values: dict[str, dict[str, str]] = {"path": {}, "query": {}}
    for part in operation["parameters"]:
        if part["in"] == "header" or (part["in"] == "query" and not part["required"] and draw(st.integers(0, 3))):
            continue
        value = draw(way(part["name"], part["schema"]))
        if part["in"] == "path" and draw(st.integers(0, 3)):
            value = own.get(part["name"], value)
        values[part["in"]][part["name"]] = value if isinstance(value, str) else json.dumps(value)
    headers = {"content-type": "application/json", **office.callers[caller].headers}
    if office.callers[caller].key:
        headers["x-api-key"] = str(office.callers[caller].key)
    for name, choices in HEADERS.items():
        if draw(st.integers(0, 14)) == 14:
            headers[name] = draw(st.sampled_from(choices))
    request_event = event(
        endpoint.method,
        re.sub(r"\{\w+\}", "x", endpoint.path),
        draw(bodies(endpoint, operation, way, office, headers)),
        headers,
    )
    request_event["resource"] = request_event["requestContext"]["resourcePath"] = endpoint.path
    request_event["path"] = endpoint.path.format(**values["path"])
    request_event["pathParameters"] = values["path"] or None
    query = {name: [value] for name, value in values["query"].items()}
    if draw(st.integers(0, 29)) == 29:
        query[draw(st.sampled_from(["nonsense", "limit", "\x00", "cursor"]))] = [str(draw(st.sampled_from(JUNK)))] * 2
    request_event["multiValueQueryStringParameters"] = query or None
    return caller, request_event


@st.composite
def bodies(
    draw: Any, endpoint: DeclaredEndpoint, operation: dict[str, Any], way: Any, office: Office, headers: dict[str, str]
) -> str | None:
    """Draw a body that is valid for the operation, or nearly."""
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return draw(st.sampled_from([None, None, "{}", "x"]))
    if draw(st.integers(0, 19)) == 19:
        return draw(
            st.sampled_from([None, "", "{", "[]", "null", "0", '"x"', "[" * 2000, '{"a":1,"a":2}', "NaN", "\ufeff{}"])
        )
    if "text/csv" in content:
        table = draw(rows(COLUMNS, office.ids))
        if draw(st.booleans()):
            headers["content-type"] = "text/csv"
            return as_csv(table)
        return as_json(table)
    good = BODIES.get(f"{endpoint.method} {endpoint.path}")
    if good is not None and draw(st.booleans()):
        return as_json(draw(st.one_of(st.just(good), mutate(st.just(good)))))
    return as_json(draw(way("", content["application/json"]["schema"])))


def judge(endpoint: DeclaredEndpoint, operation: dict[str, Any], caller: str, answer: dict[str, Any]) -> None:
    """Check a response against the document."""
    status, content_type = answer["statusCode"], answer["headers"]["Content-Type"]
    assert status < 500, answer["body"]
    assert str(status) in operation["responses"], f"{status} is not documented: {answer['body']}"
    assert re.fullmatch(r"[0-9a-f-]{36}", answer["headers"].get("X-Request-Id", ""))
    if status >= 400:
        assert content_type == "application/problem+json"
        REPLIES.evolve(schema=within({"$ref": "#/components/schemas/Problem"})).validate(json.loads(answer["body"]))
        assert "Traceback" not in answer["body"]
    elif status != 204 and content_type == "application/json":
        schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
        REPLIES.evolve(schema=within(schema)).validate(json.loads(answer["body"]))
    if endpoint.may and caller == "nobody":
        assert status in (401, 415)
    if caller == "employee" and endpoint.may not in {None, *GRANTS[Role.EMPLOYEE]}:
        assert status in (403, 415)


def within(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema together with the components that it refers to."""
    return {**schema, "components": DOCUMENT["components"]}


@pytest.mark.parametrize(("endpoint", "operation"), OPERATIONS, ids=[f"{d.method} {d.path}" for d in ENDPOINTS])
def test_generated_requests_get_documented_answers(
    endpoint: DeclaredEndpoint, operation: dict[str, Any], office: Office
) -> None:
    @settings(
        max_examples=EXAMPLES or 40,
        derandomize=not EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(endpoint, operation, office))
    def answers(request: tuple[str, dict[str, Any]]) -> None:
        caller, request_event = request
        judge(endpoint, operation, caller, app.app(json.loads(json.dumps(request_event)), Context("api")))

    answers()


def test_checks_above_find_what_is_wrong(office: Office) -> None:
    endpoint, operation = OPERATIONS[0]
    good = {
        "statusCode": 404,
        "headers": {"Content-Type": "application/problem+json", "X-Request-Id": str(uuid4())},
        "body": '{"type": "t", "title": "t", "status": 404, "detail": "d", "instance": "/"}',
    }
    judge(endpoint, operation, "admin", good)
    for wrong in (
        {"statusCode": 500},
        {"statusCode": 418},
        {"body": "{}"},
        {"headers": {**good["headers"], "X-Request-Id": ""}},
        {"headers": {**good["headers"], "Content-Type": "text/html"}},
    ):
        with pytest.raises((AssertionError, jsonschema.ValidationError)):
            judge(endpoint, operation, "admin", {**good, **wrong})
    with pytest.raises(AssertionError):
        judge(endpoint, operation, "nobody", good)
