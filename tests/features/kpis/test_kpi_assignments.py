"""Giving people KPIs: one, some, a department, all; never twice for a day, and never to oneself."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from chalicelib.identity.permissions import Role
from tests.features.kpis.conftest import JANUARY, Office
from tests.support.cast import Cast, key
from tests.support.people import employee, row, sql

pytestmark = pytest.mark.usefixtures("database")


def give(office: Office, definition: dict[str, Any], **overrides: Any) -> Any:
    return office.cast.hr.ok("POST", "/kpi-assignments", {"definition_id": definition["id"], **JANUARY, **overrides})


def skipped(reply: Any) -> dict[str, list[str]]:
    return {one["reason"]: one["user_ids"] for one in reply["skipped"]}


class TestOne:
    def test_gives_the_whole_assignment(self, office: Office) -> None:
        definition = office.define(unit="points")
        assignment = give(
            office, definition, user_id=str(office.rahim_id), target=90, due_on="2026-02-03", notes="Probation"
        )
        assert {**assignment, "id": 0, "assigned_by": 0, "assigned_at": 0} == {
            "id": 0,
            "definition_id": definition["id"],
            "user_id": str(office.rahim_id),
            "definition": {
                "id": definition["id"],
                "code": "customer_rating",
                "name": "Customer rating",
                "metric_type": "numeric",
                "unit": "points",
                "scale": None,
                "source": "manual_entry",
                "metric": None,
                "formula": None,
            },
            "user": {"id": str(office.rahim_id), "name": "Rahim"},
            "cycle_start": "2026-01-01",
            "cycle_end": "2026-01-31",
            "target": 90.0,
            "weight": 20.0,
            "due_on": "2026-02-03",
            "notes": "Probation",
            "assigned_by": 0,
            "assigned_at": 0,
        }
        assert office.rahim.ok("GET", "/kpi-assignments")["items"] == [assignment]
        assert office.audited() == ["kpi_definition.added", "kpi_assignment.added"]

    @pytest.mark.parametrize(
        ("start", "end", "status"),
        [("2026-01-01", "2026-01-31", 409), ("2026-01-31", "2026-02-28", 409), ("2025-12-01", "2026-01-01", 409),
         ("2026-01-10", "2026-01-12", 409), ("2026-02-01", "2026-02-28", 201), ("2025-12-01", "2025-12-31", 201)],
    )  # fmt: skip
    def test_scores_no_day_twice(self, office: Office, start: str, end: str, status: int) -> None:
        definition = office.define()
        office.assign(definition)
        body = {"definition_id": definition["id"], "user_id": str(office.rahim_id)}
        reply = office.cast.hr.post("/kpi-assignments", {**body, "cycle_start": start, "cycle_end": end})
        assert reply.status == status

    @pytest.mark.parametrize(
        ("overrides", "status", "pointer"),
        [
            ({"cycle_end": "2025-12-31"}, 422, "/cycle_end"),
            ({"cycle_end": "2027-01-02"}, 422, "/cycle_end"),  # 367 days
            ({"cycle_end": "2027-01-01"}, 201, None),  # 366 days
            ({"due_on": "2025-12-31"}, 422, "/due_on"),
            ({"weight": 101}, 422, "/weight"),
            ({"all": True}, 422, "/"),
            ({"cycle_start": "2024-01-01", "cycle_end": "2024-12-31"}, 409, "/cycle_end"),  # joined in 2025
        ],
    )
    def test_refuses_what_cannot_be(
        self, office: Office, overrides: dict[str, Any], status: int, pointer: str | None
    ) -> None:
        body = {"definition_id": office.define()["id"], "user_id": str(office.rahim_id), **JANUARY, **overrides}
        reply = office.cast.hr.post("/kpi-assignments", body)
        assert reply.status == status, reply.text
        if pointer is not None:
            assert reply.json["errors"][0]["pointer"] == pointer

    def test_refuses_a_kpi_that_is_out_of_use(self, office: Office) -> None:
        definition = office.define(is_active=False)
        body = {"definition_id": definition["id"], "user_id": str(office.rahim_id), **JANUARY}
        assert "no longer in use" in office.cast.hr.post("/kpi-assignments", body).json["detail"]

    def test_refuses_a_day_on_which_what_is_calculated_would_be_due(self, office: Office) -> None:
        body = {
            "definition_id": office.metric("late_count")["id"],
            "user_id": str(office.rahim_id),
            "due_on": "2026-01-20",
            **JANUARY,
        }
        assert office.cast.hr.post("/kpi-assignments", body).json["errors"][0]["pointer"] == "/due_on"

    def test_takes_somebody_without_employment_who_is_paid_from_sales(self, office: Office) -> None:
        seller = row(office.cast, "users", {"name": "Seller"})
        assert give(office, office.define(), user_id=str(seller))["user"]["name"] == "Seller"


class TestMany:
    def test_gives_it_to_all_who_are_employed_in_the_cycle(self, office: Office) -> None:
        cast, definition = office.cast, office.define()
        row(cast, "users", {"name": "Seller"})
        office.assign(definition)
        gone = employee(cast, employee_no="E-3", left_on=date(2025, 12, 31))
        later = employee(cast, employee_no="E-4", joined_on=date(2026, 2, 1))
        inside = employee(cast, employee_no="E-5", joined_on=date(2026, 1, 31))
        reply = give(office, definition, all=True)
        assert (reply["people"], skipped(reply)) == (
            2,
            {"has_it": [str(office.rahim_id)], "left_before": [str(gone)], "joins_after": [str(later)]},
        )
        assert {one["user_id"] for one in office.cast.hr.ok("GET", "/kpi-assignments")["items"]} == {
            str(office.rahim_id),
            str(office.boss_id),
            str(inside),
        }
        again = give(office, definition, all=True)
        assert (again["people"], len(skipped(again)["has_it"])) == (0, 3)
        assert office.audited()[2:] == ["kpi_assignments.added", "kpi_assignments.added"]

    def test_gives_it_to_a_department(self, office: Office) -> None:
        department = office.cast.hr.ok("POST", "/departments", {"name": "Sales"})["id"]
        [one, two] = [employee(office.cast, employee_no=f"D-{n}", department_id=UUID(department)) for n in (1, 2)]
        assert give(office, office.define(), department_id=department)["people"] == 2
        assignments = office.cast.hr.ok("GET", "/kpi-assignments")["items"]
        assert {one["user_id"] for one in assignments} == {str(one), str(two)}

    def test_gives_it_to_those_who_are_named(self, office: Office) -> None:
        reply = give(office, office.define(), user_ids=[str(office.rahim_id)] * 2, target=7)
        assert (reply["people"], reply["skipped"]) == (1, [])

    def test_reaches_a_managers_people_and_not_the_manager(self, office: Office) -> None:
        definition = office.define()
        other = employee(office.cast, employee_no="E-9")
        reply = office.boss.ok("POST", "/kpi-assignments", {"definition_id": definition["id"], "all": True, **JANUARY})
        assert (reply["people"], skipped(reply)) == (1, {"is_you": [str(office.boss_id)]})
        for recipients in ({"user_id": str(other)}, {"user_ids": [str(office.rahim_id), str(other)]}):
            body = {"definition_id": definition["id"], **JANUARY, **recipients}
            assert office.boss.post("/kpi-assignments", body).status == 404
        body = {"definition_id": definition["id"], "user_id": str(office.boss_id), **JANUARY}
        assert office.boss.post("/kpi-assignments", body).status == 403
        assert office.rahim.post("/kpi-assignments", body).status == 403


class TestTakeBack:
    def test_leaves_nothing_but_the_audit(self, office: Office) -> None:
        assigned = office.assign(office.define())
        office.boss.ok("POST", f"/kpi-assignments/{assigned}/value", {"value": 90})
        assert office.boss.delete(f"/kpi-assignments/{assigned}").status == 204
        assert office.cast.hr.ok("GET", "/kpi-scores")["items"] == []
        [audited] = sql(office.cast, "select before from audit_logs where action = 'kpi_assignment.removed'")
        assert (audited.before["user_id"], audited.before["score"]["value"], audited.before["score"]["weighted"]) == (
            str(office.rahim_id),
            "90",
            "15.00",
        )
        assert office.boss.delete(f"/kpi-assignments/{assigned}").status == 404

    def test_is_not_for_oneself_nor_for_employees(self, office: Office) -> None:
        own = office.assign(office.define(), office.boss_id)
        assert [one.delete(f"/kpi-assignments/{own}").status for one in (office.boss, office.rahim)] == [403, 403]


class TestList:
    def test_filters_and_goes_on(self, office: Office) -> None:
        definition = office.define()
        first = office.assign(definition)
        second = office.assign(definition, office.boss_id)
        third = office.assign(definition, cycle_start="2026-02-01", cycle_end="2026-02-28")
        ids = lambda query: [one["id"] for one in office.cast.hr.ok("GET", f"/kpi-assignments?{query}")["items"]]  # noqa: E731 - one line, used below
        assert ids(f"user_id={office.rahim_id}") == [first, third]
        assert ids("cycle_start=2026-02-01") == [third]
        assert ids("on=2026-01-31") == [first, second]
        assert ids(f"definition_id={definition['id']}&limit=2") == [first, second]
        page = office.cast.hr.ok("GET", "/kpi-assignments?limit=2")
        assert ids(f"cursor={page['next_cursor']}") == [third]

    def test_reaches_as_far_as_the_role(self, office: Office) -> None:
        definition = office.define()
        for user_id in (office.rahim_id, office.boss_id, employee(office.cast, employee_no="E-9")):
            office.assign(definition, user_id)
        for path in ("/kpi-assignments", "/kpi-scores"):
            assert [len(one.ok("GET", path)["items"]) for one in (office.cast.hr, office.boss, office.rahim)] == [
                3,
                2,
                1,
            ]
            assert office.rahim.get(f"{path}?user_id={office.boss_id}").status == 404


class TestStranger:
    def test_finds_nothing(self, office: Office, zenith: Cast) -> None:
        of_acme = office.define()
        office.assign(of_acme)
        department = office.cast.hr.ok("POST", "/departments", {"name": "Sales"})["id"]
        own = zenith.hr.ok("POST", "/kpi-definitions", {"name": "Own", "source": "manual_entry"})["id"]
        karim = str(employee(zenith))
        for there, nobody in (
            ({"definition_id": of_acme["id"], "user_id": karim}, {"definition_id": str(uuid4()), "user_id": karim}),
            ({"definition_id": own, "user_id": str(office.rahim_id)}, {"definition_id": own, "user_id": str(uuid4())}),
            (
                {"definition_id": own, "user_ids": [karim, str(office.rahim_id)]},
                {"definition_id": own, "user_ids": [karim, str(uuid4())]},
            ),
            (
                {"definition_id": own, "department_id": department},
                {"definition_id": own, "department_id": str(uuid4())},
            ),
        ):
            replies = [zenith.hr.post("/kpi-assignments", {**JANUARY, **body}) for body in (there, nobody)]
            assert [(one.status, one.json["detail"]) for one in replies] == [(404, replies[0].json["detail"])] * 2
        assert zenith.hr.ok("GET", "/kpi-assignments")["items"] == []
        for assignment_id in (office.cast.hr.ok("GET", "/kpi-assignments")["items"][0]["id"], str(uuid4())):
            assert zenith.hr.delete(f"/kpi-assignments/{assignment_id}").status == 404
        for query in (f"user_id={office.rahim_id}", f"definition_id={of_acme['id']}"):
            assert zenith.hr.get(f"/kpi-scores?{query}").status == 404

    def test_of_a_colleagues_key_gives_himself_nothing(self, office: Office) -> None:
        hr = key(office.cast.id, Role.HR, office.rahim_id)
        body = {"definition_id": office.define()["id"], "user_ids": [str(office.rahim_id)], **JANUARY}
        assert skipped(hr.ok("POST", "/kpi-assignments", body)) == {"is_you": [str(office.rahim_id)]}
