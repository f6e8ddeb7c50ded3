"""Salaries of employees, each from a day on, over HTTP."""

from uuid import uuid4

import pytest

from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key, tenant
from tests.support.office import late, period, person, stale, undecided

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="zenith")
def _zenith() -> Cast:
    return tenant("Zenith")


class TestSet:
    def test_keeps_a_history(self, acme: Cast, zenith: Cast) -> None:
        path = f"/users/{person(acme, 'E-1')}/salaries"
        raise_ = {"amount": "18000", "frequency": "monthly", "effective_from": "2026-01-16"}
        reply = acme.hr.post(path, raise_)
        assert (reply.status, reply.json) == (201, {**raise_, "amount": "18000.00", "currency": "BDT"})
        listed = acme.hr.ok("GET", path)["items"]
        assert [(row["effective_from"], row["amount"]) for row in listed] == [
            ("2026-01-01", "100.00"),
            ("2026-01-16", "18000.00"),
        ]
        page = acme.hr.ok("GET", f"{path}?limit=1")
        rest = acme.hr.ok("GET", f"{path}?limit=1&cursor={page['next_cursor']}")
        assert [row["amount"] for row in rest["items"]] == ["18000.00"]
        assert zenith.hr.get(path).status == 404
        assert zenith.hr.post(path, raise_).status == 404
        assert acme.hr.post(f"/users/{uuid4()}/salaries", raise_).status == 404

    def test_replaces_the_same_day_and_says_so(self, acme: Cast) -> None:
        user_id = person(acme, "E-1")
        body = {"amount": "500.5", "frequency": "daily", "effective_from": "2026-01-01"}
        assert acme.hr.ok("POST", f"/users/{user_id}/salaries", body)["amount"] == "500.50"
        period(acme, "2026-01")
        assert acme.hr.ok("POST", f"/users/{user_id}/salaries", body)["amount"] == "500.50"
        assert stale(acme) == []  # the same again
        assert acme.hr.ok("GET", f"/users/{user_id}")["salary"]["frequency"] == "daily"
        assert len(acme.hr.ok("GET", f"/users/{user_id}/salaries")["items"]) == 1
        rows = acme.admin.ok("GET", "/audit-logs?action=salary.changed")["items"]
        assert [(row["before"]["amount"], row["after"]["amount"]) for row in rows] == [("100.00", "500.50")]

    def test_takes_as_many_decimals_as_the_currency_has(self, acme: Cast) -> None:
        for number, (currency, good, bad, stored) in enumerate(
            (
                ("BDT", "15000.1", "15000.123", "15000.10"),
                ("JPY", "250000", "250000.5", "250000"),
                ("KWD", "1.234", "1.2345", "1.234"),
            )
        ):
            user_id = acme.hr.ok("POST", "/users", {"name": f"P{number}"})["id"]
            body = {"currency": currency, "effective_from": "2026-01-01"}
            wrong = acme.hr.post(f"/users/{user_id}/salaries", {**body, "amount": bad})
            assert (wrong.status, wrong.json["errors"][0]["pointer"]) == (422, "/amount")
            assert currency in wrong.json["detail"] or "which no currency has" in wrong.json["errors"][0]["detail"]
            assert acme.hr.ok("POST", f"/users/{user_id}/salaries", {**body, "amount": good})["amount"] == stored

    def test_refuses_a_second_currency(self, acme: Cast) -> None:
        user_id = person(acme, "E-1")
        body = {"amount": "100", "currency": "EUR", "effective_from": "2026-02-01"}
        for day in ("2026-02-01", "2026-01-01"):
            reply = acme.hr.post(f"/users/{user_id}/salaries", {**body, "effective_from": day})
            assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/currency")
            assert "BDT" in reply.json["detail"]

    def test_may_begin_before_the_first_day_of_work(self, acme: Cast) -> None:
        path = f"/users/{person(acme, 'E-1')}/salaries"
        assert acme.hr.post(path, {"amount": "90", "effective_from": "2025-07-01"}).status == 201

    def test_marks_periods_from_its_day_on(self, acme: Cast, zenith: Cast) -> None:
        user_id = person(acme, "E-1")
        for month in ("2026-01", "2026-02", "2026-03"):
            period(acme, month)
        period(zenith, "2026-03")
        acme.hr.ok("POST", f"/users/{user_id}/salaries", {"amount": "7", "effective_from": "2026-02-15"})
        assert (stale(acme), undecided(acme), stale(zenith)) == (["2026-02", "2026-03"], [], [])

    def test_is_noted_as_late_in_a_locked_period(self, acme: Cast) -> None:
        user_id = person(acme, "E-1")
        period(acme, "2026-02", "paid")
        acme.hr.ok("POST", f"/users/{user_id}/salaries", {"amount": "7", "effective_from": "2026-02-15"})
        assert late(acme) == [("2026-02", user_id, "2026-02-15", "salary")]

    def test_is_for_hr_and_seen_by_oneself(self, acme: Cast) -> None:
        boss = person(acme, "BOSS")
        worker, other = person(acme, "WORKER", manager_id=boss), person(acme, "OTHER")
        manager, employee = key(acme.id, Role.MANAGER, boss), key(acme.id, Role.EMPLOYEE, worker)
        body = {"amount": "999999", "effective_from": "2026-02-01"}
        assert manager.get(f"/users/{worker}/salaries").status == 404
        assert manager.post(f"/users/{worker}/salaries", body).status == 403
        assert employee.post(f"/users/{worker}/salaries", body).status == 403
        assert employee.ok("GET", f"/users/{worker}/salaries")["items"][0]["amount"] == "100.00"
        assert employee.get(f"/users/{other}/salaries").status == 404
