"""Holidays and shifts over HTTP."""

from uuid import uuid4

import pytest

from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key, tenant
from tests.support.office import late, names, period, person, stale, undecided
from tests.support.people import sql

pytestmark = pytest.mark.usefixtures("database")

SHIFT = {"name": "Day", "start": "09:00", "end": "18:00"}


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="zenith")
def _zenith() -> Cast:
    return tenant("Zenith")


class TestHolidays:
    def test_are_made_changed_and_removed(self, acme: Cast, zenith: Cast) -> None:
        reply = acme.hr.post("/holidays", {"date": "2026-02-21", "name": "Mother Language Day"})
        holiday = reply.json
        assert (reply.status, holiday) == (
            201,
            {
                "id": holiday["id"],
                "date": "2026-02-21",
                "name": "Mother Language Day",
                "half": None,
                "branch_id": None,
                "version": 1,
            },
        )
        own = f"/holidays/{holiday['id']}"
        changed = acme.hr.ok("PATCH", own, {"date": "2026-02-22", "half": "second"}, headers={"if-match": '"1"'})
        assert changed == {**holiday, "date": "2026-02-22", "half": "second", "version": 2}
        assert acme.hr.ok("PATCH", own, {"half": "second"})["version"] == 2  # nothing new
        assert acme.hr.patch(own, {"half": None}, headers={"if-match": '"1"'}).status == 412
        assert zenith.hr.patch(own, {"name": "Mine"}).status == 404
        assert zenith.hr.delete(own).status == 404
        assert acme.hr.delete(own).status == 204
        assert acme.hr.delete(own).status == 404
        rows = acme.admin.ok("GET", f"/audit-logs?entity_id={holiday['id']}")["items"]
        assert [row["action"] for row in rows] == ["holiday.removed", "holiday.changed", "holiday.added"]
        assert rows[0]["before"]["day"] == "2026-02-22"

    def test_stand_once_for_a_day_and_branch(self, acme: Cast, zenith: Cast) -> None:
        branch = acme.hr.ok("POST", "/branches", {"name": "B"})["id"]
        day = {"date": "2026-02-21", "name": "X"}
        assert acme.hr.post("/holidays", day).status == 201
        assert acme.hr.post("/holidays", day).status == 409
        assert acme.hr.post("/holidays", {**day, "branch_id": branch}).status == 201
        assert acme.hr.post("/holidays", {**day, "branch_id": branch}).status == 409
        assert zenith.hr.post("/holidays", {**day, "branch_id": branch}).status == 404
        zenith_holiday = zenith.hr.ok("POST", "/holidays", day)["id"]
        assert zenith.hr.patch(f"/holidays/{zenith_holiday}", {"branch_id": branch}).status == 404
        for wrong in ({"half": "third"}, {"date": "2026-02-30"}, {"date": "1999-12-31"}, {"name": ""}):
            assert acme.hr.post("/holidays", {**day, **wrong}).status == 422

    def test_are_listed_by_day_of_a_year_or_branch(self, acme: Cast, zenith: Cast) -> None:
        branch = acme.hr.ok("POST", "/branches", {"name": "B"})["id"]
        for day, of in (("2026-12-16", None), ("2026-03-26", branch), ("2027-01-01", None), ("2026-03-26", None)):
            acme.hr.ok("POST", "/holidays", {"date": day, "name": day, "branch_id": of})
        listed = names(acme.hr.ok("GET", "/holidays"))
        assert listed == ["2026-03-26", "2026-03-26", "2026-12-16", "2027-01-01"]
        assert names(acme.hr.ok("GET", "/holidays?year=2027")) == ["2027-01-01"]
        assert names(acme.hr.ok("GET", f"/holidays?branch_id={branch}&year=2026")) == ["2026-03-26"]
        page = acme.hr.ok("GET", "/holidays?limit=3")
        assert names(acme.hr.ok("GET", f"/holidays?limit=3&cursor={page['next_cursor']}")) == ["2027-01-01"]
        assert zenith.hr.get(f"/holidays?branch_id={branch}").status == 404
        assert names(zenith.hr.ok("GET", "/holidays")) == []

    def test_mark_the_periods_of_their_days(self, acme: Cast, zenith: Cast) -> None:
        for month in ("2026-01", "2026-02", "2026-03"):
            period(acme, month)
        period(zenith, "2026-02")
        holiday = acme.hr.ok("POST", "/holidays", {"date": "2026-02-15", "name": "X"})
        assert stale(acme) == ["2026-02"]
        sql(acme, "update pay_periods set computed_at = clock_timestamp()")
        acme.hr.ok("PATCH", f"/holidays/{holiday['id']}", {"date": "2026-03-15"})
        assert stale(acme) == ["2026-02", "2026-03"]
        assert stale(zenith) == []

    def test_mark_nothing_when_only_the_name_changes(self, acme: Cast) -> None:
        holiday = acme.hr.ok("POST", "/holidays", {"date": "2026-04-15", "name": "X"})
        period(acme, "2026-03")
        acme.hr.ok("PATCH", f"/holidays/{holiday['id']}", {"name": "Y"})
        assert stale(acme) == ["2026-04"]  # made by the holiday itself, and not computed yet

    def test_are_noted_as_late_for_everybody_in_a_locked_period(self, acme: Cast) -> None:
        period(acme, "2026-02", "locked")
        holiday = acme.hr.ok("POST", "/holidays", {"date": "2026-02-15", "name": "X"})
        acme.hr.delete(f"/holidays/{holiday['id']}")
        assert late(acme) == [("2026-02", None, "2026-02-15", "holiday")]

    def test_are_read_by_all_and_written_by_hr(self, acme: Cast) -> None:
        holiday = acme.hr.ok("POST", "/holidays", {"date": "2026-02-21", "name": "X"})
        boss = key(acme.id, Role.MANAGER, person(acme, "BOSS"))
        assert names(boss.ok("GET", "/holidays")) == ["X"]
        assert boss.post("/holidays", {"date": "2026-02-22", "name": "Mine"}).status == 403
        assert boss.patch(f"/holidays/{holiday['id']}", {"name": "Mine"}).status == 403
        assert boss.delete(f"/holidays/{holiday['id']}").status == 403
        assert boss.post("/holidays/import", {"country": "BD", "year": 2026}).status == 403


class TestImport:
    def test_adds_a_year_and_keeps_what_stands(self, acme: Cast) -> None:
        acme.hr.ok("POST", "/holidays", {"date": "2026-12-16", "name": "Our own name", "half": "first"})
        report = acme.hr.ok("POST", "/holidays/import", {"country": "BD", "year": 2026})
        assert [(row["date"], row["name"], row["half"]) for row in report["kept"]] == [
            ("2026-12-16", "Our own name", "first")
        ]
        added = {row["date"]: row["name"] for row in report["added"]}
        assert added["2026-03-26"] == "Independence Day"
        again = acme.hr.ok("POST", "/holidays/import", {"country": "BD", "year": 2026})
        assert (again["added"], len(again["kept"])) == ([], len(added) + 1)
        rows = acme.admin.ok("GET", "/audit-logs?action=holidays.imported")["items"]
        assert [row["after"]["added"]["2026-03-26"] for row in rows] == ["Independence Day"]

    def test_knows_subdivisions_and_branches(self, acme: Cast, zenith: Cast) -> None:
        branch = acme.hr.ok("POST", "/branches", {"name": "Munich", "timezone": "Europe/Berlin"})["id"]
        body = {"country": "DE", "subdivision": "BY", "year": 2026, "branch_id": branch}
        assert zenith.hr.post("/holidays/import", body).status == 404
        days = [row["date"] for row in acme.hr.ok("POST", "/holidays/import", body)["added"]]
        assert "2026-01-06" in days  # Epiphany, in Bavaria and not in Berlin
        whole = acme.hr.ok("POST", "/holidays/import", {"country": "DE", "year": 2026})
        assert whole["kept"] == []
        assert "2026-01-06" not in [row["date"] for row in whole["added"]]

    @pytest.mark.parametrize(("change", "pointer", "named"), [
        ({"country": "XX"}, "/country", "XX"),
        ({"subdivision": "ZZ"}, "/subdivision", "ZZ"),
        ({"country": "Germany"}, "/country", ""),
        ({"year": 1492}, "/year", ""),
    ])  # fmt: skip
    def test_names_what_it_does_not_know(self, acme: Cast, change: dict[str, object], pointer: str, named: str) -> None:
        reply = acme.hr.post("/holidays/import", {"country": "DE", "year": 2026, **change})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, pointer)
        assert named in reply.json["detail"]

    def test_is_noted_as_late_in_a_locked_period(self, acme: Cast) -> None:
        period(acme, "2026-03", "locked")
        acme.hr.ok("POST", "/holidays/import", {"country": "BD", "year": 2026})
        assert ("2026-03", None, "2026-03-26", "holiday") in late(acme)


class TestShifts:
    def test_are_made_and_changed(self, acme: Cast, zenith: Cast) -> None:
        reply = acme.hr.post("/shifts", SHIFT)
        created = reply.json
        assert (reply.status, created) == (
            201,
            {
                **SHIFT,
                "id": created["id"],
                "payable_units": 1.0,
                "version": 1,
                "late_grace_minutes": 0,
                "early_grace_minutes": 0,
                "full_day_minutes": None,
                "half_day_minutes": None,
                "unpaid_break_minutes": 0,
            },
        )
        own = f"/shifts/{created['id']}"
        night_shift = {
            "name": "Night",
            "start": "22:00",
            "end": "06:00",
            "payable_units": 1.5,
            "late_grace_minutes": 10,
        }
        assert acme.hr.ok("PATCH", own, night_shift, headers={"if-match": '"1"'}) == {
            **created,
            **night_shift,
            "version": 2,
        }
        assert acme.hr.ok("PATCH", own, night_shift)["version"] == 2  # nothing new
        assert acme.hr.patch(own, {"name": "Late"}, headers={"if-match": '"1"'}).status == 412
        assert zenith.hr.patch(own, {"name": "Mine"}).status == 404
        assert names(acme.hr.ok("GET", "/shifts")) == ["Night"]
        assert names(zenith.hr.ok("GET", "/shifts")) == []
        assert acme.hr.patch(f"/shifts/{uuid4()}", {"name": "Nobody's"}).status == 404

    @pytest.mark.parametrize(("change", "pointer"), [
        ({"end": "09:00"}, "/end"), ({"start": "24:00"}, "/start"), ({"start": "9:00"}, "/start"),
        ({"start": "09:00:30"}, "/start"), ({"start": 9}, "/start"), ({"payable_units": 11}, "/payable_units"),
        ({"payable_units": 0.333}, "/payable_units"), ({"late_grace_minutes": -1}, "/late_grace_minutes"),
        ({"full_day_minutes": 0}, "/full_day_minutes"), ({"full_day_minutes": 1441}, "/full_day_minutes"),
        ({"half_day_minutes": 0}, "/half_day_minutes"), ({"half_day_minutes": "240"}, "/half_day_minutes"),
        ({"full_day_minutes": 480, "half_day_minutes": 481}, "/half_day_minutes"),
        ({"unpaid_break_minutes": -1}, "/unpaid_break_minutes"),
        ({"unpaid_break_minutes": 540}, "/unpaid_break_minutes"),
        ({"unpaid_break_minutes": None}, "/unpaid_break_minutes"),
        ({"unpaid_break_minutes": 0.5}, "/unpaid_break_minutes"),
        ({"start": "22:00", "end": "06:00", "unpaid_break_minutes": 480}, "/unpaid_break_minutes"),
    ])  # fmt: skip
    def test_refuse_nonsense_with_its_place(self, acme: Cast, change: dict[str, object], pointer: str) -> None:
        created = acme.hr.ok("POST", "/shifts", SHIFT)
        for reply in (
            acme.hr.post("/shifts", {**SHIFT, "name": "N", **change}),
            acme.hr.patch(f"/shifts/{created['id']}", change),
        ):
            assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, pointer)

    def test_have_minutes_of_their_own_or_the_tenant_s(self, acme: Cast) -> None:
        hours = {"full_day_minutes": 420, "half_day_minutes": 200, "unpaid_break_minutes": 60}
        created = acme.hr.ok("POST", "/shifts", {**SHIFT, **hours})
        assert {name: created[name] for name in hours} == hours
        own = f"/shifts/{created['id']}"
        assert acme.hr.patch(own, {"half_day_minutes": 421}).json["errors"] == [
            {"pointer": "/half_day_minutes", "detail": "is 421, more than the 420 of a full day"}
        ]
        assert acme.hr.patch(own, {"end": "10:00"}).json["errors"] == [
            {"pointer": "/unpaid_break_minutes", "detail": "is not shorter than the shift, which lasts 60 minutes"}
        ]
        back = acme.hr.ok("PATCH", own, {"full_day_minutes": None, "half_day_minutes": None, "unpaid_break_minutes": 0})
        assert (back["full_day_minutes"], back["half_day_minutes"], back["unpaid_break_minutes"]) == (None, None, 0)
        assert acme.hr.ok("GET", "/shifts")["items"] == [back]

    @pytest.mark.parametrize(
        "change", [{"full_day_minutes": 480}, {"half_day_minutes": 240}, {"unpaid_break_minutes": 30}]
    )
    def test_have_attendance_decided_again_when_minutes_change(self, acme: Cast, change: dict[str, int]) -> None:
        own = f"/shifts/{acme.hr.ok('POST', '/shifts', SHIFT)['id']}"
        period(acme, "2026-02")
        acme.hr.ok("PATCH", own, change)
        assert (stale(acme), undecided(acme)) == (["2026-02"], ["2026-02"])

    def test_have_attendance_decided_again_when_hours_change(self, acme: Cast, zenith: Cast) -> None:
        own = f"/shifts/{acme.hr.ok('POST', '/shifts', SHIFT)['id']}"
        period(acme, "2026-01", "locked")
        period(acme, "2026-02")
        period(zenith, "2026-02")
        acme.hr.ok("PATCH", own, {"name": "Late"})
        assert (stale(acme), undecided(acme)) == ([], [])
        acme.hr.ok("PATCH", own, {"late_grace_minutes": 5})
        assert (stale(acme), undecided(acme)) == (["2026-02"], ["2026-02"])
        assert undecided(zenith) == []

    def test_are_written_by_hr(self, acme: Cast) -> None:
        boss = key(acme.id, Role.MANAGER, person(acme, "BOSS"))
        assert boss.get("/shifts").status == 200
        assert boss.post("/shifts", SHIFT).status == 403
