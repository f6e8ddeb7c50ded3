"""The permission matrix, cell by cell, written out again; and each endpoint called by each role."""

from uuid import UUID, uuid4

import pytest

import app
from chalicelib.entry.registry import ENDPOINTS, DeclaredEndpoint
from chalicelib.identity.permissions import GRANTS, Role
from tests.support.api import Api
from tests.support.cast import key, platform_admin, tenant
from tests.support.people import employee

ROLES = ("platform_admin", "tenant_admin", "hr", "manager", "employee")
MEANT = """
    permission          platform_admin  tenant_admin  hr   manager  employee
    platform.tenants    all             -             -    -        -
    me.read             all             all           all  all      all
    tenant.read         -               all           all  all      all
    tenant.write        -               all           -    -        -
    access.read         -               all           -    -        -
    access.write        -               all           -    -        -
    organisation.read   -               all           all  all      all
    organisation.write  -               all           all  -        -
    people.read         -               all           all  team     self
    people.write        -               all           all  -        -
    salaries.read       -               all           all  self    self
    salaries.write      -               all           all  -        -
    destinations.read   -               all           all  self    self
    destinations.write  -               all           all  -        -
    destinations.request -              self          self self     self
    roster.write        -               all           all  team     -
    attendance.read     -               all           all  team     self
    attendance.punch    -               all           all  self     self
    attendance.write    -               all           all  -        -
    requests.read       -               all           all  team     self
    requests.write      -               all           all  self     self
    requests.decide     -               all           all  team     self
    leave.read          -               all           all  team     self
    leave.write         -               all           all  team     self
    leave.decide        -               all           all  team     self
    leave.allocate      -               all           all  -        -
    leave.expire        -               all           all  -        -
    adjustments.read    -               all           all  self    self
    adjustments.write   -               all           all  -        -
    payment_types.read  -               all           all  -        -
    payment_types.write -               all           all  -        -
    pay_register.read   -               all           all  team     self
    pay_register.write  -               all           all  -        -
    pay_register.lock   -               all           -    -        -
    balances.read       -               all           all  self    self
    sales.read          -               all           all  self    self
    sales.write         -               all           all  -        -
    sales.decide        -               all           all  -        -
    payouts.read        -               all           all  self    self
    payouts.run         -               all           all  -        -
    payouts.decide      -               all           -    -        -
    payout_batches.read -               all           all  -        -
    payroll.approve     -               all           all  -        -
    payroll.read        -               all           all  -        -
    payroll.write       -               all           all  -        -
    payslips.read       -               all           all  self    self
    payroll.pay         -               all           all  -        -
    webhooks.read       -               all           -    -        -
    webhooks.write      -               all           -    -        -
    forms.read          -               all           all  all      all
    forms.design        -               all           all  -        -
    forms.submit        -               self          self self     self
    form_submissions.read -             all           all  team     self
    forms.review        -               all           all  team     self
    notifications.read  -               self          self self     self
    notifications.write -               self          self self     self
    notifications.send  -               all           all  -        -
    notification_logs.read -            all           all  -        -
    suppressions.read   -               all           all  -        -
    suppressions.write  -               all           -    -        -
    kpis.read           -               all           all  team     self
    kpis.define         -               all           all  -        -
    kpis.assign         -               all           all  team     -
    kpis.score          -               all           all  team     -
    jobs.read           -               all           all  -        -
    audit.read          -               all           -    -        -
"""
TABLE = [line.split() for line in MEANT.split("\n") if line.strip()][1:]
CELLS = [(row[0], role, cell) for row in TABLE for role, cell in zip(ROLES, row[1:], strict=True)]
GUARDED = [endpoint for endpoint in ENDPOINTS if endpoint.may]
DOORS = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
PLACES = {"month": "2026-01", "day": "2026-01-05", "date": "2026-01-05"}


@pytest.mark.parametrize(("permission", "role", "reach"), CELLS, ids=str)
def test_the_matrix_says(permission: str, role: str, reach: str) -> None:
    assert str(GRANTS[Role(role)].get(permission, "-")) == reach


def test_the_matrix_says_nothing_else() -> None:
    assert {name for grants in GRANTS.values() for name in grants} == {row[0] for row in TABLE}
    assert {str(role) for role in GRANTS} == set(ROLES)
    assert len(CELLS) == 330


def test_the_endpoints_below_are_all_that_the_app_has() -> None:
    assert len(ENDPOINTS) == sum(len(methods) for methods in app.app.routes.values())


@pytest.fixture(scope="module", name="callers")
def _callers(database: object) -> dict[str, Api]:
    """Make one caller per role; the tenant's act for a person, as those of people do."""
    acme = tenant("Acme")
    person: UUID = employee(acme)
    return {"platform_admin": platform_admin()} | {role: key(acme.id, Role(role), person) for role in ROLES[1:]}


def asked(endpoint: DeclaredEndpoint) -> str:
    """Fill the parameters of an endpoint's path with ids that do not exist."""
    return endpoint.path.format(**{name: PLACES.get(name, uuid4()) for name in endpoint.path_types})


class TestEndpoints:
    @DOORS
    @pytest.mark.parametrize("role", ROLES)
    def test_answer_403_exactly_where_the_role_lacks_the_permission(
        self, callers: dict[str, Api], endpoint: DeclaredEndpoint, role: str
    ) -> None:
        lacking = endpoint.may is not None and endpoint.may not in GRANTS[Role(role)]
        reply = callers[role].call(endpoint.method, asked(endpoint), "{}")
        assert (reply.status == 403) == lacking, reply.text[:300]
        if lacking:
            assert reply.json["detail"] == f"The role {role} may not do this (it needs {endpoint.may})."

    @pytest.mark.parametrize("endpoint", GUARDED, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
    @pytest.mark.parametrize("headers", [
        {}, {"x-api-key": "nonsense"}, {"x-api-key": f"wbk_{uuid4().hex}_guess"}, {"x-api-key": "wbp_guess"},
        {"authorization": "Bearer nonsense"}, {"authorization": "Basic cm9vdDpyb290"},
    ], ids=["none", "malformed", "guess", "platform", "token", "basic"])  # fmt: skip
    def test_answer_401_without_credentials_that_hold(
        self, callers: dict[str, Api], endpoint: DeclaredEndpoint, headers: dict[str, str]
    ) -> None:
        reply = Api(headers=headers).call(endpoint.method, asked(endpoint), "{}")
        assert reply.status == 401
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert reply.json["type"] == "urn:wagebook:problem:unauthenticated"
