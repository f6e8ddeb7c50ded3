"""Branches, departments and divisions over HTTP."""

from uuid import uuid4

import pytest

from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key, tenant
from tests.support.office import names, period, person, stale, undecided

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="zenith")
def _zenith() -> Cast:
    return tenant("Zenith")


@pytest.mark.parametrize("path", ["/branches", "/departments", "/divisions"])
class TestUnits:
    def test_are_made_listed_and_renamed(self, acme: Cast, zenith: Cast, path: str) -> None:
        reply = acme.hr.post(path, {"name": " Sales "})
        assert (reply.status, reply.json["name"], reply.json["version"]) == (201, "Sales", 1)
        own = f"{path}/{reply.json['id']}"
        assert acme.hr.ok("PATCH", own, {"name": "Selling"}, headers={"if-match": '"1"'})["version"] == 2
        assert acme.hr.patch(own, {"name": "Late"}, headers={"if-match": '"1"'}).status == 412
        assert acme.hr.ok("PATCH", own, {"name": "Selling"})["version"] == 2  # nothing new
        assert names(acme.hr.ok("GET", path)) == ["Selling"]
        assert names(zenith.hr.ok("GET", path)) == []
        assert zenith.hr.patch(own, {"name": "Mine"}).status == 404
        assert acme.hr.patch(f"{path}/{uuid4()}", {"name": "Nobody's"}).status == 404

    def test_have_names_of_their_own(self, acme: Cast, zenith: Cast, path: str) -> None:
        acme.hr.ok("POST", path, {"name": "Sales"})
        assert acme.hr.post(path, {"name": "Sales"}).status == 409
        assert zenith.hr.post(path, {"name": "Sales"}).status == 201
        for wrong in ({}, {"name": ""}, {"name": None}, {"name": "x", "colour": "red"}):
            assert acme.hr.post(path, wrong).status == 422

    def test_are_read_by_all_and_written_by_hr(self, acme: Cast, path: str) -> None:
        acme.hr.ok("POST", path, {"name": "Sales"})
        boss = key(acme.id, Role.MANAGER, person(acme, "BOSS"))
        assert names(boss.ok("GET", path)) == ["Sales"]
        assert boss.post(path, {"name": "Mine"}).status == 403

    def test_write_who_did_what(self, acme: Cast, path: str) -> None:
        unit = acme.hr.ok("POST", path, {"name": "Sales"})
        acme.hr.ok("PATCH", f"{path}/{unit['id']}", {"name": "Selling"})
        rows = acme.admin.ok("GET", f"/audit-logs?entity_id={unit['id']}")["items"]
        assert [(row["before"], row["after"]["name"]) for row in rows] == [
            ({"name": "Sales"}, "Selling"),
            (None, "Sales"),
        ]


class TestBranches:
    def test_keep_a_calendar_of_their_own(self, acme: Cast) -> None:
        body = {"name": "Berlin", "timezone": "Europe/Berlin", "weekend": [7, 6], "own_holidays": True}
        unit = acme.hr.ok("POST", "/branches", body)
        assert unit == {**body, "weekend": [6, 7], "id": unit["id"], "version": 1}
        back = acme.hr.ok("PATCH", f"/branches/{unit['id']}", {"timezone": None, "weekend": None})
        assert (back["timezone"], back["weekend"], back["own_holidays"]) == (None, None, True)
        for wrong in ({"timezone": "Mars/Olympus"}, {"weekend": [8]}, {"own_holidays": None}):
            assert acme.hr.patch(f"/branches/{unit['id']}", wrong).status == 422

    @pytest.mark.parametrize(("change", "moves", "decides"), [
        ({"name": "B"}, False, False),
        ({"weekend": [7]}, True, False),
        ({"own_holidays": True}, True, False),
        ({"timezone": "Asia/Tokyo"}, True, True),
    ])  # fmt: skip
    def test_mark_open_periods_when_their_calendar_changes(
        self, acme: Cast, zenith: Cast, change: dict[str, object], moves: bool, decides: bool
    ) -> None:
        unit = acme.hr.ok("POST", "/branches", {"name": "A"})
        period(acme, "2026-01", "locked")
        period(acme, "2026-02")
        period(zenith, "2026-02")
        acme.hr.ok("PATCH", f"/branches/{unit['id']}", change)
        assert stale(acme) == (["2026-02"] if moves else [])
        assert undecided(acme) == (["2026-02"] if decides else [])
        assert stale(zenith) == []
