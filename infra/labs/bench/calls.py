"""Single calls: one correction, one page, one balance; through the API function, and as bare statements beside it."""

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from chalicelib.backing.database import transaction
from chalicelib.features.pay_register.projection import project
from chalicelib.features.periods.windows import EmployeeFilter, window_of
from chalicelib.identity import keys
from chalicelib.identity.callers import job_scope
from infra.labs.bench import product
from infra.local.lambda_events import Context


def median(call: Callable[[int], object], times: int, warm: int = 12) -> float:
    """Return the median seconds of a call, after a warm-up."""
    for number in range(warm):
        call(number)
    takes = []
    for number in range(times):
        began = time.perf_counter()
        call(number)
        takes.append(time.perf_counter() - began)
    return statistics.median(takes)


@contextmanager
def quiet() -> Iterator[None]:
    """Discard logs and metrics, which the function still writes, as in Lambda."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        yield


def make_key(tenant_id: UUID) -> str:
    """Create an API key with the role HR."""
    secret = keys.make(tenant_id)
    with transaction(tenant_id=tenant_id) as session:
        session.exec_driver_sql(
            "insert into api_keys (tenant_id, name, role, hint, key_hash) values (%s, 'bench', 'hr', '', %s)",
            (tenant_id, keys.digest(secret)),
        )
    return secret


class Api:
    """The API function, called in this process with the events that API Gateway would send."""

    def __init__(self, key: str) -> None:
        from app import app

        self.app, self.key = app, key

    def __call__(self, method: str, path: str, resource: str, values: dict[str, str], body: object = None) -> Any:
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        headers = {"x-api-key": self.key, "content-type": "application/json"}
        answer = self._answer(method, parts.path, resource, values, query, headers, body)
        if answer["statusCode"] >= 300:
            raise RuntimeError(f"{method} {path} answered {answer['statusCode']}: {answer['body'][:300]}")
        return answer["body"]

    def _answer(
        self,
        method: str,
        path: str,
        resource: str,
        values: dict[str, str],
        query: dict[str, str],
        headers: dict[str, str],
        body: object,
    ) -> Any:
        return self.app(
            {
                "httpMethod": method,
                "path": path,
                "resource": resource,
                "headers": headers,
                "multiValueHeaders": {name: [value] for name, value in headers.items()},
                "queryStringParameters": query or None,
                "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
                "pathParameters": values,
                "stageVariables": None,
                "body": None if body is None else json.dumps(body),
                "isBase64Encoded": False,
                "requestContext": {
                    "httpMethod": method,
                    "resourcePath": resource,
                    "path": path,
                    "stage": "api",
                    "requestId": "bench",
                    "identity": {"sourceIp": "127.0.0.1"},
                },
            },
            Context("bench"),
        )


def grid(api: Api, limit: int = 50) -> object:
    """Read a page of the register through the API."""
    path = f"/pay-register/{product.MONTH}"
    return api("GET", f"{path}?view=codes&limit={limit}", "/pay-register/{month}", {"month": product.MONTH})


def balance(api: Api, user_id: UUID) -> object:
    """Read one person's balance through the API."""
    return api("GET", f"/users/{user_id}/balance", "/users/{user_id}/balance", {"user_id": str(user_id)})


def correct(api: Api, user_id: UUID, status: str) -> object:
    """Correct a day through the API, which answers with the new row and totals."""
    resource = "/pay-register/{month}/{user_id}/days/{day}"
    values = {"month": product.MONTH, "user_id": str(user_id), "day": "2026-01-12"}
    return api("PUT", resource.format(**values), resource, values, {"status": status})


def correct_by_statements(tenant_id: UUID, user_id: UUID, code: str) -> None:
    """Run the least statements of a correction: the edit, and the employee's register row and balance."""
    with job_scope(tenant_id, name="bench", now=product.NOW, origin=product.ORIGIN) as scope:
        scope.session.exec_driver_sql(
            "insert into day_edits (tenant_id, user_id, day, first_code, second_code, edited_by, edited_at)"
            " values (%s, %s, %s, %s, %s, 'HR', now()) on conflict (tenant_id, user_id, day)"
            " where superseded_at is null do update"
            " set first_code = excluded.first_code, second_code = excluded.second_code",
            (tenant_id, user_id, date(2026, 1, 12), code, code),
        )
        project(
            scope,
            window=window_of(scope, product.MONTH),
            employee_filter=EmployeeFilter.one(user_id),
            as_of=product.AS_OF,
        )
