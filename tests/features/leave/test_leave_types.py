"""Leave types over HTTP."""

import pytest

from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key, tenant
from tests.support.people import employee, sql

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


class TestLeaveTypes:
    def test_are_paid_and_spare_days_off_unless_said(self, acme: Cast) -> None:
        reply = acme.hr.post("/leave-types", {"name": "Annual"})
        assert reply.status == 201
        assert {**reply.json, "id": None} == {
            "id": None,
            "name": "Annual",
            "is_paid": True,
            "counts_non_working_days": False,
            "version": 1,
            "description": None,
            "color": None,
            "is_limited": True,
            "days_per_year": 0.0,
            "allow_carryover": False,
            "carryover_limit": None,
            "expiry_rule_id": None,
            "notice_days": 0,
            "is_active": True,
        }
        acme.hr.ok("POST", "/leave-types", {"name": "Unpaid", "is_paid": False, "counts_non_working_days": True})
        page = acme.hr.ok("GET", "/leave-types?limit=1")
        rest = acme.hr.ok("GET", f"/leave-types?limit=1&cursor={page['next_cursor']}")
        assert [(row["name"], row["is_paid"]) for row in page["items"] + rest["items"]] == [
            ("Annual", True),
            ("Unpaid", False),
        ]
        assert sql(acme, "select after from audit_logs order by seq")[0].after["name"] == "Annual"

    def test_have_a_name_of_their_own_within_the_tenant(self, acme: Cast) -> None:
        acme.hr.ok("POST", "/leave-types", {"name": "Annual"})
        assert acme.hr.post("/leave-types", {"name": "Annual"}).status == 409
        assert tenant("Zenith").hr.post("/leave-types", {"name": "Annual"}).status == 201

    def test_are_made_by_hr_and_seen_by_all_of_the_tenant(self, acme: Cast) -> None:
        acme.hr.ok("POST", "/leave-types", {"name": "Annual"})
        user_id = employee(acme)
        for role in (Role.MANAGER, Role.EMPLOYEE):
            api = key(acme.id, role, user_id)
            assert len(api.ok("GET", "/leave-types")["items"]) == 1
            assert api.post("/leave-types", {"name": "Mine"}).status == 403
        assert tenant("Zenith").hr.ok("GET", "/leave-types")["items"] == []

    @pytest.mark.parametrize("body", [{"name": ""}, {"name": None}, {"is_paid": "no", "name": "A"}, {"nature": "lop"}])
    def test_refuse_nonsense(self, acme: Cast, body: dict[str, object]) -> None:
        assert acme.hr.post("/leave-types", body).status == 422
