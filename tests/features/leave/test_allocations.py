"""Allocations and balances over HTTP: who is given how many days, and how they came about."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from chalicelib.backing import clock
from tests.features.leave.conftest import Office
from tests.features.leave.expiry_cases import book
from tests.support.cast import tenant
from tests.support.people import employee, row, sql

pytestmark = pytest.mark.usefixtures("database")


def rule(office: Office, **said: Any) -> str:
    return str(row(office.cast, "leave_expiry_rules", {"name": f"Rule {uuid4()}", **said}))


def carry(office: Office, days: str = "5") -> UUID:
    """Make Rahim's next cycle as a night does that carries days into it."""
    type_id = office.types.get("Annual") or office.leave_type("Annual")
    cycle = {
        "user_id": office.rahim_id,
        "leave_type_id": type_id,
        "cycle_start_on": "2026-01-01",
        "cycle_end_on": "2026-12-31",
        "created_at": clock.now(),
    }
    allocation_id: UUID = row(office.cast, "leave_allocations", cycle)
    book(office.cast, allocation_id, "carried", days, "carried/night")
    return allocation_id


class TestAllocate:
    def test_tops_up_a_cycle_that_was_only_made_to_carry_days_into(self, office: Office) -> None:
        carried = carry(office)
        made = office.allocate(20, notes="As by contract")
        assert (made["id"], made["notes"]) == (str(carried), "As by contract")
        assert (made["allocated_days"], made["carried_days"], made["remaining_days"]) == (20.0, 5.0, 25.0)
        body = {"user_id": str(office.rahim_id), "leave_type_id": office.types["Annual"], "allocated_days": 20}
        assert office.cast.hr.post("/leave-allocations", {**body, "cycle_start_date": "2026-01-01"}).status == 409

    def test_is_for_a_year_and_of_the_type_s_days_unless_said(self, office: Office) -> None:
        type_id = office.leave_type("Annual", days_per_year=20.5)
        body = {"user_id": str(office.rahim_id), "leave_type_id": type_id, "cycle_start_date": "2026-01-01"}
        reply = office.cast.hr.post("/leave-allocations", body)
        assert reply.status == 201
        assert {**reply.json, "id": None} == {
            "id": None,
            "user_id": str(office.rahim_id),
            "leave_type_id": type_id,
            "cycle_start_date": "2026-01-01",
            "cycle_end_date": "2026-12-31",
            "allocated_days": 20.5,
            "carried_days": 0.0,
            "pending_days": 0.0,
            "used_days": 0.0,
            "lapsed_days": 0.0,
            "encashed_days": 0.0,
            "transferred_days": 0.0,
            "remaining_days": 20.5,
            "expires_on": None,
            "expired_at": None,
            "notes": None,
            "created_at": "2026-01-04T06:00:00Z",
            "version": 1,
        }
        assert office.cast.hr.ok("GET", f"/leave-allocations/{reply.json['id']}") == reply.json
        assert office.audited()[-1] == "leave_allocation.added"

    @pytest.mark.parametrize(
        ("said", "expires_on"),
        [
            ({}, "2026-12-31"),
            ({"expire_after_days": 90}, "2027-03-31"),
            ({"expiry_date_formula": "03-31"}, "2027-03-31"),
            ({"expire_after_days": 90, "is_active": False}, None),
        ],
    )
    def test_expires_by_the_type_s_rule(self, office: Office, said: dict[str, Any], expires_on: str | None) -> None:
        office.leave_type("Annual", expiry_rule_id=rule(office, **said))
        assert office.allocate(20)["expires_on"] == expires_on

    def test_is_refused_where_cycles_overlap(self, office: Office) -> None:
        made = office.allocate(20)
        body = {"user_id": str(office.rahim_id), "leave_type_id": office.types["Annual"], "allocated_days": 1}
        reply = office.cast.hr.post("/leave-allocations", {**body, "cycle_start_date": "2026-12-31"})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (409, "/cycle_start_date")
        assert "has Annual from 2026-01-01 to 2026-12-31 already" in reply.json["detail"]
        said = {**body, "cycle_start_date": "2025-01-01", "cycle_end_date": "2025-12-31"}
        assert office.cast.hr.post("/leave-allocations", said).status == 201
        assert office.cast.hr.post("/leave-allocations", {**body, "cycle_start_date": "2027-01-01"}).status == 201
        assert office.allocate(20, of="Sick")["id"] != made["id"]

    def test_never_overlaps_whatever_the_application_does(self, office: Office) -> None:
        made = office.allocate(20)
        with pytest.raises(DBAPIError) as raised:
            row(
                office.cast,
                "leave_allocations",
                {
                    "user_id": office.rahim_id,
                    "leave_type_id": made["leave_type_id"],
                    "cycle_start_on": date(2026, 6, 1),
                    "cycle_end_on": date(2027, 6, 1),
                },
            )
        assert isinstance(raised.value.orig, psycopg.errors.ExclusionViolation)

    @pytest.mark.parametrize(
        ("said", "pointer"),
        [
            ({"cycle_end_date": "2025-12-31"}, "/cycle_end_date"),
            ({"cycle_end_date": "2036-01-09"}, "/cycle_end_date"),
            ({"allocated_days": 1.3}, "/allocated_days"),
            ({"allocated_days": -1}, "/allocated_days"),
            ({"allocated_days": 1e300}, "/allocated_days"),
            ({"allocated_days": True}, "/allocated_days"),
            ({}, "/allocated_days"),  # the type has no days_per_year
        ],
    )
    def test_refuses_what_cannot_be(self, office: Office, said: dict[str, Any], pointer: str) -> None:
        body = {
            "user_id": str(office.rahim_id),
            "leave_type_id": office.leave_type("Annual"),
            "cycle_start_date": "2026-01-01",
            **said,
        }
        reply = office.cast.hr.post("/leave-allocations", body)
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, pointer)

    def test_is_done_by_hr_and_seen_by_oneself_and_one_s_manager(self, office: Office) -> None:
        made = office.allocate(20)
        path = f"/leave-allocations/{made['id']}"
        for api in (office.rahim, office.boss):
            assert api.post("/leave-allocations", {}).status == 403
            assert api.patch(path, {"allocated_days": 30}).status == 403
            assert api.post("/leave-allocations/bulk", {}).status == 403
            assert api.get(path).status == 200
            assert len(api.ok("GET", "/leave-allocations")["items"]) == 1
        office.allocate(20, user_id=office.boss_id)
        assert len(office.rahim.ok("GET", "/leave-allocations")["items"]) == 1
        assert office.rahim.get(f"/leave-allocations?user_id={office.boss_id}").status == 404
        assert office.rahim.get(f"/users/{office.boss_id}/leave-balances").status == 404
        zenith = tenant("Zenith").hr
        assert (zenith.get(path).status, zenith.patch(path, {"allocated_days": 30}).status) == (404, 404)
        assert zenith.get(f"/users/{office.rahim_id}/leave-balances").status == 404

    def test_is_found_by_day_and_type(self, office: Office) -> None:
        old = office.allocate(1, start="2025-01-01")
        office.allocate(20)
        sql(office.cast, "update leave_allocations set expires_on = '2026-03-31' where id = :id", id=old["id"])

        def found(query: str) -> list[str]:
            items = office.cast.hr.ok("GET", f"/leave-allocations?{query}")["items"]
            return [one["cycle_start_date"][:4] for one in items]

        assert found("on=2025-06-01") == ["2025"]
        assert found("on=2026-03-31") == ["2025", "2026"]
        assert found("on=2026-04-01") == ["2026"]
        assert found(f"leave_type_id={office.leave_type('Sick')}") == []


class TestCorrect:
    def test_books_the_difference(self, office: Office) -> None:
        made = office.allocate(20)
        office.decide(office.ask("2026-01-05"))
        office.ask("2026-01-06", start_half="second")
        path = f"/leave-allocations/{made['id']}"
        reply = office.cast.hr.patch(path, {"allocated_days": 22.5, "notes": "seniority"}, headers={"if-match": '"1"'})
        assert (reply.status, reply.json["allocated_days"], reply.json["notes"]) == (200, 22.5, "seniority")
        assert (reply.json["remaining_days"], reply.json["version"]) == (21.0, 2)
        assert office.cast.hr.ok("PATCH", path, {"allocated_days": 1.5})["remaining_days"] == 0.0
        found = office.cast.hr.ok("GET", f"/users/{office.rahim_id}/leave-balances?on=2026-01-04")["items"][0]
        assert [(one["days"], one["cause"]) for one in found["entries"] if one["bucket"] == "allocated"] == [
            (20.0, "allocated/1"),
            (2.5, "allocated/2"),
            (-21.0, "allocated/3"),
        ]
        assert office.cast.hr.patch(path, {"allocated_days": 5}, headers={"if-match": '"1"'}).status == 412

    def test_is_refused_below_what_is_used_or_asked_for(self, office: Office) -> None:
        made = office.allocate(20)
        office.decide(office.ask("2026-01-05"))
        office.ask("2026-01-06", start_half="second")
        reply = office.cast.hr.patch(f"/leave-allocations/{made['id']}", {"allocated_days": 1})
        assert (reply.status, reply.json["type"]) == (409, "urn:wagebook:problem:balance-too-low")
        assert "1.5 of the 20.0 days are used, asked for or gone" in reply.json["detail"]

    def test_of_nothing_changes_nothing(self, office: Office) -> None:
        made = office.allocate(20)
        assert office.cast.hr.ok("PATCH", f"/leave-allocations/{made['id']}", {"allocated_days": 20}) == made


class TestBulk:
    def many(self, office: Office, **said: Any) -> dict[str, Any]:
        body = {
            "leave_type_id": office.types.get("Annual") or office.leave_type("Annual"),
            "cycle_start_date": "2026-01-01",
            "days": 20,
            **said,
        }
        found: dict[str, Any] = office.cast.hr.ok("POST", "/leave-allocations/bulk", body)
        return found

    def test_gives_everybody_days_once(self, office: Office) -> None:
        office.leave_type("Annual", expiry_rule_id=rule(office, expire_after_days=90))
        assert self.many(office, all=True) == {"people": 2, "days": 40.0, "expires_on": "2027-03-31", "skipped": []}
        assert office.balances() == [{"allocated": 20.0, "remaining": 20.0}]
        again = self.many(office, all=True)
        assert (again["people"], again["days"]) == (0, 0.0)
        assert [(one["reason"], one["people"], one["detail"]) for one in again["skipped"]] == [
            ("overlaps", 2, "they have days of this leave for a part of the cycle already")
        ]
        assert set(again["skipped"][0]["user_ids"]) == {str(office.rahim_id), str(office.boss_id)}
        assert office.audited().count("leave_allocations.added") == 2

    def test_tops_up_cycles_that_were_only_made_to_carry_days_into(self, office: Office) -> None:
        carry(office)
        assert [self.many(office, all=True)["people"] for _ in "12"] == [2, 0]
        assert office.balances() == [{"allocated": 20.0, "carried": 5.0, "remaining": 25.0}]

    def test_says_who_was_left_out_and_why(self, office: Office) -> None:
        guest = row(office.cast, "users", {"name": "Guest"})
        gone = employee(office.cast, name="Gone", employee_no="E-3", left_on=date(2025, 12, 31))
        new = employee(office.cast, name="New", employee_no="E-4", joined_on=date(2027, 1, 1))
        late = employee(office.cast, name="Late", employee_no="E-5", joined_on=date(2026, 12, 29))
        office.allocate(1)
        found = self.many(office, all=True, pro_rata_for_joiners=True)
        assert found["people"] == 1
        assert {one["reason"]: one["user_ids"] for one in found["skipped"]} == {
            "joins_after": [str(new)],
            "left_before": [str(gone)],
            "no_employment": [str(guest)],
            "overlaps": [str(office.rahim_id)],
            "too_late_for_half_a_day": [str(late)],
        }

    @pytest.mark.parametrize(
        ("joined_on", "days", "expected"),
        [
            (date(2025, 6, 1), 20, 20.0),
            (date(2026, 1, 1), 20, 20.0),
            (date(2026, 4, 15), 20, 14.0),  # 20 x 261 / 365 = 14.30
            (date(2026, 7, 1), 20, 10.0),  # 20 x 184 / 365 = 10.08
            (date(2026, 7, 2), 20, 10.0),  # 20 x 183 / 365 = 10.03
            (date(2026, 7, 3), 20, 9.5),  # 20 x 182 / 365 = 9.97
            (date(2026, 12, 1), 7, 0.5),  # 7 x 31 / 365 = 0.59
        ],
    )
    def test_gives_joiners_their_part_if_asked_to(
        self, office: Office, joined_on: date, days: int, expected: float
    ) -> None:
        karim = employee(office.cast, name="Karim", employee_no="E-3", joined_on=joined_on)
        self.many(office, user_ids=[str(karim)], days=days, pro_rata_for_joiners=True)
        assert office.balances("2026-12-31", user_id=karim) == [{"allocated": expected, "remaining": expected}]

    def test_gives_joiners_all_of_it_otherwise(self, office: Office) -> None:
        karim = employee(office.cast, name="Karim", employee_no="E-3", joined_on=date(2026, 7, 1))
        assert self.many(office, user_ids=[str(karim)])["days"] == 20.0

    def test_takes_any_cycle(self, office: Office) -> None:
        karim = employee(office.cast, name="Karim", employee_no="E-3", joined_on=date(2026, 2, 21))
        # 11 February to 20 March has 38 days, 28 of them ahead: 4 x 28 / 38 = 2.95
        self.many(
            office,
            user_ids=[str(karim)],
            days=4,
            pro_rata_for_joiners=True,
            cycle_start_date="2026-02-11",
            cycle_end_date="2026-03-20",
        )
        assert office.balances("2026-03-01", user_id=karim) == [{"allocated": 2.5, "remaining": 2.5}]

    def test_is_for_a_department(self, office: Office) -> None:
        sales = row(office.cast, "departments", {"name": "Sales"})
        employee(office.cast, name="Karim", employee_no="E-3", department_id=sales)
        assert self.many(office, department_id=str(sales))["people"] == 1

    def test_is_one_statement_for_thousands(self, office: Office) -> None:
        sql(
            office.cast,
            """
            with made as (insert into users (tenant_id, name) select :of, 'P' || n from generate_series(1, 3000) n
                returning id)
            insert into employments (tenant_id, user_id, employee_no, joined_on)
            select :of, id, 'T-' || row_number() over (), '2025-01-01' from made""",
            of=office.cast.id,
        )
        assert self.many(office, all=True)["people"] == 3002
        found = sql(office.cast, "select count(*), sum(remaining_days) from leave_allocations")[0]
        assert tuple(found) == (3002, Decimal(60040))

    @pytest.mark.parametrize("said", [{}, {"all": False}, {"all": True, "user_ids": [str(uuid4())]}, {"user_ids": []}])
    def test_asks_for_whom(self, office: Office, said: dict[str, Any]) -> None:
        body = {"leave_type_id": office.leave_type(), "cycle_start_date": "2026-01-01", "days": 1, **said}
        assert office.cast.hr.post("/leave-allocations/bulk", body).status == 422

    def test_knows_nobody_of_another_tenant(self, office: Office) -> None:
        stranger = employee(tenant("Zenith"))
        type_id = office.leave_type()
        for said in ({"user_ids": [str(office.rahim_id), str(stranger)]}, {"department_id": str(stranger)}):
            body = {"leave_type_id": type_id, "cycle_start_date": "2026-01-01", "days": 1, **said}
            assert office.cast.hr.post("/leave-allocations/bulk", body).status == 404
        assert sql(office.cast, "select * from leave_allocations") == []


class TestBalances:
    def test_are_as_they_were_at_the_end_of_a_day_in_the_tenant_s_zone(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office.allocate(20)
        # 23:59 on the 5th in Dhaka, and midnight
        for moment, asked in (
            (datetime(2026, 1, 5, 17, 59, tzinfo=UTC), "2026-01-11"),
            (datetime(2026, 1, 5, 18, 0, tzinfo=UTC), "2026-01-12"),
        ):
            monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
            office.ask(asked)
        assert office.balances(known_at="2026-01-03") == []
        assert office.balances(known_at="2026-01-04") == [{"allocated": 20.0, "remaining": 20.0}]
        assert office.balances(known_at="2026-01-05") == [{"allocated": 20.0, "pending": 1.0, "remaining": 19.0}]
        assert office.balances(known_at="2026-01-06") == [{"allocated": 20.0, "pending": 2.0, "remaining": 18.0}]
        today = office.rahim.ok("GET", f"/users/{office.rahim_id}/leave-balances")
        assert (today["on"], today["items"][0]["pending"]) == ("2026-01-06", 2.0)

    def test_say_what_how_and_until_when(self, office: Office) -> None:
        made = office.allocate(20)
        [found] = office.rahim.ok("GET", f"/users/{office.rahim_id}/leave-balances?on=2026-01-04")["items"]
        assert found == {
            "allocation_id": made["id"],
            "leave_type_id": made["leave_type_id"],
            "leave_type": "Annual",
            "cycle_start_date": "2026-01-01",
            "cycle_end_date": "2026-12-31",
            "allocated": 20.0,
            "carried": 0.0,
            "used": 0.0,
            "pending": 0.0,
            "lapsed": 0.0,
            "encashed": 0.0,
            "transferred": 0.0,
            "remaining": 20.0,
            "expires_on": None,
            "is_over": False,
            "entries": [
                {
                    "bucket": "allocated",
                    "days": 20.0,
                    "cause": "allocated/1",
                    "request_id": None,
                    "concerns_on": "2026-01-01",
                    "booked_at": "2026-01-04T06:00:00Z",
                    "booked_by": "hr key",
                }
            ],
        }

    def test_show_ended_cycles_and_whether_anything_is_left(self, office: Office) -> None:
        old = office.allocate(1, start="2025-01-01")
        office.allocate(20)

        def shown() -> list[tuple[float, bool]]:
            path = f"/users/{office.rahim_id}/leave-balances"
            return [(one["allocated"], one["is_over"]) for one in office.cast.hr.ok("GET", path)["items"]]

        assert shown() == [(1.0, False), (20.0, False)]
        office.cast.hr.ok("PATCH", f"/leave-allocations/{old['id']}", {"allocated_days": 0})
        assert shown() == [(0.0, True), (20.0, False)]


class TestEntries:
    def test_are_never_changed_or_deleted(self, office: Office) -> None:
        office.allocate(20)
        for statement in (
            "update leave_entries set days = 99",
            "delete from leave_entries",
            "update leave_allocations set used_days = 0",
            "insert into leave_allocations (allocated_days) values (99)",
        ):
            with pytest.raises(DBAPIError) as raised:
                sql(office.cast, statement)
            assert isinstance(raised.value.orig, psycopg.errors.InsufficientPrivilege)

    def test_never_overspend_whatever_the_application_books(self, office: Office) -> None:
        made = office.allocate(1)
        said = {
            "allocation_id": UUID(made["id"]),
            "bucket": "used",
            "days": Decimal("1.5"),
            "cause": "by hand",
            "concerns_on": date(2026, 1, 5),
            "booked_at": datetime.now(UTC),
            "booked_by": "x",
        }
        with pytest.raises(DBAPIError, match="leave_allocations_never_overspent"):
            row(office.cast, "leave_entries", said, returning="number")


class TestLeaveTypes:
    def test_are_changed_by_whoever_saw_the_latest(self, office: Office) -> None:
        type_id = office.leave_type("Annual", color="#2E7D32")
        path = f"/leave-types/{type_id}"
        assert office.rahim.ok("GET", path)["color"] == "#2e7d32"
        said = {
            "days_per_year": 22,
            "allow_carryover": True,
            "carryover_limit": 5.5,
            "description": "paid",
            "color": None,
        }
        reply = office.cast.hr.patch(path, said, headers={"if-match": '"1"'})
        assert (reply.status, {**reply.json, **said, "version": 2}) == (200, reply.json)
        assert office.cast.hr.patch(path, said, headers={"if-match": '"1"'}).status == 412
        assert office.cast.hr.ok("PATCH", path, said)["version"] == 2
        assert office.rahim.patch(path, said).status == 403
        assert (tenant("Zenith").hr.get(path).status, tenant("Zenith").hr.patch(path, said).status) == (404, 404)
        assert office.audited()[-1] == "leave_type.changed"

    @pytest.mark.parametrize(
        "said",
        [{"name": None}, {"is_active": None}, {"color": "red"}, {"days_per_year": 0.7}, {"notice_days": -1},
         {"carryover_limit": -0.5}, {"days": 3}],
    )  # fmt: skip
    def test_refuse_nonsense(self, office: Office, said: dict[str, Any]) -> None:
        assert office.cast.hr.patch(f"/leave-types/{office.leave_type()}", said).status == 422
        assert office.cast.hr.post("/leave-types", {"name": "Other", **said}).status == 422

    def test_know_only_their_tenant_s_rules(self, office: Office) -> None:
        theirs = row(tenant("Zenith"), "leave_expiry_rules", {"name": "Theirs"})
        said = {"expiry_rule_id": str(theirs)}
        assert office.cast.hr.post("/leave-types", {"name": "Annual", **said}).status == 404
        assert office.cast.hr.patch(f"/leave-types/{office.leave_type()}", said).status == 404

    def test_move_the_expiry_of_what_has_not_expired_with_their_rule(self, office: Office) -> None:
        made = office.allocate(20)
        gone = office.allocate(1, start="2025-01-01")
        sql(
            office.cast,
            "update leave_allocations set expires_on = '2025-12-31', expired_at = now() where id = :id",
            id=gone["id"],
        )
        path = f"/leave-types/{made['leave_type_id']}"
        office.cast.hr.ok("PATCH", path, {"expiry_rule_id": rule(office, expiry_date_formula="cycle_end + 3 months")})
        found = {one["id"]: one["expires_on"] for one in office.cast.hr.ok("GET", "/leave-allocations")["items"]}
        assert found == {made["id"]: "2027-03-31", gone["id"]: "2025-12-31"}
        office.cast.hr.ok("PATCH", path, {"expiry_rule_id": None})
        found = {one["id"]: one["expires_on"] for one in office.cast.hr.ok("GET", "/leave-allocations")["items"]}
        assert found == {made["id"]: None, gone["id"]: "2025-12-31"}
