"""A provider's adapter over HTTP, with a tenant's credentials from the vault, against a stand-in of its API."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chalicelib.backing import clock, vault
from chalicelib.backing.settings import settings
from chalicelib.features.payouts.delivery import credentials, provider_http, providers
from chalicelib.features.payouts.delivery.provider_http import ProviderReply
from chalicelib.features.payouts.delivery.providers import Unclear
from chalicelib.features.payouts.matching import actions as matching_actions
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from chalicelib.kernel.errors import Busy, Invalid, NotFound
from chalicelib.kernel.policy import PayoutProvider
from migrations.setup import Urls
from tests.support import acmepay
from tests.support.acmepay import Acmepay
from tests.support.cast import Cast
from tests.support.payouts import books, earned, look, only, pass_time, policy, run, seller, steps
from tests.support.people import sql
from tests.support.receiver import listening
from tests.support.stack import Stack

SETTLED = {"cash BDT": Decimal("-40.00"), "sales_cost BDT": Decimal("40.00")}
OWED = {"payable BDT": Decimal("-40.00"), "sales_cost BDT": Decimal("40.00")}


@pytest.fixture(name="provider")
def _provider(database: Urls, monkeypatch: pytest.MonkeyPatch) -> Iterator[Acmepay]:
    """Put the made-up provider in the place of the simulated one."""
    monkeypatch.setenv("WEBHOOKS_LOCAL", "true")
    settings.cache_clear()
    registered = {**providers.registry(), "simulated": acmepay.PROVIDER}
    monkeypatch.setattr(providers, "registry", lambda: registered)
    with acmepay.serving() as serving:
        yield serving
    settings.cache_clear()


def set_credentials(cast: Cast, document: str) -> None:
    """Set a tenant's credentials as an operator does."""
    with job_scope(cast.id, name="operator", now=clock.now(), origin=Origin("test")) as scope:
        credentials.set_credentials(scope, "simulated", document=document)
        for last in scope.at_commit:
            last()


def owed(cast: Cast) -> str:
    """Make an employee who is owed 40.00."""
    user_id = seller(cast)
    earned(cast, user_id)
    return user_id


class TestPay:
    def test_uses_the_tenants_own_credentials_and_our_reference_as_key(
        self, acme: Cast, zenith: Cast, running: Stack, provider: Acmepay
    ) -> None:
        for cast, api_key in ((acme, "acmes-key"), (zenith, "zeniths-key")):
            set_credentials(cast, provider.credentials(api_key))
            user_id = owed(cast)
            run(cast, running, "final")
            payout = only(cast, user_id)
            assert (payout["status"], payout["reference"] in provider.payments) == ("paid", True)
            assert books(cast) == SETTLED
        assert provider.keys == ["acmes-key", "zeniths-key"]

    def test_asks_about_what_failed_and_does_not_send_it_again(
        self, acme: Cast, running: Stack, provider: Acmepay
    ) -> None:
        set_credentials(acme, provider.credentials("key"))
        user_id = owed(acme)
        provider.failures = [502]  # it paid, and its gateway says that it did not
        run(acme, running, "final")
        assert only(acme, user_id)["status"] == "unknown"
        pass_time(acme, minutes=2)
        look(running)
        payout = only(acme, user_id)
        assert (payout["status"], payout["provider_reference"], len(provider.payments)) == ("paid", "A-1", 1)
        assert steps(payout)[1:] == ["sent sending", "answered unknown", "asked unknown", "answered paid"]

    def test_gives_money_back_where_the_provider_refuses_for_good(
        self, acme: Cast, running: Stack, provider: Acmepay
    ) -> None:
        set_credentials(acme, provider.credentials("key"))
        provider.refuses = True
        user_id = owed(acme)
        run(acme, running, "final")
        assert only(acme, user_id)["status"] == "failed"
        assert books(acme) == OWED

    def test_waits_in_the_queue_until_there_are_credentials(
        self, acme: Cast, running: Stack, provider: Acmepay
    ) -> None:
        user_id = owed(acme)
        run(acme, running, "final")
        payout = only(acme, user_id)
        assert (payout["status"], payout["attempts"], provider.keys) == ("queued", [], [])
        set_credentials(acme, provider.credentials("key"))
        pass_time(acme, minutes=6)
        look(running)
        assert only(acme, user_id)["status"] == "paid"

    def test_keeps_a_doubt_while_credentials_are_missing_and_gives_it_to_a_person_at_last(
        self, acme: Cast, running: Stack, provider: Acmepay
    ) -> None:
        set_credentials(acme, provider.credentials("key"))
        user_id = owed(acme)
        provider.failures = [502]
        run(acme, running, "final")
        sql(acme, "delete from provider_credentials")
        pass_time(acme, minutes=2)
        look(running)
        payout = only(acme, user_id)
        assert (payout["status"], payout["problem"]) == (
            "unknown",
            "there are no credentials at the provider simulated",
        )
        pass_time(acme, hours=73)
        look(running)
        assert only(acme, user_id)["status"] == "review"
        assert books(acme) == SETTLED  # and its money is not given back


class TestMatch:
    def test_adopts_what_the_provider_lists_for_the_tenants_credentials(
        self, acme: Cast, zenith: Cast, provider: Acmepay
    ) -> None:
        set_credentials(acme, provider.credentials("key"))
        user_id = owed(acme)
        provider.pay({"reference": "lost", "amount": "40.00", "currency": "BDT", "payee": user_id})
        found = {}
        for cast in (acme, zenith):  # the latter has no credentials
            policy(cast, payouts_enabled=False)
            with job_scope(cast.id, name="operator", now=clock.now(), origin=Origin("test")) as scope:
                found[cast.slug] = matching_actions.match(scope, since=datetime(2026, 1, 1, tzinfo=UTC))
        assert [one.outcome for one in found[acme.slug]] == ["adopted"]
        assert found[zenith.slug] == []
        assert books(acme) == SETTLED

    def test_changes_nothing_where_the_list_cannot_be_read(self, acme: Cast, provider: Acmepay) -> None:
        set_credentials(acme, provider.credentials("key"))
        policy(acme, payouts_enabled=False)
        provider.failures = [503]
        with (
            pytest.raises(Busy, match="HTTP 503"),
            job_scope(acme.id, name="operator", now=clock.now(), origin=Origin("test")) as scope,
        ):
            matching_actions.match(scope, since=datetime(2026, 1, 1, tzinfo=UTC))


class TestCredentials:
    def test_are_kept_encrypted_and_in_no_audit(self, acme: Cast, provider: Acmepay) -> None:
        set_credentials(acme, provider.credentials("first-secret"))
        set_credentials(acme, provider.credentials("second-secret"))
        [stored] = sql(acme, "select sealed::text as sealed from provider_credentials")
        assert "secret" not in bytes.fromhex(stored.sealed.removeprefix("\\x")).decode("latin-1")
        entries = acme.admin.ok("GET", "/audit-logs?entity_type=tenant")["items"]
        audited = [one for one in entries if one["action"].startswith("provider_credentials")]
        assert [one["action"] for one in audited] == ["provider_credentials.changed", "provider_credentials.added"]
        assert {str(one["after"]) for one in audited} == {"{'provider': 'simulated'}"}
        with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("test")) as scope:
            loaded = credentials.load(scope, "simulated")
            assert isinstance(loaded, acmepay.AcmepayCredentials)
            assert loaded.api_key.get_secret_value() == "second-secret"
            assert "second-secret" not in repr(loaded)

    def test_of_another_tenant_do_not_open(self, acme: Cast, zenith: Cast, provider: Acmepay) -> None:
        set_credentials(acme, provider.credentials("acmes-secret"))
        with job_scope(zenith.id, name="test", now=clock.now(), origin=Origin("test")) as scope:
            with pytest.raises(credentials.MissingCredentials):
                credentials.load(scope, "simulated")
            [sealed] = sql(acme, "select sealed, key_id, id from provider_credentials")
            with pytest.raises(vault.Undecryptable):
                vault.decrypt(
                    scope.session,
                    vault.EncryptedValue(sealed.key_id, bytes(sealed.sealed)),
                    tenant_id=zenith.id,
                    table="provider_credentials",
                    row_id=sealed.id,
                )

    @pytest.mark.parametrize(
        ("document", "detail"),
        [
            ('{"url": "https://x", "api_kee": "my-secret"}', "api_key (missing), api_kee (extra_forbidden)"),
            ('{"url": "https://x", "api_key": ["my-secret"]}', "api_key (string_type)"),
            ("my-secret", "the document (json_invalid)"),
        ],
    )
    def test_that_are_wrong_are_refused_without_their_values(
        self, acme: Cast, provider: Acmepay, document: str, detail: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            set_credentials(acme, document)
        assert (detail in str(refused.value), "my-secret" in str(refused.value)) == (True, False)

    def test_are_refused_of_a_provider_that_needs_none_or_is_none(self, acme: Cast, provider: Acmepay) -> None:
        with job_scope(acme.id, name="test", now=clock.now(), origin=Origin("test")) as scope:
            with pytest.raises(Invalid, match="manual needs no credentials"):
                credentials.set_credentials(scope, "manual", document="{}")
            with pytest.raises(NotFound, match="bank_file, manual, simulated"):
                credentials.set_credentials(scope, "nobody", document="{}")


class TestCall:
    @pytest.mark.parametrize("status", [301, 429, 500, 503])
    def test_takes_a_failure_for_no_answer(self, provider: Acmepay, status: int) -> None:
        provider.failures = [status]
        assert provider_http.call("GET", f"{provider.url}/payments/x", headers={"Authorization": "x"}) == Unclear(
            f"HTTP {status}"
        )

    def test_takes_an_answer_that_is_no_json_object_for_no_answer(self, provider: Acmepay) -> None:
        with listening() as receiver:  # it says thanks
            reply = provider_http.call("POST", receiver.url, headers={}, document={})
        assert reply == Unclear("HTTP 200, and an answer that is no JSON object")

    def test_takes_a_connection_refused_for_no_answer(self, provider: Acmepay) -> None:
        with listening() as receiver:
            url = receiver.url
        assert isinstance(provider_http.call("GET", url, headers={}), Unclear)

    def test_keeps_amounts_exact(self, provider: Acmepay) -> None:
        provider.payments["x"] = {"amount": 0.1}
        reply = provider_http.call("GET", f"{provider.url}/payments/x", headers={"Authorization": "x"})
        assert reply == ProviderReply(200, {"amount": "0.1"})


class TestRegistry:
    def test_has_a_module_for_each_choice_of_a_tenant(self) -> None:
        assert set(providers.registry()) == set(PayoutProvider)

    def test_knows_one_way_to_pay_for_each(self) -> None:
        for name, provider in providers.registry().items():
            abilities = provider.abilities
            ways = [provider.is_called, abilities.sends_files, abilities.is_manual]
            assert (name, ways.count(True)) == (name, 1)
