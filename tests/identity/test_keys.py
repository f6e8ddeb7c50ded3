"""API keys: a valid one gives access to its own tenant, and nothing else gives access."""

from uuid import uuid4

import pytest

from chalicelib.identity import keys
from tests.support.api import Api
from tests.support.cast import Cast, platform_admin
from tests.support.people import sql

UNKNOWN = "This API key is not known, or was revoked."


class TestKey:
    def test_enters_its_tenant(self, acme: Cast) -> None:
        assert acme.admin.ok("GET", "/me")["tenant"] == acme.slug
        assert acme.admin.get("/me", headers={"x-tenant": acme.slug}).status == 200

    def test_with_a_wrong_secret_is_unknown(self, acme: Cast) -> None:
        assert acme.admin.key
        reply = Api(acme.admin.key[:-1] + ("a" if acme.admin.key[-1] != "a" else "b")).get("/me")
        assert (reply.status, reply.json["detail"]) == (401, UNKNOWN)

    def test_of_ours_with_the_prefix_of_another_tenant_is_unknown(self, acme: Cast, zenith: Cast) -> None:
        assert acme.admin.key
        secret = acme.admin.key.split("_", 2)[2]
        for tenant_id in (zenith.id, uuid4()):
            reply = Api(f"wbk_{tenant_id.hex}_{secret}").get("/me")
            assert (reply.status, reply.json["detail"]) == (401, UNKNOWN)

    def test_of_a_tenant_is_none_of_the_platform(self, acme: Cast) -> None:
        assert acme.admin.key
        assert Api("wbp_" + acme.admin.key.split("_", 2)[2]).get("/tenants").status == 401
        platform_key = platform_admin().key
        assert platform_key
        assert Api(f"wbk_{acme.id.hex}_{platform_key[4:]}").get("/me").status == 401

    def test_does_not_choose_another_tenant(self, acme: Cast, zenith: Cast) -> None:
        reply = acme.admin.get("/me", headers={"x-tenant": zenith.slug})
        assert reply.status == 403
        assert reply.json == {**acme.admin.get("/me", headers={"x-tenant": "nobody"}).json}

    def test_ends_at_once_when_revoked(self, acme: Cast) -> None:
        created = acme.admin.ok("POST", "/api-keys", {"name": "box", "role": "hr"})
        assert Api(created["key"]).get("/me").status == 200
        acme.admin.ok("DELETE", f"/api-keys/{created['id']}")
        assert Api(created["key"]).get("/me").json["detail"] == UNKNOWN

    def test_is_kept_as_its_hash_only(self, acme: Cast) -> None:
        created = acme.admin.ok("POST", "/api-keys", {"name": "box", "role": "hr"})
        [row] = sql(acme, "select key_hash, hint from api_keys where name = 'box'")
        assert (bytes(row.key_hash), row.hint) == (keys.digest(created["key"]), created["key"][-4:])
        assert created["key"] not in str(sql(acme, "select to_jsonb(k) from api_keys k"))
        assert created["key"] not in str(sql(acme, "select to_jsonb(a) from audit_logs a"))

    def test_of_a_suspended_tenant_is_refused(self, acme: Cast) -> None:
        platform_admin().ok("PATCH", f"/tenants/{acme.id}", {"status": "suspended"})
        reply = acme.admin.get("/me")
        assert (reply.status, reply.json["detail"]) == (403, "This tenant is suspended.")

    def test_of_the_platform_sees_no_tenants_rows(self, acme: Cast) -> None:
        root = platform_admin()
        assert root.ok("GET", "/me") == {
            "name": "Root",
            "role": "platform_admin",
            "user_id": None,
            "tenant": None,
            "permissions": {"me.read": "all", "platform.tenants": "all"},
        }
        assert root.get("/users", headers={"x-tenant": acme.slug}).status == 403

    @pytest.mark.parametrize("key", [
        "wbk", "wbk_", "wbk__", "wbk_x_y", "wbp_", "wbp", "_", "wbk_00000000000000000000000000000000",
        "wbk_00000000000000000000000000000000_", "x" * 9000, "wbk_\x00_x", "wbp_\x00", "wbp_é", "wbp_\ud800",
        "wbk_{00000000-0000-0000-0000-000000000000}_x", "wbk_urn:uuid:00000000-0000-0000-0000-000000000000_x",
    ])  # fmt: skip
    def test_that_is_none_is_refused(self, acme: Cast, key: str) -> None:
        assert Api(key).get("/me").status == 401
