"""The extremes of dates and numbers in every parameter of every read: rejected or answered, never a 500."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

import app  # noqa: F401  # registers all endpoints
from chalicelib.backing import queues
from chalicelib.entry import openapi
from chalicelib.entry.paging import encode_cursor
from chalicelib.entry.registry import CONSUMERS, ENDPOINTS, DeclaredEndpoint
from infra.local.aws import make_queues
from tests.architecture.samples import PLAIN, make_all, parameters
from tests.support.api import Api
from tests.support.cast import platform_admin, tenant

DOCUMENT = json.loads(openapi.document())
READS = [endpoint for endpoint in ENDPOINTS if endpoint.method == "GET"]

DATES = ["0001-01-01", "0001-01-02", "1900-01-01", "9999-12-30", "9999-12-31"]
MOMENTS = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:59.999999Z",
    *DATES,
]
MONTHS = ["0001-01", "0001-12", "1900-01", "9999-01", "9999-12"]
INTEGERS = ["0", "1", "-1", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "1" + "0" * 40]
FIRST_ID, LAST_ID = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
KEYS = [
    0,
    -1,
    2**31,
    2**62,
    2**63 - 1,
    2**63,
    "0001-01-01",
    "9999-12-31",
    "9999-12-31T23:59:59-23:59",
    FIRST_ID,
    LAST_ID,
    "x",
    "",
    None,
    f"0001-01-01/{FIRST_ID}",
    f"9999-12-31/{LAST_ID}",
]
CURSORS = [encode_cursor(key) for key in KEYS]


class Office:
    """A tenant with one object of every kind, and its callers."""

    def __init__(self, **settings: object) -> None:
        acme = tenant("Acme", **settings)
        self.ids = make_all(acme)
        self.admin, self.root = acme.admin, platform_admin()

    def caller(self, endpoint: DeclaredEndpoint) -> Api:
        return self.root if (endpoint.may or "").startswith("platform.") else self.admin

    def path(self, endpoint: DeclaredEndpoint, **instead: str) -> str:
        """Return the endpoint's path with ids that exist, except for those given in `instead`."""
        own = {name: str(self.ids[place]) for name, place in parameters(endpoint.path).items() if name not in PLAIN}
        return endpoint.path.format(**{**PLAIN, **own, **instead})


@pytest.fixture(scope="module", name="office", params=["Pacific/Kiritimati", "Etc/GMT+12"])
def _office(database: object, request: pytest.FixtureRequest) -> Iterator[Office]:
    with mock_aws():
        make_queues(boto3.client("sqs"), [queues.configured_name(queue) for queue in CONSUMERS])
        queues.client.cache_clear()
        queues.url_of.cache_clear()
        # days begin before and after UTC's, and a period begins in the month before
        yield Office(timezone=request.param, cycle_start_day=26)
    queues.client.cache_clear()
    queues.url_of.cache_clear()


def ends_of(name: str, schema: dict[str, Any]) -> list[str]:
    """Return the extremes of a parameter, by its schema."""
    text = json.dumps(schema)
    if name == "cursor":
        return CURSORS
    ends: list[str] = []
    if '"date-time"' in text:
        ends += MOMENTS
    if '"date"' in text:
        ends += DATES
    if '"integer"' in text:
        ends += INTEGERS
    if name in ("month", "year") or '"month"' in text or "[0-9]{4}-" in text or r"\\d{4}-" in text:
        ends += MONTHS
    return ends


def cases() -> list[Any]:
    parameters_at_ends = []
    for endpoint in READS:
        for part in DOCUMENT["paths"][endpoint.path]["get"]["parameters"]:
            if part["in"] == "header":
                continue
            if values := ends_of(part["name"], part["schema"]):
                parameters_at_ends.append(pytest.param(endpoint, part, values, id=f"{endpoint.path}?{part['name']}"))
    return parameters_at_ends


@pytest.mark.parametrize(("endpoint", "part", "values"), cases())
def test_reads_answer_at_the_ends(
    office: Office, endpoint: DeclaredEndpoint, part: dict[str, Any], values: list[str]
) -> None:
    needed = {
        "user_id": str(office.ids["/users/{user_id}"]),
        "month": "2026-01",
        "from": "2026-01-01",
        "to": "2026-01-31",
        "cycle_start": "2026-01-01",
        "format": "csv",
        "metric": "late_count",
    }
    others = DOCUMENT["paths"][endpoint.path]["get"]["parameters"]
    required = {p["name"]: needed[p["name"]] for p in others if p["in"] == "query" and p["required"]}
    documented = DOCUMENT["paths"][endpoint.path]["get"]["responses"]
    for value in values:
        if part["in"] == "path":
            path, query = office.path(endpoint, **{part["name"]: value}), required
        else:
            path, query = office.path(endpoint), {**required, part["name"]: value}
        query_string = "&".join(f"{name}={text.replace('+', '%2B')}" for name, text in query.items())
        reply = office.caller(endpoint).get(f"{path}?{query_string}" if query_string else path)
        assert reply.status < 500, f"{part['name']}={value}: {reply.text}"
        assert str(reply.status) in documented, f"{part['name']}={value}: {reply.status} {reply.text}"


def test_all_kinds_of_parameters_are_tried() -> None:
    kinds = {param.values[1]["name"] for param in cases()}
    assert {"from", "to", "month", "cursor", "limit", "on", "page", "skip", "cycle_start"} <= kinds
