"""A new data key takes the old one's place: all that is sealed opens as before; another tenant's is left alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from uuid import UUID

import psycopg
import pytest

from chalicelib.backing import clock, vault
from chalicelib.features.payouts.batches import settings_queries as batch_settings_queries
from chalicelib.features.payouts.delivery import credentials, providers
from chalicelib.features.people.destinations import queries as destination_queries
from chalicelib.features.webhooks import queries as webhooks
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin, Scope
from chalicelib.operators import rotation
from tests.cli.conftest import Cli
from tests.support import acmepay
from tests.support.cast import Cast, tenant
from tests.support.people import sql

IBANS = ["DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606"]
PLACES = {
    "bank_file_settings.payer_sealed",
    "payout_destinations.sealed",
    "provider_credentials.sealed",
    "webhook_endpoints.secret_sealed",
    "webhook_endpoints.old_secret_sealed",
}


def company(name: str) -> Cast:
    """Make a tenant with something sealed in every place that there is."""
    made = tenant(name)
    for number, iban in enumerate(IBANS):
        user = made.hr.ok("POST", "/users", {"name": f"Person {number}"})
        path = f"/users/{user['id']}/payout-destination"
        made.admin.ok("PUT", path, {"kind": "iban", "holder": f"Person {number}", "iban": IBANS[number - 1]})
        made.admin.ok("PUT", path, {"kind": "iban", "holder": f"Person {number}", "iban": iban})  # the one before stays
    hook = made.admin.ok("POST", "/webhook-endpoints", {"url": "https://1.1.1.1/hooks"})
    made.admin.ok("POST", f"/webhook-endpoints/{hook['id']}/rotate-secret")
    made.admin.ok(
        "PUT", "/payouts/bank-file-settings", {"format": "pain.001", "payer": {"name": f"{name} Ltd", "iban": IBANS[0]}}
    )
    with acmepay_registered(), job_scope(made.id, name="test", now=clock.now(), origin=Origin("test")) as scope:
        credentials.set_credentials(scope, "acmepay", document='{"url": "https://pay.example", "api_key": "secret"}')
    return made


@contextmanager
def acmepay_registered() -> Iterator[None]:
    """Register the made-up provider, which needs credentials."""
    registered = {**providers.registry(), "acmepay": acmepay.PROVIDER}
    with mock.patch.object(providers, "registry", return_value=registered):
        yield


@pytest.fixture(name="acme")
def _acme(database: object) -> Cast:
    return company("Acme")


def opened(cast: Cast) -> list[Any]:
    """Open everything of a tenant as whoever needs it does."""
    with job_scope(cast.id, name="test", now=clock.now(), origin=Origin("test")) as scope:
        ids = [row.id for row in sql(cast, "select id from payout_destinations order by id")]
        settings = batch_settings_queries.find_settings(scope)
        found = destination_queries.open_destinations(scope, ids)
        hook = UUID(cast.admin.ok("GET", "/webhook-endpoints")["items"][0]["id"])
        return [
            [found[one].iban for one in ids],
            webhooks.decrypt_secrets(scope, webhooks.get_endpoint(scope, hook)),
            open_credentials(scope),
            settings and batch_settings_queries.decrypt_payer(scope, settings),
        ]


def open_credentials(scope: Scope) -> str:
    with acmepay_registered():
        loaded = credentials.load(scope, "acmepay")
    assert isinstance(loaded, acmepay.AcmepayCredentials)
    return loaded.api_key.get_secret_value()


def under(cast: Cast) -> dict[str, set[UUID]]:
    """Return the keys that each place's values are sealed under."""
    return {
        f"{place.table}.{place.value}": {key for (key,) in sql(cast, f"select {place.key} from {place.table}")}
        for place in [rotation.EncryptedColumn(*row) for row in sql(cast, rotation._ENCRYPTED_COLUMNS.text)]
    }


def all_under(key_id: UUID) -> dict[str, set[UUID]]:
    return {place: {key_id} for place in PLACES}


def keys(cast: Cast) -> list[tuple[UUID, bool]]:
    return [tuple(row) for row in sql(cast, "select id, retired_at is not null from tenant_keys order by id")]


class TestRotate:
    def test_seals_everything_again_and_all_of_it_opens_as_before(self, cli: Cli, acme: Cast) -> None:
        before = opened(acme)
        said = cli("vault", "rotate", "--tenant", acme.slug, "--json")
        assert said.code == 0, said.err
        assert said.json["resealed"] == {
            "bank_file_settings.payer_sealed": 1,
            "payout_destinations.sealed": 6,
            "provider_credentials.sealed": 1,
            "webhook_endpoints.old_secret_sealed": 1,
            "webhook_endpoints.secret_sealed": 1,
        }
        made = UUID(said.json["key_id"])
        assert under(acme) == all_under(made)
        assert [retired for _, retired in keys(acme)] == [True, False]
        assert opened(acme) == before
        actions = [one["action"] for one in acme.admin.ok("GET", "/audit-logs?entity_type=tenant_key")["items"]]
        assert actions == ["vault.keys_retired", "vault.key_made"]

    def test_changes_nothing_of_another_tenant(self, cli: Cli, acme: Cast) -> None:
        zenith = company("Zenith")
        before = under(zenith), keys(zenith), sql(zenith, "select sealed from payout_destinations order by id")
        assert cli("vault", "rotate", "--tenant", acme.slug).code == 0
        assert (
            under(zenith),
            keys(zenith),
            sql(zenith, "select sealed from payout_destinations order by id"),
        ) == before

    def test_makes_another_key_each_time(self, cli: Cli, acme: Cast) -> None:
        for _ in range(2):
            assert cli("vault", "rotate", "--tenant", acme.slug).code == 0
        assert [retired for _, retired in keys(acme)] == [True, True, False]
        assert under(acme) == all_under(keys(acme)[-1][0])

    @pytest.mark.parametrize("batch", range(1, 8))
    def test_killed_after_any_batch_goes_on_with_the_same_key(
        self, cli: Cli, acme: Cast, monkeypatch: pytest.MonkeyPatch, batch: int
    ) -> None:
        before, reseal, left = opened(acme), rotation._reencrypt_batch, iter(range(batch))

        def dying(*said: Any, **more: Any) -> Any:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return reseal(*said, **more)

        monkeypatch.setattr(rotation, "BATCH", 2)
        with monkeypatch.context() as dies:
            dies.setattr(rotation, "_reencrypt_batch", dying)
            with pytest.raises(KeyboardInterrupt):
                rotation.rotate(acme.id)
        assert opened(acme) == before  # half-way everything opens too
        assert [retired for _, retired in keys(acme)] == [False, False]
        found = rotation.rotate(acme.id)
        assert (found.is_resumed, found.key_id) == (True, keys(acme)[-1][0])
        assert under(acme) == all_under(found.key_id)
        assert [retired for _, retired in keys(acme)] == [True, False]
        assert opened(acme) == before

    def test_leaves_what_does_not_open_and_keeps_its_key(self, cli: Cli, acme: Cast, root: psycopg.Connection) -> None:
        spoiled = sql(acme, "select id from payout_destinations order by id limit 1")[0][0]
        root.execute("alter table payout_destinations disable trigger keep")
        root.execute("update payout_destinations set sealed = sealed || '\\x00' where id = %s", [spoiled])
        root.execute("alter table payout_destinations enable trigger keep")
        said = cli("vault", "rotate", "--tenant", acme.slug, "--json")
        assert said.code == 1
        assert said.json["resealed"]["payout_destinations.sealed"] == 5
        assert [str(spoiled) in problem for problem in said.json["unopenable"]] == [True]
        assert [retired for _, retired in keys(acme)] == [False, False]

    def test_of_a_tenant_without_anything_sealed_makes_its_key(self, cli: Cli, database: object) -> None:
        empty = tenant("Empty")
        assert cli("vault", "rotate", "--tenant", empty.slug).code == 0
        assert [retired for _, retired in keys(empty)] == [False]


class TestPlaces:
    def test_are_all_that_refer_to_a_key(self, acme: Cast) -> None:
        assert set(under(acme)) == PLACES

    def test_have_a_sealed_value_beside_each_key(self, acme: Cast, root: psycopg.Connection) -> None:
        named = root.execute("""
            select table_name, column_name from information_schema.columns
            where table_schema = 'public' and data_type = 'bytea' and column_name like '%sealed'""").fetchall()
        assert {f"{table}.{column}" for table, column in named} == PLACES


class TestDestination:
    @pytest.mark.parametrize("change", ["masked = 'x'", "key_id = key_id, sealed = 'x'", "superseded_at = null"])
    def test_is_still_never_rewritten(self, acme: Cast, change: str) -> None:
        old = "select id from payout_destinations where superseded_at is not null limit 1"
        with pytest.raises(Exception, match="superseded and never changed"):
            sql(acme, f"update payout_destinations set {change} where id = ({old})")

    def test_is_not_sealed_again_under_an_older_key(self, acme: Cast) -> None:
        rotation.rotate(acme.id)
        first = keys(acme)[0][0]
        with pytest.raises(Exception, match="superseded and never changed"):
            sql(acme, "update payout_destinations set key_id = :first", first=first)


class TestVault:
    def test_seals_under_the_new_key_at_once(self, acme: Cast) -> None:
        found = rotation.rotate(acme.id)
        with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("test")) as scope:
            sealed = vault.encrypt(scope.session, b"x", tenant_id=acme.id, table="t", row_id=acme.id)
        assert sealed.key_id == found.key_id
