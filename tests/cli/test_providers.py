"""Payout providers from the terminal: listed, and a tenant's credentials set from standard input."""

import pytest

from chalicelib.features.payouts.delivery import providers
from tests.cli.conftest import Cli
from tests.support import acmepay
from tests.support.cast import Cast, tenant
from tests.support.people import sql

DOCUMENT = '{"url": "https://pay.example", "api_key": "my-secret"}'


@pytest.fixture(name="acme")
def _acme(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cast:
    registered = {**providers.registry(), "acmepay": acmepay.PROVIDER}
    monkeypatch.setattr(providers, "registry", lambda: registered)
    monkeypatch.setattr("chalicelib.operators.providers.registry", lambda: registered)
    return tenant("Acme")


def state(cli: Cli, cast: Cast) -> dict[str, str]:
    """Return what the list shows of each provider's credentials."""
    listed = cli("providers", "list", "--tenant", cast.slug, "--json")
    assert (listed.code, "my-secret" in listed.out) == (0, False)
    return {row["provider"]: row["credentials"] for row in listed.json}


class TestSetCredentials:
    def test_reads_them_from_standard_input_and_shows_them_nowhere(self, cli: Cli, acme: Cast) -> None:
        zenith = tenant("Zenith")
        assert state(cli, acme) == {
            "acmepay": "missing",
            "bank_file": "none needed",
            "manual": "none needed",
            "simulated": "none needed",
        }
        said = cli("providers", "set-credentials", "acmepay", "--tenant", acme.slug, typed=DOCUMENT)
        assert (said.code, said.out) == (0, f"The credentials of {acme.slug} at acmepay are set.\n")
        assert state(cli, acme)["acmepay"].startswith("20")
        assert state(cli, zenith)["acmepay"] == "missing"

    def test_refuses_what_the_provider_does_not_need(self, cli: Cli, acme: Cast) -> None:
        said = cli("providers", "set-credentials", "acmepay", "--tenant", acme.slug, typed='{"api_key": "my-secret"}')
        assert (said.code, said.err) == (1, "credentials: are not what acmepay needs: url (missing)\n")


class TestRemoveCredentials:
    def test_deletes_them(self, cli: Cli, acme: Cast) -> None:
        assert cli("providers", "set-credentials", "acmepay", "--tenant", acme.slug, typed=DOCUMENT).code == 0
        assert cli("providers", "remove-credentials", "acmepay", "--tenant", acme.slug).code == 0
        assert sql(acme, "select * from provider_credentials") == []
        said = cli("providers", "remove-credentials", "acmepay", "--tenant", acme.slug)
        assert (said.code, said.err) == (1, "There are no credentials at the provider acmepay.\n")
