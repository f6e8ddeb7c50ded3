"""Payment types over HTTP: what they are, how they change, and what is refused because it could not be computed."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from chalicelib.backing import clock
from chalicelib.entry import openapi
from chalicelib.features.payroll.components import queries as component_queries
from chalicelib.identity.callers import job_scope
from chalicelib.identity.permissions import Role
from chalicelib.identity.scope import Origin
from tests.support.api import Reply
from tests.support.cast import Cast, key
from tests.support.people import employee, lock_period, row, sql

PATH = "/payment-types"
FIXED: dict[str, Any] = {"name": "Transport", "category": "earning", "calculation": "fixed", "amount": "500"}


@pytest.fixture(autouse=True)
def _january(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 1, 15, 6, tzinfo=UTC))


def add(cast: Cast, name: str, formula: str | None = None, **said: Any) -> dict[str, Any]:
    """Add a formula, or another payment type, which has to be taken."""
    made: dict[str, Any] = cast.hr.ok("POST", PATH, body(name, formula, **said))
    return made


def body(name: str, formula: str | None = None, **said: Any) -> dict[str, Any]:
    values = {"calculation": "formula", "formula": formula} if formula else {"calculation": "fixed", "amount": "1.00"}
    return {"name": name, "category": "deduction", **values, **said}


def error(reply: Reply) -> tuple[int, str, str]:
    """Return an answer's status and the one place that it says is wrong."""
    [place] = reply.json["errors"]
    return reply.status, place["pointer"], place["detail"]


class TestAdd:
    def test_makes_a_first_version_from_the_first_day_of_this_period(self, acme: Cast) -> None:
        reply = acme.hr.post(PATH, FIXED)
        assert reply.status == 201
        version = {
            "number": 1,
            "effective_from": "2026-01-01",
            "amount": "500.00",
            "currency": "BDT",
            "percent": None,
            "base": None,
            "formula": None,
            "created_by": "hr key",
            "created_at": "2026-01-15T06:00:00Z",
        }
        assert reply.json | {"id": 0} == {
            "id": 0,
            "code": "transport",
            "name": "Transport",
            "description": None,
            "category": "earning",
            "calculation": "fixed",
            "amount": "500.00",
            "currency": "BDT",
            "percent": None,
            "base": None,
            "formula": None,
            "effective_from": "2026-01-01",
            "applies_to_all": False,
            "is_active": True,
            "created_at": "2026-01-15T06:00:00Z",
            "version": 1,
            "versions": [version],
        }
        [noted] = sql(acme, "select action, entity_id, after from audit_logs")
        assert (noted.action, noted.entity_id) == ("payment_type.added", reply.json["id"])
        assert (noted.after["code"], noted.after["amount"], noted.after["currency"]) == ("transport", "500.00", "BDT")

    @pytest.mark.parametrize(
        ("name", "code"),
        [("Performance Bonus", "performance_bonus"), ("Prämie (2 %)", "pramie_2"), ("  Tax -- A ", "tax_a")],
    )
    def test_makes_the_code_out_of_the_name(self, acme: Cast, name: str, code: str) -> None:
        assert add(acme, name)["code"] == code

    @pytest.mark.parametrize(
        ("said", "kept"),
        [
            ({"calculation": "fixed", "amount": "1200", "currency": "JPY"}, ("1200", "JPY", None, None, None)),
            ({"calculation": "percentage", "percent": 12.5}, (None, None, 12.5, "earned_salary", None)),
            ({"calculation": "percentage", "percent": 1000, "base": "gross"}, (None, None, 1000.0, "gross", None)),
            ({"calculation": "formula", "formula": "gross * 5%"}, (None, None, None, None, "gross * 5%")),
            ({"calculation": "dynamic"}, (None, None, None, None, None)),
        ],
    )
    def test_keeps_what_the_calculation_needs(self, acme: Cast, said: dict[str, Any], kept: tuple[Any, ...]) -> None:
        made = acme.hr.ok("POST", PATH, {"name": "A", "category": "benefit", **said})
        assert tuple(made[name] for name in ("amount", "currency", "percent", "base", "formula")) == kept

    @pytest.mark.parametrize(
        ("said", "pointer", "detail"),
        [
            ({"amount": None}, "/amount", "is missing: a fixed payment type has an amount"),
            ({"amount": "-1"}, "/amount", "greater than or equal to 0"),
            ({"amount": "0.001"}, "/amount", "has more decimals than BDT has; give it with at most 2"),
            ({"amount": "1.5", "currency": "JPY"}, "/amount", "has decimals, and JPY has none"),
            ({"currency": "XXX"}, "/currency", "is not a currency"),
            ({"percent": 5}, "/percent", "leave it out: a fixed payment type has an amount"),
            ({"formula": "1"}, "/formula", "leave it out"),
            ({"calculation": "percentage"}, "/amount", "leave it out: a percentage has percent"),
            ({"calculation": "percentage", "amount": None}, "/percent", "is missing"),
            ({"calculation": "percentage", "amount": None, "percent": 1000.01}, "/percent", "equal to 1000"),
            ({"calculation": "percentage", "amount": None, "percent": -1}, "/percent", "greater than or equal to 0"),
            ({"calculation": "percentage", "amount": None, "percent": 1, "base": "grosss"}, "/base", "gross"),
            ({"calculation": "formula", "amount": None}, "/formula", "is missing: a formula has nothing but"),
            ({"calculation": "dynamic"}, "/amount", "leave it out: a dynamic payment type is given"),
            ({"calculation": "guess"}, "/calculation", "'fixed', 'percentage', 'formula' or 'dynamic'"),
            ({"category": "gift"}, "/category", "'earning', 'deduction', 'tax' or 'benefit'"),
            ({"code": "Bonus"}, "/code", "pattern"),
            ({"code": "gross"}, "/code", "another code than gross: formulas know it already, as the salary earned"),
            ({"name": "Gross"}, "/name", "say another code than gross"),
            ({"code": "max"}, "/code", "it is a word of formulas"),
            ({"code": "adjustments"}, "/code", "it is a word of formulas"),
            ({"name": "বোনাস"}, "/code", "say one, such as performance_bonus"),
            ({"name": "13th month"}, "/code", "say one, such as performance_bonus"),
            ({"effective_from": "1999-12-31"}, "/effective_from", "2000-01-01"),
        ],
    )  # fmt: skip
    def test_refuses_what_cannot_be_meant(self, acme: Cast, said: dict[str, Any], pointer: str, detail: str) -> None:
        status, place, why = error(acme.hr.post(PATH, {**FIXED, **said}))
        assert (status, place) == (422, pointer)
        assert detail in why

    def test_refuses_a_code_that_is_taken_but_not_by_another_tenant(self, acme: Cast, zenith: Cast) -> None:
        add(acme, "Bonus")
        assert error(acme.hr.post(PATH, body("bonus!")))[:2] == (409, "/name")
        reply = acme.hr.post(PATH, body("Other", code="bonus"))
        assert error(reply)[:2] == (409, "/code")
        assert reply.json["detail"] == (
            "There is already a payment type with the code bonus (Bonus); say another code."
        )
        assert zenith.hr.post(PATH, body("Bonus")).status == 201

    def test_is_for_hr_and_admins(self, acme: Cast) -> None:
        made = add(acme, "Bonus")
        for role in (Role.MANAGER, Role.EMPLOYEE):
            caller = key(acme.id, role, employee(acme, employee_no=role))
            assert [caller.post(PATH, FIXED).status, caller.get(PATH).status] == [403, 403]
            assert caller.get(f"{PATH}/{made['id']}").status == 403


class TestFormula:
    @pytest.mark.parametrize(
        ("formula", "detail"),
        [
            ("base_salry * 2", "base_salary"),
            ("base_salary > 2", "must be a number"),
            ("base_salary * (2", ""),
            ("1 + __import__('os')", ""),
            ("bonus.real", ""),
        ],
    )
    def test_is_refused_with_the_place_pointed_at(self, acme: Cast, formula: str, detail: str) -> None:
        status, pointer, why = error(acme.hr.post(PATH, body("A", formula)))
        assert (status, pointer) == (422, "/formula")
        assert detail in why
        assert "At character " in why
        first, second = why.split("\n")[-2:]
        assert (first, second.strip()) == (formula, "^")

    def test_points_at_the_unknown_name(self, acme: Cast) -> None:
        why = error(acme.hr.post(PATH, body("A", "2 * base_salry")))[2]
        assert "base_salary" in why
        assert why.endswith("At character 5:\n2 * base_salry\n    ^")

    def test_may_use_other_components_of_the_tenant_only(self, acme: Cast, zenith: Cast) -> None:
        add(zenith, "Bonus")
        assert error(acme.hr.post(PATH, body("Tax", "bonus * 10%")))[:2] == (422, "/formula")
        add(acme, "Bonus")
        assert acme.hr.post(PATH, body("Tax", "bonus * 10%")).status == 201

    def test_is_explained_where_the_api_is(self) -> None:
        fields = json.loads(openapi.document())["components"]["schemas"]["NewPaymentType"]["properties"]
        said = str(fields["formula"])
        assert "BRACKET(amount, from1, rate1" in said
        assert "| `years_of_service` | complete years since joining" in said

    def test_of_2001_characters_is_refused(self, acme: Cast) -> None:
        assert error(acme.hr.post(PATH, body("A", "1" + "+1" * 1000)))[:2] == (422, "/formula")


class TestCircle:
    def test_of_one_is_refused(self, acme: Cast) -> None:
        status, pointer, why = error(acme.hr.post(PATH, body("Bonus", "bonus + 1")))
        assert (status, pointer) == (422, "/formula")
        assert "bonus needs itself" in why

    def test_is_refused_with_the_names(self, acme: Cast) -> None:
        first = add(acme, "First", "1")
        add(acme, "Second", "first * 2")
        add(acme, "Third", None, calculation="percentage", amount=None, percent=3, base="second")
        status, pointer, why = error(acme.hr.patch(f"{PATH}/{first['id']}", {"formula": "third + 1"}))
        assert (status, pointer) == (422, "/formula")
        assert "from 2026-01-01 on: first needs third, third needs second, second needs first" in why
        assert acme.hr.ok("GET", f"{PATH}/{first['id']}")["formula"] == "1"

    def test_is_one_where_an_earning_needs_the_gross(self, acme: Cast) -> None:
        status, pointer, why = error(acme.hr.post(PATH, body("Bonus", "gross * 10%", category="earning")))
        assert (status, pointer) == (422, "/formula")
        assert "bonus needs gross, gross needs bonus (gross is the sum of all earnings)" in why
        for category in ("deduction", "tax", "benefit"):
            add(acme, category, "gross * 10%", category=category)
        percentage = body("B", None, category="earning", calculation="percentage", amount=None, percent=1, base="tax")
        status, pointer, why = error(acme.hr.post(PATH, percentage))
        assert (status, pointer) == (422, "/base")
        assert "b needs tax, tax needs gross, gross needs b" in why

    def test_is_found_on_a_day_that_is_still_to_come(self, acme: Cast) -> None:
        first, second = add(acme, "First", "1"), add(acme, "Second", "2")
        acme.hr.ok("PATCH", f"{PATH}/{first['id']}", {"formula": "second", "effective_from": "2026-03-01"})
        reply = acme.hr.patch(f"{PATH}/{second['id']}", {"formula": "first", "effective_from": "2026-02-01"})
        assert "from 2026-03-01 on: first needs second, second needs first" in error(reply)[2]
        # what ends before that day is none
        acme.hr.ok("PATCH", f"{PATH}/{second['id']}", {"formula": "3", "effective_from": "2026-03-01"})
        assert (
            acme.hr.patch(f"{PATH}/{second['id']}", {"formula": "first", "effective_from": "2026-02-01"}).status == 200
        )

    def test_is_not_closed_by_two_at_once(self, acme: Cast) -> None:
        first, second = add(acme, "First", "1"), add(acme, "Second", "2")

        def change(of: dict[str, Any], to: str) -> int:
            return acme.hr.patch(f"{PATH}/{of['id']}", {"formula": to}).status

        for _ in range(5):
            with ThreadPoolExecutor(2) as pool:
                done = [pool.submit(change, first, "second"), pool.submit(change, second, "first")]
            assert sorted(one.result() for one in done) == [200, 422]
            assert change(first, "1") == change(second, "2") == 200


class TestNeed:
    def test_must_have_begun(self, acme: Cast) -> None:
        add(acme, "Bonus", effective_from="2026-03-01")
        status, pointer, why = error(acme.hr.post(PATH, body("Tax", "bonus * 10%")))
        assert (status, pointer) == (422, "/formula")
        assert why == (
            "needs bonus on 2026-01-01, and bonus begins on 2026-03-01: say an effective_from of 2026-03-01 or later"
        )
        assert add(acme, "Tax", "bonus * 10%", effective_from="2026-03-01")["effective_from"] == "2026-03-01"

    def test_must_be_active(self, acme: Cast) -> None:
        add(acme, "Bonus", is_active=False)
        assert error(acme.hr.post(PATH, body("Tax", "bonus * 10%"))) == (
            422,
            "/formula",
            "needs bonus, which is not active: make it active first",
        )
        tax = add(acme, "Tax", "bonus * 10%", is_active=False)
        assert error(acme.hr.patch(f"{PATH}/{tax['id']}", {"is_active": True}))[:2] == (422, "/is_active")

    def test_keeps_what_is_needed_active(self, acme: Cast) -> None:
        bonus = add(acme, "Bonus")
        tax, levy = add(acme, "Tax", "bonus * 10%"), add(acme, "Levy", "bonus * 1%", effective_from="2026-05-01")
        reply = acme.hr.patch(f"{PATH}/{bonus['id']}", {"is_active": False})
        assert error(reply) == (409, "/is_active", "is needed by tax, levy")
        assert reply.json["detail"].startswith("Bonus (bonus) is needed by Tax (tax), Levy (levy). Change what")
        acme.hr.ok("PATCH", f"{PATH}/{levy['id']}", {"is_active": False})
        acme.hr.ok("PATCH", f"{PATH}/{tax['id']}", {"formula": "7", "effective_from": "2026-02-01"})
        # runs of January are still to come
        assert error(acme.hr.patch(f"{PATH}/{bonus['id']}", {"is_active": False}))[2] == "is needed by tax"
        acme.hr.ok("PATCH", f"{PATH}/{tax['id']}", {"formula": "7"})
        assert acme.hr.ok("PATCH", f"{PATH}/{bonus['id']}", {"is_active": False})["is_active"] is False

    def test_counts_in_every_period_that_is_open(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        bonus, tax = add(acme, "Bonus"), add(acme, "Tax", "bonus * 10%")
        acme.hr.ok("PATCH", f"{PATH}/{tax['id']}", {"formula": "7", "effective_from": "2026-02-01"})
        row(
            acme,
            "pay_periods",
            {"month": "2026-01", "start_on": date(2026, 1, 1), "end_on": date(2026, 1, 31)},
            returning="month",
        )
        monkeypatch.setattr(clock, "now", lambda: datetime(2026, 2, 3, tzinfo=UTC))
        assert acme.hr.patch(f"{PATH}/{bonus['id']}", {"is_active": False}).status == 409
        lock_period(acme, "2026-01", date(2026, 1, 1), date(2026, 1, 31))
        assert acme.hr.patch(f"{PATH}/{bonus['id']}", {"is_active": False}).status == 200


class TestChange:
    def test_makes_a_new_version_and_notes_both(self, acme: Cast) -> None:
        made = add(acme, "Transport", amount="500.00")
        path = f"{PATH}/{made['id']}"
        reply = acme.hr.patch(path, {"amount": "600", "effective_from": "2026-02-01"}, headers={"if-match": '"1"'})
        assert (reply.status, reply.headers["ETag"], reply.json["version"]) == (200, '"2"', 2)
        assert reply.json["amount"] == "500.00"  # as today
        assert [(one["number"], one["effective_from"], one["amount"]) for one in reply.json["versions"]] == [
            (2, "2026-02-01", "600.00"),
            (1, "2026-01-01", "500.00"),
        ]
        noted = sql(acme, "select action, before, after from audit_logs order by seq")[-1]
        assert tuple(noted) == (
            "payment_type.changed",
            {"amount": "500.00"},
            {"amount": "600.00", "effective_from": "2026-02-01"},
        )
        stale = acme.hr.patch(path, {"amount": "700"}, headers={"if-match": '"1"'})
        assert stale.status == 412

    def test_of_the_same_day_is_the_last_said(self, acme: Cast) -> None:
        made = add(acme, "Tax", "1")
        changed = acme.hr.ok("PATCH", f"{PATH}/{made['id']}", {"formula": "2"})
        assert (changed["formula"], len(changed["versions"])) == ("2", 2)

    def test_keeps_the_rest_of_the_version(self, acme: Cast) -> None:
        made = add(acme, "Tax", None, calculation="percentage", amount=None, percent=10, base="gross")
        changed = acme.hr.ok("PATCH", f"{PATH}/{made['id']}", {"percent": 12})
        assert (changed["percent"], changed["base"]) == (12.0, "gross")

    def test_before_the_first_version_lets_it_begin_earlier(self, acme: Cast) -> None:
        made = add(acme, "Tax", "5")
        changed = acme.hr.ok("PATCH", f"{PATH}/{made['id']}", {"formula": "5", "effective_from": "2025-06-01"})
        assert [one["effective_from"] for one in changed["versions"]] == ["2026-01-01", "2025-06-01"]

    def test_of_a_name_makes_no_version_and_of_nothing_nothing(self, acme: Cast) -> None:
        made = add(acme, "Tax", "5")
        changed = acme.hr.ok("PATCH", f"{PATH}/{made['id']}", {"name": "Income tax", "applies_to_all": True})
        assert (changed["name"], changed["code"], changed["applies_to_all"]) == ("Income tax", "tax", True)
        assert (changed["version"], len(changed["versions"])) == (2, 1)
        same = {"name": "Income tax", "formula": "5", "code": "tax", "category": "deduction", "calculation": "formula"}
        assert acme.hr.ok("PATCH", f"{PATH}/{made['id']}", same)["version"] == 2
        assert len(sql(acme, "select 1 from audit_logs")) == 2

    @pytest.mark.parametrize(
        ("said", "pointer", "detail"),
        [
            ({"code": "other"}, "/code", "is tax for good, as payslips know it by that; add another payment type"),
            ({"category": "tax"}, "/category", "is deduction for good"),
            ({"calculation": "dynamic"}, "/calculation", "is formula for good"),
            ({"amount": "5.00"}, "/amount", "leave it out"),
            ({"formula": "tax"}, "/formula", "tax needs itself"),
            ({"formula": None}, "/formula", "valid string"),
            ({"effective_from": "2026-02-01"}, "/effective_from", "say what it comes to then, as well"),
        ],
    )
    def test_refuses_what_cannot_be(self, acme: Cast, said: dict[str, Any], pointer: str, detail: str) -> None:
        made = add(acme, "Tax", "5")
        status, place, why = error(acme.hr.patch(f"{PATH}/{made['id']}", said))
        assert (status, place) == (422, pointer)
        assert detail in why

    def test_cannot_be_made_in_what_was_said_before(self, acme: Cast) -> None:
        add(acme, "Tax", "5")
        for words in (
            "update payment_type_versions set formula = '6'",
            "delete from payment_type_versions",
            "delete from payment_types",
        ):
            with pytest.raises(Exception, match="permission denied"):
                sql(acme, words)


class TestRead:
    def test_lists_by_category_and_whether_active(self, acme: Cast, zenith: Cast) -> None:
        add(acme, "A", category="earning")
        add(acme, "B", category="tax", is_active=False)
        add(acme, "C", category="tax")

        def codes(query: str) -> list[str]:
            return [one["code"] for one in acme.hr.ok("GET", f"{PATH}{query}")["items"]]

        assert [codes(""), codes("?category=tax"), codes("?is_active=true")] == [
            ["a", "b", "c"],
            ["b", "c"],
            ["a", "c"],
        ]
        page = acme.hr.ok("GET", f"{PATH}?limit=2")
        assert [one["code"] for one in acme.hr.ok("GET", f"{PATH}?cursor={page['next_cursor']}")["items"]] == ["c"]
        assert zenith.hr.ok("GET", PATH)["items"] == []

    def test_of_another_tenants_is_as_if_it_were_not_there(self, acme: Cast, zenith: Cast) -> None:
        made = add(acme, "A")
        assert zenith.hr.get(f"{PATH}/{made['id']}").status == 404
        assert zenith.hr.patch(f"{PATH}/{made['id']}", {"name": "Mine"}).status == 404

    def test_shows_what_begins_first_where_that_is_still_to_come(self, acme: Cast) -> None:
        made = add(acme, "A", "1", effective_from="2026-05-01")
        acme.hr.ok("PATCH", f"{PATH}/{made['id']}", {"formula": "2", "effective_from": "2026-06-01"})
        changed = acme.hr.ok("PATCH", f"{PATH}/{made['id']}", {"formula": "3", "effective_from": "2026-05-01"})
        assert (changed["formula"], changed["effective_from"]) == ("3", "2026-05-01")


class TestComponents:
    def test_are_those_in_force_on_a_day(self, acme: Cast) -> None:
        tax = add(acme, "Tax", "1", effective_from="2026-01-10")
        acme.hr.ok("PATCH", f"{PATH}/{tax['id']}", {"formula": "2", "effective_from": "2026-02-01"})
        bonus = add(acme, "Bonus", calculation="dynamic", amount=None)
        add(acme, "Old", is_active=False)
        with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("test")) as scope:

            def found(on: str, **some: Any) -> list[tuple[str, str, int]]:
                components = component_queries.load_components(scope, on=date.fromisoformat(on), **some)
                return [(one.code, one.formula_text(), one.version) for one in components]

            assert found("2026-01-09") == [("bonus", "0", 1)]
            assert found("2026-01-31") == [("bonus", "0", 1), ("tax", "1", 1)]
            assert found("2026-02-01") == [("bonus", "0", 1), ("tax", "2", 2)]
            assert found("2025-12-31") == []
            assert found("2026-02-01", type_ids=[]) == []
            assert found("2026-02-01", type_ids=[UUID(bonus["id"])]) == [("bonus", "0", 1)]
