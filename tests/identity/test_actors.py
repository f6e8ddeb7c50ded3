"""A person is one actor under every key and login, and a key also counts as its maker."""

from typing import Any
from uuid import UUID

from chalicelib.backing import clock
from chalicelib.identity.callers import caller_scope
from chalicelib.identity.permissions import Role
from chalicelib.identity.scope import Actor, Origin, Scope
from tests.support.api import Api
from tests.support.cast import Cast, key
from tests.support.people import sql


def actor(api: Api) -> Actor:
    """Return the actor that a caller's credentials stand for."""
    headers = {"x-api-key": api.key} if api.key else api.headers
    with caller_scope(headers, now=clock.now(), origin=Origin("test")) as scope:
        assert isinstance(scope, Scope)
        return scope.actor


def make_key(by: Api, name: str, **more: Any) -> Api:
    return Api(by.ok("POST", "/api-keys", {"name": name, "role": "tenant_admin", **more})["key"])


def user(acme: Cast, name: str, **more: Any) -> UUID:
    return UUID(acme.admin.ok("POST", "/users", {"name": name, **more})["id"])


class TestActor:
    def test_is_the_same_person_under_two_keys(self, acme: Cast) -> None:
        dina = user(acme, "Dina")
        one, other = (actor(key(acme.id, role, dina)) for role in (Role.HR, Role.TENANT_ADMIN))
        assert (one.id, other.id) == (dina, dina)
        assert one.is_any_of(other.all_ids)

    def test_of_a_key_without_a_person_is_the_key_itself(self, acme: Cast) -> None:
        one, other = actor(acme.admin), actor(acme.hr)
        assert one.id in one.all_ids
        assert one.id != other.id
        assert not one.is_any_of(other.all_ids)

    def test_of_a_key_is_its_maker_too(self, acme: Cast) -> None:
        dina, rafi = user(acme, "Dina"), user(acme, "Rafi")
        by_dina = key(acme.id, Role.TENANT_ADMIN, dina)
        machine = make_key(by_dina, "machine")
        of_rafi = make_key(machine, "for Rafi", user_id=str(rafi))
        assert actor(machine).id == dina
        assert actor(of_rafi).id == rafi
        assert {dina, rafi} <= actor(of_rafi).all_ids
        assert actor(key(acme.id, Role.HR, rafi)).is_any_of(actor(of_rafi).all_ids)

    def test_of_a_member_is_their_person_by_link_or_by_address(self, acme: Cast) -> None:
        linked, known = user(acme, "Linked"), user(acme, "Known", email="known@acme.example")
        [one] = sql(
            acme,
            "insert into members (tenant_id, email, role, user_id)"
            " values (:t, 'a@acme.example', 'hr', :u) returning id",
            t=acme.id,
            u=linked,
        )
        [other] = sql(
            acme,
            "insert into members (tenant_id, email, role) values (:t, 'known@acme.example', 'hr') returning id",
            t=acme.id,
        )
        for person, member in ((linked, one.id), (known, other.id)):
            [row] = sql(
                acme,
                "select hands_of(:t, array[cast(:m as uuid)]) as of_member,"
                " hands_of(:t, array[cast(:u as uuid), null]) as of_user",
                t=acme.id,
                m=member,
                u=person,
            )
            assert set(row.of_member) == set(row.of_user) == {person, member}

    def test_stands_in_the_audit_by_its_ids(self, acme: Cast) -> None:
        dina = user(acme, "Dina")
        by_dina = key(acme.id, Role.TENANT_ADMIN, dina)
        by_dina.ok("POST", "/departments", {"name": "Sewing"})
        row = acme.admin.ok("GET", "/audit-logs?entity_type=department")["items"][0]
        assert str(dina) in row["actor_ids"]


class TestNamesOfKeys:
    def test_are_unique_among_those_that_live(self, acme: Cast) -> None:
        created = acme.admin.ok("POST", "/api-keys", {"name": "box", "role": "hr"})
        again = acme.admin.post("/api-keys", {"name": "box", "role": "hr"})
        assert again.status == 409
        assert again.json["errors"] == [{"pointer": "/name", "detail": "must be unique"}]
        acme.admin.ok("DELETE", f"/api-keys/{created['id']}")
        assert acme.admin.post("/api-keys", {"name": "box", "role": "hr"}).status == 201

    def test_may_be_the_same_in_two_tenants(self, acme: Cast, zenith: Cast) -> None:
        for cast in (acme, zenith):
            assert cast.admin.post("/api-keys", {"name": "box", "role": "hr"}).status == 201

    def test_name_the_maker_of_a_key(self, acme: Cast) -> None:
        created = acme.admin.ok("POST", "/api-keys", {"name": "box", "role": "hr"})
        assert created["made_by"] == "tenant_admin key"
