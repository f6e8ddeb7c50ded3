"""Command: bring the leave ledger in line with the register, for all employees of a tenant."""

from datetime import date
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from chalicelib.features.leave.allocations import recount_actions
from chalicelib.features.periods import working_days
from chalicelib.operators import scopes
from chalicelib.operators.terminal import AsJson, OneTenant, print_json

EMPLOYEES_PER_TRANSACTION = 500

leave_app = typer.Typer(help="Leave: recount what people have used.", no_args_is_help=True)


@leave_app.command("recount")
def recount(
    tenant: OneTenant,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be booked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Recount leave that was booked before the ledger followed the register; doing it twice books nothing.

    Days in locked pay periods stay as they are. People whose days change are notified. Run `check` afterwards: it names
    leave set by hand that nothing is left for.

    Example: leave recount --tenant acme --dry-run
    """
    tenant_id = scopes.get_tenant_id(tenant)
    with scopes.operating(tenant_id) as scope:
        first = working_days.first_open_day(scope)
        people = recount_actions.load_employees_with_leave(scope, first=first)
    chunks = [
        people[start : start + EMPLOYEES_PER_TRANSACTION] for start in range(0, len(people), EMPLOYEES_PER_TRANSACTION)
    ]
    changed = 0
    for chunk in track(chunks, "recounting", console=Console(stderr=True), disable=as_json, transient=True):
        with scopes.operating(tenant_id) as scope:
            savepoint = scope.session.begin_nested()
            changed += recount_actions.recount(scope, user_ids=chunk, first=first, last=date.max)
            if dry_run:
                savepoint.rollback()
                scope.at_commit.clear()
                scope.outgoing.clear()
    if as_json:
        print_json({"tenant": tenant, "people": len(people), "recounted": changed, "dry_run": dry_run})
    else:
        done = "would be recounted" if dry_run else "recounted"
        typer.echo(f"{tenant}: {len(people)} people have leave; {changed} requests and leaves by hand {done}.")
