"""Edits by hand, cell by cell: merged, replaced, given back, with a version per day; two at once both survive."""

import json
from typing import Any

import pytest

from tests.features.pay_register.conftest import WORKING, Acme, attend
from tests.support.at_once import overlapping
from tests.support.cast import Cast
from tests.support.people import row, sql

GRID = "/pay-register/2026-01"


@pytest.fixture(autouse=True)
def _computed(acme: Acme) -> None:
    """Have Rahim present on all 21 working days, and January computed."""
    attend(acme.cast, acme.rahim, WORKING)
    acme.cast.hr.ok("POST", f"{GRID}/sync", {})


def day(acme: Acme, number: int = 4) -> str:
    return f"{GRID}/{acme.rahim}/days/2026-01-{number:02}"


def record(reply: dict[str, Any], number: int = 4) -> dict[str, Any]:
    record_of_day: dict[str, Any] = reply["daily_records"][number - 1]
    return record_of_day


def halves(reply: dict[str, Any], number: int = 4) -> tuple[str, str, str, str]:
    """Return the status and source of both halves of a day."""
    first, second = record(reply, number)["first_half"], record(reply, number)["second_half"]
    return first["status"], first["source"], second["status"], second["source"]


def earned(acme: Acme) -> str:
    amount: str = acme.cast.hr.ok("GET", "/balances/2026-01")["items"][0]["earned_to_date"]
    return amount


class TestPatch:
    def test_of_one_half_leaves_the_other_as_it_was_edited(self, acme: Acme) -> None:
        acme.cast.hr.ok("PATCH", day(acme), {"first_half": {"status": "absent"}})
        reply = acme.cast.hr.ok("PATCH", day(acme), {"second_half": {"status": "od"}})
        assert halves(reply) == ("absent", "manual", "od", "manual")
        # 20.5 of 21 days: 15000 x 20.5 / 21
        assert earned(acme) == "14642.86"

    def test_keeps_and_clears_every_cell_by_itself(self, acme: Acme) -> None:
        acme.cast.hr.ok(
            "PUT",
            day(acme),
            {
                "first_half": {"status": "absent"},
                "second_half": {"status": "absent"},
                "ot_hours": 2,
                "extra_days": 1,
                "remarks": "seen",
            },
        )
        reply = acme.cast.hr.ok("PATCH", day(acme), {"second_half": None, "ot_hours": None})
        assert halves(reply) == ("absent", "manual", "present", "attendance")
        assert (record(reply)["ot_hours"], record(reply)["extra_days"], record(reply)["remarks"]) == (0, 1, "seen")
        reply = acme.cast.hr.ok("PATCH", day(acme), {"extra_days": None, "remarks": None, "first_half": None})
        assert halves(reply) == ("present", "attendance", "present", "attendance")
        assert (record(reply)["extra_days"], record(reply)["remarks"]) == (0, None)
        assert earned(acme) == "15000.00"

    @pytest.mark.parametrize("body", [
        {}, {"status": "present"}, {"first_half": "present"}, {"first_half": {"status": "sick"}}, {"ot_hours": 25},
        {"extra_days": -1}, {"second_half": {"status": "od", "leave_nature": "lop"}}, {"half": "first"},
    ])  # fmt: skip
    def test_refuses_nonsense(self, acme: Acme, body: dict[str, Any]) -> None:
        assert acme.cast.hr.patch(day(acme), body).status == 422

    def test_of_a_leave_type_that_is_not_ours_is_not_found(self, acme: Acme, zenith: Cast) -> None:
        half = {"status": "leave", "leave_type_id": str(row(zenith, "leave_types", {"name": "Annual"}))}
        assert acme.cast.hr.patch(day(acme), {"first_half": half}).status == 404

    def test_in_a_locked_period_is_kept_for_later(self, acme: Acme) -> None:
        acme.cast.admin.ok("POST", f"{GRID}/lock", {})
        reply = acme.cast.hr.ok("PATCH", day(acme), {"first_half": {"status": "absent"}})
        assert reply["late_correction"] is True
        assert halves(reply) == ("present", "attendance", "present", "attendance")
        assert (record(reply)["version"], reply["version"]) == (1, 1)


class TestPut:
    def test_gives_back_to_the_facts_what_it_leaves_out(self, acme: Acme) -> None:
        acme.cast.hr.ok("PUT", day(acme), {"status": "absent", "ot_hours": 2})
        reply = acme.cast.hr.ok("PUT", day(acme), {"second_half": {"status": "absent"}, "remarks": "half"})
        assert halves(reply) == ("present", "attendance", "absent", "manual")
        assert (record(reply)["ot_hours"], record(reply)["remarks"]) == (0, "half")


class TestVersion:
    def test_of_a_day_is_raised_by_edits_only(self, acme: Acme) -> None:
        row_of = lambda: acme.cast.hr.ok("GET", f"{GRID}/{acme.rahim}")  # noqa: E731
        assert (record(row_of())["version"], row_of()["version"]) == (0, 0)
        acme.cast.hr.ok("PUT", day(acme), {"status": "absent"})
        acme.cast.hr.ok("PUT", day(acme), {"status": "absent"})  # the values it has already
        acme.cast.hr.ok("PATCH", day(acme, 5), {"ot_hours": 1})
        acme.cast.hr.ok("POST", f"{GRID}/{acme.rahim}/recalculate", {})
        acme.cast.hr.ok("DELETE", day(acme, 6))  # nobody edited it
        assert [record(row_of(), n)["version"] for n in (4, 5, 6)] == [1, 1, 0]
        assert row_of()["version"] == 2
        acme.cast.hr.ok("DELETE", day(acme))
        acme.cast.hr.ok("DELETE", day(acme))
        assert (record(row_of())["version"], row_of()["version"]) == (2, 3)
        acme.cast.hr.ok("PUT", day(acme), {"status": "od"})
        assert (record(row_of())["version"], row_of()["version"]) == (3, 4)

    def test_is_shown_in_the_codes_view_where_there_is_one(self, acme: Acme) -> None:
        acme.cast.hr.ok("PUT", day(acme), {"status": "absent"})
        [employee] = acme.cast.hr.ok("GET", f"{GRID}?view=codes")["items"]
        assert (employee["version"], employee["details"]) == (1, {"version": {"2026-01-04": 1}})

    def test_of_the_row_is_its_etag(self, acme: Acme) -> None:
        acme.cast.hr.ok("PUT", day(acme), {"status": "absent"})
        assert acme.cast.hr.get(f"{GRID}/{acme.rahim}").headers["ETag"] == '"1"'
        assert acme.cast.hr.put(day(acme, 5), {"status": "absent"}).headers["ETag"] == '"2"'

    @pytest.mark.parametrize(("method", "body"), [
        ("PUT", {"status": "od"}), ("PATCH", {"ot_hours": 1}), ("DELETE", None)])  # fmt: skip
    def test_that_is_stale_is_412_and_changes_nothing(self, acme: Acme, method: str, body: object) -> None:
        acme.cast.hr.ok("PATCH", day(acme), {"first_half": {"status": "absent"}})
        acme.cast.hr.ok("PATCH", day(acme), {"second_half": {"status": "absent"}})
        for stale in ("0", "1", "3"):
            assert acme.cast.hr.call(method, day(acme), body, headers={"if-match": f'"{stale}"'}).status == 412
        assert halves(acme.cast.hr.ok("GET", f"{GRID}/{acme.rahim}")) == ("absent", "manual", "absent", "manual")
        assert acme.cast.hr.call(method, day(acme), body, headers={"if-match": '"2"'}).status == 200
        # a day that nobody edited is at 0
        assert acme.cast.hr.put(day(acme, 5), {"status": "od"}, headers={"if-match": '"1"'}).status == 412
        assert acme.cast.hr.put(day(acme, 5), {"status": "od"}, headers={"if-match": '"0"'}).status == 200


class TestHistory:
    def test_shows_who_changed_which_cells(self, acme: Acme) -> None:
        acme.cast.hr.ok("PATCH", day(acme), {"first_half": {"status": "absent"}, "remarks": "late"})
        acme.cast.admin.ok("PATCH", day(acme), {"second_half": {"status": "od"}, "remarks": None})
        acme.cast.hr.ok("DELETE", day(acme))
        edits = acme.cast.hr.ok("GET", f"{GRID}/{acme.rahim}/history")["items"]
        assert [(e["version"], e["edited_by"], e["changed"], e["first_half"], e["superseded_by"]) for e in edits] == [
            (2, "tenant_admin key", ["second_half", "remarks"], "absent", "hr key"),
            (1, "hr key", ["first_half", "remarks"], "absent", "tenant_admin key"),
        ]


class TestAtOnce:
    def test_two_edits_of_two_days_are_both_paid(self, acme: Acme) -> None:
        acme.cast.hr.ok("POST", f"/users/{acme.rahim}/checkin", {"at": "2026-01-31T03:00:00Z"})  # the period is marked
        overlapping(
            acme.cast,
            lambda: acme.cast.hr.ok("PUT", day(acme, 4), {"status": "absent"}),
            lambda: acme.cast.admin.ok("PUT", day(acme, 5), {"status": "absent"}),
        )
        # 19 of 21 days
        assert earned(acme) == "13571.43"
        assert acme.cast.hr.ok("GET", f"{GRID}/{acme.rahim}")["totals"]["absent_days"] == 2

    def test_two_edits_of_the_two_halves_of_a_day_both_survive(self, acme: Acme) -> None:
        overlapping(
            acme.cast,
            lambda: acme.cast.hr.ok("PATCH", day(acme), {"first_half": {"status": "absent"}}),
            lambda: acme.cast.admin.ok("PATCH", day(acme), {"second_half": {"status": "absent"}}),
        )
        assert halves(acme.cast.hr.ok("GET", f"{GRID}/{acme.rahim}")) == ("absent", "manual", "absent", "manual")
        assert earned(acme) == "14285.71"

    def test_refuses_one_of_two_that_saw_the_same_version(self, acme: Acme) -> None:
        body, seen = {"status": "absent"}, {"if-match": '"0"'}
        first, second = overlapping(
            acme.cast,
            lambda: acme.cast.hr.put(day(acme), body, headers=seen).status,
            lambda: acme.cast.admin.put(day(acme), {"status": "od"}, headers=seen).status,
        )
        assert (first, second) == (200, 412)
        assert json.dumps(halves(acme.cast.hr.ok("GET", f"{GRID}/{acme.rahim}"))).count("absent") == 2

    def test_nothing_waits_in_a_circle_where_attendance_has_to_be_decided_again(self, acme: Acme) -> None:
        acme.cast.admin.ok("PATCH", "/tenant", {"policy": {"half_day_minutes": 200}})
        sql(acme.cast, "update attendance set stated = null, worked_minutes = 240")
        overlapping(
            acme.cast,
            lambda: acme.cast.hr.ok("PUT", day(acme, 4), {"status": "present"}),
            lambda: acme.cast.hr.ok("POST", f"{GRID}/sync", {}),
        )
        assert acme.cast.hr.ok("GET", f"{GRID}/{acme.rahim}")["totals"]["present_days"] == 11
