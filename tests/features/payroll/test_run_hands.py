"""Who may approve a payroll run: nobody who calculated it, and nobody who decided a part of what it pays them."""

from typing import Any
from uuid import UUID

import pytest

from chalicelib.identity.permissions import Role
from tests.support.api import Api
from tests.support.cast import Cast, key, second_admin
from tests.support.payouts import once, policy
from tests.support.people import employee, sql

MONTH = "2026-01"


@pytest.fixture(name="dina")
def _dina(acme: Cast) -> UUID:
    return employee(acme, name="Dina", employee_no="D-1")


def calculated(by: Api, **more: Any) -> str:
    run = by.ok("POST", "/payroll-runs", {"month": MONTH, **more})
    by.ok("POST", f"/payroll-runs/{run['id']}/calculate", {})
    return str(run["id"])


def why_not(api: Api, run_id: str) -> str | None:
    """Return why a caller may not approve, as the run says beforehand and the refusal then."""
    shown = api.ok("GET", f"/payroll-runs/{run_id}")
    [listed] = [one for one in api.ok("GET", "/payroll-runs")["items"] if one["id"] == run_id]
    assert (listed["may_approve"], listed["because"]) == (shown["may_approve"], shown["because"])
    reply = api.post(f"/payroll-runs/{run_id}/approve", headers=once())
    assert (reply.status == 403) is not shown["may_approve"], reply.text
    if reply.status == 403:
        assert reply.json["detail"] == shown["because"]
    return shown["because"]  # type: ignore[no-any-return]


class TestApproval:
    def test_is_not_for_who_calculated_under_a_second_key(self, acme: Cast, dina: UUID) -> None:
        run_id = calculated(key(acme.id, Role.HR, dina))
        said = "You calculated this payroll run; somebody else has to approve it."
        assert why_not(key(acme.id, Role.TENANT_ADMIN, dina), run_id) == said

    def test_is_not_for_who_made_the_key_that_calculated(self, acme: Cast, dina: UUID) -> None:
        mine = key(acme.id, Role.TENANT_ADMIN, dina)
        machine = Api(mine.ok("POST", "/api-keys", {"name": "machine", "role": "hr"})["key"])
        assert why_not(mine, calculated(machine)) is not None

    def test_is_not_for_who_calculated_all_of_it_before_somebody_else_did_a_part(self, acme: Cast, dina: UUID) -> None:
        run_id = calculated(acme.hr)
        acme.admin.ok("POST", f"/payroll-runs/{run_id}/calculate", {"user_ids": [str(dina)]})
        [row] = sql(acme, "select calculated_by, cardinality(calculated_by_ids) as hands from payroll_runs")
        assert (row.calculated_by, row.hands) == ("tenant_admin key", 2)
        assert why_not(acme.hr, run_id) is not None

    def test_of_a_regular_run_is_for_somebody_whom_it_pays(self, acme: Cast, dina: UUID) -> None:
        run_id = calculated(acme.hr)
        shown = key(acme.id, Role.TENANT_ADMIN, dina).ok("GET", f"/payroll-runs/{run_id}")
        assert (shown["may_approve"], shown["because"], shown["four_eyes"]) == (True, None, True)

    def test_of_an_off_cycle_run_is_not_for_its_payee_nor_for_who_gave_it_what_it_pays(
        self, acme: Cast, dina: UUID
    ) -> None:
        boss = second_admin(acme)
        boss.ok(
            "POST",
            "/payroll-adjustments",
            {"user_id": str(dina), "kind": "bonus", "amount": "5.00", "reason": "Eid", "effective_date": "2026-01-05"},
        )
        run = acme.admin.ok("POST", "/payroll-runs", {"month": MONTH, "kind": "off_cycle"})
        acme.hr.ok("POST", f"/payroll-runs/{run['id']}/calculate", {})
        mine = key(acme.id, Role.TENANT_ADMIN, dina)
        said = [why_not(api, run["id"]) for api in (mine, boss, acme.admin, acme.hr)]
        assert [one and one.partition(";")[0] for one in said] == [
            "It pays you",
            "You made adjustments that this payroll run pays",
            "You made this payroll run",
            "You calculated this payroll run",
        ]

    def test_says_who_has_no_right_to(self, acme: Cast) -> None:
        run_id = calculated(acme.hr)
        shown = acme.hr.ok("GET", f"/payroll-runs/{run_id}")
        assert shown["because"] == "You calculated this payroll run; somebody else has to approve it."


class TestAlone:
    """A tenant of one person, who is paid too."""

    @pytest.fixture(name="me")
    def _me(self, acme: Cast, dina: UUID) -> Api:
        mine = key(acme.id, Role.TENANT_ADMIN, dina)
        sql(acme, "update api_keys set revoked_at = now() where tenant_id = :t and user_id is null", t=acme.id)
        return mine

    def test_needs_four_eyes_until_it_says_otherwise(self, acme: Cast, dina: UUID, me: Api) -> None:
        pay = {"amount": "15000.00", "effective_from": "2025-12-01"}
        assert me.post(f"/users/{dina}/salaries", pay).status == 403
        me.ok("PATCH", "/tenant", {"policy": {"four_eyes": False}})
        me.ok("POST", f"/users/{dina}/salaries", pay)
        run_id = calculated(me)
        shown = me.ok("GET", f"/payroll-runs/{run_id}")
        assert (shown["may_approve"], shown["four_eyes"]) == (True, False)
        me.ok("POST", f"/payroll-runs/{run_id}/approve", headers=once())
        assert me.ok("GET", f"/payroll-runs/{run_id}")["four_eyes"] is False
        actions = [one["action"] for one in me.ok("GET", "/audit-logs")["items"]]
        assert {"tenant.changed", "own_pay.decided"} <= set(actions)

    def test_has_four_eyes_again_with_a_second_approver(self, acme: Cast, dina: UUID, me: Api) -> None:
        me.ok("PATCH", "/tenant", {"policy": {"four_eyes": False}})
        me.ok("POST", f"/users/{dina}/salaries", {"amount": "15000.00", "effective_from": "2025-12-01"})
        other = second_admin(acme)
        run_id = calculated(other)
        assert other.ok("GET", f"/payroll-runs/{run_id}")["four_eyes"] is True
        said = why_not(me, run_id)
        assert said is not None
        assert said.startswith("You decided a part of your own pay")
        assert me.post(f"/users/{dina}/salaries", {"amount": "1.00", "effective_from": "2026-02-01"}).status == 403

    def test_cannot_switch_four_eyes_off_beside_a_second_approver(self, acme: Cast, me: Api) -> None:
        second = second_admin(acme)
        assert me.patch("/tenant", {"policy": {"four_eyes": False}}).status == 409
        assert second.patch("/tenant", {"policy": {"four_eyes": False}}).status == 409

    def test_is_one_person_with_several_keys(self, acme: Cast, dina: UUID, me: Api) -> None:
        key(acme.id, Role.HR, dina)
        me.ok("POST", "/api-keys", {"name": "machine", "role": "tenant_admin"})
        assert me.patch("/tenant", {"policy": {"four_eyes": False}}).status == 200


class TestFourEyes:
    def test_switched_off_and_on_are_audited(self, acme: Cast) -> None:
        sql(acme, "update api_keys set revoked_at = now() where tenant_id = :t and role = 'hr'", t=acme.id)
        for value in (False, True):
            policy(acme, four_eyes=value)
        entries = acme.admin.ok("GET", "/audit-logs?action=tenant.changed")["items"]
        assert [one["after"]["policy"].get("four_eyes", True) for one in entries] == [True, False]
