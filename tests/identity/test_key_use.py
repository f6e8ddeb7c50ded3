"""Keys show their last use, end when they say, and repeated wrong ones are slowed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.backing import clock
from chalicelib.identity import key_use, wrong_keys
from tests.support.api import Api
from tests.support.cast import Cast, platform_admin
from tests.support.people import sql

NOW = datetime(2026, 1, 7, 6, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, NOW)


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: moment)


def used(acme: Cast) -> Any:
    return sql(acme, "select last_used_at from api_keys where name = 'box'")[0].last_used_at


@pytest.fixture(name="box")
def _box(acme: Cast) -> Api:
    return Api(acme.admin.ok("POST", "/api-keys", {"name": "box", "role": "hr"})["key"])


class TestLastUse:
    def test_is_shown(self, acme: Cast, box: Api) -> None:
        def shown() -> Any:
            return next(one for one in acme.admin.ok("GET", "/api-keys")["items"] if one["name"] == "box")

        assert shown()["last_used_at"] is None
        box.ok("GET", "/me")
        assert shown()["last_used_at"] == "2026-01-07T06:00:00Z"

    def test_is_written_at_most_once_in_five_minutes(
        self, acme: Cast, box: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for seconds in (0, 1, 299):
            at(monkeypatch, NOW + timedelta(seconds=seconds))
            key_use.clear()  # another process each time: the row says that it is fresh
            box.ok("GET", "/me")
        assert used(acme) == NOW
        at(monkeypatch, NOW + timedelta(seconds=301))
        box.ok("GET", "/me")
        assert used(acme) == NOW + timedelta(seconds=301)

    def test_is_no_write_of_the_requests_own_transaction(
        self, acme: Cast, box: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        box.ok("GET", "/me")
        monkeypatch.setattr(key_use, "transaction", lambda **_: pytest.fail("written again"))
        box.ok("GET", "/me")

    def test_counts_requests_that_are_refused(self, acme: Cast, box: Api) -> None:
        assert box.get("/members").status == 403
        assert used(acme) == NOW

    def test_does_not_wait_for_who_holds_the_key(self, acme: Cast, box: Api) -> None:
        from sqlalchemy import text

        from chalicelib.backing.database import transaction

        with transaction(tenant_id=acme.id) as session:
            session.execute(text("select 1 from api_keys where name = 'box' for update"))
            box.ok("GET", "/me")
        assert used(acme) is None


class TestExpiry:
    def test_ends_a_key(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        body = {"name": "till", "role": "hr", "expires_at": "2026-01-07T12:30:00+06:00"}
        created = acme.admin.ok("POST", "/api-keys", body)
        assert created["expires_at"] == "2026-01-07T06:30:00Z"
        at(monkeypatch, NOW + timedelta(minutes=29, seconds=59))
        assert Api(created["key"]).get("/me").status == 200
        at(monkeypatch, NOW + timedelta(minutes=30))
        reply = Api(created["key"]).get("/me")
        assert (reply.status, reply.json["detail"]) == (401, "This API key has expired; make a new one.")

    @pytest.mark.parametrize("wrong", [
        "2026-01-07T06:00:00Z", "2020-01-01T00:00:00Z", "2036-01-10T00:00:00Z", "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59", "2027-01-01T00:00:00", "2027-01-01", 1, "soon",
    ])  # fmt: skip
    def test_is_a_moment_to_come(self, acme: Cast, wrong: object) -> None:
        reply = acme.admin.post("/api-keys", {"name": "till", "role": "hr", "expires_at": wrong})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/expires_at")

    def test_may_be_left_out(self, acme: Cast) -> None:
        for more in ({}, {"expires_at": None}):
            created = acme.admin.ok("POST", "/api-keys", {"name": f"till {more}", "role": "hr", **more})
            assert created["expires_at"] is None


class TestWrongKeys:
    def guess(self, cast: Cast, number: int = 0) -> Api:
        return Api(f"wbk_{cast.id.hex}_guess{number}")

    def test_are_slowed_after_ten(self, acme: Cast) -> None:
        statuses = [self.guess(acme, number).get("/me").status for number in range(12)]
        assert statuses == [401] * 10 + [429] * 2
        reply = self.guess(acme, 99).get("/me")
        assert 1 <= int(reply.headers["Retry-After"]) <= 60
        assert reply.json["type"] == "urn:wagebook:problem:too-many-requests"

    def test_do_not_touch_a_true_key_of_the_same_address(self, acme: Cast) -> None:
        for number in range(20):
            self.guess(acme, number).get("/me")
        assert acme.admin.get("/me").status == 200

    def test_of_one_tenant_are_not_anothers(self, acme: Cast, zenith: Cast) -> None:
        for number in range(12):
            self.guess(acme, number).get("/me")
        assert self.guess(zenith).get("/me").status == 401

    def test_that_come_again_are_refused_without_a_look_up(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        from chalicelib.identity import callers

        for _ in range(11):
            self.guess(acme).get("/me")
        monkeypatch.setattr(callers, "transaction", lambda **_: pytest.fail("looked up"))
        assert self.guess(acme).get("/me").status == 429

    @pytest.mark.parametrize("key", ["nonsense", "wbp_guess", "wbk_x_y", "wbk"])
    def test_of_any_form_are_counted(self, acme: Cast, key: str) -> None:
        assert [Api(key).get("/me").status for _ in range(11)] == [401] * 10 + [429]

    def test_are_forgotten_after_a_minute(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wrong_keys, "WINDOW", 0.0)
        assert [self.guess(acme).get("/me").status for _ in range(15)] == [401] * 15

    def test_take_bounded_memory(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wrong_keys, "MOST_KEPT", 5)
        for number in range(20):
            Api(f"nonsense{number}_{number}_x").get("/me")
        assert len(wrong_keys._misses) == 5

    def test_of_the_platform_do_not_touch_a_true_one(self, acme: Cast) -> None:
        for _ in range(15):
            Api("wbp_guess").get("/me")
        assert platform_admin().get("/me").status == 200
