"""Runs from a month's facts to payslips that explain themselves."""

from datetime import UTC, date, datetime
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from chalicelib.backing import clock
from chalicelib.features.payroll.runs import queries as run_queries
from chalicelib.identity.callers import job_scope
from chalicelib.identity.permissions import Role
from chalicelib.identity.scope import Origin
from tests.support.cast import Cast, key
from tests.support.people import employee, row, sql
from tests.support.stack import Stack

WORKING = [1, *range(4, 9), *range(11, 16), *range(18, 23), *range(25, 30)]  # the 21 of January 2026


@pytest.fixture(autouse=True)
def _february(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 2, 2, 6, tzinfo=UTC))


def hire(
    tenant: Cast,
    name: str,
    number: str,
    salary: str,
    *,
    days: list[int] = WORKING,
    frequency: str = "monthly",
    **more: Any,
) -> str:
    """Make an employee who was present on these days of January."""
    user_id = employee(tenant, name=name, employee_no=number, **more)
    row(
        tenant,
        "salaries",
        {
            "user_id": user_id,
            "amount": salary,
            "currency": "BDT",
            "frequency": frequency,
            "effective_from": date(2025, 1, 1),
        },
        returning="user_id",
    )
    present(tenant, user_id, days)
    return str(user_id)


def present(tenant: Cast, user_id: Any, days: list[int], month: int = 1) -> None:
    rows = [{"user_id": str(user_id), "date": f"2026-{month:02}-{day:02}", "status": "present"} for day in days]
    if rows:
        assert tenant.hr.ok("POST", "/attendance/import", rows)["errors"] == []


def component(tenant: Cast, name: str, category: str, calculation: str, **more: Any) -> dict[str, Any]:
    said = {
        "name": name,
        "category": category,
        "calculation": calculation,
        "applies_to_all": calculation != "dynamic",
        "effective_from": "2025-01-01",
        **more,
    }
    return tenant.hr.ok("POST", "/payment-types", said)  # type: ignore[no-any-return]


def calculated(tenant: Cast, month: str = "2026-01", **more: Any) -> dict[str, Any]:
    run = tenant.hr.ok("POST", "/payroll-runs", {"month": month, **more})
    tenant.hr.ok("POST", f"/payroll-runs/{run['id']}/calculate")
    return tenant.hr.ok("GET", f"/payroll-runs/{run['id']}")  # type: ignore[no-any-return]


def slips(tenant: Cast, run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Read a run's payslips whole, by the person's name."""
    found = tenant.hr.ok("GET", f"/payroll-runs/{run['id']}/payslips")["items"]
    return {one["user"]["name"]: tenant.hr.ok("GET", f"/payslips/{one['id']}") for one in found}


def lines(slip: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(line["name"], line["category"], line["amount"]) for line in slip["lines"]]


class TestCalculate:
    def test_makes_payslips_that_explain_themselves(self, acme: Cast) -> None:
        hire(acme, "Rahim", "E-1", "15000", days=WORKING[:19])
        component(acme, "House rent", "earning", "percentage", percent=50)
        component(acme, "Transport", "earning", "fixed", amount="1000.00")
        component(acme, "Provident fund", "deduction", "percentage", percent=10)
        component(acme, "Income tax", "tax", "formula", formula="BRACKET(gross, 0, 0%, 10000, 10%, 20000, 20%)")
        run = calculated(acme)
        assert run["status"] == "calculated"
        # 15,000 x 19 / 21 = 13,571.43; half of it 6,785.72 (6,785.715 up); gross 21,357.15;
        # a tenth of it 1,357.14; tax 10 % of 10,000 and 20 % of 1,357.15 = 1,271.43
        slip = slips(acme, run)["Rahim"]
        assert lines(slip) == [
            ("Salary", "earning", "13571.43"),
            ("House rent", "earning", "6785.72"),
            ("Transport", "earning", "1000.00"),
            ("Provident fund", "deduction", "1357.14"),
            ("Income tax", "tax", "1271.43"),
        ]
        assert slip["totals"] == {
            "gross": "21357.15",
            "deductions": "1357.14",
            "taxes": "1271.43",
            "benefits": "0.00",
            "net": "18728.58",
        }
        assert slip["lines"][0]["formula"] == "15000.00 x 19 / 21"
        tax = slip["lines"][4]
        assert tax["formula"] == "BRACKET(gross, 0, 0%, 10000, 10%, 20000, 20%)"
        assert tax["inputs"] == {"gross": "21357.15"}
        [total] = run["summary"]["totals"]
        assert (total["net"], total["payslips"], total["previous"]) == ("18728.58", 1, None)
        assert [(one["code"], one["people"], one["amount"]) for one in total["components"]] == [
            ("house_rent", 1, "6785.72"),
            ("transport", 1, "1000.00"),
            ("provident_fund", 1, "1357.14"),
            ("income_tax", 1, "1271.43"),
        ]

    def test_replaces_what_was_calculated_before(self, acme: Cast) -> None:
        user_id = hire(acme, "Rahim", "E-1", "15000", days=WORKING[:19])
        run = calculated(acme)
        assert slips(acme, run)["Rahim"]["totals"]["net"] == "13571.43"
        present(acme, user_id, WORKING)  # who was there on two more days
        acme.hr.ok("POST", f"/payroll-runs/{run['id']}/calculate")
        found = slips(acme, run)
        assert (len(found), found["Rahim"]["totals"]["net"]) == (1, "15000.00")

    def test_works_chunk_by_chunk_as_in_one(self, acme: Cast, running: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("chalicelib.features.payroll.runs.calculation.CHUNK_EMPLOYEES", 2)
        for number in range(5):
            hire(acme, f"Person {number}", f"E-{number}", f"{15000 + number}")
        run = calculated(acme)
        assert run["status"] == "draft"  # on its way
        running.drain()
        run = acme.hr.ok("GET", f"/payroll-runs/{run['id']}")
        assert run["status"] == "calculated"
        assert {name: slip["totals"]["net"] for name, slip in slips(acme, run).items()} == {
            f"Person {number}": f"{15000 + number}.00" for number in range(5)
        }
        assert acme.hr.ok("GET", f"/jobs/{run['job_id']}")["progress"] == {"done": 5, "total": 5}

    def test_takes_overrides_and_given_amounts(self, acme: Cast) -> None:
        rahim, karim = hire(acme, "Rahim", "E-1", "10000"), hire(acme, "Karim", "E-2", "10000")
        rent = component(acme, "House rent", "earning", "percentage", percent=50)
        transport = component(acme, "Transport", "earning", "fixed", amount="1000.00")
        commission = component(acme, "Commission", "earning", "dynamic")
        acme.hr.ok("PUT", f"/users/{rahim}/payment-types/{rent['id']}", {"percent": 40, "effective_from": "2026-01-01"})
        acme.hr.ok(
            "PUT", f"/users/{karim}/payment-types/{transport['id']}", {"applies": False, "effective_from": "2026-01-01"}
        )
        run = acme.hr.ok("POST", "/payroll-runs", {"month": "2026-01"})
        report = acme.hr.ok(
            "POST",
            f"/payroll-runs/{run['id']}/amounts",
            [
                {"employee_no": "E-2", "payment_type": "commission", "amount": "250.50"},
                {"employee_no": "E-9", "payment_type": "commission", "amount": "1"},
                {"employee_no": "E-1", "payment_type": "transport", "amount": "1"},
            ],
        )
        assert (report["written"], [(one["line"], one["column"]) for one in report["errors"]]) == (
            1,
            [(2, "employee_no"), (3, "payment_type")],
        )
        acme.hr.ok("POST", f"/payroll-runs/{run['id']}/calculate")
        found = slips(acme, run)
        assert lines(found["Rahim"]) == [
            ("Salary", "earning", "10000.00"),
            ("House rent", "earning", "4000.00"),
            ("Transport", "earning", "1000.00"),
        ]
        assert found["Rahim"]["lines"][1]["formula"] == "earned_salary * 40%"
        assert lines(found["Karim"]) == [
            ("Salary", "earning", "10000.00"),
            ("House rent", "earning", "5000.00"),
            ("Commission", "earning", "250.50"),
        ]
        assert commission["code"] == "commission"

    def test_shows_what_somebody_should_look_at(self, acme: Cast) -> None:
        hire(acme, "Rahim", "E-1", "10000")
        hire(acme, "Absent", "E-2", "10000", days=[])
        component(acme, "Loan", "deduction", "fixed", amount="300.00")
        component(acme, "Per overtime hour", "earning", "formula", formula="1000 / ot_hours")
        run = calculated(acme)
        found = slips(acme, run)
        assert found["Absent"]["anomalies"] == ["negative_net", "no_value"]
        assert found["Rahim"]["anomalies"] == ["no_value"]
        line = found["Rahim"]["lines"][1]
        assert (line["amount"], line["warnings"]) == (
            "0.00",
            ["per_overtime_hour divides by 0: it has no value, and counts 0."],
        )
        assert run["summary"]["anomalies"] == {"negative_net": 1, "no_value": 2}
        only = acme.hr.ok("GET", f"/payroll-runs/{run['id']}/payslips?anomaly=negative_net")["items"]
        assert [one["user"]["name"] for one in only] == ["Absent"]

    def test_pays_adjustments_and_takes_fines(self, acme: Cast) -> None:
        rahim = hire(acme, "Rahim", "E-1", "10000")
        for kind, amount, day in (
            ("bonus", "500.00", "2026-01-10"),
            ("fine", "-200.00", "2026-01-31"),
            ("bonus", "999.00", "2026-02-01"),
        ):
            acme.hr.ok(
                "POST",
                "/payroll-adjustments",
                {"user_id": rahim, "kind": kind, "amount": amount, "reason": "as agreed", "effective_date": day},
            )
        slip = slips(acme, calculated(acme))["Rahim"]
        assert lines(slip) == [
            ("Salary", "earning", "10000.00"),
            ("Bonus: as agreed", "earning", "500.00"),
            ("Fine: as agreed", "deduction", "200.00"),
        ]
        assert slip["totals"]["net"] == "10300.00"

    def test_is_a_stranger_to_others(self, acme: Cast, zenith: Cast) -> None:
        hire(acme, "Rahim", "E-1", "10000")
        run = calculated(acme)
        slip = slips(acme, run)["Rahim"]
        for method, path in (
            ("GET", f"/payroll-runs/{run['id']}"),
            ("POST", f"/payroll-runs/{run['id']}/calculate"),
            ("POST", f"/payroll-runs/{run['id']}/cancel"),
            ("GET", f"/payslips/{slip['id']}"),
            ("GET", f"/payroll-runs/{run['id']}/payslips"),
        ):
            assert zenith.hr.call(method, path).status == 404

    def test_shows_people_their_own_only_when_approved(self, acme: Cast) -> None:
        rahim, karim = hire(acme, "Rahim", "E-1", "10000"), hire(acme, "Karim", "E-2", "10000")
        run = calculated(acme)
        mine = key(acme.id, Role.EMPLOYEE, rahim)
        slip = slips(acme, run)["Rahim"]
        assert mine.get(f"/payslips/{slip['id']}").status == 404
        sql(acme, "update payroll_runs set status = 'approved', approved_at = now(), approved_by = 'x'")
        assert mine.ok("GET", f"/payslips/{slip['id']}")["totals"]["net"] == "10000.00"
        assert [one["user"]["id"] for one in mine.ok("GET", "/payslips")["items"]] == [rahim]
        assert mine.get(f"/payslips?user_id={karim}").status == 404

    def test_waits_for_a_chunk_of_the_calculation_before(self, acme: Cast) -> None:
        hire(acme, "Rahim", "E-1", "10000")
        run = calculated(acme)
        again = Thread(target=acme.hr.ok, args=("POST", f"/payroll-runs/{run['id']}/calculate"))
        with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
            run_queries.share_lock_run(scope, UUID(run["id"]))  # as a chunk does, that is still writing
            again.start()
            again.join(0.5)
            assert again.is_alive()
        again.join(10)
        assert slips(acme, run)["Rahim"]["totals"]["net"] == "10000.00"


class TestCreate:
    def test_makes_one_regular_run_a_month(self, acme: Cast) -> None:
        run = acme.hr.ok("POST", "/payroll-runs", {"month": "2026-01"})
        again = acme.hr.post("/payroll-runs", {"month": "2026-01"})
        assert (again.status, "has its regular run already" in again.text) == (409, True)
        assert (
            acme.hr.ok("POST", f"/payroll-runs/{run['id']}/cancel", {"reason": "begun too early"})["status"]
            == "cancelled"
        )
        assert acme.hr.post(f"/payroll-runs/{run['id']}/calculate").status == 409
        acme.hr.ok("POST", "/payroll-runs", {"month": "2026-01"})

    def test_refuses_months_to_come(self, acme: Cast) -> None:
        reply = acme.hr.post("/payroll-runs", {"month": "2026-03"})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/month")

    def test_keeps_a_regular_run_whole(self, acme: Cast) -> None:
        rahim = hire(acme, "Rahim", "E-1", "10000")
        assert acme.hr.post("/payroll-runs", {"month": "2026-01", "user_ids": [rahim]}).status == 422


class TestOffCycle:
    def test_pays_what_cannot_wait_and_no_salary(self, acme: Cast) -> None:
        rahim = hire(acme, "Rahim", "E-1", "10000")
        hire(acme, "Karim", "E-2", "12000")
        festival = component(
            acme, "Festival bonus", "earning", "percentage", percent=50, base="base_salary", applies_to_all=True
        )
        component(acme, "Loan", "deduction", "fixed", amount="300.00")
        run = calculated(acme, kind="off_cycle", title="Eid", payment_type_ids=[festival["id"]])
        found = slips(acme, run)
        assert {name: lines(slip) for name, slip in found.items()} == {
            "Rahim": [("Festival bonus", "earning", "5000.00")],
            "Karim": [("Festival bonus", "earning", "6000.00")],
        }
        run = calculated(acme, kind="off_cycle", user_ids=[rahim], payment_type_ids=[festival["id"]])
        assert list(slips(acme, run)) == ["Rahim"]

    def test_keeps_to_the_people_it_is_for(self, acme: Cast) -> None:
        rahim = hire(acme, "Rahim", "E-1", "10000")
        hire(acme, "Karim", "E-2", "12000")
        component(acme, "Commission", "earning", "dynamic")
        run = acme.hr.ok("POST", "/payroll-runs", {"month": "2026-01", "kind": "off_cycle", "user_ids": [rahim]})
        rows = [{"employee_no": f"E-{n}", "payment_type": "commission", "amount": "100.00"} for n in (1, 2)]
        acme.hr.ok("POST", f"/payroll-runs/{run['id']}/amounts", rows)
        acme.hr.ok("POST", f"/payroll-runs/{run['id']}/calculate")
        assert list(slips(acme, run)) == ["Rahim"]

    def test_calculates_nobody_again_whom_it_is_not_for(self, acme: Cast) -> None:
        rahim, karim = hire(acme, "Rahim", "E-1", "10000"), hire(acme, "Karim", "E-2", "12000")
        festival = component(acme, "Festival bonus", "earning", "percentage", percent=50, base="base_salary")
        run = calculated(acme, kind="off_cycle", user_ids=[rahim], payment_type_ids=[festival["id"]])
        reply = acme.hr.post(f"/payroll-runs/{run['id']}/calculate", {"user_ids": [rahim, karim]})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/user_ids/1")
        assert list(slips(acme, run)) == ["Rahim"]

    def test_forgets_an_amount_that_was_taken_away(self, acme: Cast) -> None:
        hire(acme, "Rahim", "E-1", "10000")
        component(acme, "Commission", "earning", "dynamic")
        run = acme.hr.ok("POST", "/payroll-runs", {"month": "2026-01", "kind": "off_cycle"})
        for amount, people in (("100.00", ["Rahim"]), ("0", [])):
            rows = [{"employee_no": "E-1", "payment_type": "commission", "amount": amount}]
            acme.hr.ok("POST", f"/payroll-runs/{run['id']}/amounts", rows)
            acme.hr.ok("POST", f"/payroll-runs/{run['id']}/calculate")
            assert list(slips(acme, run)) == people


class TestFixOne:
    def test_calculates_one_person_again_and_leaves_the_others(self, acme: Cast) -> None:
        rahim, karim = hire(acme, "Rahim", "E-1", "10000"), hire(acme, "Karim", "E-2", "12000")
        rent = component(acme, "House rent", "earning", "percentage", percent=50)
        component(acme, "Commission", "earning", "dynamic")
        run = acme.hr.ok("POST", "/payroll-runs", {"month": "2026-01"})
        acme.hr.ok(
            "POST",
            f"/payroll-runs/{run['id']}/amounts",
            [{"employee_no": "E-2", "payment_type": "commission", "amount": "100.00"}],
        )
        acme.hr.ok("POST", f"/payroll-runs/{run['id']}/calculate")
        before = slips(acme, run)
        acme.hr.ok("PUT", f"/users/{rahim}/payment-types/{rent['id']}", {"percent": 10, "effective_from": "2026-01-01"})
        acme.hr.ok("POST", f"/payroll-runs/{run['id']}/calculate", {"user_ids": [rahim]})
        after = slips(acme, run)
        assert after["Karim"] == before["Karim"]  # the very same payslip
        assert (after["Rahim"]["id"] == before["Rahim"]["id"], after["Rahim"]["totals"]["net"]) == (False, "11000.00")
        present(acme, karim, [2])  # facts changed: nobody can be left as they were
        acme.hr.ok("POST", f"/payroll-runs/{run['id']}/calculate", {"user_ids": [rahim]})
        assert slips(acme, run)["Karim"]["id"] != before["Karim"]["id"]
