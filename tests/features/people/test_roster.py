"""Rosters over HTTP."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key, tenant
from tests.support.office import late, period, person, stale, undecided
from tests.support.people import sql

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="zenith")
def _zenith() -> Cast:
    return tenant("Zenith")


def shift(cast: Cast) -> str:
    return cast.hr.ok("POST", "/shifts", {"name": "Night", "start": "22:00", "end": "06:00"})["id"]


class TestPlan:
    def test_writes_halves_off_as_bits(self, acme: Cast, zenith: Cast) -> None:
        user_id, night_shift = person(acme, "E-1"), shift(acme)
        path = f"/users/{user_id}/roster"
        reply = acme.hr.ok(
            "PUT",
            path,
            {
                "entries": [
                    {"date": "2026-02-04", "off": "full"},
                    {"date": "2026-02-02", "off": "first", "shift_id": night_shift},
                    {"date": "2026-02-03", "off": "second"},
                    {"date": "2026-02-01", "works_holidays": True},
                ]
            },
        )
        assert reply["changed"] == 4
        assert reply["items"] == [
            {"date": "2026-02-01", "shift_id": None, "off": None, "works_holidays": True},
            {"date": "2026-02-02", "shift_id": night_shift, "off": "first", "works_holidays": False},
            {"date": "2026-02-03", "shift_id": None, "off": "second", "works_holidays": False},
            {"date": "2026-02-04", "shift_id": None, "off": "full", "works_holidays": False},
        ]
        assert [row.off for row in sql(acme, "select off from roster_days order by day")] == [0, 2, 1, 3]
        listed = acme.hr.ok("GET", f"{path}?from=2026-02-02&to=2026-02-03")
        assert listed == {"items": reply["items"][1:3], "next_cursor": None}
        assert zenith.hr.get(f"{path}?from=2026-02-02&to=2026-02-03").status == 404
        assert zenith.hr.put(path, {"entries": [{"date": "2026-02-04"}]}).status == 404

    def test_changes_some_clears_some_and_leaves_the_rest(self, acme: Cast) -> None:
        path = f"/users/{person(acme, 'E-1')}/roster"
        days = ["2026-02-01", "2026-02-02", "2026-02-03"]
        acme.hr.ok("PUT", path, {"entries": [{"date": day, "off": "full"} for day in days]})
        period(acme, "2026-03")
        reply = acme.hr.ok(
            "PUT",
            path,
            {
                "entries": [{"date": "2026-02-02", "off": "first"}, {"date": "2026-02-03", "off": "full"}],
                "clear": ["2026-02-01", "2026-02-09"],
            },
        )
        assert reply["changed"] == 2  # the 3rd stood so already, and the 9th had nothing to clear
        rest = acme.hr.ok("GET", f"{path}?from=2026-02-01&to=2026-02-28")["items"]
        assert [(row["date"], row["off"]) for row in rest] == [("2026-02-02", "first"), ("2026-02-03", "full")]
        row = acme.admin.ok("GET", "/audit-logs?action=roster.changed")["items"][0]
        assert (sorted(row["before"]), sorted(row["after"])) == (["2026-02-01", "2026-02-02"], ["2026-02-02"])

    def test_marks_only_the_days_it_changes(self, acme: Cast, zenith: Cast) -> None:
        path = f"/users/{person(acme, 'E-1')}/roster"
        for month in ("2026-01", "2026-02", "2026-03"):
            period(acme, month)
        period(zenith, "2026-02")
        body = {"entries": [{"date": "2026-02-15", "off": "full"}]}
        acme.hr.ok("PUT", path, body)
        assert (stale(acme), undecided(acme), stale(zenith)) == (["2026-02"], ["2026-02"], [])
        sql(acme, "update pay_periods set computed_at = clock_timestamp(), decided_under = '540:'")
        assert acme.hr.ok("PUT", path, body)["changed"] == 0
        assert (stale(acme), undecided(acme)) == ([], [])
        acme.hr.ok("PUT", path, {"entries": [], "clear": ["2026-02-15"]})
        assert (stale(acme), undecided(acme)) == (["2026-02"], ["2026-02"])

    def test_is_noted_as_late_in_a_locked_period(self, acme: Cast) -> None:
        user_id = person(acme, "E-1")
        period(acme, "2026-02", "locked")
        acme.hr.ok("PUT", f"/users/{user_id}/roster", {"entries": [{"date": "2026-02-15", "off": "full"}]})
        assert late(acme) == [("2026-02", user_id, "2026-02-15", "roster")]

    def test_takes_400_days_at_once(self, acme: Cast) -> None:
        path = f"/users/{person(acme, 'E-1')}/roster"
        days = [str(date(2026, 1, 1) + timedelta(days=n)) for n in range(401)]
        assert acme.hr.put(path, {"entries": [{"date": day} for day in days]}).status == 422
        assert acme.hr.ok("PUT", path, {"entries": [{"date": day} for day in days[:400]]})["changed"] == 400
        assert len(acme.hr.ok("GET", f"{path}?from={days[0]}&to={days[399]}")["items"]) == 400
        assert acme.hr.get(f"{path}?from={days[0]}&to={days[400]}").status == 422
        assert acme.hr.get(f"{path}?from={days[1]}&to={days[0]}").status == 422
        assert acme.hr.get(path).status == 200  # the period of today

    def test_refuses_a_day_twice_and_a_shift_that_is_not_ours(self, acme: Cast, zenith: Cast) -> None:
        path = f"/users/{person(acme, 'E-1')}/roster"
        day = {"date": "2026-02-01"}
        twice = acme.hr.put(path, {"entries": [day, day]})
        assert (twice.status, twice.json["errors"][0]["pointer"]) == (422, "/entries/1/date")
        both = acme.hr.put(path, {"entries": [day], "clear": ["2026-02-01"]})
        assert (both.status, both.json["errors"][0]["pointer"]) == (422, "/clear/0")
        for wrong in (shift(zenith), str(uuid4())):
            assert acme.hr.put(path, {"entries": [{**day, "shift_id": wrong}]}).status == 404
        assert acme.hr.put(path, {"entries": [{**day, "off": "most of it"}]}).status == 422
        assert sql(acme, "select * from roster_days") == []

    def test_reaches_a_managers_team_and_no_further(self, acme: Cast) -> None:
        boss = person(acme, "BOSS")
        middle = person(acme, "MIDDLE", manager_id=boss)
        worker, other = person(acme, "WORKER", manager_id=middle), person(acme, "OTHER")
        manager, employee = key(acme.id, Role.MANAGER, boss), key(acme.id, Role.EMPLOYEE, worker)
        body = {"entries": [{"date": "2026-02-01"}]}
        assert manager.put(f"/users/{worker}/roster", body).status == 200
        assert manager.put(f"/users/{other}/roster", body).status == 404
        assert manager.get(f"/users/{other}/roster").status == 404
        assert employee.put(f"/users/{worker}/roster", body).status == 403
        period_ = "?from=2026-02-01&to=2026-02-28"
        assert len(employee.ok("GET", f"/users/{worker}/roster{period_}")["items"]) == 1
        assert employee.get(f"/users/{other}/roster{period_}").status == 404
