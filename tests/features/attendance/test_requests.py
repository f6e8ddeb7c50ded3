"""On-duty and overtime over HTTP: who may ask, who may decide, and what cannot be."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from chalicelib.identity.permissions import Role
from tests.support.api import Api
from tests.support.cast import Cast, key, tenant
from tests.support.people import employee, lock_period, sql

pytestmark = pytest.mark.usefixtures("database")

DAYS = {"start_date": "2026-01-05", "end_date": "2026-01-06"}
HOURS = {"date": "2026-01-05", "hours": 1.5}
KINDS = [("/on-duty", DAYS), ("/overtime", HOURS)]
BOTH = pytest.mark.parametrize(("path", "body"), KINDS)


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="boss_id")
def _boss_id(acme: Cast) -> UUID:
    return employee(acme, name="Boss", employee_no="E-1")


@pytest.fixture(name="rahim_id")
def _rahim_id(acme: Cast, boss_id: UUID) -> UUID:
    return employee(acme, name="Rahim", employee_no="E-2", manager_id=boss_id)


@pytest.fixture(name="boss")
def _boss(acme: Cast, boss_id: UUID) -> Api:
    return key(acme.id, Role.MANAGER, boss_id)


@pytest.fixture(name="rahim")
def _rahim(acme: Cast, rahim_id: UUID) -> Api:
    return key(acme.id, Role.EMPLOYEE, rahim_id)


class TestAsk:
    def test_is_for_oneself_if_not_said(self, rahim: Api, rahim_id: UUID) -> None:
        found = rahim.ok("POST", "/on-duty", {**DAYS, "half": "first", "reason": "client in Chattogram"})
        assert {**found, "id": None, "created_at": None} == {
            "id": None,
            "user_id": str(rahim_id),
            "status": "pending",
            "reason": "client in Chattogram",
            "decided_by": None,
            "decided_at": None,
            "created_at": None,
            "version": 1,
            "start_date": "2026-01-05",
            "end_date": "2026-01-06",
            "half": "first",
        }
        found = rahim.ok("POST", "/overtime", HOURS)
        assert (found["user_id"], found["date"], found["hours"]) == (str(rahim_id), "2026-01-05", 1.5)

    @BOTH
    def test_needs_a_person(self, acme: Cast, path: str, body: dict[str, Any]) -> None:
        reply = acme.hr.post(path, body)  # a machine's key acts for nobody
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/user_id")

    @BOTH
    def test_is_for_anybody_by_hr_only(
        self, acme: Cast, boss: Api, rahim: Api, boss_id: UUID, rahim_id: UUID, path: str, body: dict[str, Any]
    ) -> None:
        assert rahim.post(path, {**body, "user_id": str(boss_id)}).status == 404
        assert boss.post(path, {**body, "user_id": str(rahim_id)}).status == 404
        assert acme.hr.post(path, {**body, "user_id": str(rahim_id)}).status == 201

    @pytest.mark.parametrize(
        ("path", "body", "pointer"),
        [
            ("/on-duty", {"start_date": "2026-01-06", "end_date": "2026-01-05"}, "/end_date"),
            ("/on-duty", {"start_date": "2026-01-01", "end_date": "2026-02-01"}, "/end_date"),
            ("/on-duty", {"start_date": "2024-12-31", "end_date": "2025-01-01"}, "/start_date"),
            ("/on-duty", {"start_date": "0001-01-01", "end_date": "0001-01-01"}, "/start_date"),
            ("/on-duty", {**DAYS, "half": "third"}, "/half"),
            ("/on-duty", {**DAYS, "user_id": "me"}, "/user_id"),
            ("/overtime", {**HOURS, "hours": 0}, "/hours"),
            ("/overtime", {**HOURS, "hours": 1.3}, "/hours"),
            ("/overtime", {**HOURS, "hours": 24.25}, "/hours"),
            ("/overtime", {**HOURS, "hours": 1e300}, "/hours"),
            ("/overtime", {**HOURS, "hours": True}, "/hours"),
            ("/overtime", {**HOURS, "date": "2024-12-31"}, "/date"),
        ],
    )
    def test_refuses_what_cannot_be(self, rahim: Api, path: str, body: dict[str, Any], pointer: str) -> None:
        reply = rahim.post(path, body)
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, pointer)

    def test_takes_31_days(self, rahim: Api) -> None:
        assert rahim.post("/on-duty", {"start_date": "2026-01-01", "end_date": "2026-01-31"}).status == 201

    @pytest.mark.parametrize(
        ("first", "second", "status"),
        [
            ({}, {}, 409),
            ({}, {"half": "second"}, 409),
            ({"half": "first"}, {}, 409),
            ({"half": "first"}, {"half": "first"}, 409),
            ({"half": "first"}, {"half": "second"}, 201),
            ({}, {"start_date": "2026-01-07", "end_date": "2026-01-07"}, 201),
            ({}, {"start_date": "2026-01-01", "end_date": "2026-01-05"}, 409),
        ],
    )
    def test_refuses_the_same_half_twice(
        self, rahim: Api, first: dict[str, Any], second: dict[str, Any], status: int
    ) -> None:
        assert rahim.post("/on-duty", {**DAYS, **first}).status == 201
        assert rahim.post("/on-duty", {**DAYS, **second}).status == status

    def test_may_be_done_again_once_cancelled(self, rahim: Api) -> None:
        made = rahim.ok("POST", "/on-duty", DAYS)
        rahim.ok("PATCH", f"/on-duty/{made['id']}", {"status": "cancelled"})
        assert rahim.post("/on-duty", DAYS).status == 201

    def test_keeps_a_day_within_24_hours(self, rahim: Api) -> None:
        assert rahim.post("/overtime", {**HOURS, "hours": 20}).status == 201
        assert rahim.post("/overtime", {**HOURS, "hours": 4.25}).status == 409
        assert rahim.post("/overtime", {**HOURS, "hours": 4}).status == 201
        assert rahim.post("/overtime", {**HOURS, "date": "2026-01-06", "hours": 24}).status == 201

    def test_is_won_by_one_of_several_at_once(self, rahim: Api) -> None:
        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(lambda _: rahim.post("/on-duty", DAYS).status, range(4))) == [201, 409, 409, 409]
            hours = {**HOURS, "hours": 10}
            assert sorted(pool.map(lambda _: rahim.post("/overtime", hours).status, range(4))) == [201, 201, 409, 409]


@BOTH
class TestDecide:
    def test_is_the_manager_s(
        self, rahim: Api, boss: Api, boss_id: UUID, acme: Cast, path: str, body: dict[str, Any]
    ) -> None:
        made = rahim.ok("POST", path, body)
        reply = boss.patch(f"{path}/{made['id']}", {"status": "approved"}, headers={"if-match": '"1"'})
        assert (reply.status, reply.json["status"], reply.headers["ETag"]) == (200, "approved", '"2"')
        assert reply.json["decided_by"] == str(boss_id)
        found = sql(acme, "select before, after from audit_logs order by seq desc limit 1")[0]
        assert (found.before, found.after) == ({"status": "pending"}, {"status": "approved"})

    def test_is_never_one_s_own(
        self, acme: Cast, boss: Api, rahim: Api, boss_id: UUID, path: str, body: dict[str, Any]
    ) -> None:
        for api in (rahim, boss, key(acme.id, Role.HR, boss_id)):
            made = api.ok("POST", path, body)
            assert api.patch(f"{path}/{made['id']}", {"status": "approved"}).status == 403
            assert api.patch(f"{path}/{made['id']}", {"status": "rejected"}).status == 403
            assert api.patch(f"{path}/{made['id']}", {"status": "cancelled"}).status == 200

    def test_reaches_no_further_than_the_role(
        self, acme: Cast, boss: Api, rahim: Api, boss_id: UUID, path: str, body: dict[str, Any]
    ) -> None:
        other = employee(acme, employee_no="E-3")
        of_other = acme.hr.ok("POST", path, {**body, "user_id": str(other)})["id"]
        of_boss = boss.ok("POST", path, body)["id"]
        assert boss.patch(f"{path}/{of_other}", {"status": "approved"}).status == 404
        assert rahim.patch(f"{path}/{of_boss}", {"status": "cancelled"}).status == 404
        assert acme.hr.patch(f"{path}/{of_other}", {"status": "approved"}).status == 200
        assert acme.admin.patch(f"{path}/{of_boss}", {"status": "approved"}).status == 200

    @pytest.mark.parametrize(
        ("first", "then", "status"),
        [
            ("approved", "cancelled", 200),
            ("approved", "approved", 409),
            ("approved", "rejected", 409),
            ("rejected", "approved", 409),
            ("rejected", "cancelled", 409),
            ("cancelled", "approved", 409),
        ],
    )
    def test_follows_the_moves(
        self, acme: Cast, rahim: Api, path: str, body: dict[str, Any], first: str, then: str, status: int
    ) -> None:
        made = rahim.ok("POST", path, body)
        assert acme.hr.patch(f"{path}/{made['id']}", {"status": first}).status == 200
        assert acme.hr.patch(f"{path}/{made['id']}", {"status": then}).status == status
        assert acme.hr.patch(f"{path}/{made['id']}", {"status": "pending"}).status == 422

    def test_refuses_a_stale_version(self, acme: Cast, boss: Api, rahim: Api, path: str, body: dict[str, Any]) -> None:
        made = rahim.ok("POST", path, body)
        boss.ok("PATCH", f"{path}/{made['id']}", {"status": "approved"})
        said = {"headers": {"if-match": '"1"'}}
        assert acme.hr.patch(f"{path}/{made['id']}", {"status": "cancelled"}, **said).status == 412

    def test_is_won_by_one_of_two_at_once(
        self, acme: Cast, boss: Api, rahim: Api, path: str, body: dict[str, Any]
    ) -> None:
        made = rahim.ok("POST", path, body)
        asked = [(boss, "approved"), (acme.hr, "rejected"), (acme.admin, "approved"), (acme.hr, "approved")]
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda one: one[0].patch(f"{path}/{made['id']}", {"status": one[1]}), asked))
        assert sorted(reply.status for reply in replies) == [200, 409, 409, 409]
        assert acme.hr.ok("GET", path)["items"][0]["version"] == 2

    def test_notes_late_corrections_once_it_is_a_fact(
        self, acme: Cast, rahim: Api, rahim_id: UUID, path: str, body: dict[str, Any]
    ) -> None:
        lock_period(acme, "2026-01", date(2026, 1, 1), date(2026, 1, 31))
        made, other = rahim.ok("POST", path, body), rahim.ok("POST", path, {**body, **_another(path)})
        rahim.ok("PATCH", f"{path}/{other['id']}", {"status": "cancelled"})  # never was one
        noted = "select day from late_corrections where user_id = :user_id and what = :what order by day"
        what = path[1:].replace("-", "_")
        assert sql(acme, noted, user_id=rahim_id, what=what) == []
        acme.hr.ok("PATCH", f"{path}/{made['id']}", {"status": "approved"})
        days = [date(2026, 1, 5), date(2026, 1, 6)] if path == "/on-duty" else [date(2026, 1, 5)]
        assert [found.day for found in sql(acme, noted, user_id=rahim_id, what=what)] == days
        sql(acme, "delete from late_corrections")
        rahim.ok("PATCH", f"{path}/{made['id']}", {"status": "cancelled"})
        assert [found.day for found in sql(acme, noted, user_id=rahim_id, what=what)] == days

    def test_tells_a_stranger_nothing(
        self, acme: Cast, rahim: Api, rahim_id: UUID, path: str, body: dict[str, Any]
    ) -> None:
        made = rahim.ok("POST", path, body)
        zenith = tenant("Zenith")
        for request_id in (made["id"], uuid4(), "not-an-id"):
            assert zenith.hr.patch(f"{path}/{request_id}", {"status": "approved"}).status == 404
        for user_id in (rahim_id, uuid4()):
            assert zenith.hr.post(path, {**body, "user_id": str(user_id)}).status == 404
            assert zenith.hr.get(f"{path}?user_id={user_id}").status == 404
        assert zenith.hr.ok("GET", path)["items"] == []
        assert acme.hr.ok("GET", path)["items"][0]["status"] == "pending"


@BOTH
class TestList:
    def test_shows_whom_the_role_reaches(
        self, acme: Cast, boss: Api, rahim: Api, boss_id: UUID, path: str, body: dict[str, Any]
    ) -> None:
        other = employee(acme, employee_no="E-3")
        acme.hr.ok("POST", path, {**body, "user_id": str(other)})
        boss.ok("POST", path, body)
        rahim.ok("POST", path, body)
        assert [len(api.ok("GET", path)["items"]) for api in (acme.hr, boss, rahim)] == [3, 2, 1]
        assert [api.get(f"{path}?user_id={other}").status for api in (acme.hr, boss, rahim)] == [200, 404, 404]
        assert len(acme.hr.ok("GET", f"{path}?user_id={boss_id}")["items"]) == 1

    def test_filters_and_pages(self, acme: Cast, rahim: Api, path: str, body: dict[str, Any]) -> None:
        made = rahim.ok("POST", path, body)
        acme.hr.ok("PATCH", f"{path}/{made['id']}", {"status": "rejected"})
        rahim.ok("POST", path, {**body, **_another(path)})
        assert [row["status"] for row in rahim.ok("GET", f"{path}?status=pending")["items"]] == ["pending"]
        assert [row["status"] for row in rahim.ok("GET", f"{path}?month=2026-01")["items"]] == ["rejected", "pending"]
        assert len(rahim.ok("GET", f"{path}?month=2026-02")["items"]) == (1 if path == "/on-duty" else 0)
        assert rahim.ok("GET", f"{path}?month=2026-03")["items"] == []
        page = rahim.ok("GET", f"{path}?limit=1")
        rest = rahim.ok("GET", f"{path}?limit=1&cursor={page['next_cursor']}")
        assert (page["items"][0]["id"], rest["items"][0]["status"], rest["next_cursor"]) == (
            made["id"],
            "pending",
            None,
        )
        assert rahim.get(f"{path}?status=lost").status == 422
        assert rahim.get(f"{path}?month=0000-01").status == 422


def _another(path: str) -> dict[str, Any]:
    """Return days beside those of the usual body; the on-duty's reach into February."""
    return {"start_date": "2026-01-30", "end_date": "2026-02-02"} if path == "/on-duty" else {"date": "2026-01-30"}
