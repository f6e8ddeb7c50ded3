"""The register of a run as a file: every payslip, every component, and totals that add up."""

import csv
import io
from base64 import b64decode
from dataclasses import replace
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key
from tests.support.payslips import COMPONENTS, FUND, HOUSE_RENT, INSURANCE, TAX, one_off, payslip, run
from tests.support.people import employee, row

HEAD = (
    "employee_no,name,department,currency,base_salary,working_days,present_days,od_days,paid_leave_days,lop_days,"
    "absent_days,extra_days,payable_shifts,ot_hours,earned_salary,House rent,Provident fund,Income tax,"
    "Health insurance,arrears,adjustment,carried_over,gross,deductions,taxes,benefits,net,pays,previous_net,anomalies"
)


def exported(cast: Cast, run_id: object) -> list[dict[str, str]]:
    reply = cast.hr.get(f"/payroll-runs/{run_id}/export")
    assert reply.status == 200, reply.text
    return list(csv.DictReader(io.StringIO(reply.text)))


class TestExport:
    def test_writes_a_row_per_payslip_and_the_totals_of_the_currency(self, acme: Cast) -> None:
        finance = row(acme, "departments", {"name": "Finance"})
        rahim, karim = employee(acme, department_id=finance), employee(acme, name="Karim", employee_no="E-2")
        january = run(acme, status="calculated")
        payslip(
            acme,
            january,
            karim,
            earned="15000.00",
            amounts=["6000.00", None, "600.00", "1200.00"],
            totals=["21000.00", "0", "600.00", "1200.00"],
            previous_net=Decimal("20000.00"),
        )
        payslip(acme, january, rahim, anomalies=["net_down", "no_bank_details"])

        reply = acme.hr.get(f"/payroll-runs/{january}/export")
        assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert reply.headers["Content-Disposition"] == 'attachment; filename="payroll-2026-01-regular.csv"'
        assert reply.text.splitlines() == [
            HEAD,
            "E-1,Rahim,Finance,BDT,15000,21,18,,1,0,2,,,2.5,13571.43,5428.57,1000.00,400.00,1200.00,"
            ",,,19000.00,1000.00,400.00,1200.00,17600.00,17600.00,,net_down; no_bank_details",
            "E-2,Karim,,BDT,15000,21,18,,1,0,2,,,2.5,15000.00,6000.00,,600.00,1200.00,"
            ",,,21000.00,0,600.00,1200.00,20400.00,20400.00,20000.00,",
            "total,2 payslips,,BDT,,,,,,,,,,,28571.43,11428.57,1000.00,1000.00,2400.00,"
            ",,,40000.00,1000.00,1000.00,2400.00,38000.00,38000.00,,",
        ]

    def test_keeps_what_no_component_made_apart_and_what_is_taken_back_below_0(self, acme: Cast) -> None:
        rahim, december = employee(acme), run(acme, month="2025-12")
        before = payslip(acme, december, rahim)
        january = run(acme, status="calculated", components=[])
        payslip(acme, january, rahim, earned="1000.00", amounts=[], totals=["1500.00", "1914.29", "0", "0"])
        adjustments = [
            acme.hr.ok(
                "POST",
                "/payroll-adjustments",
                {
                    "user_id": str(rahim),
                    "kind": kind,
                    "amount": amount,
                    "reason": "Eid",
                    "effective_date": "2026-01-05",
                },
            )["id"]
            for kind, amount in (("bonus", "500.00"), ("fine", "-800.00"))
        ]
        lines: list[dict[str, Any]] = [
            {
                "kind": "arrears",
                "category": "deduction",
                "name": "2025-12",
                "amount": Decimal("714.29"),
                "month": "2025-12",
                "gross": Decimal("-714.29"),
                "deductions": 0,
                "taxes": 0,
            },
            {
                "kind": "adjustment",
                "category": "earning",
                "name": "Bonus",
                "amount": 500,
                "adjustment_id": adjustments[0],
            },
            {
                "kind": "adjustment",
                "category": "deduction",
                "name": "Fine",
                "amount": 800,
                "adjustment_id": adjustments[1],
            },
            {"kind": "carried_over", "category": "deduction", "name": "2025-12", "amount": 400, "payslip_id": before},
        ]
        for number, line in enumerate(lines, start=1):
            one_off(acme, january, rahim, number=number, **line)

        of_rahim, total = exported(acme, january)
        shown = ("earned_salary", "arrears", "adjustment", "carried_over", "gross", "deductions", "net", "pays")
        assert [of_rahim[name] for name in shown] == [
            "1000.00",
            "-714.29",
            "-300",
            "400",
            "1500.00",
            "1914.29",
            "-414.29",
            "0.00",
        ]
        assert [total[name] for name in shown] == [of_rahim[name] for name in shown]

    def test_tells_components_of_one_name_apart_and_those_called_like_a_column(self, acme: Cast) -> None:
        rahim = employee(acme)
        components = [
            replace(HOUSE_RENT, name="Extra"),
            replace(FUND, name="Extra"),
            replace(TAX, code="gross_tax", name="gross"),
            replace(INSURANCE, code="pays", name="pays"),
        ]
        january = run(acme, status="calculated", components=components)
        payslip(acme, january, rahim)
        head, of_rahim, *_ = csv.reader(io.StringIO(acme.hr.get(f"/payroll-runs/{january}/export").text))
        assert head[15:19] == ["Extra (house_rent)", "Extra (fund)", "gross", "pays"]
        assert of_rahim[15:19] == ["5428.57", "1000.00", "400.00", "1200.00"]
        assert of_rahim[head.index("anomalies") - 2] == "17600.00", "what is paid is not the component called pays"

    def test_writes_nothing_that_a_spreadsheet_would_run(self, acme: Cast) -> None:
        finance = row(acme, "departments", {"name": "@SUM(A1)"})
        rahim = employee(acme, name="=HYPERLINK(1)", employee_no="+1", department_id=finance)
        january = run(acme, status="calculated", components=[replace(one, name="-1+1") for one in COMPONENTS[:1]])
        payslip(acme, january, rahim, amounts=["5428.57"])
        head, of_rahim, *_ = csv.reader(io.StringIO(acme.hr.get(f"/payroll-runs/{january}/export").text))
        assert of_rahim[:3] == ["'+1", "'=HYPERLINK(1)", "'@SUM(A1)"]
        assert head[15] == "'-1+1"

    def test_writes_a_workbook_whose_amounts_are_numbers(self, acme: Cast) -> None:
        january = run(acme, status="calculated")
        payslip(acme, january, employee(acme))
        reply = acme.hr.get(f"/payroll-runs/{january}/export?format=xlsx", headers={"accept": XLSX})
        assert reply.headers["Content-Disposition"] == 'attachment; filename="payroll-2026-01-regular.xlsx"'
        sheet = openpyxl.load_workbook(io.BytesIO(b64decode(reply.text))).active
        assert sheet is not None
        rows = [[cell.value for cell in line] for line in sheet.iter_rows()]
        assert rows[0] == HEAD.split(",")
        assert rows[1][0] == "E-1"
        assert rows[1][14:19] == [13571.43, 5428.57, 1000, 400, 1200]

    @pytest.mark.parametrize("status", ["draft", "cancelled"])
    def test_refuses_a_run_that_is_not_calculated(self, acme: Cast, status: str) -> None:
        values = {"cancelled_at": "2026-02-01T00:00:00Z"} if status == "cancelled" else {}
        reply = acme.hr.get(f"/payroll-runs/{run(acme, status=status, **values)}/export")
        assert reply.status == 409
        assert reply.json["detail"] == f"This run is {status}, so there is nothing to write; calculate it first."

    def test_is_for_those_who_run_payroll_of_this_tenant(self, acme: Cast, zenith: Cast) -> None:
        january, rahim = run(acme), employee(acme)
        assert zenith.hr.get(f"/payroll-runs/{january}/export").status == 404
        assert key(acme.id, Role.EMPLOYEE, rahim).get(f"/payroll-runs/{january}/export").status == 403
        assert key(acme.id, Role.MANAGER, rahim).get(f"/payroll-runs/{january}/export").status == 403

    def test_takes_a_word_for_the_format_that_it_knows(self, acme: Cast) -> None:
        assert acme.hr.get(f"/payroll-runs/{run(acme)}/export?format=pdf").status == 422


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
