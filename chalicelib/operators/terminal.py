"""How commands speak: tables for people, JSON for machines, one line for what went wrong."""

import json
import logging
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import ProgrammingError
from typer.core import TyperGroup

from chalicelib.backing.log import logger
from chalicelib.entry.problems import fault_of
from chalicelib.kernel.text import clean_line

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
OneTenant = Annotated[str, typer.Option("--tenant", help="The tenant's slug, such as acme.")]
MaybeTenant = Annotated[str | None, typer.Option("--tenant", help="Only this tenant, by its slug; else all.")]


def clean(text: str) -> str:
    """Return what an operator typed, cleaned as all human text is; for options that are kept."""
    try:
        cleaned = clean_line(text)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from None
    if not cleaned:
        raise typer.BadParameter("holds nothing that can be seen")
    return cleaned


class TerminalCommand(TyperGroup):
    """The command line itself: whatever an operator can understand is said in one line, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if (said := explained(error)) is None:
                raise
            typer.secho(said, err=True, fg="red")
            raise typer.Exit(1) from None


def explained(error: Exception) -> str | None:
    """Return in one line what an operator can do something about; None where it is our own mistake."""
    if fault := fault_of(error):
        if fault.kind == "invalid" and fault.places:
            return "; ".join(f"{place.pointer.strip('/')}: {place.detail}" for place in fault.places)
        return fault.detail
    if isinstance(error, ProgrammingError) and getattr(error.orig, "sqlstate", "") == "42P01":
        missing = str(error.orig).splitlines()[0]
        return f"The database's schema is not of this version ({missing}): run `python -m chalicelib.cli migrate`."
    home = type(error).__module__.partition(".")[0]
    if home == "botocore":
        return f"The queues do not answer as they should ({type(error).__name__}). Is `make run` running?"
    if home == "alembic" or type(error) is RuntimeError:
        return str(error)
    return None


def quiet() -> None:
    """Keep logs out of what a command prints; a failure still reaches stderr."""
    logger.setLevel(logging.ERROR)
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stderr)


def print_json(value: Any) -> None:
    """Print one JSON document, and nothing else, on stdout."""
    typer.echo(json.dumps(value, indent=2, default=str))


def print_table(rows: list[dict[str, Any]], *, columns: tuple[str, ...], empty: str) -> None:
    """Print rows as a table; as wide as it must be where nobody watches, so that nothing is cut off."""
    if not rows:
        typer.echo(empty)
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in columns))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 240
    console.print(table)
