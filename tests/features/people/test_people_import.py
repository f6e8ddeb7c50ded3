"""The import of employees over HTTP, as CSV and as JSON."""

import time
from typing import Any

import pytest

from chalicelib.identity.permissions import Role
from tests.support.api import Reply
from tests.support.cast import Cast, key, tenant
from tests.support.office import late, names, period, person, stale, undecided
from tests.support.people import sql

pytestmark = pytest.mark.usefixtures("database")

CSV = {"headers": {"content-type": "text/csv; charset=utf-8"}}
NOTHING: dict[str, list[str]] = {"branches": [], "departments": [], "divisions": []}


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="zenith")
def _zenith() -> Cast:
    return tenant("Zenith")


def csv(cast: Cast, *lines: str, query: str = "") -> Reply:
    return cast.hr.call("POST", f"/users/import{query}", "\r\n".join(lines), **CSV)


def wrong(report: dict[str, Any]) -> list[tuple[int, str | None]]:
    return [(row["line"], row["column"]) for row in report["errors"]]


class TestImport:
    def test_adds_good_rows_and_reports_the_others(self, acme: Cast, zenith: Cast) -> None:
        acme.hr.ok("POST", "/departments", {"name": "Sales"})
        zenith.hr.ok("POST", "/departments", {"name": "Secret"})
        reply = csv(
            acme,
            "\ufeffname,email,employee_no,joined_on,left_on,department,manager_employee_no,salary_amount",
            '"Uddin, Rahim",Rahim@acme.example,E-1,2026-01-12,,Sales,E-2,15000',
            "",
            "Karim,,E-2,2026-01-01,,,,",
            "No number,,,2026-01-01,,,,",
            "Bad day,,E-3,12/01/2026,,,,",
            "Left early,,E-4,2026-01-02,2026-01-01,,,",
            "Elsewhere,,E-5,2026-01-01,,Secret,,",
            "Too fine,,E-6,2026-01-01,,,,1.005",
            "Lost,,E-7,2026-01-01,,,E-99,",
            "Under lost,,E-8,2026-01-01,,,E-7,",
            "Again,,E-1,2026-01-01,,,,",
            "Same post,rahim@acme.example,E-9,2026-01-01,,,,",
            "Too,many,E-10,2026-01-01,,,,,cells",
        )
        report = reply.json
        assert (reply.status, report["rows"], report["added"], report["unchanged"]) == (200, 12, 2, 0)
        assert wrong(report) == [
            (5, "employee_no"),
            (6, "joined_on"),
            (7, "left_on"),
            (8, "department"),
            (9, "salary_amount"),
            (10, "manager_employee_no"),
            (11, "manager_employee_no"),
            (12, "employee_no"),
            (13, "email"),
            (14, None),
        ]
        detail = {row["line"]: row["detail"] for row in report["errors"]}
        assert '"Secret"' in detail[8]
        assert "there are Sales" in detail[8]
        assert "E-99" in detail[10]
        assert "line 2" in detail[12]
        people = {row["name"]: row for row in acme.hr.ok("GET", "/users")["items"]}
        assert sorted(people) == ["Karim", "Uddin, Rahim"]
        rahim = people["Uddin, Rahim"]
        assert rahim["email"] == "rahim@acme.example"
        assert rahim["employment"]["manager_id"] == people["Karim"]["id"]
        assert rahim["salary"] == {
            "amount": "15000.00",
            "currency": "BDT",
            "frequency": "monthly",
            "effective_from": "2026-01-12",
        }
        assert people["Karim"]["salary"] is None
        assert names(zenith.hr.ok("GET", "/users")) == []

    def test_changes_nothing_in_a_dry_run(self, acme: Cast) -> None:
        period(acme, "2026-01")
        lines = ["name,employee_no,joined_on,branch", "Rahim,E-1,2026-01-01,Dhaka", "Bad,E-2,someday,"]
        report = csv(acme, *lines, query="?dry_run=true&create_missing=true").json
        assert report["dry_run"] is True
        assert (report["added"], report["created"], wrong(report)) == (
            1,
            {**NOTHING, "branches": ["Dhaka"]},
            [(3, "joined_on")],
        )
        assert names(acme.hr.ok("GET", "/users")) == names(acme.hr.ok("GET", "/branches")) == []
        assert stale(acme) == []
        assert acme.admin.ok("GET", "/audit-logs")["items"] == []

    def test_takes_the_same_again_as_unchanged_and_anything_else_as_an_error(self, acme: Cast) -> None:
        lines = [
            "name,employee_no,joined_on,salary_amount,salary_frequency,manager_employee_no",
            "Rahim,E-1,2026-01-01,500.5,daily,",
            "Karim,E-2,2026-01-01,,,E-1",
        ]
        assert csv(acme, *lines).json["added"] == 2
        again = csv(acme, *lines).json
        assert (again["added"], again["unchanged"], again["errors"]) == (0, 2, [])
        acme.hr.ok("POST", f"/users/{person(acme, 'X')}/salaries", {"amount": "1", "effective_from": "2026-05-01"})
        other = csv(acme, lines[0], "Rahim,E-1,2026-01-01,500.51,daily,", "Karima,E-2,2026-01-01,,,").json
        assert (other["added"], other["unchanged"]) == (0, 0)
        assert wrong(other) == [(2, "employee_no"), (3, "employee_no")]
        assert "already there" in other["errors"][0]["detail"]
        assert "salary" in other["errors"][0]["detail"]
        assert "name, manager_employee_no" in other["errors"][1]["detail"]
        assert [row.name for row in sql(acme, "select name from users order by name")] == ["Karim", "Rahim", "X"]

    def test_adds_missing_units_if_asked_to(self, acme: Cast) -> None:
        acme.hr.ok("POST", "/branches", {"name": "Dhaka"})
        lines = [
            "name,employee_no,joined_on,branch,department,division,shift",
            "Rahim,E-1,2026-01-01,Dhaka,Sales,North,",
            "Karim,E-2,2026-01-01,Sylhet,Sales,,",
            "Night,E-3,2026-01-01,,Ghosts,,Night",
        ]
        report = csv(acme, *lines, query="?create_missing=true").json
        assert report["created"] == {"branches": ["Sylhet"], "departments": ["Sales"], "divisions": ["North"]}
        assert (report["added"], wrong(report)) == (2, [(4, "shift")])
        assert names(acme.hr.ok("GET", "/branches")) == ["Dhaka", "Sylhet"]
        sales = acme.hr.ok("GET", "/departments")["items"]
        assert names({"items": sales}) == ["Sales"]
        assert names(acme.hr.ok("GET", f"/users?department_id={sales[0]['id']}")) == ["Rahim", "Karim"]

    def test_takes_json_rows(self, acme: Cast) -> None:
        report = acme.hr.ok(
            "POST",
            "/users/import",
            [
                {
                    "name": "Rahim",
                    "employee_no": 7,
                    "joined_on": "2026-01-01",
                    "salary_amount": 500,
                    "email": None,
                    "salary_currency": "EUR",
                    "salary_effective_from": "2025-12-01",
                    "salary_frequency": "weekly",
                },
                {"name": "Karim", "employee_no": "8", "joined_on": 20260101},
                {"name": "Extra", "employee_no": "9", "joined_on": "2026-01-01", "colour": "red"},
                "nonsense",
            ],
        )
        assert (report["added"], wrong(report)) == (1, [(2, "joined_on"), (3, "colour"), (4, None)])
        user = acme.hr.ok("GET", "/users")["items"][0]
        assert user["employment"]["employee_no"] == "7"
        assert user["salary"] == {
            "amount": "500.00",
            "currency": "EUR",
            "frequency": "weekly",
            "effective_from": "2025-12-01",
        }

    def test_refuses_circles_of_managers(self, acme: Cast) -> None:
        lines = [
            "name,employee_no,joined_on,manager_employee_no",
            "A,A,2026-01-01,B",
            "B,B,2026-01-01,C",
            "C,C,2026-01-01,A",
            "D,D,2026-01-01,A",
            "E,E,2026-01-01,E",
            "F,F,2026-01-01,G",
            "G,G,2026-01-01,",
        ]
        report = csv(acme, *lines).json
        assert (report["added"], [line for line, _ in wrong(report)]) == (2, [2, 3, 4, 5, 6])
        assert [row["detail"] for row in report["errors"]][:4] == [
            *["reports in a circle: A to B to C to A"] * 3,
            "the row of their manager A is wrong",
        ]
        assert "themselves" in report["errors"][4]["detail"]

    def test_says_what_a_half_filled_salary_lacks(self, acme: Cast) -> None:
        report = csv(acme, "name,employee_no,joined_on,salary_currency", "A,A,2026-01-01,BDT").json
        assert wrong(report) == [(2, "salary_amount")]

    def test_refuses_an_address_that_a_user_has(self, acme: Cast, zenith: Cast) -> None:
        zenith.hr.ok("POST", "/users", {"name": "Z", "email": "a@b.example"})
        lines = ["name,employee_no,joined_on,email", "A,A,2026-01-01,A@b.example"]
        assert csv(acme, *lines).json["added"] == 1
        report = csv(acme, lines[0], "B,B,2026-01-01,a@b.example").json
        assert wrong(report) == [(2, "email")]
        assert "belongs to A" in report["errors"][0]["detail"]

    @pytest.mark.parametrize(("text", "status", "named"), [
        ("", 400, "first line"),
        ("name,employee_no\nA,1\n", 422, "joined_on"),
        ("name,employee_no,joined_on,wage\n", 422, "wage"),
        ("name,employee_no,joined_on,name\n", 422, "twice"),
        ('name,employee_no,joined_on\n"A,1,2026-01-01\n', 422, "line 2"),
        ("name,employee_no,joined_on\nA\x00,1,2026-01-01\n", 422, "NUL"),
        ("name,employee_no,joined_on\n" + "A,1,2026-01-01\n" * 10_001, 413, "10,000"),
    ])  # fmt: skip
    def test_refuses_a_file_that_is_wrong_as_a_whole(self, acme: Cast, text: str, status: int, named: str) -> None:
        reply = acme.hr.call("POST", "/users/import", text, **CSV)
        assert reply.status == status
        assert named in reply.json["detail"]

    def test_takes_semicolons_and_headers_as_spreadsheets_write_them(self, acme: Cast) -> None:
        report = csv(acme, "Name;Employee No;Joined On;;", "Rahim;1;2026-01-01;;").json
        assert (report["added"], report["errors"]) == (1, [])

    def test_refuses_other_kinds_of_body(self, acme: Cast) -> None:
        assert acme.hr.post("/users/import", {"people": []}).status == 422
        assert acme.hr.post("/users/import", {}, headers={"content-type": "text/plain"}).status == 415

    def test_is_for_hr(self, acme: Cast) -> None:
        boss = person(acme, "BOSS")
        for role in (Role.MANAGER, Role.EMPLOYEE):
            assert key(acme.id, role, boss).post("/users/import", []).status == 403

    def test_marks_each_persons_periods_and_notes_late_ones(self, acme: Cast, zenith: Cast) -> None:
        period(acme, "2026-01", "locked")
        period(acme, "2026-02")
        period(acme, "2026-03", "paid")
        period(zenith, "2026-02")
        csv(acme, "name,employee_no,joined_on", "Old,1,2020-05-05", "New,2,2026-03-15", "Future,3,2027-01-01")
        ids = {row["name"]: row["id"] for row in acme.hr.ok("GET", "/users")["items"]}
        assert (stale(acme), undecided(acme), stale(zenith)) == (["2026-02"], [], [])
        noted = late(acme)
        assert ("2026-01", ids["Old"], "2026-01-01", "employment") in noted
        assert ("2026-03", ids["New"], "2026-03-15", "employment") in noted
        assert {(month, who) for month, who, _, _ in noted} == {
            ("2026-01", ids["Old"]),
            ("2026-03", ids["Old"]),
            ("2026-03", ids["New"]),
        }

    def test_is_one_row_of_audit(self, acme: Cast) -> None:
        csv(acme, "name,employee_no,joined_on", "A,1,2026-01-01", "B,2,2026-01-01", "C,3,never")
        rows = acme.admin.ok("GET", "/audit-logs")["items"]
        assert [(row["action"], row["after"]["employee_nos"], row["after"]["rows"]) for row in rows] == [
            ("people.imported", ["1", "2"], 3)
        ]

    def test_takes_thousands_of_rows_in_few_statements(self, acme: Cast) -> None:
        lines = [f"P{n},{n},2026-01-01,p{n}@acme.example,{n // 10 if n else ''},D{n % 40},{n}.5" for n in range(5000)]
        started = time.perf_counter()
        report = csv(
            acme,
            "name,employee_no,joined_on,email,manager_employee_no,department,salary_amount",
            *lines,
            query="?create_missing=true",
        ).json
        assert (report["added"], report["errors"], len(report["created"]["departments"])) == (5000, [], 40)
        assert time.perf_counter() - started < 10  # about one second; a loop over the rows would take minutes
        assert sql(acme, "select count(*), sum(amount) from salaries")[0] == (5000, 12_500_000)
        assert (
            csv(acme, "name,employee_no,joined_on,email,manager_employee_no,department,salary_amount", *lines).json[
                "unchanged"
            ]
            == 5000
        )
