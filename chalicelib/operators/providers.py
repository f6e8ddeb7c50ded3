"""Commands: payout providers, and the credentials that a tenant has at them."""

import sys
from typing import Annotated

import typer

from chalicelib.features.payouts.delivery import credentials
from chalicelib.features.payouts.delivery.providers import Provider, registry
from chalicelib.operators import scopes
from chalicelib.operators.terminal import AsJson, OneTenant, print_json, print_table

providers_app = typer.Typer(help="Payout providers: list them, set a tenant's credentials.", no_args_is_help=True)

COLUMNS = ("provider", "way", "look_up", "keys_kept_for", "credentials")
OneProvider = Annotated[str, typer.Argument(help="The provider's name, as `providers list` shows it.")]


@providers_app.command("list")
def list_providers(tenant: OneTenant, as_json: AsJson = False) -> None:
    """List all providers, what they can do, and whether the tenant has credentials; never the credentials themselves.

    Example: providers list --tenant acme
    """
    with scopes.operating(scopes.get_tenant_id(tenant)) as scope:
        changed_at = {stored.provider: stored.changed_at for stored in credentials.list_credentials(scope)}
    rows = [
        {
            "provider": name,
            "way": _describe_way(provider),
            "look_up": provider.abilities.supports_lookup,
            "keys_kept_for": provider.abilities.keeps_keys_for,
            "credentials": "none needed" if provider.credentials is None else changed_at.get(name, "missing"),
        }
        for name, provider in registry().items()
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, columns=COLUMNS, empty="")


@providers_app.command("set-credentials")
def set_credentials(provider: OneProvider, tenant: OneTenant) -> None:
    """Store a tenant's credentials at a provider, read as JSON from standard input; they cannot be read back.

    Example: providers set-credentials acmepay --tenant acme < credentials.json
    """
    document = sys.stdin.read()
    with scopes.operating(scopes.get_tenant_id(tenant)) as scope:
        credentials.set_credentials(scope, provider, document=document)
    typer.echo(f"The credentials of {tenant} at {provider} are set.")


@providers_app.command("remove-credentials")
def remove_credentials(provider: OneProvider, tenant: OneTenant) -> None:
    """Delete a tenant's credentials at a provider; its queued payouts wait until there are new ones.

    Example: providers remove-credentials acmepay --tenant acme
    """
    with scopes.operating(scopes.get_tenant_id(tenant)) as scope:
        credentials.remove_credentials(scope, provider)
    typer.echo(f"The credentials of {tenant} at {provider} are deleted.")


def _describe_way(provider: Provider) -> str:
    if provider.is_called:
        return "called for each payout"
    return "by files" if provider.abilities.sends_files else "by hand"
