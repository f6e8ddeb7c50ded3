"""Money is read one way, whichever way it comes in: all of them take a spelling, or all refuse it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from migrations.setup import Urls
from tests.features.payroll.runs import calculated
from tests.support.api import Reply
from tests.support.cast import Cast, tenant
from tests.support.people import employee

TAKEN = ["1", "40.00", "007.50", "0.01", "999999999999999"]
REFUSED = {
    "1_000": "separator", "1,000.00": "separator", "1 000": "separator", "1'000": "separator", "12,50": "separator",
    "1e3": "exponent", "1.23457E+11": "a spreadsheet has dropped digits", ".5": "write 0.5", "5.": "write 5",
    "+5": "plus sign", "৫০": "digits than 0 to 9", "١٢": "digits than 0 to 9", "NaN": "not a number",
    "Infinity": "not a number", "1234567890123456": "15 digits", "0.005": "decimals", "1.2345": "decimals",
}  # fmt: skip
TAKEN_IN_JSON: list[Any] = [1, 40]
REFUSED_IN_JSON: list[tuple[Any, str]] = [
    (1.5, "send it as a string"), (40.0, "send it as a string"), (True, "string"), ([], "string"), (" 5 ", "space"),
    (10**15, "15 digits"),
]  # fmt: skip
CSV = {"headers": {"content-type": "text/csv"}}
_numbers = count(1)


@dataclass(frozen=True)
class Office:
    """A tenant with whatever an amount can be said of."""

    acme: Cast
    rahim: UUID
    dynamic_id: str
    run_id: UUID


@pytest.fixture(name="office", scope="module")
def _office(database: Urls) -> Office:
    acme = tenant("Acme")
    rahim = employee(acme)
    dynamic = acme.admin.ok(
        "POST",
        "/payment-types",
        {"name": "Tips", "code": "tips", "category": "earning", "calculation": "dynamic", "applies_to_all": True},
    )
    return Office(acme, rahim, dynamic["id"], calculated(acme))


def _person(office: Office, amount: Any) -> Reply:
    body = {"name": "P", "salary": {"amount": amount, "effective_from": "2026-01-01"}}
    return office.acme.hr.post("/users", body)


def _salary(office: Office, amount: Any) -> Reply:
    body = {"amount": amount, "effective_from": "2026-01-01"}
    return office.acme.hr.post(f"/users/{office.rahim}/salaries", body)


def _people_file(office: Office, amount: Any) -> Reply:
    cell = amount if isinstance(amount, str) else str(amount)
    text = f'name,employee_no,joined_on,salary_amount\nP,N-{next(_numbers)},2026-01-01,"{cell}"\n'
    return office.acme.hr.post("/users/import", text, **CSV)


def _people_rows(office: Office, amount: Any) -> Reply:
    row = {"name": "P", "employee_no": f"N-{next(_numbers)}", "joined_on": "2026-01-01", "salary_amount": amount}
    return office.acme.hr.post("/users/import", [row])


def _sale(office: Office, amount: Any) -> Reply:
    return office.acme.hr.post("/sales", {"user_id": str(office.rahim), "earning": amount})


def _sales_file(office: Office, amount: Any) -> Reply:
    return office.acme.hr.post("/sales/import", f'employee_no,earning\nE-1,"{amount}"\n', **CSV)


def _sales_rows(office: Office, amount: Any) -> Reply:
    return office.acme.hr.post("/sales/import", [{"employee_no": "E-1", "earning": amount}])


def _minimum(office: Office, amount: Any) -> Reply:
    return office.acme.admin.patch("/tenant", {"policy": {"minimum_payout": amount}})


def _limit(office: Office, amount: Any) -> Reply:
    return office.acme.admin.patch("/tenant", {"policy": {"payout_approval_above": amount}})


def _component(office: Office, amount: Any) -> Reply:
    body = {"name": f"C {next(_numbers)}", "category": "earning", "calculation": "fixed", "amount": amount}
    return office.acme.admin.post("/payment-types", body)


def _adjustment(office: Office, amount: Any) -> Reply:
    body = {
        "user_id": str(office.rahim),
        "kind": "bonus",
        "amount": amount,
        "reason": "Eid",
        "effective_date": "2026-01-05",
    }
    return office.acme.hr.post("/payroll-adjustments", body)


def _amounts_file(office: Office, amount: Any) -> Reply:
    text = f'employee_no,payment_type,amount\nE-1,tips,"{amount}"\n'
    return office.acme.admin.post(f"/payroll-runs/{office.run_id}/amounts", text, **CSV)


def _amounts_rows(office: Office, amount: Any) -> Reply:
    rows = [{"employee_no": "E-1", "payment_type": "tips", "amount": amount}]
    return office.acme.admin.post(f"/payroll-runs/{office.run_id}/amounts", rows)


Way = Callable[[Office, Any], Reply]
FILES: list[Way] = [_people_file, _sales_file, _amounts_file]
BODIES: list[Way] = [
    _person,
    _salary,
    _people_rows,
    _sale,
    _sales_rows,
    _minimum,
    _limit,
    _component,
    _adjustment,
    _amounts_rows,
]
WITHOUT_CURRENCY = (_minimum, _limit)  # the tenant's, whose decimals are not asked for


def problems(reply: Reply) -> list[str]:
    """Give what a reply says is wrong, be it of a body or of a row of an import that answers 200."""
    assert reply.status in (200, 201, 422), reply.text
    return [error["detail"] for error in json.loads(reply.text).get("errors", [])]


@pytest.mark.parametrize("way", [*BODIES, *FILES], ids=lambda way: way.__name__)
class TestEveryWay:
    def test_takes_the_published_pattern(self, office: Office, way: Way) -> None:
        for text in TAKEN:
            reply = way(office, text)
            assert (text, problems(reply), reply.status < 300) == (text, [], True)

    def test_refuses_every_other_spelling_with_the_reason(self, office: Office, way: Way) -> None:
        for text, reason in REFUSED.items():
            if text == "0.005" and way in WITHOUT_CURRENCY:
                continue
            found = problems(way(office, text))
            assert len(found) == 1, (text, found)
            assert reason in found[0], (text, found)


@pytest.mark.parametrize("way", BODIES, ids=lambda way: way.__name__)
class TestEveryBody:
    def test_takes_whole_numbers_and_no_other(self, office: Office, way: Way) -> None:
        for value in TAKEN_IN_JSON:
            assert (value, problems(way(office, value))) == (value, [])
        for value, reason in REFUSED_IN_JSON:
            found = problems(way(office, value))
            assert len(found) == 1, (value, found)
            assert reason in found[0], (value, found)
