"""Net lines of arrears, as runs paid them until December 2026: they count as paid, each part of them once."""

import json
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chalicelib.backing import clock
from migrations.setup import Urls
from tests.features.payroll.test_approval_story import wrong
from tests.features.payroll.test_arrears import approved, rebase
from tests.features.payroll.test_payroll_runs import calculated, component, hire, lines, slips
from tests.support.cast import Cast
from tests.support.migrating import Earlier, upgraded
from tests.support.stack import Stack

# January's components, and what two corrections made of them, as the net lines of February and March say it.
PLAN = {
    "kind": "regular", "inputs": ["base_salary", "earned_salary"],
    "terms": {"currency": "BDT", "timezone": "Asia/Dhaka", "weekend": [5, 6], "week_start": 6, "cycle_start_day": 1,
              "policy": {}},
    "components": [{"code": "fund", "category": "deduction"}, {"code": "tax", "category": "tax"},
                   {"code": "car", "category": "benefit"}],
}  # fmt: skip
FIRST = {
    "inputs": {"earned_salary": {"was": "60000.00", "now": "80000.00"}, "present_days": {"was": "20", "now": "21"}},
    "components": {
        "fund": {"was": "5400.00", "now": "7200.00"},
        "car": {"was": "15600.00", "now": "20800.00"},
        "tax": {"was": None, "now": "100.00"},
    },
}
SECOND = {
    "inputs": {"earned_salary": {"was": "60000.00", "now": "70000.00"}},
    "components": {"fund": {"was": "5400.00", "now": "6300.00"}, "car": {"was": "15600.00", "now": "18200.00"}},
}


def put_run(database: Earlier, month: str, status: str, approved_at: str | None) -> Any:
    return database.rows(
        "insert into payroll_runs (tenant_id, month, kind, status, plan, created_by, created_at, calculated_at,"
        " approved_at, summary, job_id) values (%s, %s, 'regular', %s, %s, 'hr', now(), now(), %s, '{}', uuidv7())"
        " returning id",
        database.tenant_id,
        month,
        status,
        json.dumps(PLAN),
        approved_at,
    )[0][0]


def put_line(database: Earlier, run_id: Any, user_id: Any, parts: tuple[int, int, int], detail: Any) -> None:
    gross, deductions, taxes = parts
    net = gross - deductions - taxes
    database.run(
        "insert into payslips (tenant_id, run_id, user_id, currency, inputs, amounts, gross, deductions, taxes,"
        " benefits, net, calculated_at) values (%s, %s, %s, 'BDT', '{}', '{}', 90000, 0, 0, 0, 90000, now())",
        database.tenant_id,
        run_id,
        user_id,
    )
    database.run(
        "insert into payslip_one_offs (tenant_id, run_id, user_id, number, kind, category, name, amount, month, gross,"
        " deductions, taxes, detail) values (%s, %s, %s, 1, 'arrears', %s, 'Arrears', %s, '2026-01', %s, %s, %s, %s)",
        database.tenant_id,
        run_id,
        user_id,
        "earning" if net >= 0 else "deduction",
        abs(net),
        gross,
        deductions,
        taxes,
        json.dumps(detail),
    )


def test_the_lines_that_exist_are_split_by_component(template: Urls, server: str) -> None:
    with upgraded(server, to="2026_12_01_1031") as database:
        rahim = database.rows("select uuidv7()")[0][0]
        put_run(database, "2026-01", "approved", "2026-02-01")
        february = put_run(database, "2026-02", "approved", "2026-03-01")
        march = put_run(database, "2026-03", "approved", "2026-04-01")
        april = put_run(database, "2026-04", "calculated", None)
        put_line(database, february, rahim, (20_000, 1_800, 100), FIRST)
        put_line(database, march, rahim, (-10_000, -900, -100), SECOND)
        put_line(database, april, rahim, (10, 0, 0), FIRST)
        database.go()
        found = database.rows("select run_id, parts, amount from payslip_one_offs order by run_id")
        runs = database.rows(
            "select month, status, job_id is null, summary is null, calculation"
            " from payroll_runs where month > '2026-02' order by month"
        )
        slips_of_april = database.rows("select from payslips where run_id = %s", april)
    assert found == [
        (february, {"earned_salary": "20000.00", "fund": "1800.00", "tax": "100.00"}, 18_100),
        (march, {"earned_salary": "-10000.00", "fund": "-900.00", "tax": "-100.00"}, 9_000),
    ]
    # what was not approved is calculated again, and has lines by component then
    assert runs == [("2026-03", "approved", False, False, 0), ("2026-04", "draft", True, True, 1)]
    assert slips_of_april == []


@pytest.fixture(autouse=True)
def _march(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, 2, 6, tzinfo=UTC))


def test_counts_as_paid_and_only_the_rest_is(acme: Cast, running: Stack, server: str, database: Urls) -> None:
    rahim = hire(acme, "Rahim", "E-1", "60000")
    component(acme, "Pension", "deduction", "percentage", percent=9)
    component(acme, "Employer pension", "benefit", "percentage", percent=26)
    approved(acme, running)
    rebase(acme, rahim, "80000")
    extra = approved(acme, running, "2026-02", kind="off_cycle")
    # the same as the product of November 2026 has booked it: 20,000 less 1,800 in one line, nothing of the benefit
    with psycopg.connect(make_conninfo(server, dbname=conninfo_to_dict(database.application)["dbname"])) as root:
        run = {"id": extra["id"]}
        root.execute(
            "update payslip_one_offs set code = null, amount = 18200.00, name = 'Arrears 2026-01', gross = 20000.00,"
            ' deductions = 1800.00, taxes = 0.00, parts = \'{"earned_salary": "20000.00", "pension": "1800.00"}\''
            " where run_id = %(id)s and code = 'earned_salary'",
            run,
        )
        root.execute("delete from payslip_one_offs where run_id = %(id)s and code is not null", run)
        root.execute(
            "update payslips set gross = 18200.00, deductions = 0, benefits = 0, net = 18200.00 where run_id = %(id)s",
            run,
        )
        root.execute("update payroll_runs set summary = null where id = %(id)s", run)
    assert lines(slips(acme, extra)["Rahim"]) == [("Arrears 2026-01", "earning", "18200.00")]
    assert wrong(acme) == [], "the ledger has 20,000 and 1,800, and checks know why the payslip has not"

    rebase(acme, rahim, "81000")
    assert lines(slips(acme, calculated(acme, "2026-02", kind="off_cycle"))["Rahim"]) == [
        ("Arrears 2026-01: Salary", "earning", "1000.00"),
        ("Arrears 2026-01: Pension", "deduction", "90.00"),
        # all of it, as the line of before said nothing of benefits: 81,000 x 26 % = 21,060 less 15,600
        ("Arrears 2026-01: Employer pension", "benefit", "5460.00"),
    ]
