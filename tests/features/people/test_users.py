"""People and their employment over HTTP."""

from uuid import uuid4

import pytest

from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key, tenant
from tests.support.office import late, names, period, person, stale, undecided

pytestmark = pytest.mark.usefixtures("database")

RAHIM = {
    "name": "Rahim Uddin", "email": "Rahim@acme.example", "language": "bn",
    "employment": {"employee_no": "E-1", "joined_on": "2026-01-12"},
    "salary": {"amount": "15000", "effective_from": "2026-01-01"},
}  # fmt: skip


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="zenith")
def _zenith() -> Cast:
    return tenant("Zenith")


class TestAdd:
    def test_gives_the_whole_person(self, acme: Cast) -> None:
        reply = acme.hr.post("/users", RAHIM)
        assert reply.status == 201
        user = reply.json
        assert user == {
            "id": user["id"],
            "name": "Rahim Uddin",
            "email": "rahim@acme.example",
            "language": "bn",
            "version": 1,
            "employment": {
                "user_id": user["id"],
                "employee_no": "E-1",
                "joined_on": "2026-01-12",
                "left_on": None,
                "branch_id": None,
                "department_id": None,
                "division_id": None,
                "manager_id": None,
                "shift_id": None,
                "version": 1,
            },
            "salary": {"amount": "15000.00", "currency": "BDT", "frequency": "monthly", "effective_from": "2026-01-01"},
        }
        assert acme.hr.ok("GET", f"/users/{user['id']}") == user

    def test_needs_no_more_than_a_name(self, acme: Cast) -> None:
        user = acme.hr.ok("POST", "/users", {"name": "Karim"})
        assert (user["language"], user["email"], user["employment"], user["salary"]) == ("en", None, None, None)

    def test_shows_the_salary_in_force_or_else_the_first_to_come(self, acme: Cast) -> None:
        user_id = acme.hr.ok("POST", "/users", {"name": "K"})["id"]
        for day, shown in (
            ("2099-06-01", "2099-06-01"),
            ("2099-01-01", "2099-01-01"),
            ("2020-01-01", "2020-01-01"),
            ("2021-01-01", "2021-01-01"),
            ("2019-01-01", "2021-01-01"),
        ):
            acme.hr.ok("POST", f"/users/{user_id}/salaries", {"amount": "9.50", "effective_from": day})
            assert acme.hr.ok("GET", f"/users/{user_id}")["salary"]["effective_from"] == shown

    @pytest.mark.parametrize(("change", "pointer"), [
        ({"name": ""}, "/name"),
        ({"email": "nobody"}, "/email"),
        ({"employment": {"employee_no": "E", "joined_on": "2026-02-02", "left_on": "2026-02-01"}}, "/employment"),
        ({"employment": {"employee_no": "E", "joined_on": "1026-02-02"}}, "/employment/joined_on"),
        ({"salary": {"amount": "1.001", "effective_from": "2026-01-01"}}, "/salary/amount"),
        ({"salary": {"amount": "-1", "effective_from": "2026-01-01"}}, "/salary/amount"),
        ({"salary": {"amount": "1", "currency": "XXX", "effective_from": "2026-01-01"}}, "/salary/currency"),
    ])  # fmt: skip
    def test_refuses_nonsense_with_its_place(self, acme: Cast, change: dict[str, object], pointer: str) -> None:
        reply = acme.hr.post("/users", {**RAHIM, **change})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, pointer)
        assert acme.hr.ok("GET", "/users")["items"] == []

    def test_refuses_a_number_or_address_that_is_taken(self, acme: Cast, zenith: Cast) -> None:
        acme.hr.ok("POST", "/users", RAHIM)
        other = {"name": "K", "employment": {"employee_no": "E-1", "joined_on": "2026-01-01"}}
        assert acme.hr.post("/users", other).status == 409
        assert acme.hr.post("/users", {"name": "K", "email": "rahim@ACME.example"}).status == 409
        assert zenith.hr.post("/users", RAHIM).status == 201

    @pytest.mark.parametrize("field", ["branch_id", "department_id", "division_id", "manager_id", "shift_id"])
    def test_refuses_what_is_not_ours(self, acme: Cast, zenith: Cast, field: str) -> None:
        shift = {"name": "S", "start": "09:00", "end": "18:00"}
        zenith_ids = {
            "branch_id": lambda: zenith.hr.ok("POST", "/branches", {"name": "B"})["id"],
            "department_id": lambda: zenith.hr.ok("POST", "/departments", {"name": "D"})["id"],
            "division_id": lambda: zenith.hr.ok("POST", "/divisions", {"name": "V"})["id"],
            "manager_id": lambda: person(zenith, "Z-1"),
            "shift_id": lambda: zenith.hr.ok("POST", "/shifts", shift)["id"],
        }[field]()
        for wrong in (zenith_ids, str(uuid4())):
            employment = {"employee_no": "E-1", "joined_on": "2026-01-01", field: wrong}
            assert acme.hr.post("/users", {"name": "K", "employment": employment}).status == 404
            known = person(acme, f"E-{wrong[-5:]}")
            assert acme.hr.put(f"/users/{known}/employment", employment).status == 404

    def test_is_for_hr(self, acme: Cast) -> None:
        boss = person(acme, "BOSS")
        for role in (Role.MANAGER, Role.EMPLOYEE):
            assert key(acme.id, role, boss).post("/users", {"name": "K"}).status == 403

    def test_marks_periods_from_the_first_day(self, acme: Cast, zenith: Cast) -> None:
        for month in ("2025-12", "2026-01", "2026-02"):
            period(acme, month)
        period(zenith, "2026-01")
        acme.hr.ok("POST", "/users", {**RAHIM, "salary": None})
        assert stale(acme) == ["2026-01", "2026-02"]
        assert stale(zenith) == []

    def test_is_noted_as_late_in_a_locked_period(self, acme: Cast) -> None:
        period(acme, "2026-01", "locked")
        user = acme.hr.ok("POST", "/users", {**RAHIM, "salary": None})
        assert late(acme) == [("2026-01", user["id"], "2026-01-12", "employment")]

    def test_writes_who_did_what(self, acme: Cast) -> None:
        user = acme.hr.ok("POST", "/users", RAHIM)
        rows = acme.admin.ok("GET", f"/audit-logs?entity_id={user['id']}")["items"]
        assert sorted(row["action"] for row in rows) == ["employment.added", "salary.added", "user.added"]
        assert [row["after"]["amount"] for row in rows if row["action"] == "salary.added"] == ["15000.00"]


class TestRead:
    def test_keeps_to_reach(self, acme: Cast, zenith: Cast) -> None:
        top = person(acme, "TOP")
        boss = person(acme, "BOSS", manager_id=top)
        worker = person(acme, "WORKER", manager_id=boss)
        other = person(acme, "OTHER")
        manager, employee = key(acme.id, Role.MANAGER, top), key(acme.id, Role.EMPLOYEE, worker)
        assert names(acme.hr.ok("GET", "/users")) == ["TOP", "BOSS", "WORKER", "OTHER"]
        assert names(manager.ok("GET", "/users")) == ["TOP", "BOSS", "WORKER"]
        assert names(employee.ok("GET", "/users")) == ["WORKER"]
        assert key(acme.id, Role.EMPLOYEE).ok("GET", "/users")["items"] == []
        for caller, unseen in ((manager, other), (employee, boss), (zenith.hr, worker)):
            assert caller.get(f"/users/{unseen}").status == 404
            assert caller.get(f"/users/{unseen}/salaries").status in (403, 404)
        assert zenith.hr.get(f"/users/{worker}/salaries").status == 404
        assert names(zenith.hr.ok("GET", "/users")) == []

    def test_shows_salaries_only_where_they_may_be_seen(self, acme: Cast) -> None:
        boss = person(acme, "BOSS")
        worker = person(acme, "WORKER", manager_id=boss)
        manager, employee = key(acme.id, Role.MANAGER, boss), key(acme.id, Role.EMPLOYEE, worker)
        assert acme.hr.ok("GET", f"/users/{worker}")["salary"]["amount"] == "100.00"
        assert employee.ok("GET", f"/users/{worker}")["salary"]["amount"] == "100.00"
        assert manager.ok("GET", f"/users/{worker}")["salary"] is None
        shown = {row["id"]: row["salary"] for row in manager.ok("GET", "/users")["items"]}
        assert shown[worker] is None
        assert shown[boss]["amount"] == "100.00"  # their own, as an employee's
        assert manager.get(f"/users/{worker}/salaries").status == 404

    def test_filters_and_pages(self, acme: Cast, zenith: Cast) -> None:
        ids = {
            path: acme.hr.ok("POST", f"/{path}", {"name": "One"})["id"]
            for path in ("branches", "departments", "divisions")
        }
        person(acme, "A-100%", branch_id=ids["branches"])
        person(acme, "A-2", department_id=ids["departments"], division_id=ids["divisions"])
        person(acme, "B-3", department_id=ids["departments"])
        hr = acme.hr
        assert names(hr.ok("GET", "/users?search=a-")) == ["A-100%", "A-2"]
        assert names(hr.ok("GET", "/users?search=%25")) == ["A-100%"]
        assert names(hr.ok("GET", "/users?search=_")) == []
        assert names(hr.ok("GET", f"/users?department_id={ids['departments']}")) == ["A-2", "B-3"]
        assert names(hr.ok("GET", f"/users?department_id={ids['departments']}&search=B")) == ["B-3"]
        assert names(hr.ok("GET", f"/users?division_id={ids['divisions']}")) == ["A-2"]
        assert names(hr.ok("GET", f"/users?branch_id={ids['branches']}")) == ["A-100%"]
        first = hr.ok("GET", "/users?limit=2")
        assert names(first) == ["A-100%", "A-2"]
        assert names(hr.ok("GET", f"/users?limit=2&cursor={first['next_cursor']}")) == ["B-3"]
        for path, name in (("branches", "branch_id"), ("departments", "department_id"), ("divisions", "division_id")):
            assert zenith.hr.get(f"/users?{name}={ids[path]}").status == 404
            assert hr.get(f"/users?{name}={uuid4()}").status == 404


class TestChange:
    def test_changes_only_what_is_sent(self, acme: Cast, zenith: Cast) -> None:
        user = acme.hr.ok("POST", "/users", RAHIM)
        path = f"/users/{user['id']}"
        assert zenith.hr.patch(path, {"name": "Mine"}).status == 404
        assert key(acme.id, Role.EMPLOYEE, user["id"]).patch(path, {"name": "Boss"}).status == 403
        changed = acme.hr.ok("PATCH", path, {"name": "Rahim", "email": None}, headers={"if-match": '"1"'})
        assert changed == {**user, "name": "Rahim", "email": None, "version": 2}
        assert acme.hr.patch(path, {"name": "X"}, headers={"if-match": '"1"'}).status == 412
        assert acme.hr.ok("PATCH", path, {"name": "Rahim"})["version"] == 2  # nothing new
        assert acme.hr.patch(path, {"language": None}).status == 422
        rows = acme.admin.ok("GET", "/audit-logs?action=user.changed")["items"]
        assert [(row["before"]["name"], row["after"]["name"]) for row in rows] == [("Rahim Uddin", "Rahim")]


class TestEmploy:
    def test_makes_and_replaces(self, acme: Cast, zenith: Cast) -> None:
        user_id = acme.hr.ok("POST", "/users", {"name": "Karim"})["id"]
        path = f"/users/{user_id}/employment"
        body = {"employee_no": "E-9", "joined_on": "2026-01-01", "left_on": "2026-06-30"}
        assert zenith.hr.put(path, body).status == 404
        assert acme.hr.put(path, body, headers={"if-match": '"1"'}).status == 412  # there is none yet
        reply = acme.hr.put(path, body)
        assert (reply.status, reply.headers["ETag"], reply.json["left_on"]) == (200, '"1"', "2026-06-30")
        assert acme.hr.ok("PUT", path, body)["version"] == 1  # the same again
        del body["left_on"]
        replaced = acme.hr.ok("PUT", path, body, headers={"if-match": '"1"'})
        assert (replaced["left_on"], replaced["version"]) == (None, 2)
        assert acme.hr.put(path, {**body, "employee_no": "E-10"}, headers={"if-match": '"1"'}).status == 412
        assert acme.hr.put(path, {**body, "left_on": "2025-12-31"}).status == 422
        rows = acme.admin.ok("GET", "/audit-logs?action=employment.changed")["items"]
        assert [(row["before"], row["after"]) for row in rows] == [({"left_on": "2026-06-30"}, {"left_on": None})]

    def test_refuses_a_circle_of_managers_and_names_it(self, acme: Cast) -> None:
        top = person(acme, "Top")
        middle = person(acme, "Middle", manager_id=top)
        low = person(acme, "Low", manager_id=middle)
        for manager in (low, middle):
            reply = acme.hr.put(
                f"/users/{top}/employment", {"employee_no": "Top", "joined_on": "2026-01-01", "manager_id": manager}
            )
            assert reply.status == 409
            assert "reports to Top" in reply.json["detail"]
        own = {"employee_no": "Low", "joined_on": "2026-01-01", "manager_id": low}
        assert acme.hr.put(f"/users/{low}/employment", own).status == 409
        assert acme.hr.ok("PUT", f"/users/{low}/employment", {**own, "manager_id": top})["manager_id"] == top

    # a pay week may begin up to six days before the first day that changes, so December is looked at again as well
    @pytest.mark.parametrize(("change", "months", "decides"), [
        ({"joined_on": "2026-02-10"}, ["2025-12", "2026-01", "2026-02", "2026-03"], False),
        ({"joined_on": "2025-12-31"}, ["2025-12", "2026-01", "2026-02", "2026-03"], False),
        ({"left_on": "2026-02-28"}, ["2026-02", "2026-03"], False),
        ({"employee_no": "E-2"}, [], False),
        ({"shift_id": "the shift"}, ["2025-12", "2026-01", "2026-02", "2026-03"], True),
        ({"branch_id": "the branch"}, ["2025-12", "2026-01", "2026-02", "2026-03"], True),
    ])  # fmt: skip
    def test_marks_the_periods_it_changes(
        self, acme: Cast, change: dict[str, str], months: list[str], decides: bool
    ) -> None:
        ids = {
            "the shift": acme.hr.ok("POST", "/shifts", {"name": "S", "start": "09:00", "end": "18:00"})["id"],
            "the branch": acme.hr.ok("POST", "/branches", {"name": "B"})["id"],
        }
        user_id = person(acme, "E-1")
        for month in ("2025-12", "2026-01", "2026-02", "2026-03"):
            period(acme, month)
        body = {name: ids.get(value, value) for name, value in change.items()}
        acme.hr.ok("PUT", f"/users/{user_id}/employment", {"employee_no": "E-1", "joined_on": "2026-01-01", **body})
        assert stale(acme) == months
        assert undecided(acme) == (months if decides else [])

    def test_is_noted_as_late_in_a_locked_period(self, acme: Cast) -> None:
        user_id = person(acme, "E-1")
        period(acme, "2026-01", "paid")
        period(acme, "2026-02", "locked")
        body = {"employee_no": "E-1", "joined_on": "2026-01-01", "left_on": "2026-02-20"}
        acme.hr.ok("PUT", f"/users/{user_id}/employment", body)
        assert late(acme) == [("2026-02", user_id, "2026-02-20", "employment")]
        assert stale(acme) == []
