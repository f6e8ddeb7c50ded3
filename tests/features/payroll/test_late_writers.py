"""A correction of a paid month that is still being written while the next month is calculated is paid all the same."""

from datetime import date
from threading import Thread
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.features.periods import periods
from tests.support import cases as put
from tests.support.cast import Cast
from tests.support.payouts import once
from tests.support.stack import Stack

_ABSENT = text("""
    insert into attendance (tenant_id, user_id, day, stated, source)
    values (:tenant_id, :user_id, '2026-01-05', 'absent', 'import')""")


class Payroll:
    """Rahim's pay, month after month."""

    def __init__(self, acme: Cast, running: Stack) -> None:
        self.acme, self.running = acme, running
        acme.admin.ok("PATCH", "/tenant", {"policy": {"missing_attendance": "present"}})
        body = {
            "name": "Rahim",
            "employment": {"employee_no": "E-1", "joined_on": "2025-01-01"},
            "salary": {"amount": "15000.00", "effective_from": "2025-01-01"},
        }
        self.rahim = UUID(acme.hr.ok("POST", "/users", body)["id"])

    def calculated(self, month: str) -> str:
        """Make and calculate a month's run."""
        run_id = str(self.acme.hr.ok("POST", "/payroll-runs", {"month": month})["id"])
        self.acme.hr.ok("POST", f"/payroll-runs/{run_id}/calculate", {})
        self.running.drain()
        return run_id

    def approve(self, run_id: str) -> None:
        self.acme.admin.ok("POST", f"/payroll-runs/{run_id}/approve", headers=once())
        self.running.drain()

    def nets(self, *run_ids: str) -> list[str]:
        """Return what Rahim is paid by each run."""
        found: list[dict[str, Any]] = []
        for run_id in run_ids:
            found += self.acme.hr.ok("GET", f"/payroll-runs/{run_id}/payslips")["items"]
        return [one["net"] for one in found]


def test_a_correction_written_during_a_calculation_is_not_lost(acme: Cast, running: Stack) -> None:
    payroll = Payroll(acme, running)
    payroll.approve(payroll.calculated("2026-01"))
    february: list[str] = []
    calculation = Thread(target=lambda: february.append(payroll.calculated("2026-02")))
    with put.open_scope(acme.id) as scope:  # an import that takes its time
        assert periods.touch(scope, changes=[(payroll.rahim, date(2026, 1, 5))], what="attendance") == ["2026-01"]
        calculation.start()
        calculation.join(3)  # it may wait for the import, or not
        scope.session.execute(_ABSENT, {"tenant_id": acme.id, "user_id": payroll.rahim})
    calculation.join(30)
    payroll.approve(february[0])
    march = payroll.calculated("2026-03")
    # 15000 / 21 = 714.29 less, in February where it was seen, else in March
    assert sorted(payroll.nets(february[0], march)) == ["14285.71", "15000.00"]


def test_an_edit_that_computed_itself_outdates_the_calculated_run(acme: Cast, running: Stack) -> None:
    payroll = Payroll(acme, running)
    run_id = payroll.calculated("2026-01")
    acme.hr.ok("PUT", f"/pay-register/2026-01/{payroll.rahim}/days/2026-01-05", {"status": "absent"})
    assert acme.hr.ok("GET", "/pay-register/2026-01")["period"]["is_stale"] is False
    refused = acme.admin.post(f"/payroll-runs/{run_id}/approve", headers=once())
    assert (refused.status, "Facts of 2026-01 changed" in refused.json["detail"]) == (409, True)
    # also where only the person concerned is calculated again: the run says that it is true as a whole
    acme.hr.ok("POST", f"/payroll-runs/{run_id}/calculate", {"user_ids": [str(payroll.rahim)]})
    running.drain()
    payroll.approve(run_id)
    assert payroll.nets(run_id) == ["14285.71"]
