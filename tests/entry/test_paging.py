"""Pagination: no row twice, none lost, and a cursor is only a position in the caller's own list."""

import base64
import json
from uuid import uuid4

import pytest

from chalicelib.entry.paging import encode_cursor
from tests.support.cast import Cast, platform_admin
from tests.support.people import row, sql

LISTS = (
    "/departments",
    "/divisions",
    "/branches",
    "/shifts",
    "/holidays",
    "/users",
    "/members",
    "/api-keys",
    "/jobs",
    "/audit-logs",
    "/on-duty",
    "/overtime",
    "/leave-types",
    "/balances/2026-01",
)


def departments(cast: Cast, *names: str) -> None:
    for name in names:
        row(cast, "departments", {"name": name})


def named(page: dict) -> list[str]:
    return [unit["name"] for unit in page["items"]]


class TestPages:
    def test_contain_every_row_once(self, acme: Cast) -> None:
        departments(acme, "A", "B", "C", "D", "E")
        names, at = [], ""
        while at is not None and len(names) < 9:
            page = acme.hr.ok("GET", f"/departments?limit=2{at and '&cursor=' + at}")
            names.append(named(page))
            at = page["next_cursor"]
        assert names == [["A", "B"], ["C", "D"], ["E"]]

    def test_end_without_a_cursor_when_exactly_full(self, acme: Cast) -> None:
        departments(acme, "A", "B")
        assert acme.hr.ok("GET", "/departments?limit=2")["next_cursor"] is None

    def test_stay_stable_while_rows_come_and_go(self, acme: Cast) -> None:
        departments(acme, "A", "B", "C", "D")
        first = acme.hr.ok("GET", "/departments?limit=2")
        departments(acme, "E")
        sql(acme, "delete from departments where name in ('A', 'B')")
        second = acme.hr.ok("GET", f"/departments?limit=2&cursor={first['next_cursor']}")
        third = acme.hr.ok("GET", f"/departments?limit=2&cursor={second['next_cursor']}")
        assert (named(second), named(third)) == (["C", "D"], ["E"])

    def test_newest_first_are_stable_too(self, acme: Cast) -> None:
        for name in ("A", "B", "C"):
            acme.hr.ok("POST", "/departments", {"name": name})
        first = acme.admin.ok("GET", "/audit-logs?limit=2")
        acme.hr.ok("POST", "/departments", {"name": "D"})
        second = acme.admin.ok("GET", f"/audit-logs?limit=2&cursor={first['next_cursor']}")
        assert [entry["seq"] for entry in first["items"] + second["items"]] == [3, 2, 1]

    @pytest.mark.parametrize(("limit", "status"), [(0, 422), (1, 200), (200, 200), (201, 422), (-1, 422), ("x", 422)])
    def test_contain_1_to_200_rows(self, acme: Cast, limit: object, status: int) -> None:
        assert acme.hr.get(f"/departments?limit={limit}").status == status


class TestCursor:
    @pytest.mark.parametrize("path", LISTS)
    @pytest.mark.parametrize("cursor", [
        "x", "====", "%00", "%C3%A9", "A" * 200, "A" * 201, *(encode_cursor(key) for key in (
            None, True, -1, 1.5, 2**63, "", "x", "\x00", "x" * 36, [], {}, "2026-13-01")),
        base64.b64encode(b"[" * 120).decode(), base64.b64encode(b"NaN").decode(),
            base64.b64encode(b"\xff\xfe").decode(),
    ], ids=lambda cursor: repr(cursor[:12]))  # fmt: skip
    def test_that_no_list_gave_out_is_422(self, acme: Cast, path: str, cursor: str) -> None:
        reply = acme.admin.get(f"{path}?cursor={cursor}")
        # a list ordered by text takes any text for a place in it
        is_text = (
            path == "/holidays"
            and reply.status == 200
            and isinstance(json.loads(base64.urlsafe_b64decode(cursor)), str)
        )
        assert reply.status == 422 or is_text
        assert is_text or "/cursor" in reply.text or "cannot be stored" in reply.json["detail"]

    def test_of_another_kind_of_list_is_422(self, acme: Cast) -> None:
        assert acme.admin.get(f"/departments?cursor={encode_cursor(5)}").status == 422
        assert acme.admin.get(f"/audit-logs?cursor={encode_cursor(uuid4())}").status == 422
        assert platform_admin().get(f"/tenants?cursor={encode_cursor(5)}").status == 422

    def test_with_another_tenants_id_is_a_place_in_the_callers_own_list(self, acme: Cast, zenith: Cast) -> None:
        departments(zenith, "Old")
        others_id = row(acme, "departments", {"name": "Secret"})
        departments(zenith, "New")
        assert named(zenith.hr.ok("GET", f"/departments?cursor={encode_cursor(others_id)}")) == ["New"]

    @pytest.mark.parametrize("path", LISTS)
    def test_of_an_unknown_id_is_an_empty_page_or_everything(self, acme: Cast, path: str) -> None:
        key = 0 if path == "/audit-logs" else "9" if path == "/holidays" else "ffffffff-ffff-ffff-ffff-ffffffffffff"
        assert acme.admin.get(f"{path}?cursor={encode_cursor(key)}").status == 200
