"""Commands: a tenant's payouts, those that need a person, and matching with the providers' lists after a restore."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from sqlalchemy import func, select

from chalicelib.features.payouts.matching import actions as matching_actions
from chalicelib.features.payouts.matching.actions import MatchedReference
from chalicelib.features.payouts.models import payouts
from chalicelib.features.people.models import users
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.moments import read_moment
from chalicelib.kernel.states import PayoutStatus
from chalicelib.operators import scopes
from chalicelib.operators.terminal import AsJson, OneTenant, print_json, print_table

payouts_app = typer.Typer(help="Payouts: see them, match them with the provider's list.", no_args_is_help=True)

LISTED = ("person", "amount", "currency", "status", "kind", "provider", "created", "problem", "id")
MANUAL_STATUSES = (PayoutStatus.REVIEW, PayoutStatus.HELD)
Limit = Annotated[int, typer.Option(min=1, help="How many, newest first.")]


@payouts_app.command("list")
def list_payouts(
    tenant: OneTenant,
    status: Annotated[PayoutStatus | None, typer.Option(help="Only those.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List the latest payouts of a tenant.

    Example: payouts list --tenant acme --status failed
    """
    with scopes.operating(scopes.get_tenant_id(tenant)) as scope:
        rows = _load_payouts(scope, [status] if status else list(PayoutStatus), limit)
    _print(rows, as_json=as_json, empty="There is no such payout.")


@payouts_app.command("review")
def review_payouts(tenant: OneTenant, limit: Limit = 50, as_json: AsJson = False) -> None:
    """List the payouts that need a person: in review, or held until somebody approves; end with 1 if there are any.

    Example: payouts review --tenant acme
    """
    with scopes.operating(scopes.get_tenant_id(tenant)) as scope:
        rows = _load_payouts(scope, MANUAL_STATUSES, limit)
    _print(rows, as_json=as_json, empty="No payout needs a person.")
    if rows:
        raise typer.Exit(1)


@payouts_app.command("match")
def match_payouts(
    tenant: OneTenant,
    since: Annotated[str, typer.Option(help="A moment with its offset, some minutes before the one restored.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """After a restore, while payouts are off: adopt what the provider paid and the books have lost, settle the rest.

    Doing it again changes nothing. It ends with 1 if something is left that a person has to find out.

    Example: payouts match --tenant acme --since 2026-01-31T09:45:00+06:00 --dry-run
    """
    moment = _parse_moment(since)
    with scopes.operating(scopes.get_tenant_id(tenant)) as scope:
        matches = (matching_actions.compare if dry_run else matching_actions.match)(scope, since=moment)
    counts = {
        outcome.value: sum(match.outcome is outcome for match in matches) for outcome in matching_actions.MatchOutcome
    }
    if as_json:
        print_json(
            {"tenant": tenant, "dry_run": dry_run, "counts": counts, "matched": [asdict(match) for match in matches]}
        )
    else:
        rows = [
            _describe_match(match) for match in matches if match.outcome is not matching_actions.MatchOutcome.UNCHANGED
        ]
        print_table(
            rows,
            columns=("reference", "amount", "currency", "person", "was", "becomes", "outcome", "problem"),
            empty="",
        )
        summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        typer.echo(f"{'Would be' if dry_run else 'Matched'}: {summary}.")
    if counts[matching_actions.MatchOutcome.CONTRADICTED]:
        raise typer.Exit(1)


def _load_payouts(
    scope: Scope, statuses: list[PayoutStatus] | tuple[PayoutStatus, ...], limit: int
) -> list[dict[str, Any]]:
    """Load the latest payouts in these states, as they are printed."""
    rows = scope.session.execute(
        select(
            users.c.name.label("person"),
            payouts,
            func.to_char(payouts.c.created_at.op("at time zone")("UTC"), 'YYYY-MM-DD HH24:MI"Z"').label("created"),
        )
        .join(users, (users.c.tenant_id == payouts.c.tenant_id) & (users.c.id == payouts.c.user_id))
        .where(payouts.c.tenant_id == scope.tenant_id, payouts.c.status.in_(statuses))
        .order_by(payouts.c.id.desc())
        .limit(limit)
    )
    return [{name: row[name] for name in (*LISTED, "reference", "user_id")} for row in rows.mappings()]


def _print(rows: list[dict[str, Any]], *, as_json: bool, empty: str) -> None:
    if as_json:
        print_json(rows)
    else:
        print_table(rows, columns=LISTED, empty=empty)


def _describe_match(match: MatchedReference) -> dict[str, Any]:
    return {**asdict(match), "person": match.user_id, "becomes": match.path[-1] if match.path else match.was}


def _parse_moment(text: str) -> datetime:
    """Parse --since, which must have an offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid("--since", f"{text!r} is not a moment such as 2026-01-31T09:45:00+06:00") from None
    if moment.tzinfo is None:
        raise invalid("--since", f"{text} has no offset; add Z for UTC, or one such as +06:00")
    try:
        moment = read_moment(moment)
    except ValueError as wrong:
        raise invalid("--since", f"{text} {wrong}") from None
    return moment
