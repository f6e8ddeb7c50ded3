"""Periods that were paid, corrected later: the difference is paid by the next run, once."""

import csv
import io
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from chalicelib.backing import clock
from tests.features.payroll.test_approval_story import wrong
from tests.features.payroll.test_payroll_runs import WORKING, calculated, component, hire, lines, present, slips
from tests.support.cast import Cast
from tests.support.payouts import books
from tests.support.people import sql
from tests.support.stack import Stack

FEBRUARY = [1, 2, 3, 4, 5, *range(8, 13), *range(15, 20), *range(22, 27)]  # Sunday to Thursday: 20 days


@pytest.fixture(autouse=True)
def _march(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, 2, 6, tzinfo=UTC))


def approved(tenant: Cast, running: Stack, month: str = "2026-01", **more: Any) -> dict[str, Any]:
    """Calculate a run, and have another person approve it."""
    run = calculated(tenant, month, **more)
    tenant.admin.ok("POST", f"/payroll-runs/{run['id']}/approve", headers={"idempotency-key": str(uuid4())})
    running.drain()
    return tenant.hr.ok("GET", f"/payroll-runs/{run['id']}")  # type: ignore[no-any-return]


def register(tenant: Cast) -> list[Any]:
    return sql(tenant, "select month, user_id, halves, present_days from pay_registers order by 1, 2")


class TestArrears:
    def test_pays_the_difference_of_a_locked_month_once(self, acme: Cast, running: Stack) -> None:
        rahim = hire(acme, "Rahim", "E-1", "15000", days=WORKING[:19])
        karim = hire(acme, "Karim", "E-2", "15000")
        for user_id in (rahim, karim):
            present(acme, user_id, FEBRUARY, month=2)
        january = approved(acme, running)
        before, slip = register(acme), slips(acme, january)["Rahim"]
        assert slip["totals"]["net"] == "13571.43"
        present(acme, rahim, [WORKING[19]])  # one of the two days was attended after all
        february = calculated(acme, "2026-02")
        found = slips(acme, february)
        # 15,000 x 20 / 21 = 14,285.71 less 13,571.43
        assert lines(found["Rahim"]) == [
            ("Salary", "earning", "15000.00"),
            ("Arrears 2026-01: Salary", "earning", "714.28"),
        ]
        assert lines(found["Karim"]) == [("Salary", "earning", "15000.00")]
        assert found["Rahim"]["lines"][1]["detail"]["inputs"] == {
            "earned_salary": {"was": "13571.43", "now": "14285.71"},
            "present_days": {"was": "19.0", "now": "20.0"},
            "absent_days": {"was": "2.0", "now": "1.0"},
            "payable_shifts": {"was": "19.000", "now": "20.000"},
        }
        arrears = found["Rahim"]["lines"][1]
        assert (arrears["kind"], arrears["code"], arrears["detail"]["month"]) == ("arrears", "earned_salary", "2026-01")
        assert (arrears["detail"]["paid"], arrears["detail"]["now"]) == ("13571.43", "14285.71")
        assert slips(acme, january)["Rahim"] == slip
        assert [row for row in register(acme) if row.month == "2026-01"] == before
        acme.hr.ok("POST", f"/payroll-runs/{february['id']}/calculate")
        assert lines(slips(acme, february)["Rahim"]) == lines(found["Rahim"])  # again adds nothing
        acme.admin.ok("POST", f"/payroll-runs/{february['id']}/approve", headers={"idempotency-key": "a"})
        running.drain()
        extra = calculated(acme, "2026-02", kind="off_cycle")
        assert slips(acme, extra) == {}

    def test_takes_back_what_was_too_much_with_its_tax(self, acme: Cast, running: Stack) -> None:
        rahim = hire(acme, "Rahim", "E-1", "21000")
        present(acme, rahim, FEBRUARY, month=2)
        component(acme, "Tax", "tax", "percentage", percent=10, base="gross")
        approved(acme, running)
        acme.hr.ok("PUT", f"/pay-register/2026-01/{rahim}/days/2026-01-05", {"status": "absent"})
        february = calculated(acme, "2026-02")
        slip = slips(acme, february)["Rahim"]
        # January: 21,000 x 20 / 21 = 20,000 less a tenth, where 21,000 and 2,100 were booked; February is taxed as ever
        assert lines(slip) == [
            ("Salary", "earning", "21000.00"),
            ("Arrears 2026-01: Salary", "earning", "-1000.00"),
            ("Tax", "tax", "2100.00"),
            ("Arrears 2026-01: Tax", "tax", "-100.00"),
        ]
        assert slip["totals"] == {
            "gross": "20000.00",
            "deductions": "0.00",
            "taxes": "2000.00",
            "benefits": "0.00",
            "net": "18000.00",
        }
        assert slip["lines"][3]["detail"] == {
            "month": "2026-01",
            "component": "Tax",
            "paid": "2100.00",
            "now": "2000.00",
            "inputs": {},
        }

    def test_pays_a_raise_that_was_agreed_late(self, acme: Cast, running: Stack) -> None:
        rahim = hire(acme, "Rahim", "E-1", "15000")
        approved(acme, running)
        acme.hr.ok(
            "POST",
            f"/users/{rahim}/salaries",
            {"amount": "18000", "frequency": "monthly", "effective_from": "2026-01-16"},
        )
        extra = calculated(acme, "2026-02", kind="off_cycle")
        # 15,000 x 11 / 21 = 7,857.14 and 18,000 x 10 / 21 = 8,571.43, together 16,428.57
        assert lines(slips(acme, extra)["Rahim"]) == [("Arrears 2026-01: Salary", "earning", "1428.57")]

    def test_keeps_to_the_policy_and_components_of_the_period(self, acme: Cast, running: Stack) -> None:
        rahim = hire(acme, "Rahim", "E-1", "31000", days=WORKING[:19])
        rent = component(acme, "House rent", "earning", "percentage", percent=50)
        approved(acme, running)
        acme.admin.ok("PATCH", "/tenant", {"policy": {"proration_basis": "calendar_days"}})
        acme.hr.ok("PATCH", f"/payment-types/{rent['id']}", {"percent": 10, "effective_from": "2026-01-01"})
        present(acme, rahim, [WORKING[19]])
        extra = calculated(acme, "2026-02", kind="off_cycle")
        # 31,000 x 19 / 21 = 28,047.62 + 14,023.81; x 20 / 21 = 29,523.81 + 14,761.91 (14,761.905 up)
        assert lines(slips(acme, extra)["Rahim"]) == [
            ("Arrears 2026-01: Salary", "earning", "1476.19"),
            ("Arrears 2026-01: House rent", "earning", "738.10"),
        ]

    def test_leaves_days_as_they_were_paid_that_nobody_corrected(self, acme: Cast, running: Stack) -> None:
        shift = acme.hr.ok("POST", "/shifts", {"name": "Day", "start": "09:00", "end": "18:00"})
        rahim = hire(acme, "Rahim", "E-1", "15000", days=WORKING[:18])
        sql(acme, "update employments set shift_id = :id where user_id = :user_id", id=UUID(shift["id"]), user_id=rahim)
        short = {"employee_no": "E-1", "date": f"2026-01-{WORKING[18]}", "check_in": "09:00", "check_out": "17:00"}
        assert acme.hr.ok("POST", "/attendance/import", [short])["added"] == 1  # 8 hours of 9: absent
        january = approved(acme, running)
        assert slips(acme, january)["Rahim"]["totals"]["net"] == "12857.14"  # 15,000 x 18 / 21
        acme.hr.ok("PATCH", f"/shifts/{shift['id']}", {"full_day_minutes": 480})
        present(acme, rahim, [WORKING[19]])
        extra = calculated(acme, "2026-02", kind="off_cycle")
        # one day more, x 19 / 21 = 13,571.43; by the new shift the short day would be another one
        assert lines(slips(acme, extra)["Rahim"]) == [("Arrears 2026-01: Salary", "earning", "714.29")]

    def test_pays_a_month_to_whom_it_did_not_know(self, acme: Cast, running: Stack) -> None:
        hire(acme, "Rahim", "E-1", "15000")
        approved(acme, running)
        hire(acme, "Late", "E-9", "21000", days=WORKING[:5])
        sql(
            acme,
            "insert into late_corrections (tenant_id, month, user_id, day, what, noted_at)"
            " select tenant_id, '2026-01', id, '2026-01-01', 'employment', now() from users where name = 'Late'",
        )
        extra = calculated(acme, "2026-02", kind="off_cycle")
        assert {name: lines(slip) for name, slip in slips(acme, extra).items()} == {
            "Late": [("Arrears 2026-01: Salary", "earning", "5000.00")]
        }

    def test_is_nothing_where_nothing_changed_in_the_end(self, acme: Cast, running: Stack) -> None:
        rahim = hire(acme, "Rahim", "E-1", "15000")
        approved(acme, running)
        acme.hr.ok("PUT", f"/pay-register/2026-01/{rahim}/days/2026-01-05", {"status": "absent"})
        acme.hr.ok("DELETE", f"/pay-register/2026-01/{rahim}/days/2026-01-05")
        assert slips(acme, calculated(acme, "2026-02", kind="off_cycle")) == {}


def rebase(tenant: Cast, user_id: str, salary: str, since: str = "2026-01-01") -> None:
    """Agree on a salary after the fact."""
    tenant.hr.ok(
        "POST", f"/users/{user_id}/salaries", {"amount": salary, "frequency": "monthly", "effective_from": since}
    )


@pytest.fixture(name="rebased")
def _rebased(acme: Cast, running: Stack) -> str:
    """January is paid by 60,000 with a 9 % deduction and a 26 % employer benefit; the salary was 80,000 all along."""
    rahim = hire(acme, "Rahim", "E-1", "60000")
    present(acme, rahim, FEBRUARY, month=2)
    component(acme, "Pension", "deduction", "percentage", percent=9)
    component(acme, "Employer pension", "benefit", "percentage", percent=26)
    approved(acme, running)
    rebase(acme, rahim, "80000")
    return rahim


class TestPerComponent:
    def test_tells_each_difference_in_its_category_everywhere(self, acme: Cast, running: Stack, rebased: str) -> None:
        february = calculated(acme, "2026-02")
        slip = slips(acme, february)["Rahim"]
        assert lines(slip) == [
            ("Salary", "earning", "80000.00"),
            ("Arrears 2026-01: Salary", "earning", "20000.00"),
            ("Pension", "deduction", "7200.00"),
            ("Arrears 2026-01: Pension", "deduction", "1800.00"),
            ("Employer pension", "benefit", "20800.00"),
            ("Arrears 2026-01: Employer pension", "benefit", "5200.00"),
        ]
        late = [line for line in slip["lines"] if line["kind"] == "arrears"]
        assert [(line["code"], line["detail"]["component"]) for line in late] == [
            ("earned_salary", "Salary"),
            ("pension", "Pension"),
            ("employer_pension", "Employer pension"),
        ]
        totals = {
            "gross": "100000.00",
            "deductions": "9000.00",
            "taxes": "0.00",
            "benefits": "26000.00",
            "net": "91000.00",
        }
        assert slip["totals"] == totals
        [summary] = february["summary"]["totals"]
        assert {name: summary[name] for name in totals} == totals
        assert [(one["month"], one["code"], one["people"], one["amount"]) for one in summary["arrears"]] == [
            ("2026-01", "earned_salary", 1, "20000.00"),
            ("2026-01", "pension", 1, "1800.00"),
            ("2026-01", "employer_pension", 1, "5200.00"),
        ]
        head, of_rahim, total = csv.reader(io.StringIO(acme.hr.get(f"/payroll-runs/{february['id']}/export").text))
        register = dict(zip(head, of_rahim, strict=True))
        assert {name: register[name] for name in totals} == totals
        assert {name: register[name] for name in head if "arrears" in name} == {
            "arrears": "18200.00",
            "arrears: Salary": "20000.00",
            "arrears: Pension": "1800.00",
            "arrears: Employer pension": "5200.00",
        }
        assert total[14:-2] == of_rahim[14:-2]
        acme.admin.ok("POST", f"/payroll-runs/{february['id']}/approve", headers={"idempotency-key": "a"})
        running.drain()
        assert books(acme) == {"wage_cost BDT": 160_000, "deductions_withheld BDT": -14_400, "payable BDT": -145_600}
        assert wrong(acme) == []

    def test_pays_a_correction_of_a_correction_once(self, acme: Cast, running: Stack, rebased: str) -> None:
        approved(acme, running, "2026-02")
        assert slips(acme, calculated(acme, "2026-02", kind="off_cycle")) == {}
        rebase(acme, rebased, "70000")  # and February's 80,000 was 70,000 too
        slip = slips(acme, approved(acme, running, "2026-02", kind="off_cycle", title="Once more"))["Rahim"]
        assert [line for line in lines(slip) if "2026-01" in line[0]] == [
            ("Arrears 2026-01: Salary", "earning", "-10000.00"),
            ("Arrears 2026-01: Pension", "deduction", "-900.00"),
            ("Arrears 2026-01: Employer pension", "benefit", "-2600.00"),
        ]
        assert slip["totals"] == {
            "gross": "-20000.00",
            "deductions": "-1800.00",
            "taxes": "0.00",
            "benefits": "-5200.00",
            "net": "-18200.00",
        }
        assert slip["carried"] == "18200.00"
        assert books(acme)["wage_cost BDT"] == 140_000
        assert wrong(acme) == []
        assert slips(acme, calculated(acme, "2026-02", kind="off_cycle")).keys() == {"Rahim"}, "only what is carried"

    def test_takes_back_what_was_paid_to_whom_the_month_did_not_know_and_need_not(
        self, acme: Cast, running: Stack
    ) -> None:
        hire(acme, "Rahim", "E-1", "15000")
        approved(acme, running)
        employment = {"employee_no": "E-2", "joined_on": "2026-01-25"}
        salary = {"amount": "21000", "frequency": "monthly", "effective_from": "2026-01-01"}
        karim = acme.hr.ok("POST", "/users", {"name": "Karim", "employment": employment, "salary": salary})["id"]
        present(acme, karim, [25])
        first = approved(acme, running, "2026-02", kind="off_cycle")
        assert lines(slips(acme, first)["Karim"]) == [("Arrears 2026-01: Salary", "earning", "1000.00")]
        acme.hr.ok("PUT", f"/users/{karim}/employment", {**employment, "joined_on": "2026-02-01"})
        assert lines(slips(acme, calculated(acme, "2026-02", kind="off_cycle"))["Karim"]) == [
            ("Arrears 2026-01: Salary", "earning", "-1000.00")
        ]


class TestCarry:
    def test_takes_a_net_below_zero_from_the_next_pay_once(self, acme: Cast, running: Stack) -> None:
        rahim = hire(acme, "Rahim", "E-1", "10000", days=[])
        present(acme, rahim, FEBRUARY, month=2)
        component(acme, "Loan", "deduction", "fixed", amount="300.00")
        january = slips(acme, approved(acme, running))["Rahim"]
        assert (january["totals"]["net"], january["pays"], january["carried"]) == ("-300.00", "0.00", "300.00")
        february = approved(acme, running, "2026-02")
        assert lines(slips(acme, february)["Rahim"]) == [
            ("Salary", "earning", "10000.00"),
            ("Loan", "deduction", "300.00"),
            ("Carried over from 2026-01", "deduction", "300.00"),
        ]
        assert slips(acme, calculated(acme, "2026-02", kind="off_cycle")) == {}
        assert acme.hr.ok("GET", f"/users/{rahim}/balance")["payable"] == "9400.00"
