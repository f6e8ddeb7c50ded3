"""Command: load the demo."""

import typer

from chalicelib.operators.demo import load
from chalicelib.operators.terminal import AsJson, print_json

demo_app = typer.Typer(help="Two companies to try things on.", no_args_is_help=True)


@demo_app.callback()
def _group() -> None:
    """Two companies to try things on."""


@demo_app.command("load")
def load_demo(as_json: AsJson = False) -> None:
    """Load the demo companies Acme and Zenith, or bring them up to yesterday, and print a fresh key per role.

    Example: demo load --json
    """
    loaded = load.load()
    if as_json:
        print_json(loaded)
        return
    for slug, summary in loaded["tenants"].items():
        typer.echo(f"{slug}: {summary['employees']} employees, computed: {', '.join(summary['months'])}")
        typer.echo(f"{slug}: {summary['sellers']} sellers with {summary['sales']} sales, paid by payouts; among them:")
        for outcome, payout_id in summary["payouts"].items():
            typer.echo(f"  {outcome:<16} {payout_id}")
    typer.echo("\nKeys of acme's roles; earlier demo keys are ended:")
    for role, key in loaded["api_keys"].items():
        typer.echo(f"  {role:<16} {key}")
