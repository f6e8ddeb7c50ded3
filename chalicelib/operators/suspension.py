"""Commands: suspend and resume a tenant."""

from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import text

from chalicelib.features.tenants import actions, queries
from chalicelib.features.tenants.schemas import PlatformTenantPatch
from chalicelib.operators import scopes
from chalicelib.operators.terminal import AsJson, OneTenant, clean, print_json

_WAITING = text("""
    select
        (select count(*) from outbox where tenant_id = :tenant_id and sent_at is null) as messages,
        (select count(*) from payouts where tenant_id = :tenant_id and status = 'queued') as payouts_to_send,
        (select count(*) from payouts where tenant_id = :tenant_id and status in ('sending', 'unknown')) as in_doubt""")


def suspend(
    tenant: OneTenant,
    reason: Annotated[str, typer.Option(help="What the tenant's callers are told.")],
    as_json: AsJson = False,
) -> None:
    """Suspend a tenant: its callers get 403 with the reason, its schedules and queues rest, no payout is sent.

    Nothing is lost: what waits goes on after `tenants resume`. Payouts in doubt are still asked about.

    Example: tenants suspend --tenant acme --reason "The March invoice is open."
    """
    changes = PlatformTenantPatch(status="suspended", suspended_because=reason).sent_fields()
    tenant_id, before = _change(tenant, changes, why=None)
    _print_outcome(tenant, tenant_id, before, "suspended", as_json=as_json)


def resume(
    tenant: OneTenant,
    reason: Annotated[str, typer.Option(help="Why, for the audit.", callback=clean)],
    as_json: AsJson = False,
) -> None:
    """Let a suspended tenant go on: what waited is sent within two minutes.

    Example: tenants resume --tenant acme --reason "It was paid."
    """
    tenant_id, before = _change(tenant, PlatformTenantPatch(status="active").sent_fields(), why=reason)
    _print_outcome(tenant, tenant_id, before, "active", as_json=as_json)


def add_to(tenants_app: typer.Typer) -> None:
    """Register the commands."""
    tenants_app.command("suspend")(suspend)
    tenants_app.command("resume")(resume)


def _change(slug: str, changes: dict[str, Any], *, why: str | None) -> tuple[UUID, str]:
    tenant_id = scopes.get_tenant_id(slug)
    with scopes.platform() as scope:
        before = queries.get_platform_tenant(scope, tenant_id, lock=True)
        if any(getattr(before, name) != value for name, value in changes.items()):
            actions.change_tenant(scope, tenant_id=tenant_id, patch=changes, if_match=None, why=why)
    return tenant_id, before.status


def _print_outcome(slug: str, tenant_id: UUID, before: str, after: str, *, as_json: bool) -> None:
    with scopes.operating(tenant_id) as scope:
        waiting = dict(scope.session.execute(_WAITING, {"tenant_id": tenant_id}).mappings().one())
    if as_json:
        print_json({"tenant": slug, "before": before, "status": after, "waiting": waiting})
    else:
        changed = f"was {before} and is {after} now" if before != after else f"is {after}, as it was"
        typer.echo(
            f"{slug} {changed}. Waiting: {waiting['messages']} messages, {waiting['payouts_to_send']} payouts to send,"
            f" {waiting['in_doubt']} payouts in doubt."
        )
