"""Whom payment types are for, and what they come to for one person."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from chalicelib.backing import clock
from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key
from tests.support.people import employee, row, sql

KINDS: dict[str, dict[str, Any]] = {
    "fixed": {"calculation": "fixed", "amount": "500.00"},
    "percentage": {"calculation": "percentage", "percent": 10, "base": "gross"},
    "formula": {"calculation": "formula", "formula": "ot_hours * 100"},
    "dynamic": {"calculation": "dynamic"},
}


@pytest.fixture(autouse=True)
def _january(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 1, 15, 6, tzinfo=UTC))


@pytest.fixture(name="rahim")
def _rahim(acme: Cast) -> UUID:
    return employee(acme)


def add(cast: Cast, kind: str = "fixed", **said: Any) -> str:
    """Add a payment type named after its kind, and give its id."""
    made = cast.hr.ok("POST", "/payment-types", {"name": kind, "category": "deduction", **KINDS[kind], **said})
    return str(made["id"])


def assign(cast: Cast, user_id: UUID, type_id: str, **said: Any) -> dict[str, Any]:
    made: dict[str, Any] = cast.hr.ok("PUT", f"/users/{user_id}/payment-types/{type_id}", said)
    return made


def types_of(cast: Cast, user_id: UUID, on: str = "2026-01-31") -> list[tuple[str, bool, Any, bool]]:
    """Return a person's components: code, whether it applies, amount or percent, whether it is their own."""
    found = cast.hr.ok("GET", f"/users/{user_id}/payment-types?on={on}")
    return [
        (one["code"], one["applies"], one["amount"] or one["percent"], one["assignment"] is not None)
        for one in found["items"]
    ]


class TestAssign:
    def test_puts_a_component_on_somebody_from_this_period_on(self, acme: Cast, rahim: UUID) -> None:
        bonus = add(acme)
        assert types_of(acme, rahim) == []
        assert assign(acme, rahim, bonus) == {
            "user_id": str(rahim),
            "payment_type_id": bonus,
            "code": "fixed",
            "effective_from": "2026-01-01",
            "effective_to": None,
            "applies": True,
            "amount": None,
            "currency": None,
            "percent": None,
            "changed_by": "hr key",
            "changed_at": "2026-01-15T06:00:00Z",
        }
        assert types_of(acme, rahim) == [("fixed", True, "500.00", True)]
        assert types_of(acme, rahim, "2025-12-31") == []
        noted = sql(acme, "select action, entity_type, entity_id, before, after from audit_logs order by seq")[-1]
        assert noted.after == {
            "payment_type_id": bonus,
            "code": "fixed",
            "effective_from": "2026-01-01",
            "effective_to": None,
            "applies": True,
            "amount": None,
            "percent": None,
        }
        assert tuple(noted)[:4] == ("payment_type.assigned", "user", str(rahim), None)

    def test_takes_somebody_out_of_what_applies_to_all(self, acme: Cast, rahim: UUID) -> None:
        everybodys = add(acme, applies_to_all=True)
        assert types_of(acme, rahim) == [("fixed", True, "500.00", False)]
        assign(acme, rahim, everybodys, applies=False)
        assert types_of(acme, rahim) == [("fixed", False, "500.00", True)]
        assert types_of(acme, employee(acme, employee_no="E-2")) == [("fixed", True, "500.00", False)]

    @pytest.mark.parametrize(
        ("kind", "said", "shown"),
        [("fixed", {"amount": "750"}, "750.00"), ("percentage", {"percent": 12.5}, 12.5),
         ("formula", {"amount": "0"}, "0.00")],
    )  # fmt: skip
    def test_lets_a_person_have_their_own(
        self, acme: Cast, rahim: UUID, kind: str, said: dict[str, Any], shown: Any
    ) -> None:
        assign(acme, rahim, add(acme, kind), **said)
        assert types_of(acme, rahim) == [(kind, True, shown, True)]

    def test_holds_from_day_to_day_and_the_last_to_begin_counts(self, acme: Cast, rahim: UUID) -> None:
        bonus = add(acme, effective_from="2025-01-01")
        assign(acme, rahim, bonus, amount="1", effective_from="2026-01-01")
        assign(acme, rahim, bonus, amount="2", effective_from="2026-03-01", effective_to="2026-04-30")
        said = [
            types_of(acme, rahim, on) for on in ("2025-12-31", "2026-01-01", "2026-03-01", "2026-04-30", "2026-05-01")
        ]
        assert [found and found[0][2] for found in said] == [[], "1.00", "2.00", "2.00", "1.00"]

    def test_replaces_what_began_on_the_same_day_and_twice_is_once(self, acme: Cast, rahim: UUID) -> None:
        bonus = add(acme)
        for amount in ("600", "700", "700.00"):
            assign(acme, rahim, bonus, amount=amount)
        assert types_of(acme, rahim) == [("fixed", True, "700.00", True)]
        noted = sql(
            acme,
            "select before ->> 'amount' as was, after ->> 'amount' as now from audit_logs"
            " where action = 'payment_type.assigned' order by seq",
        )
        assert noted == [(None, "600.00"), ("600.00", "700.00")]

    def test_is_in_the_currency_of_the_persons_pay(self, acme: Cast, rahim: UUID) -> None:
        row(
            acme,
            "salaries",
            {
                "user_id": rahim,
                "amount": 300000,
                "currency": "JPY",
                "frequency": "monthly",
                "effective_from": date(2025, 1, 1),
            },
            returning="user_id",
        )
        path = f"/users/{rahim}/payment-types/{add(acme)}"
        [error] = acme.hr.put(path, {"amount": "0.50"}).json["errors"]
        assert error == {"pointer": "/amount", "detail": "has decimals, and JPY has none; give a whole number"}
        made = acme.hr.ok("PUT", path, {"amount": "700"})
        assert (made["amount"], made["currency"]) == ("700", "JPY")

    @pytest.mark.parametrize(
        ("kind", "said", "pointer", "detail"),
        [
            ("fixed", {"percent": 5}, "/percent", "fixed is fixed, so what a person may have of their own is amount"),
            ("formula", {"percent": 5}, "/percent", "fixed is a formula, so what a person may"),
            ("percentage", {"amount": "5"}, "/amount", "so what a person may have of their own is percent"),
            ("fixed", {"amount": "5", "applies": False}, "/amount", "is of no use where applies is false"),
            ("fixed", {"amount": "-5"}, "/amount", "greater than or equal to 0"),
            ("fixed", {"amount": "0.005"}, "/amount", "has more decimals than BDT has"),
            ("percentage", {"percent": 1000.5}, "/percent", "less than or equal to 1000"),
            ("percentage", {"percent": 0.0000001}, "/percent", "6 decimal places"),
            ("fixed", {"effective_to": "2025-12-31"}, "/effective_to", "is before effective_from (2026-01-01)"),
            ("fixed", {"effective_from": "20260101"}, "/effective_from", ""),
            ("fixed", {"other": 1}, "/other", ""),
        ],
    )  # fmt: skip
    def test_refuses_what_does_not_fit(
        self, acme: Cast, rahim: UUID, kind: str, said: dict[str, Any], pointer: str, detail: str
    ) -> None:
        reply = acme.hr.put(f"/users/{rahim}/payment-types/{add(acme, kind, name='fixed')}", said)
        [error] = reply.json["errors"]
        assert (reply.status, error["pointer"]) == (422, pointer)
        assert detail in error["detail"]

    def test_is_for_who_has_an_employment(self, acme: Cast) -> None:
        seller = row(acme, "users", {"name": "Karim"})
        reply = acme.hr.put(f"/users/{seller}/payment-types/{add(acme)}", {})
        assert reply.status == 409
        assert reply.json["detail"] == "Karim has no employment, and so no payslips; give them one first."

    def test_is_not_of_what_is_given_in_each_run(self, acme: Cast, rahim: UUID) -> None:
        award = add(acme, "dynamic", applies_to_all=True)
        for said in ({}, {"amount": "5"}, {"applies": False}):
            reply = acme.hr.put(f"/users/{rahim}/payment-types/{award}", said)
            assert reply.status == 409
            assert reply.json["detail"].startswith("dynamic is dynamic: it is for whoever is given an amount of it")
        assert types_of(acme, rahim) == []

    def test_is_not_for_strangers_nor_for_employees(self, acme: Cast, zenith: Cast, rahim: UUID) -> None:
        mine, theirs, stranger = add(acme), add(zenith), employee(zenith)
        for caller, user_id, type_id in (
            (zenith.hr, rahim, mine),
            (zenith.hr, rahim, theirs),
            (zenith.hr, stranger, mine),
            (acme.hr, rahim, theirs),
            (acme.hr, rahim, uuid4()),
            (acme.hr, rahim, "x"),
            (acme.hr, uuid4(), mine),
        ):
            assert caller.put(f"/users/{user_id}/payment-types/{type_id}", {}).status == 404
        assert zenith.hr.get(f"/users/{rahim}/payment-types").status == 404
        own = key(acme.id, Role.EMPLOYEE, rahim)
        assert own.get(f"/users/{rahim}/payment-types").status == 403
        assert own.put(f"/users/{rahim}/payment-types/{mine}", {"amount": "9999"}).status == 403
        assert sql(acme, "select count(*) from payment_type_assignments") == [(0,)]


class TestTypesOfPerson:
    def test_leave_out_what_is_not_active_or_has_not_begun(self, acme: Cast, rahim: UUID) -> None:
        add(acme, name="old", is_active=False, applies_to_all=True)
        add(acme, name="later", effective_from="2026-02-01", applies_to_all=True)
        assert types_of(acme, rahim) == []
        assert types_of(acme, rahim, "2026-02-01") == [("later", True, "500.00", False)]

    def test_are_todays_unless_a_day_is_said(self, acme: Cast, rahim: UUID) -> None:
        found = acme.hr.ok("GET", f"/users/{rahim}/payment-types")
        assert found == {"user_id": str(rahim), "on": "2026-01-15", "items": []}
