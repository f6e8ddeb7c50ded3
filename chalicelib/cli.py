"""The operators' command line: `python -m chalicelib.cli`.

It works on the stack of WAGEBOOK_HOME, or on the database of APPLICATION_DATABASE_URL.
"""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from chalicelib.operators import backlog, checks, export, person_export, schema, scopes, suspension
from chalicelib.operators.access import keys_app, tenants_app
from chalicelib.operators.admins import admins_app
from chalicelib.operators.dead_letters import dead_letters_app
from chalicelib.operators.demo.commands import demo_app
from chalicelib.operators.erasure import people_app
from chalicelib.operators.jobs import jobs_app
from chalicelib.operators.leave import leave_app
from chalicelib.operators.payouts import payouts_app
from chalicelib.operators.providers import providers_app
from chalicelib.operators.rotation import vault_app
from chalicelib.operators.terminal import AsJson, MaybeTenant, TerminalCommand, print_json, print_table, silence_logs

app = typer.Typer(
    cls=TerminalCommand,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Operate Wagebook: tenants, keys, jobs, payouts, dead letters, checks. It talks to the stack of `make run`"
    " (same WAGEBOOK_HOME), or to APPLICATION_DATABASE_URL.",
)
suspension.add_to(tenants_app)
export.add_to(tenants_app)
person_export.add_to(people_app)
app.add_typer(tenants_app, name="tenants")
app.add_typer(people_app, name="people")
app.add_typer(admins_app, name="admins")
app.add_typer(keys_app, name="api-keys")
app.add_typer(demo_app, name="demo")
app.add_typer(jobs_app, name="jobs")
app.add_typer(leave_app, name="leave")
app.add_typer(payouts_app, name="payouts")
app.add_typer(providers_app, name="providers")
app.add_typer(dead_letters_app, name="dead-letters")
app.add_typer(vault_app, name="vault")
backlog.add_to(app)


@app.callback()
def _prepare() -> None:
    silence_logs()


@app.command()
def check(tenant: MaybeTenant = None, as_json: AsJson = False) -> None:
    """Check what must always hold, for one tenant or all; end with 1 if anything does not.

    What only waits for somebody is listed too, and changes nothing about how it ends.

    Example: check --tenant acme
    """
    tenants = scopes.get_tenants(tenant)
    shown = not as_json and len(tenants) > 1
    results = checks.check_all(
        track(tenants, "checking", console=Console(stderr=True), disable=not shown, transient=True)
    )
    if as_json:
        by_check = {result.check: _describe(result) for result in results}
        print_json({"tenants": len(tenants), "ok": not any(one.failed for one in results), "checks": by_check})
    else:
        rows = [{**_describe(result), "result": result.result} for result in results]
        print_table(rows, columns=("check", "result", "seen", "wrong", "holds"), empty="")
        for result in results:
            for problem in result.problems:
                typer.secho(f"{result.check}: {problem}", fg="red" if result.failed else "yellow")
    if any(result.failed for result in results):
        raise typer.Exit(1)


def _describe(result: checks.CheckResult) -> dict[str, object]:
    """Return a check's result under the names that `check --json` has always printed."""
    return {
        "check": result.check,
        "holds": result.invariant,
        "is_warning": result.is_warning,
        "seen": result.seen,
        "wrong": result.wrong,
        "said": result.problems,
    }


@app.command()
def migrate(
    to: Annotated[str, typer.Option(help="The revision to stop at.")] = "head", as_json: AsJson = False
) -> None:
    """Bring the database's schema up to date, as the migrator (MIGRATION_DATABASE_URL).

    Example: migrate --to 2026_11_21_0800
    """
    before, after = schema.migrate(to)
    if as_json:
        print_json({"from": before, "to": after})
    elif before == after:
        typer.echo(f"Nothing to do: the schema is at {after}.")
    else:
        typer.echo(f"Migrated from {before or 'nothing'} to {after}.")


if __name__ == "__main__":
    app(prog_name="python -m chalicelib.cli")
