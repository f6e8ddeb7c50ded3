"""How many requests a tenant may make in a minute: counted across processes, and for nobody else."""

import threading
from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.entry import limits, openapi
from tests.support.api import Reply
from tests.support.cast import Cast, platform_admin, tenant
from tests.support.people import sql


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    limits.clear()
    yield
    limits.clear()


def limited(cast: Cast, per_minute: int) -> None:
    platform_admin().ok("PATCH", f"/tenants/{cast.id}", {"requests_per_minute": per_minute})


def end_minute(tenant_id: UUID) -> None:
    """This will let the tenant's minute be over, for the database and for this process."""
    with transaction(tenant_id=tenant_id) as session:
        session.execute(
            text("update request_windows set over_at = clock_timestamp() - interval '1 second'"
                 " where tenant_id = :tenant_id"),
            {"tenant_id": tenant_id},
        )  # fmt: skip
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
        for _ in range(5):  # each a process that knows of nobody's leases
            limits.clear()
            seen += calls(acme, 1)
        assert seen == [200, 200, 200, 429, 429]

    def test_holds_when_processes_have_leases_of_many(self, acme: Cast) -> None:
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
        limited(acme, 40)
        replies: list[Reply] = []
        threads = [
            threading.Thread(target=lambda: replies.extend(acme.hr.get("/me") for _ in range(10))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(reply.status for reply in replies) == [200] * 40 + [429] * 40

    def test_is_told_to_the_database_once_in_many_requests(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[object] = []
        lease = limits.lease
        monkeypatch.setattr(limits, "lease", lambda need: (asked.append(need), lease(need)))
        assert calls(acme, 201).count(200) == 201
        assert len(asked) == 3  # leases of 100

    def test_is_not_asked_about_again_while_nothing_is_left(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        limited(acme, 1)
        calls(acme, 2)
        monkeypatch.setattr(limits, "lease", lambda need: pytest.fail("the database was asked"))
        assert calls(acme, 3) == [429] * 3


class TestWhoIsCounted:
    def test_nobody_at_doors_open_to_all(self, acme: Cast) -> None:
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
        made = tenant("New")
        assert platform_admin().ok("GET", f"/tenants/{made.id}")["requests_per_minute"] == 30000


class TestDocument:
    def test_tells_of_the_wait_at_every_door_of_a_tenant(self) -> None:
        import json

        for path, methods in json.loads(openapi.document())["paths"].items():
            for method, operation in methods.items():
                said = operation["responses"].get("429")
                assert bool(said) == bool(operation["security"]), f"{method} {path}"
                assert said is None or "Retry-After" in said["headers"]
