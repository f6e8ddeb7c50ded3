"""Near the ends of time a day has no neighbour and a moment no local time: such input is refused, and never a 500."""

from typing import Any

import pytest

from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key
from tests.support.people import employee

DAYS = ["0001-01-01", "1899-12-31", "2101-01-01", "9999-12-31", "10000-01-01", "2026-02-30", "20260105", "24:00"]
MOMENTS = [
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00",
    "2101-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2026-01-05T24:00:00+06:00", "2026-01-05T08:00:60Z",
    "2026-01-05T08:00:00",
]  # fmt: skip


class TestDays:
    @pytest.mark.parametrize("day", DAYS)
    def test_are_refused_in_bodies_paths_and_queries(self, acme: Cast, day: str) -> None:
        rahim = employee(acme)
        half = {"user_id": str(rahim), "start_date": day, "end_date": day}
        calls: list[tuple[str, str, Any]] = [
            ("GET", f"/audit-logs?to={day}", None),
            ("GET", f"/audit-logs?from={day}", None),
            ("GET", f"/users/{rahim}/leave-balances?on={day}", None),
            ("GET", f"/users/{rahim}/statement?from={day}", None),
            ("GET", f"/users/{rahim}/roster?to={day}", None),
            ("POST", "/on-duty", half),
            ("POST", "/overtime", {"user_id": str(rahim), "date": day, "hours": 1}),
            ("POST", "/holidays", {"date": day, "name": "Eid"}),
            ("POST", f"/users/{rahim}/salaries", {"amount": "1.00", "effective_from": day}),
            ("PUT", f"/users/{rahim}/employment", {"employee_no": "E-1", "joined_on": day}),
            ("PUT", f"/pay-register/2026-01/{rahim}/days/{day}", {"status": "present"}),
            ("DELETE", f"/pay-register/2026-01/{rahim}/days/{day}", None),
            (
                "POST",
                "/payroll-adjustments",
                {"user_id": str(rahim), "kind": "bonus", "amount": "1.00", "reason": "Eid", "effective_date": day},
            ),
            ("POST", "/payouts/batches", {"execution_on": day}),
        ]
        replies = {f"{method} {path}": acme.admin.call(method, path, body) for method, path, body in calls}
        assert {call: reply.status for call, reply in replies.items() if reply.status not in (404, 422)} == {}

    @pytest.mark.parametrize("day", DAYS)
    def test_are_refused_row_by_row_in_imports(self, acme: Cast, day: str) -> None:
        employee(acme)
        found = acme.hr.ok("POST", "/attendance/import", [{"employee_no": "E-1", "date": day, "status": "present"}])
        assert [(error["line"], error["column"]) for error in found["errors"]] == [(1, "date")]


class TestMoments:
    @pytest.mark.parametrize("moment", MOMENTS)
    def test_are_refused_in_bodies_and_rows(self, acme: Cast, moment: str) -> None:
        rahim = employee(acme)
        me = key(acme.id, Role.EMPLOYEE, rahim)
        assert me.post(f"/users/{rahim}/checkin", {"at": moment}).status == 422
        assert acme.hr.post("/sales", {"user_id": str(rahim), "earning": "1", "occurred_at": moment}).status == 422
        correction = acme.hr.put(f"/users/{rahim}/attendance/2026-01-05", {"check_in": moment, "reason": "device"})
        assert correction.status == 422
        rows = [{"employee_no": "E-1", "date": "2026-01-05", "check_in": "08:55", "check_out": moment}]
        assert len(acme.hr.ok("POST", "/attendance/import", rows)["errors"]) == 1
        rows = [{"employee_no": "E-1", "earning": "1", "occurred_at": moment}]
        assert [error["column"] for error in acme.hr.ok("POST", "/sales/import", rows)["errors"]] == ["occurred_at"]
