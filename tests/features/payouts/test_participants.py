"""Four eyes: who had a part in a payout may not approve it, nor may its payee; and which payouts await approval."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from chalicelib.identity.permissions import Role
from tests.support.api import Api
from tests.support.cast import Cast, by_another, key
from tests.support.payouts import earned, listed, once, only, policy, run, sale, seller, whole
from tests.support.people import row, sql
from tests.support.stack import Stack, at

LARGE = "100000.01"
IBANS = ("DE89370400440532013000", "DE02120300000000202051")


def admin_of(acme: Cast, name: str = "Dina") -> tuple[UUID, Api]:
    """Make an admin who is a person of the tenant."""
    user_id: UUID = row(acme, "users", {"name": name})
    return user_id, key(acme.id, Role.TENANT_ADMIN, user_id)


def held(acme: Cast, running: Stack, *, by: Cast, user_id: str | None = None) -> dict[str, Any]:
    """Hold a payout above the limit, of a sale that `by` made and decided, in a run that HR started."""
    user_id = user_id or seller(acme)
    earned(by, user_id, LARGE)
    acme.hr.ok("POST", "/payouts/final/run", headers=once())
    running.drain()
    payout = only(acme, user_id)
    assert payout["status"] == "held"
    return payout


def refused(api: Api, payout: dict[str, Any]) -> str:
    reply = api.post(f"/payouts/{payout['id']}/approve")
    assert reply.status == 403, reply.text
    shown = api.ok("GET", f"/payouts/{payout['id']}")
    assert (shown["may_approve"], shown["because"]) == (False, reply.json["detail"])
    return str(reply.json["detail"])


class TestRelease:
    def test_is_not_for_who_made_or_decided_the_sale_under_any_key(self, acme: Cast, running: Stack) -> None:
        user_id, dina = admin_of(acme)
        payout = held(acme, running, by=replace(acme, admin=dina))
        for mine in (dina, key(acme.id, Role.TENANT_ADMIN, user_id)):
            assert refused(mine, payout) == "You made a sale that this payout pays; somebody else has to approve it."
        machine = Api(dina.ok("POST", "/api-keys", {"name": "machine", "role": "tenant_admin"})["key"])
        refused(machine, payout)
        shown = acme.admin.ok("GET", "/payouts?status=held")["items"]
        assert [(one["may_approve"], one["because"]) for one in shown] == [(True, None)]
        assert acme.admin.post(f"/payouts/{payout['id']}/approve").status == 200

    def test_is_not_for_who_only_decided_it(self, acme: Cast, running: Stack) -> None:
        _, dina = admin_of(acme)
        user_id = seller(acme)
        sale_id = sale(acme, user_id, LARGE)
        dina.ok("POST", "/reconcile", {"items": [{"sale_id": sale_id, "status": "approved"}]})
        run(acme, running, "final")
        assert refused(dina, only(acme, user_id)).startswith("You decided a sale")

    def test_is_not_for_its_payee(self, acme: Cast, running: Stack) -> None:
        user_id, dina = admin_of(acme)
        payout = held(acme, running, by=by_another(acme), user_id=str(user_id))
        assert refused(dina, payout) == "It pays you; somebody else has to approve it."

    def test_is_not_for_who_made_the_sale_that_an_earlier_payout_failed_to_pay(
        self, acme: Cast, running: Stack
    ) -> None:
        _, dina = admin_of(acme)
        payout = held(acme, running, by=replace(acme, admin=dina), user_id=seller(by_another(acme), "refuse"))
        acme.admin.ok("POST", f"/payouts/{payout['id']}/approve")
        running.drain()
        assert whole(acme, payout["id"])["status"] == "failed"
        acme.hr.ok("POST", "/payouts/final/run", headers=once())
        [again] = acme.admin.ok("GET", "/payouts?status=held")["items"]
        assert refused(dina, again).startswith("You made a sale")

    def test_is_not_for_who_set_the_bank_details_until_the_payee_is_paid(self, acme: Cast, running: Stack) -> None:
        _, dina = admin_of(acme)
        user_id = seller(acme)
        dina.ok("PUT", f"/users/{user_id}/payout-destination", {"kind": "simulated", "behaviour": "accept"})
        payout = held(acme, running, by=by_another(acme), user_id=user_id)
        assert refused(dina, payout) == "You set the bank details; somebody else has to approve it."
        acme.admin.ok("POST", f"/payouts/{payout['id']}/approve")
        running.drain()
        earned(by_another(acme), user_id, LARGE)
        acme.hr.ok("POST", "/payouts/final/run", headers=once())
        [again] = acme.admin.ok("GET", "/payouts?status=held")["items"]
        assert dina.post(f"/payouts/{again['id']}/approve").status == 200

    def test_is_for_whoever_is_alone(self, acme: Cast, running: Stack) -> None:
        sql(acme, "update api_keys set revoked_at = now() where tenant_id = :t and role = 'hr'", t=acme.id)
        policy(acme, four_eyes=False)
        user_id = seller(acme)
        earned(acme, user_id, LARGE)
        run(acme, running, "final")
        assert acme.admin.post(f"/payouts/{only(acme, user_id)['id']}/approve").status == 200

    def test_names_its_bank_details_and_since_when(self, acme: Cast, running: Stack) -> None:
        user_id = seller(acme, "accept")
        payout = held(acme, running, by=acme, user_id=user_id)
        assert {**payout["destination"], "changed_at": None} == {
            "kind": "simulated",
            "holder": None,
            "masked": "accept",
            "changed_at": None,
        }
        assert payout["destination"]["changed_at"]


class TestLimit:
    def test_is_a_hundred_thousand_unless_said(self, acme: Cast, running: Stack) -> None:
        for earning in ("100000.00", LARGE):
            earned(acme, seller(acme), earning)
        run(acme, running, "final")
        assert sorted(listed(acme)) == [("100000.00", "paid"), (LARGE, "held")]

    def test_is_not_passed_by_splitting(self, acme: Cast, running: Stack) -> None:
        user_id = seller(acme)
        for earning in ("60000.00", "40000.00", "0.01"):
            earned(acme, user_id, earning)
            run(acme, running, "final")
        assert listed(acme) == [("60000.00", "paid"), ("40000.00", "paid"), ("0.01", "held")]
        assert whole(acme, only_held(acme)["id"])["events"][0]["detail"] == "above_limit"

    def test_counts_a_rolling_day(self, acme: Cast, running: Stack) -> None:
        user_id = seller(acme)
        for moment in ("2026-03-02T10:00:00Z", "2026-03-03T09:59:00Z", "2026-03-04T10:00:00Z"):
            with at(moment):
                earned(acme, user_id, "60000.00")
                run(acme, running, "final")
        assert [status for _, status in listed(acme)] == ["paid", "held", "paid"]

    def test_of_other_currencies_is_said_or_holds(self, acme: Cast, running: Stack) -> None:
        policy(acme, payout_limits={"USD": "900.00"})
        for currency, earning in (("USD", "900.00"), ("USD", "900.01"), ("EUR", "1.00")):
            earned(acme, seller(acme), earning, currency=currency)
        run(acme, running, "final")
        assert sorted(listed(acme)) == [("1.00", "held"), ("900.00", "paid"), ("900.01", "held")]

    def test_switched_off_holds_only_who_may_pay_themselves(self, acme: Cast, running: Stack) -> None:
        user_id, _ = admin_of(acme)
        policy(acme, payout_approval_above=None)
        for one in (str(user_id), seller(acme)):
            earned(by_another(acme), one, "500000.00")
        run(acme, running, "final")
        assert only(acme, str(user_id))["status"] == "held"
        assert sorted(status for _, status in listed(acme)) == ["held", "paid"]
        [entry] = acme.admin.ok("GET", "/audit-logs?action=tenant.changed")["items"]
        assert entry["after"]["policy"]["payout_approval_above"] is None

    def test_refuses_a_currency_that_is_none(self, acme: Cast) -> None:
        assert acme.admin.patch("/tenant", {"policy": {"payout_limits": {"XXX": "1"}}}).status == 422


class TestChangedDestination:
    @pytest.fixture(name="paid")
    def _paid(self, acme: Cast) -> str:
        """Make a person whose bank details were replaced on 2 March, at 10:00."""
        with at("2026-03-01T10:00:00Z"):
            user_id = seller(acme)
            iban(acme, user_id, 0)
        with at("2026-03-02T10:00:00Z"):
            iban(acme, user_id, 1)
            earned(acme, user_id)
        return user_id

    def test_holds_payouts_for_a_day(self, acme: Cast, running: Stack, paid: str) -> None:
        with at("2026-03-03T09:59:00Z"):
            assert run(acme, running, "final") == {
                "payouts": 0,
                "held": 0,
                "amounts": {},
                "waiting": {"changed_bank_details": 1},
            }
            [owed] = acme.admin.ok("GET", "/payables")["items"]
            assert [part["because"] for part in owed["parts"]] == ["destination_held"]
        with at("2026-03-03T10:00:00Z"):
            assert run(acme, running, "final")["payouts"] == 1

    def test_holds_them_until_a_second_person_confirms(self, acme: Cast, running: Stack, paid: str) -> None:
        path = f"/users/{paid}/payout-destination/confirm"
        with at("2026-03-02T11:00:00Z"):
            mine = acme.hr.post(path, {})
            assert (mine.status, mine.json["detail"]) == (
                403,
                "You set the bank details; somebody else has to confirm them.",
            )
            confirmed = acme.admin.ok("POST", path, {})
            assert (confirmed["held_until"], confirmed["confirmed_by"]) == (None, "tenant_admin key")
            assert acme.admin.ok("POST", path, {}) == confirmed
            assert run(acme, running, "final")["payouts"] == 1

    def test_holds_as_long_as_the_tenant_says(self, acme: Cast, running: Stack) -> None:
        policy(acme, destination_hold_hours=0)
        user_id = seller(acme)
        for nth in (0, 1):
            iban(acme, user_id, nth)
        earned(acme, user_id)
        assert run(acme, running, "final")["payouts"] == 1

    def test_does_not_hold_for_the_first_nor_for_a_simulated_one(self, acme: Cast, running: Stack) -> None:
        first, simulated = seller(acme), seller(acme, "refuse")
        iban(acme, first, 0)
        acme.hr.ok("PUT", f"/users/{simulated}/payout-destination", {"kind": "simulated", "behaviour": "accept"})
        for user_id in (first, simulated):
            earned(acme, user_id)
        assert run(acme, running, "final")["payouts"] == 2


def iban(acme: Cast, user_id: str, nth: int) -> dict[str, Any]:
    destination = {"kind": "iban", "holder": "Mina", "iban": IBANS[nth]}
    return dict(acme.hr.ok("PUT", f"/users/{user_id}/payout-destination", destination))


def only_held(acme: Cast) -> dict[str, Any]:
    [payout] = acme.admin.ok("GET", "/payouts?status=held")["items"]
    return dict(payout)
