"""The rate limit: a tenant's requests in a minute, counted across processes, each tenant by itself."""

import json
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.entry import http, limits, openapi
from chalicelib.identity.permissions import Role
from chalicelib.kernel.errors import TooMany
from tests.support.api import Reply
from tests.support.cast import Cast, key, platform_admin, tenant
from tests.support.people import employee, sql


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    limits.clear()
    yield
    limits.clear()


def limited(cast: Cast, per_minute: int) -> None:
    platform_admin().ok("PATCH", f"/tenants/{cast.id}", {"requests_per_minute": per_minute})


def end_minute(tenant_id: UUID) -> None:
    """End the tenant's minute, in the database and in this process."""
    with transaction(tenant_id=tenant_id) as session:
        session.execute(
            text(
                "update request_windows set over_at = clock_timestamp() - interval '1 second'"
                " where tenant_id = :tenant_id"
            ),
            {"tenant_id": tenant_id},
        )
    limits.clear()


def calls(cast: Cast, times: int) -> list[int]:
    return [cast.hr.get("/me").status for _ in range(times)]


class TestLimit:
    def test_refuses_what_is_over_it_with_the_seconds_to_wait(self, acme: Cast) -> None:
        limited(acme, 3)
        assert calls(acme, 3) == [200, 200, 200]
        reply = acme.hr.get("/me")
        assert reply.status == 429
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert 1 <= int(reply.headers["Retry-After"]) <= 60
        assert reply.json["type"] == "urn:wagebook:problem:too-many-requests"
        assert reply.json["detail"].startswith("This tenant has made its 3 requests of this minute; go on in ")

    def test_of_one_tenant_does_not_touch_another(self, acme: Cast, zenith: Cast) -> None:
        limited(acme, 2)
        assert calls(acme, 4) == [200, 200, 429, 429]
        assert calls(zenith, 4) == [200] * 4

    def test_is_one_for_all_of_the_tenants_callers(self, acme: Cast) -> None:
        limited(acme, 1)
        assert (acme.hr.get("/me").status, acme.admin.get("/me").status) == (200, 429)

    def test_is_one_for_all_processes(self, acme: Cast) -> None:
        limited(acme, 3)
        seen = []
        for _ in range(5):  # each a process without the others' leases
            limits.clear()
            seen += calls(acme, 1)
        assert seen == [200, 200, 200, 429, 429]

    def test_holds_when_processes_have_leases_of_many(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "_LEAST_BURST", 120)
        limited(acme, 120)
        assert calls(acme, 1) == [200]
        limits.clear()  # its lease of two is lost with the process, and is not given again
        assert calls(acme, 130).count(200) == 118

    def test_begins_anew_with_the_next_minute(self, acme: Cast) -> None:
        limited(acme, 2)
        assert calls(acme, 3) == [200, 200, 429]
        end_minute(acme.id)
        assert calls(acme, 3) == [200, 200, 429]

    def test_that_is_raised_holds_at_once(self, acme: Cast) -> None:
        limited(acme, 1)
        assert calls(acme, 2) == [200, 429]
        limited(acme, 3)
        assert calls(acme, 3) == [200, 200, 429]

    def test_refuses_before_anything_is_done(self, acme: Cast) -> None:
        limited(acme, 1)
        replies = [acme.admin.post("/departments", {"name": name}).status for name in ("A", "B")]
        assert replies == [201, 429]
        assert sql(acme, "select name from departments") == [("A",)]

    def test_of_callers_on_many_threads_is_spent_once(self, acme: Cast) -> None:
        limited(acme, 20)
        replies: list[Reply] = []
        threads = [
            threading.Thread(target=lambda: replies.extend(acme.hr.get("/me") for _ in range(10))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(reply.status for reply in replies) == [200] * 20 + [429] * 60

    def test_is_reported_once_in_many_requests(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[object] = []
        lease = limits.take_lease
        monkeypatch.setattr(limits, "take_lease", lambda need: (asked.append(need), lease(need)))
        assert calls(acme, 201).count(200) == 201
        assert len(asked) == 3  # leases of 100

    def test_is_not_asked_about_again_while_nothing_is_left(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        limited(acme, 1)
        calls(acme, 2)
        monkeypatch.setattr(limits, "take_lease", lambda need: pytest.fail("the database was asked"))
        assert calls(acme, 3) == [429] * 3


def actor_of(cast: Cast) -> UUID:
    """Return the actor id under which requests of HR's key are counted."""
    return UUID(str(sql(cast, "select id from api_keys where role = 'hr' order by id limit 1")[0].id))


def minute(cast: Cast, *, elapsed: float, taken: int) -> None:
    """Put the tenant into the middle of a minute, with so many requests made by HR."""
    limits.clear()
    by_actor = json.dumps({str(actor_of(cast)): taken})
    with transaction(tenant_id=cast.id) as session:
        session.execute(
            text(
                "insert into request_windows"
                " values (:tenant_id, clock_timestamp() + :rest * interval '1 second', :taken, 0, cast(:by as jsonb))"
                " on conflict (tenant_id) do update"
                " set over_at = excluded.over_at, taken = excluded.taken, by_actor = excluded.by_actor"
            ),
            {"tenant_id": cast.id, "rest": 60 - elapsed, "taken": taken, "by": by_actor},
        )


class TestPace:
    @pytest.mark.parametrize(
        ("per_minute", "burst"), [(1, 1), (20, 20), (21, 20), (1_200, 20), (30_000, 500), (600_000, 10_000)]
    )
    def test_allows_a_seconds_worth_at_once_and_all_of_a_small_limit(self, per_minute: int, burst: int) -> None:
        assert limits.burst_of(per_minute) == burst

    @pytest.mark.parametrize(
        ("elapsed", "taken", "lease", "then"),
        [
            # 120 at once and one a second since: 130 were released; leases are a 50th of what is left of the minute
            (10.2, 20, 3, 23),
            (10.2, 126, 1, 127),
            (10.2, 129, 1, 130),
            (10.2, 130, 0, 130),
            (10.2, 0, 3, 13),  # no request for ten seconds: ten of the 130 are lost, 120 are there
            (59.2, 179, 0, 179),  # 179 were released; the last one comes with the last second
            (40.2, 180, 0, 180),
            (61.0, 180, 3, 3),  # the next minute
        ],
    )
    def test_hands_out_a_minute_as_it_goes_by(
        self, acme: Cast, elapsed: float, taken: int, lease: int, then: int
    ) -> None:
        minute(acme, elapsed=elapsed, taken=taken)
        with transaction(tenant_id=acme.id) as session:
            values = {
                "tenant_id": acme.id,
                "actor_id": actor_of(acme),
                "per_minute": 180,
                "burst": 120,
                "most": 100,
                "share": limits.SHARE,
                "counted": "{}",
            }
            row = session.execute(limits._LEASE, values).one()
        assert (row.lease, row.taken) == (lease, then)

    def test_refuses_who_is_ahead_of_it_for_a_second(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "_LEAST_BURST", 120)
        limited(acme, 180)
        minute(acme, elapsed=10.2, taken=130)
        reply = acme.hr.get("/me")
        assert (reply.status, reply.headers["Retry-After"]) == (429, "1")
        assert reply.json["detail"] == (
            "This tenant has made as many requests as 180 a minute allow for by now; go on in 1 s."
        )


class TestFlood:
    def test_is_refused_from_memory_after_some_refusals(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        limited(acme, 1)
        assert calls(acme, 5) == [200, 429, 429, 429, 429]
        monkeypatch.setattr(http, "caller_scope", lambda *_, **__: pytest.fail("the database was asked who it is"))
        reply = acme.hr.get("/me")
        assert reply.status == 429
        assert 1 <= int(reply.headers["Retry-After"]) <= 60

    def test_of_one_tenant_concerns_no_other(self, acme: Cast, zenith: Cast) -> None:
        limited(acme, 1)
        calls(acme, 10)
        assert calls(zenith, 3) == [200] * 3
        assert type(acme.hr)("nonsense").get("/me").status == 401

    def test_is_checked_again_soon_so_that_a_raised_limit_holds(
        self, acme: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "_RECHECK", 0.3)
        limited(acme, 1)
        assert calls(acme, 10).count(429) == 9
        limited(acme, 1000)
        time.sleep(0.35)
        assert calls(acme, 3) == [200] * 3

    def test_is_checked_by_one_request_for_all_others(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "_RECHECK", 0.6)
        limited(acme, 1)
        calls(acme, 10)
        time.sleep(0.7)
        scope = SimpleNamespace(
            tenant_id=acme.id,
            tenant=SimpleNamespace(slug=acme.slug, requests_per_minute=1),
            actor=SimpleNamespace(id=actor_of(acme)),
        )
        with pytest.raises(limits.LeaseNeeded):
            limits.spend(scope)
        for _ in range(3):
            with pytest.raises(TooMany):
                limits.spend(scope)
        time.sleep(0.7)  # the thread that asked never came back
        with pytest.raises(limits.LeaseNeeded):
            limits.spend(scope)

    def test_gets_what_its_pace_allows_and_is_refused_from_memory_in_between(
        self, acme: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "_ASK_AGAIN_AFTER", 1.0)
        limited(acme, 600)  # twenty at once, and ten a second
        statuses = calls(acme, 100)
        assert 20 <= statuses.count(200) < 80
        assert statuses.count(429) >= 20
        until = time.monotonic() + 5
        while calls(acme, 1) == [429]:
            assert time.monotonic() < until, "the minute goes on, and so may the tenant"
        granted = 1
        while calls(acme, 1) == [200]:
            granted += 1
        assert granted < 60
        monkeypatch.setattr(limits, "take_lease", lambda _: pytest.fail("asked again at once"))
        assert calls(acme, 3) == [429] * 3


class TestShare:
    """One actor's flood takes the tenant's pace, but not the others' share of it."""

    def test_of_other_actors_is_available_while_one_floods(self, acme: Cast) -> None:
        limited(acme, 100)  # twenty at once, five of them each actor's share; one and a third a second
        assert calls(acme, 60).count(429) > 30
        assert [acme.admin.get("/me").status for _ in range(5)] == [200] * 5
        assert acme.admin.get("/me").status == 429  # that was their share, and the rest is used up
        assert acme.hr.get("/me").status == 429

    def test_of_one_alone_is_everything(self, acme: Cast) -> None:
        limited(acme, 20)
        assert calls(acme, 21) == [200] * 20 + [429]

    def test_holds_across_processes(self, acme: Cast) -> None:
        limited(acme, 100)
        seen = []
        for _ in range(40):
            seen += calls(acme, 2)  # a lease each, whose use the next one reports
        assert seen.count(429) > 30
        limits.clear()
        assert acme.admin.get("/me").status == 200

    def test_is_lent_once_and_comes_off_what_the_tenant_gets_next(self, acme: Cast) -> None:
        limited(acme, 100)
        minute(acme, elapsed=0, taken=20)
        assert [acme.admin.get("/me").status for _ in range(8)].count(200) == 5
        [(taken,)] = sql(acme, "select taken from request_windows")
        assert taken == 25  # five ahead of the pace; no third actor is lent more
        employee_key = key(acme.id, Role.EMPLOYEE, employee(acme))
        assert employee_key.get("/me").status == 429

    def test_of_two_actors_who_flood_is_at_least_granted(self, acme: Cast) -> None:
        limited(acme, 100)
        minute(acme, elapsed=0, taken=20)
        got = {"hr": 0, "admin": 0}
        ends = time.monotonic() + 4
        while time.monotonic() < ends:
            got["hr"] += acme.hr.get("/me").status == 200
            got["admin"] += acme.admin.get("/me").status == 200
            time.sleep(0.01)
        # five seconds of a pace of 1.33 a second, five lent; an actor with less than a quarter of it gets more
        assert got["admin"] >= 5
        assert 5 <= sum(got.values()) <= 12

    def test_is_kept_for_the_16_who_made_most(self, acme: Cast) -> None:
        counts = {f"actor {number}": number for number in range(40)}
        [(kept,)] = sql(acme, "select most_requests('{}', cast(:counts as jsonb))", counts=json.dumps(counts))
        assert kept == {f"actor {number}": number for number in range(24, 40)}

    def test_costs_no_call_of_the_database_while_the_pace_lasts(
        self, acme: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[object] = []
        lease = limits.take_lease
        monkeypatch.setattr(limits, "take_lease", lambda need: (asked.append(need), lease(need)))
        callers = [acme.hr, acme.admin]
        assert {callers[number % 2].get("/me").status for number in range(100)} == {200}
        assert len(asked) == 1


class TestWhoIsCounted:
    def test_excludes_endpoints_open_to_all(self, acme: Cast) -> None:
        limited(acme, 1)
        assert [acme.hr.get("/openapi.json").status for _ in range(3)] == [200] * 3
        assert calls(acme, 2) == [200, 429]
        assert acme.hr.get("/health").status != 429

    def test_no_caller_who_could_not_prove_to_be_of_the_tenant(self, acme: Cast) -> None:
        limited(acme, 1)
        forged = type(acme.hr)(f"{acme.hr.key}x")
        assert [forged.get("/me").status for _ in range(3)] == [401] * 3
        assert calls(acme, 1) == [200]

    def test_no_platform_admin(self, acme: Cast) -> None:
        limited(acme, 1)
        root = platform_admin()
        assert [root.get(f"/tenants/{acme.id}").status for _ in range(3)] == [200] * 3


class TestWhoMaySay:
    @pytest.mark.parametrize("wrong", [0, -1, None, "many", 10_000_001])
    def test_refuses_nonsense(self, acme: Cast, wrong: object) -> None:
        reply = platform_admin().patch(f"/tenants/{acme.id}", {"requests_per_minute": wrong})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/requests_per_minute")

    def test_not_the_tenants_own_admin(self, acme: Cast) -> None:
        assert acme.admin.patch("/tenant", {"requests_per_minute": 9}).status == 422
        assert acme.admin.patch(f"/tenants/{acme.id}", {"requests_per_minute": 9}).status == 403

    @pytest.mark.parametrize("column", ["requests_per_minute", "status", "suspended_because", "slug"])
    def test_not_even_the_applications_role(self, acme: Cast, column: str) -> None:
        with pytest.raises(Exception, match="permission denied"):
            sql(acme, f"update tenants set {column} = {column} where id = :id", id=acme.id)

    def test_starts_generous(self) -> None:
        cast = tenant("New")
        assert platform_admin().ok("GET", f"/tenants/{cast.id}")["requests_per_minute"] == 30000


class TestDocument:
    def test_documents_the_wait_at_every_endpoint_of_a_tenant(self) -> None:
        import json

        for path, methods in json.loads(openapi.document())["paths"].items():
            for method, operation in methods.items():
                response = operation["responses"].get("429")
                assert bool(response) == bool(operation["security"]), f"{method} {path}"
                assert response is None or "Retry-After" in response["headers"]
