"""Nobody decides what pays themselves: every write of the API that can pay a person is tried on the caller's own pay.

A new write is found here: it is tried in TRIED, or stands in NEVER_PAYS with why it cannot pay one person more.
"""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

import app
from chalicelib.entry.registry import ENDPOINTS
from chalicelib.identity.permissions import Role
from migrations.setup import Urls
from tests.support import own
from tests.support.api import Api, Reply
from tests.support.cast import Cast, key, tenant
from tests.support.payouts import once
from tests.support.people import employee, row, sql

assert app.app
ADDRESS = "me@acme.example"
REFUSED = "Nobody decides their own"
DAY, MONTH = "2026-01-05", "2026-01"
SIMULATED = {"kind": "simulated", "behaviour": "accept"}


class Self:
    """An admin who is also an employee: their user, their key, and their records."""

    def __init__(self) -> None:
        self.acme: Cast = tenant("Acme")
        self.id: UUID = employee(self.acme, name="Dina", employee_no="D-1")
        self.api: Api = key(self.acme.id, Role.TENANT_ADMIN, self.id)
        row(self.acme, "members", {"email": ADDRESS, "role": "tenant_admin", "user_id": self.id})

    def insert(self, table: str, values: dict[str, Any], *, returning: str = "id") -> Any:
        return row(self.acme, table, {"user_id": self.id, **values}, returning=returning)

    def file(self, path: str, *lines: dict[str, Any]) -> Reply:
        return self.api.post(path, json.dumps(lines))


def leave_type(me: Self) -> UUID:
    leave_type_id: UUID = row(me.acme, "leave_types", {"name": "Annual"})
    return leave_type_id


def allocation(me: Self) -> UUID:
    return UUID(
        me.acme.admin.ok(
            "POST",
            "/leave-allocations",
            {
                "user_id": str(me.id),
                "leave_type_id": str(leave_type(me)),
                "cycle_start_date": "2026-01-01",
                "allocated_days": 20,
            },
        )["id"]
    )


def component(me: Self, calculation: str = "fixed") -> str:
    amount = {"amount": "1.00"} if calculation == "fixed" else {}
    return str(
        me.acme.admin.ok(
            "POST", "/payment-types", {"name": "Bonus", "category": "earning", "calculation": calculation, **amount}
        )["id"]
    )


def kpi(me: Self) -> str:
    definition = me.acme.admin.ok("POST", "/kpi-definitions", {"name": "Talks", "source": "manual_entry"})
    return str(definition["id"])


def assignment(me: Self) -> str:
    return str(me.acme.admin.ok("POST", "/kpi-assignments", assigned(kpi(me), me))["id"])


def assigned(definition_id: str, me: Self) -> dict[str, Any]:
    return {
        "definition_id": definition_id,
        "user_id": str(me.id),
        "cycle_start": "2026-01-01",
        "cycle_end": "2026-01-31",
    }


def sale(me: Self) -> str:
    return str(me.acme.admin.ok("POST", "/sales", {"user_id": str(me.id), "earning": "40.00"})["id"])


def amounts(me: Self) -> Reply:
    component(me, "dynamic")
    run = me.acme.hr.ok("POST", "/payroll-runs", {"month": MONTH, "kind": "off_cycle"})
    return me.file(
        f"/payroll-runs/{run['id']}/amounts", {"user_id": str(me.id), "payment_type": "bonus", "amount": "5.00"}
    )


def submission(me: Self) -> str:
    form = me.acme.admin.ok(
        "POST",
        "/forms",
        {
            "name": "F",
            "form_type": "custom",
            "fields": [{"field_name": "note", "field_label": "Note", "field_type": "text"}],
        },
    )
    sent = me.api.ok("POST", f"/forms/{form['id']}/submit", {"submission_data": {"note": "x"}})
    return str(sent["id"])


NEW = {"name": "Dina", "email": ADDRESS}
PAID = {"salary": {"amount": "1.00", "effective_from": DAY}}
TRIED: dict[str, Callable[[Self], Reply]] = {
    "POST /users": lambda me: me.api.post("/users", {**NEW, **PAID}),
    "POST /sales/user": lambda me: me.api.post("/sales/user", {**NEW, **PAID}),
    "POST /users/import": lambda me: me.file(
        "/users/import", {**NEW, "employee_no": "D-2", "joined_on": DAY, "salary_amount": "9.00"}),
    "PUT /users/{user_id}/employment": lambda me: me.api.put(
        f"/users/{me.id}/employment", {"employee_no": "D-1", "joined_on": "2024-01-01"}),
    "POST /users/{user_id}/salaries": lambda me: me.api.post(
        f"/users/{me.id}/salaries", {"amount": "90000.00", "effective_from": DAY}),
    "PUT /users/{user_id}/roster": lambda me: me.api.put(
        f"/users/{me.id}/roster", {"entries": [{"date": DAY, "off": "full"}]}),
    "PUT /users/{user_id}/attendance/{date}": lambda me: me.api.put(
        f"/users/{me.id}/attendance/{DAY}", {"status": "present", "reason": "forgot"}),
    "DELETE /users/{user_id}/attendance/{date}": lambda me: me.api.delete(
        f"/users/{me.id}/attendance/{DAY}?reason=wrong"),
    "POST /attendance/import": lambda me: me.file(
        "/attendance/import", {"user_id": str(me.id), "date": DAY, "status": "present"}),
    "PATCH /on-duty/{request_id}": lambda me: me.api.patch(
        f"/on-duty/{me.insert('on_duty', {'start_on': DAY, 'end_on': DAY})}", {"status": "approved"}),
    "PATCH /overtime/{request_id}": lambda me: me.api.patch(
        f"/overtime/{me.insert('overtime', {'day': DAY, 'hours': 2})}", {"status": "approved"}),
    "PUT /pay-register/{month}/{user_id}/days/{day}": lambda me: me.api.put(
        f"/pay-register/{MONTH}/{me.id}/days/{DAY}", {"status": "present"}),
    "PATCH /pay-register/{month}/{user_id}/days/{day}": lambda me: me.api.patch(
        f"/pay-register/{MONTH}/{me.id}/days/{DAY}", {"ot_hours": 1}),
    "DELETE /pay-register/{month}/{user_id}/days/{day}": lambda me: me.api.delete(
        f"/pay-register/{MONTH}/{me.id}/days/{DAY}"),
    "PATCH /leave-requests/{request_id}": lambda me: me.api.patch(
        f"/leave-requests/{own.leave_request(me.acme, me.id)}", {"status": "approved"}),
    "POST /leave-allocations": lambda me: me.api.post("/leave-allocations", {
        "user_id": str(me.id), "leave_type_id": str(leave_type(me)), "cycle_start_date": "2026-01-01",
        "allocated_days": 20}),
    "POST /leave-allocations/bulk": lambda me: me.api.post("/leave-allocations/bulk", {
        "leave_type_id": str(leave_type(me)), "cycle_start_date": "2026-01-01", "days": 20, "all": True}),
    "PATCH /leave-allocations/{allocation_id}": lambda me: me.api.patch(
        f"/leave-allocations/{allocation(me)}", {"allocated_days": 30}),
    "POST /payroll-adjustments": lambda me: me.api.post("/payroll-adjustments", {
        "user_id": str(me.id), "kind": "bonus", "amount": "1.00", "reason": "Eid", "effective_date": DAY}),
    "PUT /users/{user_id}/payment-types/{type_id}": lambda me: me.api.put(
        f"/users/{me.id}/payment-types/{component(me)}", {"applies": True, "amount": "5.00"}),
    "POST /payroll-runs/{run_id}/amounts": amounts,
    "POST /payroll-runs/{run_id}/approve": lambda me: me.api.post(
        f"/payroll-runs/{own.own_run(me.acme, me.id)}/approve", headers=once()),
    "POST /kpi-assignments": lambda me: me.api.post("/kpi-assignments", assigned(kpi(me), me)),
    "DELETE /kpi-assignments/{assignment_id}": lambda me: me.api.delete(f"/kpi-assignments/{assignment(me)}"),
    "POST /kpi-assignments/{assignment_id}/value": lambda me: me.api.post(
        f"/kpi-assignments/{assignment(me)}/value", {"value": 9}),
    "POST /kpi-assignments/{assignment_id}/override": lambda me: me.api.post(
        f"/kpi-assignments/{assignment(me)}/override", {"value": 9, "reason": "two sites"}),
    "POST /sales": lambda me: me.api.post("/sales", {"user_id": str(me.id), "earning": "40.00"}),
    "POST /sales/import": lambda me: me.file("/sales/import", {"user_id": str(me.id), "earning": "40.00"}),
    "POST /reconcile": lambda me: me.api.post(
        "/reconcile", {"items": [{"sale_id": sale(me), "status": "approved"}]}),
    "PUT /users/{user_id}/payout-destination": lambda me: me.api.put(
        f"/users/{me.id}/payout-destination", SIMULATED),
    "POST /users/{user_id}/payout-destination/confirm": lambda me: me.api.post(
        f"/users/{me.id}/payout-destination/confirm", {}),
    "POST /payouts/{payout_id}/approve": lambda me: me.api.post(
        f"/payouts/{own.payout(me.acme, me.id, 'held')}/approve"),
    "POST /payouts/{payout_id}/confirm": lambda me: me.api.post(
        f"/payouts/{own.payout(me.acme, me.id, 'queued', provider='manual')}/confirm", {"reference": "1"}),
    "POST /payouts/{payout_id}/resolve": lambda me: me.api.post(
        f"/payouts/{own.payout(me.acme, me.id, 'review')}/resolve", {"outcome": "failed", "reason": "it never came"}),
    "POST /payouts/{payout_id}/return": lambda me: me.api.post(
        f"/payouts/{own.payout(me.acme, me.id, 'paid')}/return", {"reason": "it came back"}),
    "POST /payouts/batches/{batch_id}/answer": lambda me: own.own_answer(me.acme, me.api, me.id),
    "POST /payouts/bank-reports": lambda me: own.own_answer(me.acme, me.api, me.id, path="/payouts/bank-reports"),
    "PATCH /forms/submissions/{submission_id}": lambda me: me.api.patch(
        f"/forms/submissions/{submission(me)}", {"status": "approved"}),
}  # fmt: skip

EVERYBODY = "the same for everybody it concerns; who approves the run sees what it comes to"
REQUEST = "asks; another person decides"
OWED = "pays what is owed already, as the schedule does by itself"
OTHER = "moves nobody's pay"
NEVER_PAYS: dict[str, str] = {
    **dict.fromkeys((
        "POST /branches", "PATCH /branches/{branch_id}", "POST /holidays", "POST /holidays/import",
        "PATCH /holidays/{holiday_id}", "DELETE /holidays/{holiday_id}", "POST /shifts", "PATCH /shifts/{shift_id}",
        "PATCH /tenant", "POST /payment-types", "PATCH /payment-types/{type_id}", "POST /leave-types",
        "PATCH /leave-types/{leave_type_id}", "POST /leave-expiry-rules", "PATCH /leave-expiry-rules/{rule_id}",
        "POST /leave-expiry/run", "POST /kpi-definitions", "PATCH /kpi-definitions/{definition_id}",
        "POST /pay-register/{month}/lock", "POST /pay-register/{month}/unlock",
    ), EVERYBODY),
    **dict.fromkeys((
        "POST /users/{user_id}/checkin", "PATCH /users/{user_id}/checkout", "POST /on-duty", "POST /overtime",
        "POST /leave-requests", "POST /forms/{form_id}/submit", "POST /forms/{form_id}/attachments",
        "POST /me/payout-destination",
    ), REQUEST),
    **dict.fromkeys((
        "POST /payouts/advance/run", "POST /payouts/final/run", "POST /payouts/{payout_id}/retry",
        "POST /payouts/batches", "POST /payroll-runs/{run_id}/pay",
    ), OWED),
    **dict.fromkeys((
        "POST /pay-register/{month}/sync", "POST /pay-register/{month}/{user_id}",
        "POST /pay-register/{month}/{user_id}/recalculate", "POST /payroll-runs",
        "POST /payroll-runs/{run_id}/calculate", "POST /payroll-runs/{run_id}/cancel",
        "POST /payouts/{payout_id}/reject", "PUT /payouts/bank-file-settings",
    ), "computes from what others decided, or gives up"),
    **dict.fromkeys((
        "POST /departments", "PATCH /departments/{department_id}", "POST /divisions",
        "PATCH /divisions/{division_id}", "PATCH /users/{user_id}", "POST /api-keys", "DELETE /api-keys/{key_id}",
        "POST /members", "PATCH /members/{member_id}", "POST /tenants", "PATCH /tenants/{tenant_id}",
        "POST /forms", "PATCH /forms/{form_id}", "POST /kpi-definitions/preview", "POST /payment-types/preview",
        "PUT /notification-preferences", "POST /notifications", "POST /notifications/{notification_id}/open",
        "DELETE /notification-suppressions/{suppression_id}", "POST /notifications/unsubscribe/{token}",
        "POST /webhook-endpoints", "PATCH /webhook-endpoints/{endpoint_id}",
        "DELETE /webhook-endpoints/{endpoint_id}", "POST /webhook-endpoints/{endpoint_id}/rotate-secret",
        "POST /webhook-endpoints/{endpoint_id}/test", "POST /webhook-deliveries/{delivery_id}/replay",
    ), OTHER),
}  # fmt: skip


@pytest.fixture(name="me")
def _me(database: Urls) -> Self:
    return Self()


class TestWrites:
    def test_are_tried_or_cannot_pay_a_person(self) -> None:
        writes = {f"{one.method} {one.path}" for one in ENDPOINTS if one.method != "GET"}
        assert sorted(writes - TRIED.keys() - NEVER_PAYS.keys()) == []
        assert sorted((TRIED.keys() | NEVER_PAYS.keys()) - writes) == []
        assert not TRIED.keys() & NEVER_PAYS.keys()

    @pytest.mark.parametrize("write", TRIED)
    def test_are_refused_about_own_pay(self, me: Self, write: str) -> None:
        reply = TRIED[write](me)
        if reply.status == 403:
            refusal = reply.json["detail"]
        else:  # a file or a list: only the caller's own row is rejected
            assert reply.status in (200, 201), reply.text
            refusal = own.refusal_in(reply.json)
        assert REFUSED in refusal or "somebody else has to" in refusal, reply.text

    def test_by_a_second_key_of_the_same_person_are_refused(self, me: Self) -> None:
        other = key(me.acme.id, Role.HR, me.id)
        assert other.post(f"/users/{me.id}/salaries", {"amount": "1.00", "effective_from": DAY}).status == 403

    def test_by_a_key_that_the_person_made_are_refused(self, me: Self) -> None:
        machine = Api(me.api.ok("POST", "/api-keys", {"name": "machine", "role": "hr"})["key"])
        reply = machine.post(f"/users/{me.id}/salaries", {"amount": "1.00", "effective_from": DAY})
        assert (reply.status, reply.json["detail"]) == (
            403,
            "Nobody decides their own salary. Somebody else has to, who may salaries.write (tenant_admin, hr).",
        )

    def test_by_another_person_are_done(self, me: Self) -> None:
        reply = me.acme.hr.post(f"/users/{me.id}/salaries", {"amount": "1.00", "effective_from": DAY})
        assert reply.status == 201

    def test_about_own_punches_and_requests_are_done(self, me: Self) -> None:
        assert me.api.post(f"/users/{me.id}/checkin", {}).status == 201
        assert me.api.post("/overtime", {"date": DAY, "hours": 1}).status == 201

    def test_of_a_file_keep_the_rows_of_others(self, me: Self) -> None:
        other = employee(me.acme, name="Rafi", employee_no="R-1")
        reply = me.file(
            "/attendance/import", *({"user_id": str(one), "date": DAY, "status": "present"} for one in (me.id, other))
        )
        assert (reply.json["added"], [one["line"] for one in reply.json["errors"]]) == (1, [1])
        assert [one.user_id for one in sql(me.acme, "select user_id from attendance")] == [other]
