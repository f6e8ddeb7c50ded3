"""One-off amounts over HTTP, and from what made them."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from chalicelib.backing import clock
from chalicelib.features.adjustments import actions
from chalicelib.features.adjustments.rules import AdjustmentKind, NewAdjustmentRow
from chalicelib.identity.callers import job_scope
from chalicelib.identity.permissions import Role
from chalicelib.identity.scope import Origin
from tests.support.cast import Cast, key, tenant
from tests.support.people import employee, sql

pytestmark = pytest.mark.usefixtures("database")
PATH = "/payroll-adjustments"


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


def body(user_id: object, **values: object) -> dict[str, object]:
    return {
        "user_id": str(user_id),
        "kind": "bonus",
        "amount": "500.00",
        "reason": "Eid",
        "effective_date": "2026-03-20",
        **values,
    }


class TestAdd:
    def test_makes_an_open_amount_and_says_so_in_the_audit(self, acme: Cast) -> None:
        rahim = employee(acme)
        reply = acme.hr.post(PATH, body(rahim, amount="500"))
        assert reply.status == 201
        adjustment = reply.json
        assert adjustment | {"id": 0, "created_at": 0} == {
            "id": 0,
            "user_id": str(rahim),
            "kind": "bonus",
            "amount": "500.00",
            "currency": "BDT",
            "reason": "Eid",
            "effective_date": "2026-03-20",
            "explanation": None,
            "source_type": None,
            "source_id": None,
            "payslip_id": None,
            "paid_at": None,
            "created_by": "hr key",
            "created_at": 0,
        }
        [noted] = sql(acme, "select action, entity_id, after from audit_logs")
        assert (noted.action, noted.entity_id) == ("payroll_adjustment.added", adjustment["id"])
        assert (noted.after["amount"], noted.after["reason"]) == ("500.00", "Eid")

    @pytest.mark.parametrize(
        ("values", "pointer", "detail"),
        [
            ({"kind": "fine"}, "/amount", "a fine is taken off the pay, so it is below 0: write -500.00"),
            ({"amount": "-500.00"}, "/amount", "what is taken off their pay is a fine, or other"),
            ({"kind": "other", "amount": "0.00"}, "/amount", "must not be 0"),
            ({"amount": "0.001"}, "/amount", "has more decimals than BDT has; give it with at most 2"),
            ({"amount": "1.5", "currency": "JPY"}, "/amount", "has decimals, and JPY has none; give a whole number"),
            ({"amount": "1000000000000000"}, "/amount", "more than 15 digits"),
            ({"currency": "XXX"}, "/currency", ""),
            ({"kind": "leave_encashment"}, "/kind", "'bonus', 'fine' or 'other'"),
            ({"reason": ""}, "/reason", ""),
            ({"effective_date": "1999-12-31"}, "/effective_date", "2000-01-01"),
        ],
    )
    def test_refuses_what_cannot_be_meant(
        self, acme: Cast, values: dict[str, object], pointer: str, detail: str
    ) -> None:
        reply = acme.hr.post(PATH, body(employee(acme), **values))
        assert reply.status == 422
        [error] = reply.json["errors"]
        assert error["pointer"] == pointer
        assert detail in error["detail"]

    @pytest.mark.parametrize(("kind", "amount"), [("fine", "-0.01"), ("other", "-7.50"), ("other", "7.50")])
    def test_takes_what_is_taken_off_below_0(self, acme: Cast, kind: str, amount: str) -> None:
        assert acme.hr.ok("POST", PATH, body(employee(acme), kind=kind, amount=amount))["amount"] == amount

    def test_is_not_for_another_tenants_people_nor_for_employees(self, acme: Cast) -> None:
        rahim = employee(acme)
        assert tenant("Zenith").hr.post(PATH, body(rahim)).status == 404
        for role in (Role.EMPLOYEE, Role.MANAGER):
            assert key(acme.id, role, rahim).post(PATH, body(rahim)).status == 403


class TestList:
    def test_shows_hr_everybodys_and_employees_their_own(self, acme: Cast) -> None:
        rahim, karim = employee(acme), employee(acme, employee_no="E-2")
        for person, kind, amount in ((rahim, "bonus", "1.00"), (karim, "fine", "-2.00"), (rahim, "fine", "-3.00")):
            acme.hr.ok("POST", PATH, body(person, kind=kind, amount=amount))

        def amounts(caller: object, query: str = "") -> list[str]:
            return [one["amount"] for one in caller.ok("GET", f"{PATH}{query}")["items"]]  # type: ignore[attr-defined]

        own = key(acme.id, Role.EMPLOYEE, rahim)
        assert amounts(acme.hr) == ["1.00", "-2.00", "-3.00"]
        assert amounts(acme.hr, f"?user_id={rahim}") == ["1.00", "-3.00"]
        assert amounts(acme.hr, "?kind=fine") == ["-2.00", "-3.00"]
        assert amounts(own) == ["1.00", "-3.00"]
        assert own.get(f"{PATH}?user_id={karim}").status == 404
        assert amounts(key(acme.id, Role.MANAGER, rahim)) == ["1.00", "-3.00"]
        zenith = tenant("Zenith")
        assert amounts(zenith.hr) == []
        assert zenith.hr.get(f"{PATH}?user_id={rahim}").status == 404

    def test_pages_and_filters_by_open_or_paid(self, acme: Cast) -> None:
        rahim = employee(acme)
        ids = [acme.hr.ok("POST", PATH, body(rahim, amount=f"{n}.00"))["id"] for n in (1, 2, 3)]
        page = acme.hr.ok("GET", f"{PATH}?limit=2")
        rest = acme.hr.ok("GET", f"{PATH}?limit=2&cursor={page['next_cursor']}")
        assert [one["id"] for one in page["items"] + rest["items"]] == ids
        assert len(acme.hr.ok("GET", f"{PATH}?open=true")["items"]) == 3
        assert acme.hr.ok("GET", f"{PATH}?open=false")["items"] == []


class TestSource:
    def test_has_one_adjustment_ever(self, acme: Cast) -> None:
        rahim = employee(acme)
        assert self.add(acme, rahim, "a", "b") == 2
        assert self.add(acme, rahim, "b", "c") == 1
        rows = sql(acme, "select source_id, explanation ->> 'formula' from payroll_adjustments order by source_id")
        assert rows == [("a", "a x 1"), ("b", "b x 1"), ("c", "c x 1")]
        rows = sql(acme, "select entity_id, after from audit_logs order by seq")
        assert rows[0] == ("many", {"adjustments": 2, "kinds": ["leave_encashment"], "amounts": {"BDT": "4285.72"}})
        assert [row.after["source_id"] for row in rows[1:]] == ["c"]

    @staticmethod
    def add(cast: Cast, user_id: UUID, *sources: str) -> int:
        with job_scope(cast.id, name="night", now=clock.now(), origin=Origin("test")) as scope:
            added = actions.add(
                scope,
                adjustments=[
                    NewAdjustmentRow(
                        user_id,
                        AdjustmentKind.LEAVE_ENCASHMENT,
                        Decimal("2142.86"),
                        "BDT",
                        "3 days",
                        date(2026, 1, 31),
                        {"formula": f"{one} x 1"},
                        ("leave_expiry", one),
                    )
                    for one in sources
                ],
            )
            for last in scope.at_commit:
                last()
        return len(added)
