"""Two months of payroll over HTTP: calculated, approved and paid, corrected late, carried, and every check holds."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from chalicelib.backing.database import transaction
from chalicelib.operators import checks
from tests.support.cast import Cast
from tests.support.payouts import books, listed, once, payable
from tests.support.people import employee, row, sql
from tests.support.stack import Stack, at

pytestmark = pytest.mark.usefixtures("running")  # payslips are made into files by messages

JANUARY = [day for day in range(1, 32) if date(2026, 1, day).isoweekday() not in (5, 6)]  # 21 working days
FEBRUARY = [day for day in range(1, 29) if date(2026, 2, day).isoweekday() not in (5, 6)]  # 20 working days


@pytest.fixture(name="rahim", autouse=True)
def _rahim(acme: Cast) -> Iterator[str]:
    """Rahim earns 21,000.00 a month, of which 10 % are tax; he was there on every day but 5 January."""
    with at("2026-03-02T12:00:00+06:00"):
        user_id = employee(acme)
        row(
            acme,
            "salaries",
            {
                "user_id": user_id,
                "amount": "21000",
                "currency": "BDT",
                "frequency": "monthly",
                "effective_from": date(2025, 1, 1),
            },
            returning="user_id",
        )
        days = [f"2026-01-{day:02}" for day in JANUARY if day != 5] + [f"2026-02-{day:02}" for day in FEBRUARY]
        rows = [{"user_id": str(user_id), "date": day, "status": "present"} for day in days]
        assert acme.hr.ok("POST", "/attendance/import", rows)["errors"] == []
        acme.hr.ok(
            "POST",
            "/payment-types",
            {
                "name": "Tax",
                "category": "tax",
                "calculation": "percentage",
                "percent": 10,
                "base": "gross",
                "applies_to_all": True,
                "effective_from": "2025-01-01",
            },
        )
        yield str(user_id)


def calculate(cast: Cast, month: str, **more: Any) -> str:
    """Make a run and calculate it, by hand of HR."""
    run_id = cast.hr.ok("POST", "/payroll-runs", {"month": month, **more})["id"]
    cast.hr.ok("POST", f"/payroll-runs/{run_id}/calculate", {})
    return str(run_id)


def approve(cast: Cast, run_id: str) -> dict[str, Any]:
    """Approve a run, by hand of the admin, and read it."""
    cast.admin.ok("POST", f"/payroll-runs/{run_id}/approve", headers=once())
    return dict(cast.hr.ok("GET", f"/payroll-runs/{run_id}"))


def slip(cast: Cast, run_id: str) -> dict[str, Any]:
    """Read the only payslip of a run."""
    [found] = cast.hr.ok("GET", f"/payroll-runs/{run_id}/payslips")["items"]
    return dict(cast.hr.ok("GET", f"/payslips/{found['id']}"))


def attend(cast: Cast, user_id: str, day: str, status: str) -> None:
    """Correct one day."""
    body = {"status": status, "reason": "the terminal was wrong"}
    cast.hr.ok("PUT", f"/users/{user_id}/attendance/{day}", body)


def wrong(cast: Cast) -> list[str]:
    """Run every check of a tenant and give what is wrong."""
    with transaction(tenant_id=cast.id) as session:
        return [one for name in checks.OF_A_TENANT for one in checks.check_tenant(session, name, cast.id).problems]


def test_pays_each_month_once_and_what_changes_later_with_the_next(acme: Cast, rahim: str, running: Stack) -> None:
    january = calculate(acme, "2026-01")
    assert acme.hr.post(f"/payroll-runs/{january}/approve", headers=once()).status == 403
    run = approve(acme, january)
    assert (run["status"], run["posted_at"] is None) == ("approved", False)
    # 21,000 x 20 / 21 = 20,000.00, less 2,000.00
    assert books(acme) == {"wage_cost BDT": 20000, "taxes_withheld BDT": -2000, "payable BDT": -18000}

    attend(acme, rahim, "2026-01-05", "present")  # he was there after all: 1,000.00 more, less 100.00
    february = calculate(acme, "2026-02")
    assert [(line["name"], line["amount"]) for line in slip(acme, february)["lines"]] == [
        ("Salary", "21000.00"),
        ("Arrears 2026-01: Salary", "1000.00"),
        ("Tax", "2100.00"),
        ("Arrears 2026-01: Tax", "100.00"),
    ]
    approve(acme, february)
    assert books(acme) == {"wage_cost BDT": 42000, "taxes_withheld BDT": -4200, "payable BDT": -37800}
    assert [one.settled_at is None for one in sql(acme, "select settled_at from late_corrections")] == [False]

    again = calculate(acme, "2026-02", kind="off_cycle")  # finds nothing that was not paid
    assert acme.hr.ok("GET", f"/payroll-runs/{again}/payslips")["items"] == []

    for run_id in (january, february):  # each pays its own payslips, and is paid when they are
        assert acme.admin.ok("POST", f"/payroll-runs/{run_id}/pay", headers=once())["status"] == "partly_paid"
        running.drain()
        assert acme.hr.ok("GET", f"/payroll-runs/{run_id}")["status"] == "paid"
    assert (listed(acme), payable(acme, rahim)) == ([("18000.00", "paid"), ("19800.00", "paid")], 0)
    assert wrong(acme) == []


def test_takes_back_over_two_runs_what_was_paid_too_much(acme: Cast, rahim: str) -> None:
    approve(acme, calculate(acme, "2026-01"))
    for day in JANUARY[1:]:  # 1 January stays
        attend(acme, rahim, f"2026-01-{day:02}", "absent")
    # January is worth 1,000.00 less 100.00 by now, and 18,000.00 were paid: 17,100.00 too much
    acme.hr.ok(
        "POST",
        "/payroll-adjustments",
        {"user_id": rahim, "kind": "bonus", "amount": "100.00", "reason": "Eid", "effective_date": "2026-02-01"},
    )
    extra = calculate(acme, "2026-02", kind="off_cycle", user_ids=[rahim])
    assert slip(acme, extra)["totals"]["net"] == "-17000.00"
    approve(acme, extra)
    # the tax of 1,900.00 comes back too; 17,000.00 wait in pay_carried
    assert books(acme) == {
        "wage_cost BDT": 1100,
        "taxes_withheld BDT": -100,
        "pay_carried BDT": 17000,
        "payable BDT": -18000,
    }
    assert wrong(acme) == []
    february = calculate(acme, "2026-02")
    assert [(line["name"], line["amount"]) for line in slip(acme, february)["lines"]] == [
        ("Salary", "21000.00"),
        ("Carried over from 2026-02", "17000.00"),
        ("Tax", "2100.00"),
    ]
    approve(acme, february)
    assert books(acme) == {"wage_cost BDT": 22100, "taxes_withheld BDT": -2200, "payable BDT": -19900}
    assert wrong(acme) == []


def test_has_to_be_calculated_again_where_facts_changed(acme: Cast, rahim: str) -> None:
    run_id = calculate(acme, "2026-01")
    attend(acme, rahim, "2026-01-05", "present")
    reply = acme.admin.post(f"/payroll-runs/{run_id}/approve", headers=once())
    assert (reply.status, reply.json["detail"].partition(".")[0]) == (
        409,
        "Facts of 2026-01 changed after this payroll run was calculated",
    )
    acme.hr.ok("POST", f"/payroll-runs/{run_id}/calculate", {})
    approve(acme, run_id)
    assert books(acme)["wage_cost BDT"] == 21000
