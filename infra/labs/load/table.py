"""The tables of the output."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from infra.labs.load.figures import Summary, Verdict


def show(console: Console, part: str, phases: list[tuple[str, Summary]], verdicts: list[Verdict]) -> None:
    """Print the phases, and each figure beside its limit."""
    style = box.SIMPLE_HEAD if console.is_terminal else box.ASCII2
    seen = Table(title=f"Wagebook, {part}", title_justify="left", box=style)
    for name in ("phase", "offered/s", "accepted/s", "429", "503", "errors", "p50 ms", "p95 ms", "p99 ms"):
        seen.add_column(name, justify="left" if name == "phase" else "right")
    for name, summary in phases:
        times = [f"{summary.at(percent) * 1000:,.0f}" for percent in (50, 95, 99)]
        refused = [f"{summary.refused[status]:,}" for status in (429, 503)]
        seen.add_row(
            name,
            f"{summary.offered / summary.seconds:,.0f}",
            f"{summary.per_second:,.0f}",
            *refused,
            str(summary.errors.total()),
            *times,
        )
    console.print(seen)
    judged = Table(box=style)
    for name in ("figure", "seen", "wanted", ""):
        judged.add_column(name)
    for verdict in verdicts:
        judged.add_row(verdict.what, verdict.seen, verdict.limit, "[green]met[/]" if verdict.met else "[red]missed[/]")
    console.print(judged)
