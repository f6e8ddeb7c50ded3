"""Input and output of commands: options, tables for people, JSON for machines, an error as one line."""

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
    """Clean the text of an option that will be stored, by the rule for all text of people."""
    try:
        cleaned = clean_line(text)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from None
    if not cleaned:
        raise typer.BadParameter("holds nothing that can be seen")
    return cleaned


class TerminalCommand(TyperGroup):
    """The command line: an error that an operator can act on is printed as one line, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if (line := explain(error)) is None:
                raise
            typer.secho(line, err=True, fg="red")
            raise typer.Exit(1) from None


def explain(error: Exception) -> str | None:
    """Return one line for an error that an operator can act on; None for a bug of ours."""
    if fault := fault_of(error):
        if fault.kind == "invalid" and fault.places:
            return "; ".join(f"{place.pointer.strip('/')}: {place.detail}" for place in fault.places)
        return fault.detail
    if isinstance(error, ProgrammingError) and getattr(error.orig, "sqlstate", "") == "42P01":
        missing = str(error.orig).splitlines()[0]
        return f"The database's schema is not of this version ({missing}): run `python -m chalicelib.cli migrate`."
    package = type(error).__module__.partition(".")[0]
    if package == "botocore":
        return f"The queues do not answer as they should ({type(error).__name__}). Is `make run` running?"
    if package == "alembic" or type(error) is RuntimeError:
        return str(error)
    return None


def silence_logs() -> None:
    """Keep logs below ERROR out of a command's output; errors go to stderr."""
    logger.setLevel(logging.ERROR)
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stderr)


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    typer.echo(json.dumps(value, indent=2, default=str))


def print_table(rows: list[dict[str, Any]], *, columns: tuple[str, ...], empty: str) -> None:
    """Print rows as a table; wide where the output is no terminal, so that nothing is cut off."""
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
