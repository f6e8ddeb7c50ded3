"""Previews: what a payment type would come to for a real employee, and how.

Rahim earns 15,000 a month and was there on 19 of the 21 working days of January 2026, with 5 hours of overtime:
15,000 x 19 / 21 = 13,571.43, a day is worth 714.2857142857 and an hour (of nine) 79.3650793651.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chalicelib.backing import clock
from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key
from tests.support.people import employee, row, sql

PATH = "/payment-types/preview"


@pytest.fixture(name="rahim")
def _rahim(acme: Cast, monkeypatch: pytest.MonkeyPatch) -> UUID:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 2, 3, 6, tzinfo=UTC))
    rahim = employee(acme)
    row(
        acme,
        "salaries",
        {
            "user_id": rahim,
            "amount": 15000,
            "currency": "BDT",
            "frequency": "monthly",
            "effective_from": date(2025, 1, 1),
        },
        returning="user_id",
    )
    working_days = [day for n in range(31) if (day := date(2026, 1, 1) + timedelta(n)).isoweekday() not in (5, 6)]
    for day in working_days[:19]:
        row(
            acme, "attendance", {"user_id": rahim, "day": day, "stated": "present", "source": "import"}, returning="day"
        )
    row(acme, "overtime", {"user_id": rahim, "day": date(2026, 1, 5), "hours": 5, "status": "approved"})
    acme.hr.ok("POST", f"/pay-register/2026-01/{rahim}/recalculate")
    return rahim


def preview(cast: Cast, user_id: UUID, formula: str | None = None, **said: Any) -> dict[str, Any]:
    """Preview for January, which has to be taken."""
    body = {"user_id": str(user_id), "month": "2026-01", **({"formula": formula} if formula else {}), **said}
    found: dict[str, Any] = cast.hr.ok("POST", PATH, body)
    return found


def add(cast: Cast, name: str, formula: str, **said: Any) -> str:
    kind = {"category": "earning", "calculation": "formula", "applies_to_all": True, "effective_from": "2026-01-01"}
    made = cast.hr.ok("POST", "/payment-types", {"name": name, "formula": formula, **kind, **said})
    return str(made["id"])


class TestPreview:
    def test_shows_every_step(self, acme: Cast, rahim: UUID) -> None:
        found = preview(acme, rahim, "MIN(ot_hours, 40) * hourly_rate * 1.5")
        assert found == {
            "user_id": str(rahim),
            "month": "2026-01",
            "formula": "MIN(ot_hours, 40) * hourly_rate * 1.5",
            "currency": "BDT",
            "value": "595.23809523825",
            "rounded": "595.24",
            "warnings": [],
            "inputs": {"hourly_rate": "79.3650793651", "ot_hours": "5"},
            "trace": [
                {"expression": "ot_hours", "value": "5", "warning": None},
                {"expression": "MIN(ot_hours, 40)", "value": "5", "warning": None},
                {"expression": "hourly_rate", "value": "79.3650793651", "warning": None},
                {"expression": "MIN(ot_hours, 40) * hourly_rate", "value": "396.8253968255", "warning": None},
                {"expression": "MIN(ot_hours, 40) * hourly_rate * 1.5", "value": "595.23809523825", "warning": None},
            ],
        }

    def test_writes_nothing(self, acme: Cast, rahim: UUID) -> None:
        def everything() -> list[Any]:
            tables = (
                "payment_types",
                "payment_type_versions",
                "audit_logs",
                "pay_registers",
                "balances",
                "pay_periods",
            )
            return [sql(acme, f"select * from {table} order by 1, 2") for table in tables]

        before = everything()
        preview(acme, rahim, "gross", code="bonus")
        assert everything() == before

    def test_knows_the_gross_and_other_components_as_a_run_would(self, acme: Cast, rahim: UUID) -> None:
        add(acme, "Bonus", "earned_salary * 10%")  # 1,357.143, rounded to 1,357.14
        add(acme, "Not theirs", "100", applies_to_all=False)
        add(acme, "Pension", "bonus + not_theirs", category="deduction")
        found = preview(acme, rahim, "gross + pension")
        assert found["inputs"] == {"gross": "14928.57", "pension": "1357.14"}
        assert found["rounded"] == "16285.71"

    def test_takes_what_is_the_persons_own_of_the_others(self, acme: Cast, rahim: UUID) -> None:
        fixed = add(acme, "Bonus", "100")
        percentage = acme.hr.ok(
            "POST",
            "/payment-types",
            {
                "name": "Share",
                "category": "earning",
                "calculation": "percentage",
                "percent": 1,
                "base": "base_salary",
                "effective_from": "2026-01-01",
            },
        )["id"]
        assert preview(acme, rahim, "bonus + share")["rounded"] == "100.00"
        for type_id, own in ((fixed, {"amount": "250"}), (percentage, {"percent": 2})):
            acme.hr.ok("PUT", f"/users/{rahim}/payment-types/{type_id}", {"effective_from": "2026-01-01", **own})
        assert preview(acme, rahim, "bonus + share")["rounded"] == "550.00"

    def test_counts_open_adjustments_into_the_gross(self, acme: Cast, rahim: UUID) -> None:
        body = {"user_id": str(rahim), "kind": "bonus", "amount": "28.57", "reason": "Eid"}
        acme.hr.ok("POST", "/payroll-adjustments", {**body, "effective_date": "2026-01-20"})
        assert preview(acme, rahim, "gross")["rounded"] == "13600.00"

    def test_of_a_code_that_is_there_stands_in_its_place(self, acme: Cast, rahim: UUID) -> None:
        bonus = add(acme, "Bonus", "100")
        add(acme, "Twice", "bonus * 2", category="benefit")
        acme.hr.ok("PUT", f"/users/{rahim}/payment-types/{bonus}", {"effective_from": "2026-01-01", "amount": "1"})
        assert preview(acme, rahim, "300", code="bonus")["rounded"] == "300.00"
        body = {"user_id": str(rahim), "month": "2026-01", "code": "bonus", "formula": "twice"}
        [error] = acme.hr.post(PATH, body).json["errors"]
        assert error["pointer"] == "/formula"
        assert "bonus needs twice, twice needs bonus" in error["detail"]
        # an earning, as the one that is there
        assert "bonus needs gross" in acme.hr.post(PATH, {**body, "formula": "gross"}).json["errors"][0]["detail"]
        assert preview(acme, rahim, "gross", code="bonus", category="tax")["inputs"] == {"gross": "13571.43"}

    @pytest.mark.parametrize(
        ("said", "formula", "rounded"),
        [
            ({"calculation": "fixed", "amount": "99.5"}, "99.50", "99.50"),
            ({"calculation": "percentage", "percent": 12.5}, "earned_salary * 12.5%", "1696.43"),
            ({"calculation": "percentage", "percent": 10, "base": "base_salary"}, "base_salary * 10%", "1500.00"),
        ],
    )
    def test_of_what_is_no_formula_shows_it_as_one(
        self, acme: Cast, rahim: UUID, said: dict[str, Any], formula: str, rounded: str
    ) -> None:
        found = preview(acme, rahim, **said)
        assert (found["formula"], found["rounded"], found["trace"][-1]["expression"]) == (formula, rounded, formula)

    @pytest.mark.parametrize(
        ("formula", "value", "warning"),
        [
            ("100 / late_count", None, "This divides by 0"),
            ("kpi_score * 100", None, "This needs kpi_score, which has no value"),
            ("earned_salary - base_salary", "-1428.57", "This comes out below 0, and counts 0"),
        ],
    )
    def test_says_why_it_counts_nothing(
        self, acme: Cast, rahim: UUID, formula: str, value: str | None, warning: str
    ) -> None:
        found = preview(acme, rahim, formula)
        assert (found["value"], found["rounded"]) == (value, "0.00")
        assert [said for said in found["warnings"] if said.startswith(warning)] != []

    def test_of_another_currency_counts_nothing(self, acme: Cast, rahim: UUID) -> None:
        found = preview(acme, rahim, calculation="fixed", amount="5", currency="USD")
        assert (found["rounded"], found["currency"]) == ("0.00", "BDT")
        assert found["warnings"] == ["This is in USD, and the person is paid in BDT: it counts nothing for them."]

    def test_shows_yes_and_no_in_the_trace(self, acme: Cast, rahim: UUID) -> None:
        trace = preview(acme, rahim, "IF(late_count = 0, 200, 0)")["trace"]
        assert {"expression": "late_count = 0", "value": True, "warning": None} in trace

    def test_is_of_the_current_month_unless_said(self, acme: Cast, rahim: UUID) -> None:
        reply = acme.hr.post(PATH, {"user_id": str(rahim), "formula": "1"})
        assert reply.status == 409
        assert reply.json["detail"].startswith("Rahim has no pay register in 2026-02.")


class TestRefuse:
    @pytest.mark.parametrize(
        ("said", "pointer", "detail"),
        [
            ({"formula": "base_salry"}, "/formula", "At character 1:\nbase_salry\n^"),
            ({"formula": "1", "code": "gross"}, "/code", "say another code than gross"),
            ({"formula": "a", "code": "a"}, "/formula", "a needs itself"),
            ({}, "/formula", "is missing"),
            ({"formula": "1", "amount": "1"}, "/amount", "leave it out"),
            ({"calculation": "dynamic"}, "/calculation", "computes nothing"),
            ({"calculation": "fixed", "amount": "0.001"}, "/amount", "has more decimals"),
            ({"formula": "1", "month": "2026-13"}, "/month", ""),
        ],
    )
    def test_says_the_place(self, acme: Cast, rahim: UUID, said: dict[str, Any], pointer: str, detail: str) -> None:
        reply = acme.hr.post(PATH, {"user_id": str(rahim), "month": "2026-01", **said})
        [error] = reply.json["errors"]
        assert (reply.status, error["pointer"]) == (422, pointer)
        assert detail in error["detail"]

    def test_tenant_isolation_and_those_without_a_register(self, acme: Cast, zenith: Cast, rahim: UUID) -> None:
        body = {"user_id": str(rahim), "month": "2026-01", "formula": "1"}
        assert zenith.hr.post(PATH, body).status == 404
        assert acme.hr.post(PATH, {**body, "user_id": str(uuid4())}).status == 404
        assert key(acme.id, Role.EMPLOYEE, rahim).post(PATH, body).status == 403
        seller = row(acme, "users", {"name": "Karim"})
        reply = acme.hr.post(PATH, {**body, "user_id": str(seller)})
        assert (reply.status, reply.json["type"]) == (409, "urn:wagebook:problem:conflict")
        assert "Karim has no pay register in 2026-01" in reply.json["detail"]


class TestTooLarge:
    @pytest.mark.parametrize("formula", [
        "1000000 * 1000000 * 1000000",  # 10^18: more than a payslip line holds
        "999999999999 * 999999999999 * 999999999999",  # more digits than money is rounded with
        "999999999999999 * 999999999999999 * 999999999999999 * 99999999999999",  # 59 digits: the last that fits
        "0 - 999999999999 * 999999999999 * 999999999999",
    ])  # fmt: skip
    def test_counts_nothing_and_says_so_as_a_run_does(self, acme: Cast, rahim: UUID, formula: str) -> None:
        found = preview(acme, rahim, formula)
        assert found["rounded"] == "0.00"
        assert len(found["value"].lstrip("-")) >= 18
        [warning] = found["warnings"]
        assert warning in (
            "This comes to more than can be paid, and counts 0.",
            "This comes out below 0, and counts 0; what takes away is a deduction.",
        )

    def test_is_the_last_amount_that_fits(self, acme: Cast, rahim: UUID) -> None:
        found = preview(acme, rahim, "999999999999999.99")
        assert (found["rounded"], found["warnings"]) == ("999999999999999.99", [])

    def test_of_a_value_that_does_not_fit_the_arithmetic(self, acme: Cast, rahim: UUID) -> None:
        nines = "999999999999999 * " * 4 + "99999999999"
        found = preview(acme, rahim, nines)
        assert (found["value"], found["rounded"]) == (None, "0.00")
        assert found["warnings"] == ["This comes to more than can be paid, and counts 0."]

    @pytest.mark.parametrize("text", ["1" * 2000, "(" * 500 + "1" + ")" * 500, "1+" * 900 + "1", "9" * 61])
    def test_of_a_text_that_is_refused_says_where(self, acme: Cast, rahim: UUID, text: str) -> None:
        reply = acme.hr.post(PATH, {"user_id": str(rahim), "month": "2026-01", "formula": text})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/formula")
