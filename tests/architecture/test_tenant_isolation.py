"""The tenant isolation test: another tenant's id is answered like an unknown one, on every route, body and query."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

import app
from chalicelib.entry import openapi
from chalicelib.entry.registry import ENDPOINTS, DeclaredEndpoint
from chalicelib.identity.permissions import Role
from tests.architecture.samples import BODIES, FIELDS, MADE_BY, NOBODY, PLAIN, make_all, parameters
from tests.support.api import Api, Reply
from tests.support.cast import Cast, key, tenant
from tests.support.people import employee, sql

DOCUMENT = json.loads(openapi.document())
HALF = {"status": "leave", "leave_nature": "paid"}
# ... and where an id needs another body.
BODIES_AROUND: dict[tuple[str, Any], Any] = {
    ("PUT /pay-register/{month}/{user_id}/days/{day}", "leave_type_id"): HALF,
    ("PUT /pay-register/{month}/{user_id}/days/{day}", "first_half"): {"first_half": HALF},
    ("PUT /pay-register/{month}/{user_id}/days/{day}", "second_half"): {"second_half": HALF},
    ("PATCH /pay-register/{month}/{user_id}/days/{day}", "first_half"): {"first_half": HALF},
    ("PATCH /pay-register/{month}/{user_id}/days/{day}", "second_half"): {"second_half": HALF},
}
MANY = {"leave_type_id": NOBODY, "cycle_start_date": "2026-01-01", "days": 20, "all": True}
BODIES_AROUND["POST /leave-allocations/bulk", "leave_type_id"] = MANY
BODIES_AROUND["POST /kpi-assignments", "definition_id"] = {
    "definition_id": NOBODY,
    "cycle_start": "2026-01-01",
    "cycle_end": "2026-01-31",
    "all": True,
}
QUERIES = {"DELETE /users/{user_id}/attendance/{date}": "?reason=wrong"}
# Objects of one user, which not even an admin may read: their caller.
MINE: dict[str, Callable[[Cast, UUID], Api]] = {
    "POST /notifications/{notification_id}/open": lambda cast, log_id: key(
        cast.id, Role.EMPLOYEE, sql(cast, "select user_id from notification_logs where id = :id", id=log_id)[0].user_id
    )
}
WITH_ID = [endpoint for endpoint in ENDPOINTS if set(endpoint.path_types) - set(PLAIN)]
# every id of every path: one is another tenant's, the others are the caller's own
IDS = [
    (endpoint, part, place)
    for endpoint in WITH_ID
    for part, place in parameters(endpoint.path).items()
    if part not in PLAIN
]
EACH_ID = pytest.mark.parametrize(
    ("endpoint", "part", "place"), IDS, ids=[f"{endpoint.method} {endpoint.path} {part}" for endpoint, part, _ in IDS]
)


def name(endpoint: DeclaredEndpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def references(schema: dict[str, Any], at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to every id in a schema."""
    if "$ref" in schema:
        yield from references(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]], at)
    for one in schema.get("anyOf", ()):
        yield from references(one, at)
    if schema.get("format") == "uuid":
        yield at
    for inner, part in schema.get("properties", {}).items():
        yield from references(part, (*at, inner))
    if "items" in schema:
        yield from references(schema["items"], (*at, 0))


def ids_in_bodies() -> list[tuple[DeclaredEndpoint, tuple[Any, ...]]]:
    cases = []
    for endpoint in ENDPOINTS:
        content = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()].get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        cases += [
            (endpoint, place) for place in dict.fromkeys(references(schema)) if endpoint.may != "platform.tenants"
        ]
    return cases


def ids_in_queries() -> list[tuple[DeclaredEndpoint, str]]:
    return [
        (endpoint, part["name"])
        for endpoint in ENDPOINTS
        for part in DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]["parameters"]
        if part["in"] == "query" and list(references(part["schema"]))
    ]


IN_BODIES, IN_QUERIES = ids_in_bodies(), ids_in_queries()


@pytest.fixture(scope="module", name="acme_ids")
def _acme_ids(database: object) -> dict[str, UUID]:
    """Make one object of each kind in Acme, the other tenant."""
    return make_all(tenant("Acme"))


@pytest.fixture(scope="module", name="zenith")
def _zenith(database: object) -> Cast:
    return tenant("Zenith")


@pytest.fixture(scope="module", name="own")
def _own(zenith: Cast) -> dict[str, UUID]:
    return make_all(zenith)


def alike(reply: Reply, asked: object) -> tuple[int, str]:
    """Return status and text without what differs between two requests: the requested id, and times."""
    text = reply.text.replace(str(asked), "ID")
    text = re.sub(r'"(id|user_id|key|hint|created_at|job_id|status_url|employee_no)":\s*"[^"]*"', r'"\1"', text)
    return reply.status, text


def ids_of(endpoint: DeclaredEndpoint, samples: dict[str, UUID]) -> dict[str, UUID]:
    """Return the caller's own id for every parameter of a path."""
    return {part: samples[place] for part, place in parameters(endpoint.path).items() if part not in PLAIN}


def sent(caller: Api, endpoint: DeclaredEndpoint, to: str, body: Any) -> Reply:
    headers = {"idempotency-key": str(uuid4())} if endpoint.needs_idempotency_key else None
    return caller.call(endpoint.method, to, body, headers=headers)


def path(endpoint: DeclaredEndpoint, **ids: object) -> str:
    return endpoint.path.format(**{**PLAIN, **ids}) + QUERIES.get(name(endpoint), "")


class TestPath:
    def test_parameters_are_all_known(self) -> None:
        places = {
            place for endpoint in ENDPOINTS for part, place in parameters(endpoint.path).items() if part not in PLAIN
        }
        assert places == set(MADE_BY)
        assert len(WITH_ID) >= 28

    @EACH_ID
    def test_id_of_another_tenant_is_answered_like_an_unknown_one(
        self,
        zenith: Cast,
        own: dict[str, UUID],
        acme_ids: dict[str, UUID],
        endpoint: DeclaredEndpoint,
        part: str,
        place: str,
    ) -> None:
        body, answers = BODIES.get(name(endpoint), {}), []
        for asked in (acme_ids[place], uuid4()):
            ids = {**ids_of(endpoint, own), part: asked}
            reply = sent(zenith.admin, endpoint, path(endpoint, **ids), body if endpoint.body else None)
            answers.append(alike(reply, asked))
        assert answers[0] == answers[1]
        assert answers[0][0] == (403 if endpoint.may == "platform.tenants" else 404), answers[0][1]

    @pytest.mark.parametrize("endpoint", WITH_ID, ids=name)
    def test_own_id_is_found(self, zenith: Cast, own: dict[str, UUID], endpoint: DeclaredEndpoint) -> None:
        # otherwise the 404 above would prove nothing
        ids = ids_of(endpoint, own)
        body = BODIES.get(name(endpoint), {})
        caller = MINE[name(endpoint)](zenith, *ids.values()) if name(endpoint) in MINE else zenith.admin
        reply = sent(caller, endpoint, path(endpoint, **ids), body if endpoint.body else None)
        assert reply.status not in (400, 401, 404, 415, 422), reply.text

    @pytest.mark.parametrize("endpoint", WITH_ID, ids=name)
    @pytest.mark.parametrize("text", ["1", "x", "null", "%00", "00000000-0000-0000-0000-00000000000g"])
    def test_text_that_is_no_id_is_not_found(self, zenith: Cast, endpoint: DeclaredEndpoint, text: str) -> None:
        ids = {part: text for part in endpoint.path_types if part not in PLAIN}
        reply = sent(
            zenith.admin, endpoint, path(endpoint, **ids), BODIES.get(name(endpoint), {}) if endpoint.body else None
        )
        assert reply.status == (403 if endpoint.may == "platform.tenants" else 404)


class TestBody:
    def test_ids_are_all_known(self) -> None:
        assert {next(p for p in reversed(place) if isinstance(p, str)) for _, place in IN_BODIES} <= set(FIELDS)
        assert len(IN_BODIES) >= 18

    @pytest.mark.parametrize(
        ("endpoint", "place"), IN_BODIES, ids=lambda v: name(v) if isinstance(v, DeclaredEndpoint) else str(v)
    )
    def test_id_of_another_tenant_is_answered_like_an_unknown_one(
        self,
        zenith: Cast,
        own: dict[str, UUID],
        acme_ids: dict[str, UUID],
        endpoint: DeclaredEndpoint,
        place: tuple[Any, ...],
    ) -> None:
        field = next(part for part in reversed(place) if isinstance(part, str))
        ids = {part: own[where] for part, where in parameters(endpoint.path).items() if part not in PLAIN}
        body = BODIES_AROUND.get((name(endpoint), place[0])) or BODIES[name(endpoint)]
        answers = []
        for asked in (acme_ids[FIELDS[field]], uuid4()):
            reply = sent(zenith.admin, endpoint, path(endpoint, **ids), placed(body, place, str(asked)))
            answers.append(alike(reply, asked))
        assert answers[0] == answers[1]
        # where items are answered one by one, each has its own error
        assert answers[0][0] == 404 or '"result":"not_found"' in answers[0][1], answers[0][1]


class TestImport:
    @pytest.mark.parametrize(("path", "row"), [
        ("/attendance/import", {"user_id": "{id}", "date": "2026-01-05", "status": "present"}),
        ("/sales/import", {"user_id": "{id}", "earning": "1.00"}),
    ])  # fmt: skip
    def test_id_of_another_tenant_is_answered_like_an_unknown_one(
        self, zenith: Cast, acme_ids: dict[str, UUID], path: str, row: dict[str, str]
    ) -> None:
        answers = []
        for asked in (acme_ids["/users/{user_id}"], uuid4()):
            table = [{column: value.format(id=asked) for column, value in row.items()}]
            answers.append(alike(zenith.admin.call("POST", path, table), asked))
        assert answers[0] == answers[1]
        assert '"line":1' in answers[0][1]


class TestQuery:
    def test_ids_are_all_known(self) -> None:
        assert {field for _, field in IN_QUERIES} <= set(FIELDS)
        assert len(IN_QUERIES) >= 8

    @pytest.mark.parametrize(
        ("endpoint", "field"), IN_QUERIES, ids=lambda v: name(v) if isinstance(v, DeclaredEndpoint) else v
    )
    def test_id_of_another_tenant_is_answered_like_an_unknown_one(
        self, zenith: Cast, acme_ids: dict[str, UUID], endpoint: DeclaredEndpoint, field: str
    ) -> None:
        answers = []
        for asked in (acme_ids[FIELDS[field]], uuid4()):
            answers.append(alike(zenith.admin.call(endpoint.method, f"{path(endpoint)}?{field}={asked}"), asked))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404 or '"items":[]' in answers[0][1].replace(" ", ""), answers[0][1]


class TestColleague:
    """Within one tenant: an employee requests a colleague's data, a manager those of an employee of another team."""

    @pytest.mark.parametrize("role", [Role.EMPLOYEE, Role.MANAGER])
    @pytest.mark.parametrize(
        "endpoint", [d for d in WITH_ID if "user_id" in d.path_types or "request_id" in d.path_types], ids=name
    )
    def test_is_as_if_they_were_not_there(
        self, zenith: Cast, own: dict[str, UUID], endpoint: DeclaredEndpoint, role: Role
    ) -> None:
        caller: Api = key(zenith.id, role, employee(zenith, employee_no=f"C-{uuid4()}"))
        part, place = next((part, place) for part, place in parameters(endpoint.path).items() if part not in PLAIN)
        body, answers = BODIES.get(name(endpoint), {}), []
        for asked in (own[place], uuid4()):
            ids = {**ids_of(endpoint, own), part: asked}
            reply = sent(caller, endpoint, path(endpoint, **ids), body if endpoint.body else None)
            answers.append(alike(reply, asked))
        assert answers[0] == answers[1]
        assert answers[0][0] in (403, 404), answers[0][1]


def placed(body: Any, place: tuple[Any, ...], value: str) -> Any:
    """Return a copy of a body with a value at a path, creating missing objects on the way."""
    copied = copy.deepcopy(body)
    holder = copied
    for step, following in pairwise(place):
        if isinstance(holder, list):
            if not holder:
                holder.append({})
        elif step not in holder:
            holder[step] = [] if isinstance(following, int) else {}
        holder = holder[step]
    if isinstance(holder, list):
        holder[:] = [value]
    else:
        holder[place[-1]] = value
    return copied


def test_the_app_is_all_here() -> None:
    assert len(ENDPOINTS) == sum(len(methods) for methods in app.app.routes.values())
