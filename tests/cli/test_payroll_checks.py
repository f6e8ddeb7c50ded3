"""The checks of payroll: each seen to hold on approved runs, and to fail on something broken by a superuser."""

import pytest
from sqlalchemy import Connection, text

from chalicelib.operators import checks
from migrations.setup import Urls
from tests.features.payroll.runs import (
    adjustment,
    approve,
    arrears,
    calculated,
    carried,
    components,
    concluded,
    late,
    payslip,
)
from tests.support.cast import Cast, tenant
from tests.support.people import employee
from tests.support.stack import running

UNKEPT = "alter table ledger_entries disable trigger all; "
JANUARY = "(select id from payroll_runs where month = '2026-01')"
KARIM = "(select id from users where name = 'Karim')"
SLIP = f"(select id from payslips where run_id = {JANUARY} and user_id <> {KARIM})"
OF_SLIP = f"run_id = {JANUARY} and user_id <> {KARIM}"
ONE_OFF = f"update payslip_one_offs set {{}} where kind = '{{}}' and run_id = {JANUARY}"


@pytest.fixture(name="acme", scope="module")
def _acme(database: Urls) -> Cast:
    """Rahim was left 250.00 below 0 in December; January takes it, with a bonus, a fine and arrears. Karim is below 0.

    January's salary of 10,000.00 less a loan of 300.00 and a tax of 500.00; arrears of 90.00, which are 100.00 less
    10.00 tax, in one net line of before; a bonus of 500.00 and a fine of 40.00: 10,000 + 90 + 500 - 300 - 40 - 250
    - 500 = 9,500.00. And arrears by component: 200.00 salary, 30.00 less loan, 20.00 tax, 60.00 for a car: 210.00 more.
    """
    with running():  # payslips are made into files by messages
        return paid_twice()


def paid_twice() -> Cast:
    """Approve both months."""
    cast = tenant("Acme")
    components(cast)
    rahim, karim = employee(cast), employee(cast, name="Karim", employee_no="E-2")
    december = calculated(cast, month="2025-12")
    left = payslip(cast, december, rahim, salary="50.00", deductions="300.00")
    approve(cast, concluded(cast, december))
    january = calculated(cast)
    lines = [
        arrears("100.00", "0.00", "10.00"),
        adjustment(cast, rahim, "500.00"),
        adjustment(cast, rahim, "-40.00"),
        carried(left, "250.00"),
        late("earned_salary", "earning", "200.00", month="2025-11"),
        late("loan", "deduction", "-30.00", month="2025-11"),
        late("tax", "tax", "20.00", month="2025-11"),
        late("car", "benefit", "60.00", month="2025-11"),
    ]
    payslip(cast, january, rahim, salary="10000.00", deductions="300.00", taxes="500.00", one_offs=lines)
    payslip(cast, january, karim, salary="10.00", deductions="30.00")
    approve(cast, concluded(cast, january))
    assert cast.admin.ok("GET", f"/users/{rahim}/balance")["payable"] == "9710.00"
    return cast


@pytest.mark.parametrize(
    ("name", "breaking", "expected"),
    [
        ("payslips", "alter table payslips drop constraint payslips_check;"
         f" update payslips set net = 1 where {OF_SLIP}",
         "its net is not gross less deductions and taxes"),
        ("payslips", f"update payslips set gross = gross + 1, net = net + 1 where {OF_SLIP}",
         "salary, earnings and what was added do not come to its gross"),
        ("payslips", f"update payslips set inputs[2] = inputs[2] - 1 where {OF_SLIP}",
         "salary, earnings and what was added do not come to its gross"),
        ("payslips", f"update payslips set taxes = 521, deductions = deductions - 1 where {OF_SLIP}",
         "its lines do not come to its deductions"),
        ("payslips", f"update payslips set taxes = 521, net = net - 1 where {OF_SLIP}",
         "its lines do not come to its taxes"),
        ("payslips", f"update payslips set benefits = 1 where {OF_SLIP}", "its lines do not come to its benefits"),
        ("payslips", f"update payslips set amounts = amounts[1:1] where {OF_SLIP}",
         "it has another number of components than its plan"),
        ("payslips", ONE_OFF.format("amount = 251", "carried_over"), "its lines do not come to its deductions"),
        ("payslips", ONE_OFF.format("taxes = 11", "arrears") + " and code is null",
         "the parts of its arrears do not come to the line"),
        ("payslips", ONE_OFF.format("amount = 21", "arrears") + " and code = 'tax'", "do not come to its taxes"),
        ("payslips", ONE_OFF.format("amount = 61", "arrears") + " and code = 'car'", "do not come to its benefits"),
        ("runs", "update payroll_runs set summary = jsonb_set(summary, '{totals,0,benefits}', '\"61\"')"
         f" where id = {JANUARY}",
         "benefits of the regular run of 2026-01 (BDT {january}): its summary says 61, its payslips come to 60.00"),
        ("runs", "update payroll_runs set summary = jsonb_set(summary, '{totals}', '[]')",
         "its summary says 0, its payslips come to 10800.00"),
        ("runs", f"update payslips set taxes = taxes + 1, net = net - 1 where {OF_SLIP}",
         "its summary says 520.00, its payslips come to 521.00"),
        ("runs", ONE_OFF.format("amount = 61", "arrears") + " and code = 'car'",
         "benefits of the regular run of 2026-01 (BDT {january}): its payslips come to 60.00, their lines to 61"),
        ("runs", UNKEPT + f"delete from ledger_entries where line = 2 and subject_id = {SLIP}",
         "taxes of the regular run of 2026-01 (BDT {january}): the ledger has 0, its payslips come to 530.00"),
        ("runs", UNKEPT + f"update ledger_entries set amount = amount + 1 where line = 3 and subject_id = {SLIP}",
         "deductions of the regular run of 2026-01 (BDT {january}): the ledger has 341.00, its payslips come to"),
        ("payments", f"update payable_earmarks set amount = 9711 where {OF_SLIP}",
         "9711 is kept in payable for it, and its net is 9710.00"),
        ("payments", f"update payable_earmarks set netted = 1 where {OF_SLIP}", "1 of it is netted, and the nettings"),
        ("payments", f"update payable_earmarks set netted = amount, waits = false where {OF_SLIP};"
         " insert into payable_nettings (tenant_id, payslip_id, number, user_id, currency, amount, booked_at)"
         f" select tenant_id, payslip_id, 1, user_id, currency, 1, now() from payable_earmarks where {OF_SLIP}",
         "9710.00 of it is netted, and the nettings come to 1"),
        ("payments", "alter table payable_earmarks drop constraint payable_earmarks_settled;"
         f" update payable_earmarks set waits = false where {OF_SLIP}",
         "paid are 9710.00 BDT, and its payouts pay 0"),
        ("payroll", UNKEPT + f"delete from ledger_entries where subject_id = {SLIP}",
         "its run is posted, and it is not booked"),
        ("payroll", UNKEPT + f"delete from ledger_entries where line = 2 and subject_id = {SLIP}",
         "booked payable 9710.00, taxes 0, deductions 310.00, carried 250.00, cost 10270.00 instead of"
         " 9710.00, 530.00, 310.00, 250.00, 10800.00"),
        ("payroll", UNKEPT + "insert into ledger_entries (tenant_id, user_id, subject_id, event, revision, line, debit,"
         " credit, currency, amount, booked_at) select tenant_id, user_id, subject_id, event, 2, line, debit, credit,"
         f" currency, amount, booked_at from ledger_entries where line = 1 and subject_id = {SLIP}",
         "booked payable 19420.00"),
        ("payroll", UNKEPT + f"update ledger_entries set user_id = {KARIM} where line = 1 and subject_id = {SLIP}",
         "it is booked for another person"),
        ("payroll", UNKEPT + f"update ledger_entries set subject_id = uuidv7() where line = 1 and subject_id = {SLIP}",
         "it is booked, and not of an approved run"),
        ("payroll", f"update payroll_runs set status = 'calculated', approved_at = null where id = {JANUARY}",
         "it is booked, and not of an approved run"),
        ("payroll", "update payslips set carried_into = null",
         "carried: 20.00 BDT by the ledger, 270.00 by the payslips below 0 that nothing has taken"),
        ("payroll", "update ledger_accounts set balance = 0 where kind = 'pay_carried'",
         "carried: 0 BDT by the ledger"),
        ("payroll", f"update payroll_adjustments set payslip_id = (select id from payslips where user_id = {KARIM})"
         " where amount = 500", "which does not say so"),
        ("payroll", "update payroll_adjustments set amount = 501 where amount = 500",
         "adjustment {bonus} of 501 BDT: its payslip pays another amount"),
        ("owed", f"update payslips set gross = gross + 1, net = net + 1 where {OF_SLIP}",
         "payable 9710.00, in flight 0 and paid 0 make 9710.00 BDT, their sales and payslips come to 9711.00"),
        ("owed", "update ledger_accounts set balance = balance + 1 where kind = 'payable' and balance < 0",
         "payable 9709.00"),
        ("ledger", UNKEPT + f"delete from ledger_entries where line = 2 and subject_id = {SLIP}",
         "its balance is -530.00 BDT, its lines come to 0"),
    ],
)  # fmt: skip
def test_fails_when_broken(session: Connection, acme: Cast, name: str, breaking: str, expected: str) -> None:
    whole = checks.check_tenant(session, name, acme.id)
    assert (whole.wrong, whole.problems) == (0, [])
    bonus = session.execute(text("select id from payroll_adjustments where amount = 500")).scalar_one()
    january = session.execute(text(f"select {JANUARY}")).scalar_one()
    session.execute(text(breaking))
    broken = checks.check_tenant(session, name, acme.id)
    assert broken.wrong >= 1
    assert expected.replace("{bonus}", str(bonus)).replace("{january}", str(january)) in " / ".join(broken.problems)


@pytest.mark.parametrize("name", ["payslips", "payroll", "payments", "runs", "owed"])
def test_tells_nobodys_pay_of_another_tenant(session: Connection, acme: Cast, name: str) -> None:
    zenith = tenant("Zenith")
    assert checks.check_tenant(session, name, zenith.id).seen == 0


def test_lets_a_run_be_half_booked_until_it_is_posted(session: Connection, acme: Cast) -> None:
    session.exec_driver_sql(f"update payroll_runs set posted_at = null where id = {JANUARY}")
    session.exec_driver_sql(UNKEPT + f"delete from ledger_entries where subject_id = {SLIP}")
    session.exec_driver_sql(
        "update ledger_accounts a set balance = coalesce(("
        " select sum(case a.kind when debit then amount else -amount end) from ledger_entries e"
        " where a.kind in (debit, credit) and (a.user_id is null or a.user_id = e.user_id)), 0)"
    )
    for name in ("payroll", "runs", "owed", "ledger"):
        assert (name, checks.check_tenant(session, name, acme.id).problems) == (name, [])


@pytest.mark.parametrize("name", sorted(checks.OF_A_TENANT))
def test_holds_for_every_kind_of_line(session: Connection, acme: Cast, name: str) -> None:
    assert checks.check_tenant(session, name, acme.id).problems == []


def test_names_a_run_that_nobody_goes_on_to_book(session: Connection, acme: Cast) -> None:
    session.exec_driver_sql(f"update payroll_runs set posted_at = null where id = {JANUARY}")
    assert checks.check_tenant(session, "waiting", acme.id).problems == []
    session.exec_driver_sql(f"update payroll_runs set approved_at = now() - interval '61 minutes' where id = {JANUARY}")
    [problem] = checks.check_tenant(session, "waiting", acme.id).problems
    assert problem.startswith("payroll run ")
    assert "and not all of it is in the ledger: job " in problem
