"""If-Match and ETag: a change made on an old version is refused."""

import pytest

from tests.support.cast import Cast


class TestVersion:
    def test_is_the_etag_and_rises_with_each_change(self, acme: Cast) -> None:
        created = acme.hr.post("/departments", {"name": "Sewing"})
        changed = acme.hr.patch(f"/departments/{created.json['id']}", {"name": "Ironing"}, headers={"if-match": '"1"'})
        assert (created.headers["ETag"], changed.headers["ETag"], changed.json["version"]) == ('"1"', '"2"', 2)

    def test_that_is_stale_is_412_and_changes_nothing(self, acme: Cast) -> None:
        department = acme.hr.ok("POST", "/departments", {"name": "Sewing"})
        acme.hr.ok("PATCH", f"/departments/{department['id']}", {"name": "Ironing"})
        reply = acme.hr.patch(f"/departments/{department['id']}", {"name": "Cutting"}, headers={"if-match": '"1"'})
        assert (reply.status, reply.json["type"]) == (412, "urn:wagebook:problem:stale-version")
        assert [unit["name"] for unit in acme.hr.ok("GET", "/departments")["items"]] == ["Ironing"]

    @pytest.mark.parametrize("if_match", ['"1"', 'W/"1"', "1", "*", None])
    def test_may_be_written_in_several_ways_or_left_out(self, acme: Cast, if_match: str | None) -> None:
        department = acme.hr.ok("POST", "/departments", {"name": "Sewing"})
        headers = {} if if_match is None else {"if-match": if_match}
        assert acme.hr.patch(f"/departments/{department['id']}", {"name": "Ironing"}, headers=headers).status == 200

    @pytest.mark.parametrize("if_match", ["", '""', "abc", '"-1"', '"1", "2"', '"١"', "9" * 10, '"1.0"', "\x00"])
    def test_that_is_none_is_422(self, acme: Cast, if_match: str) -> None:
        department = acme.hr.ok("POST", "/departments", {"name": "Sewing"})
        reply = acme.hr.patch(f"/departments/{department['id']}", {"name": "Ironing"}, headers={"if-match": if_match})
        assert reply.status == 422
