"""One object of each kind that a path can name, so that routes can be asked for somebody's and for nobody's."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from chalicelib.identity import keys
from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key
from tests.support.people import employee, row

# How the object of a path parameter is made, by the path up to the parameter; a new one has to be added here.
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
        cast, "api_keys", {"name": "box", "role": "hr", "hint": "", "key_hash": keys.digest(str(_number()))}),
    "/payouts/batches/{batch_id}": lambda cast: row(
        cast, "payout_batches", {"number": _number(), "format": "pain.001", "file_name": "a.xml", "file_sha256": "",
                                 "file_key": f"tenants/{cast.id}/a.xml", "payouts": 1, "totals": json.dumps([]),
                                 "execution_on": JANUARY, "created_by": "hr:x", "created_at": JANUARY}),
    "/webhook-endpoints/{endpoint_id}": lambda cast: _endpoint(cast),
    "/webhook-deliveries/{delivery_id}": lambda cast: row(
        cast, "webhook_deliveries",
        {"endpoint_id": _endpoint(cast), "event_id": row(cast, "webhook_events", {"type": "ping", "body": "{}"})}),
    "/tenants/{tenant_id}": lambda cast: cast.id,
    "/payouts/{payout_id}": lambda cast: row(
        cast, "payouts", {"user_id": _user(cast), "currency": "BDT", "amount": 1, "after_number": 0,
                          "through_number": 1, "kind": "final", "provider": "simulated", "reference": str(_number()),
                          "status": "held", "prepared_by": "x"}),
    "/sales/{sale_id}": lambda cast: _sold(cast),
    "leave_type_id": lambda cast: _named(cast, "leave_types"),
}  # fmt: skip
# Parameters that name no object.
PLAIN = {"month": "2026-01", "day": "2026-01-05", "date": "2026-01-05"}
# Ids in bodies and queries, by their field's name, as in MADE_BY.
FIELDS = {
    "user_id": "/users/{user_id}",
    "user_ids": "/users/{user_id}",
    "manager_id": "/users/{user_id}",
    "branch_id": "/branches/{branch_id}",
    "department_id": "/departments/{department_id}",
    "division_id": "/divisions/{division_id}",
    "shift_id": "/shifts/{shift_id}",
    "leave_type_id": "leave_type_id",
    "sale_id": "/sales/{sale_id}",
    "endpoint_id": "/webhook-endpoints/{endpoint_id}",
}
LISTENING = {"url": "https://1.1.1.1/wagebook"}  # an address, so that no name has to be looked up; nothing is sent
SIMULATED = {"kind": "simulated", "behaviour": "accept"}
PERSON = {"name": "Karim", "employment": {"employee_no": "K-2", "joined_on": "2026-01-01"}}
# A body that would do, where `{}` would not; the tests add ids to these, or spoil them.
BODIES: dict[str, Any] = {
    "PATCH /on-duty/{request_id}": {"status": "approved"},
    "PATCH /overtime/{request_id}": {"status": "approved"},
    "POST /on-duty": {"start_date": "2026-01-05", "end_date": "2026-01-05"},
    "POST /overtime": {"date": "2026-01-05", "hours": 2},
    "PUT /users/{user_id}/attendance/{date}": {"status": "present", "reason": "forgot"},
    "PUT /pay-register/{month}/{user_id}/days/{day}": {"status": "present"},
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
    "PUT /payouts/bank-file-settings": {"format": "pain.001", "payer": {"name": "Mine", "account_number": "1234567"}},
    "POST /payouts/batches/{batch_id}/answer": [],
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
    "POST /departments": {"name": "Mine"},
    "POST /divisions": {"name": "Mine"},
    "POST /branches": {"name": "Mine"},
    "POST /leave-types": {"name": "Mine"},
    "POST /shifts": {"name": "Mine", "start": "09:00", "end": "18:00"},
    "POST /users/{user_id}/checkin": {"at": "2026-01-05T03:00:00Z"},
    "PATCH /users/{user_id}/checkout": {"at": "2026-01-05T12:00:00Z"},
    "POST /pay-register/{month}/unlock": {"reason": "forgot"},
}
JANUARY = date(2026, 1, 5)
_numbers = iter(range(1, 10**9))


def make_all(cast: Cast) -> dict[str, UUID]:
    """This will make one object of every kind."""
    return {place: make(cast) for place, make in MADE_BY.items()}


def parameters(path: str) -> dict[str, str]:
    """This will give the parameters of a path, each with the path up to it."""
    return {part[1:-1]: path[: path.index(part) + len(part)] for part in path.split("/") if part.startswith("{")}


def employee_of(cast: Cast) -> Any:
    """This will make an employee of a tenant who calls with a key of their own."""
    return key(cast.id, Role.EMPLOYEE, _user(cast))


def _number() -> int:
    return next(_numbers)


def _next_day(cast: Cast) -> date:
    return date.fromordinal(JANUARY.toordinal() + 400 + _number())


def _user(cast: Cast) -> UUID:
    return employee(cast, name="Rahim", employee_no=f"S-{_number()}")


def _payable(cast: Cast) -> UUID:
    user_id = _user(cast)
    cast.hr.ok("PUT", f"/users/{user_id}/payout-destination", SIMULATED)
    return user_id


def _endpoint(cast: Cast) -> UUID:
    return UUID(cast.admin.ok("POST", "/webhook-endpoints", LISTENING)["id"])


def _sold(cast: Cast) -> UUID:
    return UUID(cast.hr.ok("POST", "/sales", {"user_id": str(_user(cast)), "earning": "1.00"})["id"])


def _named(cast: Cast, table: str, **values: object) -> UUID:
    return row(cast, table, {"name": f"Sample {_number()}", **values})


def _asked(cast: Cast, table: str, **values: object) -> UUID:
    return row(cast, table, {"user_id": _user(cast), **values}, returning="id")
