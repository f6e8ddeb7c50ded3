"""A tenant of another cell: its row here only names that cell, and none of its messages is lost."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from chalicelib.backing import clock, outbox, queues
from chalicelib.backing.settings import settings
from chalicelib.entry import messages
from chalicelib.entry.registry import CONSUMERS
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from tests.entry.test_outbox import later
from tests.entry.test_suspension import GOES_ON, RESTING, deliver, parked, patch
from tests.support.api import Api
from tests.support.cast import Cast, platform_admin
from tests.support.people import sql

NEVER = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(name="away")
def _away(acme: Cast) -> Cast:
    """Return a tenant that was moved to the cell `b`."""
    assert patch(acme, status="suspended").status == 200
    assert patch(acme, cell="b").status == 200
    return acme


@pytest.fixture
def in_b(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make this process one of the cell `b`."""
    with monkeypatch.context() as there:
        there.setenv("CELL", "b")
        settings.cache_clear()
        yield
    settings.cache_clear()


class TestCallers:
    def test_get_the_name_of_the_cell(self, away: Cast, zenith: Cast) -> None:
        reply = away.hr.get("/me")
        assert (reply.status, reply.headers["Content-Type"]) == (421, "application/problem+json")
        assert {name: reply.json[name] for name in ("type", "detail", "cell")} == {
            "type": "urn:wagebook:problem:misdirected",
            "detail": "This tenant lives in the cell b; send its requests there.",
            "cell": "b",
        }
        assert zenith.hr.get("/me").status == 200

    def test_without_a_key_of_the_tenant_learn_nothing(self, away: Cast) -> None:
        reply = Api(f"wbk_{away.id.hex}_guessed").get("/me")
        assert reply.status == 401
        assert reply.json == Api(f"wbk_{NEVER.replace('-', '')}_guessed").get("/me").json

    @pytest.mark.usefixtures("in_b")
    def test_are_served_only_in_the_tenants_cell(self, away: Cast, zenith: Cast) -> None:
        assert patch(away, status="active").status == 200
        assert away.hr.get("/me").status == 200
        assert (zenith.hr.get("/me").status, zenith.hr.get("/me").json["cell"]) == (421, "main")


class TestPlatform:
    def test_sees_the_cell(self, acme: Cast) -> None:
        assert platform_admin().ok("GET", f"/tenants/{acme.id}")["cell"] == "main"

    def test_moves_no_tenant_that_works(self, acme: Cast) -> None:
        for changes in ({"cell": "b"}, {"cell": "b", "status": "suspended"}):
            reply = patch(acme, **changes)
            assert (reply.status, reply.json["detail"][:45]) == (409, "The cell changes only while the tenant is sus")
        assert patch(acme, cell="main").status == 200

    def test_lets_none_go_on_that_lives_elsewhere(self, away: Cast) -> None:
        assert patch(away, status="active").status == 409
        assert patch(away, status="active", cell="c").status == 409
        assert sql(away, "select status, cell from tenants") == [("suspended", "b")]

    def test_takes_a_move_back(self, away: Cast) -> None:
        assert patch(away, status="active", cell="main").status == 200
        assert away.hr.get("/me").status == 200
        changes = [row["after"] for row in away.admin.ok("GET", "/audit-logs?entity_type=tenant")["items"]]
        assert changes == [{"status": "active", "cell": "main"}, {"cell": "b"}, {"status": "suspended"}]

    @pytest.mark.parametrize("cell", ["", "B", "b c", "1", "x" * 32, None])
    def test_names_cells_by_safe_words(self, acme: Cast, cell: object) -> None:
        assert patch(acme, status="suspended").status == 200
        assert patch(acme, cell=cell).status == 422

    def test_alone_sets_the_cell(self, acme: Cast) -> None:
        assert acme.admin.patch("/tenant", {"cell": "b"}).status == 422
        assert acme.admin.patch(f"/tenants/{acme.id}", {"cell": "b"}).status == 403
        with pytest.raises(DBAPIError, match="permission denied"):
            sql(acme, "update tenants set cell = 'b'")

    @pytest.mark.usefixtures("in_b")
    def test_makes_tenants_where_it_is(self, acme: Cast) -> None:
        new = {"name": "New", "slug": f"new-{acme.id}", "currency": "EUR", "timezone": "Europe/Berlin"}
        assert platform_admin().ok("POST", "/tenants", new)["cell"] == "b"


class TestMessages:
    @pytest.mark.parametrize("queue", RESTING)
    def test_are_kept_untouched(self, away: Cast, sqs: Any, queue: str) -> None:
        assert deliver(queue, {"tenant_id": str(away.id), "nobody": "can work with this"}) == []
        assert parked(away) == [(queue, {"nobody": "can work with this"})]
        assert outbox.sweep(now=later(5)) == 0

    # bounces and uploads name their tenant inside what AWS words, and are refused by the same line
    @pytest.mark.parametrize("queue", [name for name in GOES_ON if name == "payouts"])
    def test_of_queues_that_go_on_come_again(
        self, away: Cast, sqs: Any, queue: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queues, "back_off", lambda *args, **arguments: None)
        assert CONSUMERS[queue].while_suspended
        assert deliver(queue, {"tenant_id": str(away.id), "payout_id": NEVER}) == ["m0"]
        assert parked(away) == []

    def test_that_failed_for_good_notify_nobody_here(self, away: Cast) -> None:
        calls: list[object] = []
        messages._notify_failure(
            lambda scope, **arguments: calls.append(arguments), {"tenant_id": str(away.id)}, "It failed."
        )
        assert calls == []

    def test_that_left_before_the_move_stay_in_the_outbox(self, acme: Cast, sqs: Any) -> None:
        with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
            scope.send(RESTING[0], [{"n": 1}])
        patch(acme, status="suspended")
        patch(acme, cell="b")
        assert outbox.sweep(now=later(5)) == 0
        assert parked(acme) == [(RESTING[0], {"n": 1})]
