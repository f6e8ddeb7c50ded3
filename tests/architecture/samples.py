"""One sample of each kind of object that a path can name, to request another tenant's and unknown ids."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from chalicelib.identity import keys
from chalicelib.identity.permissions import Role
from tests.support import payslips
from tests.support.cast import Cast, key
from tests.support.people import employee, row, sql

# How to make the object of a path parameter, by the path up to the parameter; a new kind is added here.
MADE_BY: Mapping[str, Callable[[Cast], UUID]] = {
    "/users/{user_id}": lambda cast: _payable(cast),
    "/pay-register/{month}/{user_id}": lambda cast: _user(cast),
    "/branches/{branch_id}": lambda cast: _named(cast, "branches"),
    "/departments/{department_id}": lambda cast: _named(cast, "departments"),
    "/divisions/{division_id}": lambda cast: _named(cast, "divisions"),
    "/shifts/{shift_id}": lambda cast: _named(cast, "shifts", starts_at="09:00", ends_at="18:00"),
    "/holidays/{holiday_id}": lambda cast: _named(cast, "holidays", day=_next_day(cast)),
    "/on-duty/{request_id}": lambda cast: _asked(cast, "on_duty", start_on=JANUARY, end_on=JANUARY),
    "/overtime/{request_id}": lambda cast: _asked(cast, "overtime", day=JANUARY, hours=2),
    "/jobs/{job_id}": lambda cast: row(cast, "jobs", {"kind": "pay-register-sync", "parameters": json.dumps({})}),
    "/members/{member_id}": lambda cast: row(cast, "members", {"email": f"{_number()}@a.example", "role": "hr"}),
    "/api-keys/{key_id}": lambda cast: row(
        cast, "api_keys", {"name": f"box {_number()}", "role": "hr", "hint": "",
                           "key_hash": keys.digest(str(_number()))}),
    "/payouts/batches/{batch_id}": lambda cast: row(
        cast, "payout_batches", {"number": _number(), "format": "pain.001", "file_name": "a.xml", "file_sha256": "",
                                 "file_key": f"tenants/{cast.id}/a.xml", "payouts": 1, "totals": json.dumps([]),
                                 "execution_on": JANUARY, "created_by": "hr:x", "created_at": JANUARY}),
    "/webhook-endpoints/{endpoint_id}": lambda cast: _endpoint(cast),
    "/webhook-deliveries/{delivery_id}": lambda cast: row(
        cast, "webhook_deliveries",
        {"endpoint_id": _endpoint(cast), "event_id": row(cast, "webhook_events", {"type": "ping", "body": "{}"})}),
    "/notifications/{notification_id}": lambda cast: _notification(cast, "in_app"),
    "/notification-suppressions/{suppression_id}": lambda cast: row(
        cast, "notification_suppressions",
        {"address": f"{_number()}@a.example", "reason": "bounce", "log_id": _notification(cast, "email")}),
    "/tenants/{tenant_id}": lambda cast: cast.id,
    "/payouts/{payout_id}": lambda cast: row(
        cast, "payouts", {"user_id": _user(cast), "currency": "BDT", "amount": 1, "after_number": 0,
                          "through_number": 1, "kind": "final", "provider": "simulated", "reference": str(_number()),
                          "status": "held", "prepared_by": "x"}),
    "/sales/{sale_id}": lambda cast: _sold(cast),
    "/leave-expiry-rules/{rule_id}": lambda cast: _named(cast, "leave_expiry_rules"),
    "/forms/{form_id}": lambda cast: _form(cast),
    "/forms/submissions/{submission_id}": lambda cast: _submission(cast),
    "/forms/attachments/{attachment_id}": lambda cast: _attachment(cast),
    "/kpi-definitions/{definition_id}": lambda cast: _measure(cast),
    "/kpi-assignments/{assignment_id}": lambda cast: row(
        cast, "kpi_assignments", {"definition_id": _measure(cast), "user_id": _user(cast), "cycle_start_on": JANUARY,
                                  "cycle_end_on": JANUARY, "assigned_by": "x", "assigned_at": JANUARY}),
    "/leave-types/{leave_type_id}": lambda cast: _named(cast, "leave_types"),
    "/payment-types/{type_id}": lambda cast: _component(cast),
    "/payroll-runs/{run_id}": lambda cast: payslips.run(cast, status="calculated", month=_next_month()),
    "/payslips/{payslip_id}": lambda cast: payslips.payslip(
        cast, payslips.run(cast, status="calculated", month=_next_month()), _user(cast)),
    "/users/{user_id}/payment-types/{type_id}": lambda cast: _component(cast),
    "/leave-allocations/{allocation_id}": lambda cast: row(
        cast, "leave_allocations", {"user_id": _user(cast), "leave_type_id": _named(cast, "leave_types"),
                                    "cycle_start_on": JANUARY, "cycle_end_on": date(2026, 12, 31)}),
    "/leave-requests/{request_id}": lambda cast: _asked(
        cast, "leave_requests", leave_type_id=_named(cast, "leave_types"), start_on=JANUARY, end_on=JANUARY, days=1),
}  # fmt: skip
# Parameters that name no object.
PLAIN = {"month": "2026-01", "day": "2026-01-05", "date": "2026-01-05", "token": "x"}
# Ids in bodies and queries, by their field's name, as in MADE_BY.
FIELDS = {
    "id": "payout destination",
    "user_id": "/users/{user_id}",
    "user_ids": "/users/{user_id}",
    "manager_id": "/users/{user_id}",
    "branch_id": "/branches/{branch_id}",
    "department_id": "/departments/{department_id}",
    "division_id": "/divisions/{division_id}",
    "shift_id": "/shifts/{shift_id}",
    "leave_type_id": "/leave-types/{leave_type_id}",
    "payment_type_ids": "/payment-types/{type_id}",
    "definition_id": "/kpi-definitions/{definition_id}",
    "sale_id": "/sales/{sale_id}",
    "expiry_rule_id": "/leave-expiry-rules/{rule_id}",
    "endpoint_id": "/webhook-endpoints/{endpoint_id}",
    "attachments": "/forms/attachments/{attachment_id}",
}
NOBODY = "00000000-0000-7000-8000-000000000000"  # where a body needs a second id
LISTENING = {"url": "https://1.1.1.1/wagebook"}  # an IP address, so that no name is resolved; nothing is sent
SIMULATED = {"kind": "simulated", "behaviour": "accept"}
PERSON = {"name": "Karim", "employment": {"employee_no": "K-2", "joined_on": "2026-01-01"}}
# A valid body, where `{}` is not; the tests add ids to it, or mutate it.
BODIES: dict[str, Any] = {
    "PATCH /on-duty/{request_id}": {"status": "approved"},
    "PATCH /overtime/{request_id}": {"status": "approved"},
    "POST /on-duty": {"start_date": "2026-01-05", "end_date": "2026-01-05"},
    "POST /overtime": {"date": "2026-01-05", "hours": 2},
    "PUT /users/{user_id}/attendance/{date}": {"status": "present", "reason": "forgot"},
    "PUT /pay-register/{month}/{user_id}/days/{day}": {"status": "present"},
    "PATCH /pay-register/{month}/{user_id}/days/{day}": {"ot_hours": 1},
    "PATCH /members/{member_id}": {"role": "hr"},
    "PATCH /branches/{branch_id}": {"name": "Mine"},
    "PATCH /departments/{department_id}": {"name": "Mine"},
    "PATCH /divisions/{division_id}": {"name": "Mine"},
    "PATCH /shifts/{shift_id}": {"name": "Mine"},
    "PATCH /holidays/{holiday_id}": {"name": "Mine"},
    "PATCH /users/{user_id}": {"name": "Mine"},
    "PUT /users/{user_id}/employment": {"employee_no": "K-1", "joined_on": "2026-01-01"},
    "PUT /users/{user_id}/roster": {"entries": [{"date": "2026-01-05", "off": "full"}]},
    "POST /users/{user_id}/salaries": {"amount": "1.00", "effective_from": "2026-01-01"},
    "PUT /users/{user_id}/payout-destination": SIMULATED,
    "POST /users/{user_id}/payout-destination/confirm": {},
    "POST /me/payout-destination": SIMULATED,
    "PUT /payouts/bank-file-settings": {"format": "pain.001", "payer": {"name": "Mine", "account_number": "1234567"}},
    "POST /payouts/batches/{batch_id}/answer": [],
    "POST /payouts/advance/run": {},
    "POST /payouts/final/run": {},
    "POST /payouts/{payout_id}/confirm": {"reference": "receipt 1"},
    "POST /payouts/{payout_id}/reject": {"reason": "wrong"},
    "POST /payouts/{payout_id}/resolve": {"outcome": "paid", "reason": "the bank says so"},
    "POST /webhook-endpoints": LISTENING,
    "PATCH /webhook-endpoints/{endpoint_id}": {"description": "Mine"},
    "POST /users": PERSON,
    "POST /sales/user": PERSON,
    "POST /sales": {"earning": "1.00"},
    "POST /reconcile": {"items": [{"status": "approved"}]},
    "POST /holidays": {"date": "2026-03-26", "name": "Independence Day"},
    "POST /holidays/import": {"country": "BD", "year": 2026},
    "POST /members": {"email": "k@zenith.example", "role": "employee"},
    "POST /api-keys": {"name": "box", "role": "employee"},
    "POST /pay-register/{month}/sync": {},
    "POST /payroll-runs": {"month": "2026-01", "kind": "off_cycle"},
    "POST /payroll-runs/{run_id}/amounts": [],
    "POST /payroll-runs/{run_id}/calculate": {},
    "POST /forms": {
        "name": "Mine",
        "form_type": "custom",
        "fields": [{"field_name": "note", "field_label": "Note", "field_type": "text"}],
    },
    "PATCH /forms/{form_id}": {"name": "Mine"},
    "POST /forms/{form_id}/submit": {"submission_data": {}},
    "PATCH /forms/submissions/{submission_id}": {"status": "approved"},
    "POST /forms/{form_id}/attachments": {
        "field_name": "note",
        "file_name": "a.pdf",
        "size_bytes": 1,
        "content_type": "application/pdf",
    },
    "POST /notifications": {"title": "Closed", "message": "On Friday."},
    "PUT /notification-preferences": {"phone": "+8801712345678"},
    "POST /departments": {"name": "Mine"},
    "POST /divisions": {"name": "Mine"},
    "POST /branches": {"name": "Mine"},
    "POST /leave-types": {"name": "Mine"},
    "POST /kpi-definitions": {"name": "Mine", "source": "manual_entry"},
    "PATCH /kpi-definitions/{definition_id}": {"name": "Mine"},
    "POST /kpi-definitions/preview": {
        "metric": "late_count",
        "user_id": NOBODY,
        "cycle_start": "2026-01-01",
        "cycle_end": "2026-01-31",
    },
    "POST /kpi-assignments": {"definition_id": NOBODY, "cycle_start": "2026-01-01", "cycle_end": "2026-01-31"},
    "POST /kpi-assignments/{assignment_id}/value": {"value": 90},
    "POST /kpi-assignments/{assignment_id}/override": {"value": 90, "reason": "two sites"},
    "PATCH /leave-types/{leave_type_id}": {"name": "Mine"},
    "POST /leave-allocations": {
        "user_id": NOBODY,
        "leave_type_id": NOBODY,
        "cycle_start_date": "2026-01-01",
        "allocated_days": 20,
    },
    "POST /leave-allocations/bulk": {"leave_type_id": NOBODY, "cycle_start_date": "2026-01-01", "days": 20},
    "PATCH /leave-allocations/{allocation_id}": {"allocated_days": 20},
    "POST /leave-requests": {"leave_type_id": NOBODY, "start_date": "2026-01-05", "end_date": "2026-01-05"},
    "PATCH /leave-requests/{request_id}": {"status": "approved"},
    "POST /leave-expiry-rules": {"name": "Mine"},
    "PATCH /leave-expiry-rules/{rule_id}": {"name": "Mine"},
    "POST /leave-expiry/run": {},
    "POST /payment-types": {"name": "Mine", "category": "earning", "calculation": "fixed", "amount": "1.00"},
    "PATCH /payment-types/{type_id}": {"name": "Mine"},
    "POST /payment-types/preview": {"formula": "gross / 2", "month": "2026-01"},
    "POST /payroll-adjustments": {"kind": "bonus", "amount": "1.00", "reason": "Eid", "effective_date": "2026-01-05"},
    "POST /shifts": {"name": "Mine", "start": "09:00", "end": "18:00"},
    "POST /users/{user_id}/checkin": {"at": "2026-01-05T03:00:00Z"},
    "PATCH /users/{user_id}/checkout": {"at": "2026-01-05T12:00:00Z"},
    "POST /pay-register/{month}/unlock": {"reason": "forgot"},
}
JANUARY = date(2026, 1, 5)
_numbers = iter(range(1, 10**9))


def make_all(cast: Cast) -> dict[str, UUID]:
    """Make one object of every kind that a path or only a body names."""
    path = f"/users/{_user(cast)}/payout-destination"
    destination = UUID(cast.admin.ok("PUT", path, {"kind": "simulated", "behaviour": "accept"})["id"])
    return {"payout destination": destination, **{place: make(cast) for place, make in MADE_BY.items()}}


def parameters(path: str) -> dict[str, str]:
    """Return the parameters of a path, each with the path up to and including it."""
    return {part[1:-1]: path[: path.index(part) + len(part)] for part in path.split("/") if part.startswith("{")}


def employee_of(cast: Cast) -> Any:
    """Make an employee of a tenant, and return a caller with their key."""
    return key(cast.id, Role.EMPLOYEE, _user(cast))


def _number() -> int:
    return next(_numbers)


def _next_day(cast: Cast) -> date:
    return date.fromordinal(JANUARY.toordinal() + 400 + _number())


def _next_month() -> str:
    return f"{2100 + _number():04}-01"


def _user(cast: Cast) -> UUID:
    return employee(cast, name="Rahim", employee_no=f"S-{_number()}")


def _payable(cast: Cast) -> UUID:
    user_id = _user(cast)
    cast.hr.ok("PUT", f"/users/{user_id}/payout-destination", SIMULATED)
    return user_id


def _measure(cast: Cast) -> UUID:
    return _named(
        cast,
        "kpi_definitions",
        code=f"k{_number()}",
        metric_type="numeric",
        source="manual_entry",
        created_by="x",
        created_at=JANUARY,
    )


def _endpoint(cast: Cast) -> UUID:
    return UUID(cast.admin.ok("POST", "/webhook-endpoints", LISTENING)["id"])


def _component(cast: Cast) -> UUID:
    body = {"name": f"Sample {_number()}", "category": "earning", "calculation": "fixed", "amount": "1.00"}
    return UUID(cast.hr.ok("POST", "/payment-types", body)["id"])


def _sold(cast: Cast) -> UUID:
    return UUID(cast.hr.ok("POST", "/sales", {"user_id": str(_user(cast)), "earning": "1.00"})["id"])


def _form(cast: Cast) -> UUID:
    form_id = _named(cast, "forms", form_type="custom")
    note = {"field_name": "note", "field_label": "Note", "field_type": "file"}
    row(
        cast,
        "form_versions",
        {"form_id": form_id, "number": 1, "fields": json.dumps([note]), "published_at": JANUARY},
        returning="number",
    )
    return form_id


def _submission(cast: Cast) -> UUID:
    return row(
        cast,
        "form_submissions",
        {
            "form_id": _form(cast),
            "version_number": 1,
            "user_id": _user(cast),
            "status": "submitted",
            "submitted_at": JANUARY,
        },
    )


def _attachment(cast: Cast) -> UUID:
    submission_id = _submission(cast)
    [(form_id, user_id)] = sql(cast, "select form_id, user_id from form_submissions where id = :id", id=submission_id)
    return row(
        cast,
        "form_attachments",
        {
            "form_id": form_id,
            "user_id": user_id,
            "submission_id": submission_id,
            "field_name": "note",
            "file_name": "a.pdf",
            "content_type": "application/pdf",
            "size_bytes": 1,
            "status": "clean",
            "sha256": "0" * 64,
            "scanned_by": "none",
            "checked_at": JANUARY,
        },
    )


def _notification(cast: Cast, channel: str) -> UUID:
    return row(
        cast,
        "notification_logs",
        {
            "user_id": _user(cast),
            "kind": "custom",
            "channel": channel,
            "cause": str(_number()),
            "status": "sent",
            "entity_type": "announcement",
            "entity_id": "1",
            "said": json.dumps({"title": "Closed", "message": "Friday"}),
        },
    )


def _named(cast: Cast, table: str, **values: object) -> UUID:
    return row(cast, table, {"name": f"Sample {_number()}", **values})


def _asked(cast: Cast, table: str, **values: object) -> UUID:
    return row(cast, table, {"user_id": _user(cast), **values}, returning="id")
