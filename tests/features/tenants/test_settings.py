"""The tenant's settings, members and keys over HTTP."""

from zoneinfo import available_timezones

import pytest
from pydantic import TypeAdapter, ValidationError

from chalicelib.features.tenants.schemas import Timezone
from tests.support.cast import Cast, platform_admin, tenant
from tests.support.people import sql

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="zenith")
def _zenith() -> Cast:
    return tenant("Zenith")


class TestSettings:
    def test_reads_defaults_of_the_policy(self, acme: Cast) -> None:
        settings = acme.admin.ok("GET", "/tenant")
        assert settings["policy"]["full_day_minutes"] == 540
        assert settings["policy"]["missing_attendance"] == "absent"
        assert settings["weekend"] == [5, 6]

    def test_changes_only_the_switches_sent(self, acme: Cast) -> None:
        acme.admin.ok("PATCH", "/tenant", {"policy": {"half_day_minutes": 240}})
        settings = acme.admin.ok("PATCH", "/tenant", {"policy": {"weekly_rule": "prorated"}, "name": "Acme Ltd"})
        assert settings["policy"]["half_day_minutes"] == 240
        assert settings["policy"]["weekly_rule"] == "prorated"
        assert settings["name"] == "Acme Ltd"
        assert settings["version"] == 3

    def test_keeps_the_rest_of_a_nested_object(self, acme: Cast) -> None:
        acme.admin.ok("PATCH", "/tenant", {"branding": {"color": "#112233", "footer": "Dhaka 1207"}})
        settings = acme.admin.ok("PATCH", "/tenant", {"branding": {"color": "#445566"}})
        assert settings["branding"] == {"color": "#445566", "footer": "Dhaka 1207"}
        settings = acme.admin.ok("PATCH", "/tenant", {"branding": {"footer": None}})
        assert settings["branding"] == {"color": "#445566", "footer": None}
        settings = acme.admin.ok("PATCH", "/tenant", {"branding": {}})
        assert settings["branding"] == {"color": "#445566", "footer": None}

    def test_refuses_a_stale_version(self, acme: Cast) -> None:
        assert acme.admin.get("/tenant").headers["ETag"] == '"1"'
        acme.admin.ok("PATCH", "/tenant", {"name": "A"}, headers={"if-match": '"1"'})
        reply = acme.admin.patch("/tenant", {"name": "B"}, headers={"if-match": '"1"'})
        assert reply.status == 412

    @pytest.mark.parametrize("body", [{"timezone": "Mars/Olympus"}, {"timezone": "localtime"}, {"currency": "XXX"},
                                      {"weekend": [8]}, {"cycle_start_day": 29}, {"name": None},
                                      {"nonsense": 1}])  # fmt: skip
    def test_refuses_nonsense_with_its_place(self, acme: Cast, body: dict[str, object]) -> None:
        reply = acme.admin.patch("/tenant", body)
        assert reply.status == 422
        assert reply.json["errors"][0]["pointer"].startswith("/" + next(iter(body)))

    def test_is_for_admins(self, acme: Cast) -> None:
        assert acme.hr.patch("/tenant", {"name": "Mine"}).status == 403


class TestPlatform:
    def test_makes_a_tenant_and_sees_nothing_of_it(self) -> None:
        root = platform_admin()
        created = root.ok(
            "POST",
            "/tenants",
            {
                "name": "New",
                "slug": "new-one",
                "currency": "EUR",
                "timezone": "Europe/Berlin",
                "admin_email": "B@new.example",
            },
        )
        assert root.ok("GET", f"/tenants/{created['id']}")["slug"] == "new-one"
        assert root.get("/members").status == 403
        assert root.get("/tenant").status == 403

    def test_suspends(self, acme: Cast) -> None:
        root = platform_admin()
        assert root.patch(f"/tenants/{acme.id}", {"status": "suspended"}).status == 200
        assert acme.admin.get("/me").status == 403
        assert root.patch(f"/tenants/{acme.id}", {"status": "active"}).status == 200
        rows = acme.admin.ok("GET", "/audit-logs?entity_type=tenant")["items"]
        assert [(r["actor"], r["after"]) for r in rows] == [
            ("platform_admin:Root", {"status": "active"}),
            ("platform_admin:Root", {"status": "suspended"}),
        ]


class TestKeys:
    def test_are_shown_once_and_end_at_once(self, acme: Cast, zenith: Cast) -> None:
        created = acme.admin.ok("POST", "/api-keys", {"name": "payroll box", "role": "hr"})
        assert "key" not in acme.admin.ok("GET", "/api-keys")["items"][-1]
        assert type(acme.admin)(created["key"]).get("/me").json["role"] == "hr"
        assert zenith.admin.delete(f"/api-keys/{created['id']}").status == 404
        assert acme.admin.delete(f"/api-keys/{created['id']}").status == 204
        assert type(acme.admin)(created["key"]).get("/me").status == 401

    def test_repeat_the_answer_for_the_same_idempotency_key(self, acme: Cast) -> None:
        options = {"headers": {"idempotency-key": "k1"}}
        first = acme.admin.post("/api-keys", {"name": "a", "role": "hr"}, **options)
        again = acme.admin.post("/api-keys", {"name": "a", "role": "hr"}, **options)
        assert first.status == again.status == 201
        assert again.json == {**first.json, "key": None}  # the secret is shown once, and kept nowhere
        assert acme.admin.post("/api-keys", {"name": "b", "role": "hr"}, **options).status == 422


class TestMembers:
    def test_keep_a_last_admin(self, acme: Cast, zenith: Cast) -> None:
        boss = acme.admin.ok("POST", "/members", {"email": "Boss@acme.example", "role": "tenant_admin"})
        assert boss["email"] == "boss@acme.example"
        assert acme.admin.patch(f"/members/{boss['id']}", {"role": "hr"}).status == 409
        assert zenith.admin.patch(f"/members/{boss['id']}", {"role": "hr"}).status == 404
        assert acme.admin.post("/members", {"email": "boss@acme.example", "role": "hr"}).status == 409

    def test_writes_who_did_what(self, acme: Cast) -> None:
        acme.admin.ok("POST", "/members", {"email": "x@acme.example", "role": "hr"})
        audit_rows = acme.admin.ok("GET", "/audit-logs?action=member.added")["items"]
        assert [(row["entity_type"], row["after"]["email"]) for row in audit_rows] == [("member", "x@acme.example")]


def test_every_time_zone_that_is_taken_is_one_of_the_database(acme: Cast) -> None:
    """One that it does not know fails the schedules of all tenants, which ask each for its local time."""
    taken = [name for name in available_timezones() if _is_taken(name)]
    known = {name for (name,) in sql(acme, "select name from pg_timezone_names")}
    assert sorted(set(taken) - known) == []
    assert len(taken) > 500


def _is_taken(name: str) -> bool:
    try:
        TypeAdapter(Timezone).validate_python(name)
    except ValidationError:
        return False
    return True
