"""The tables that a person reads."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from infra.labs.load.figures import Summary, Verdict


def show(console: Console, part: str, phases: list[tuple[str, Summary]], verdicts: list[Verdict]) -> None:
    """Print what each phase saw, and each figure beside its limit."""
    style = box.SIMPLE_HEAD if console.is_terminal else box.ASCII2
    seen = Table(title=f"Wagebook, {part}", title_justify="left", box=style)
    for name in ("phase", "offered/s", "accepted/s", "429", "503", "errors", "p50 ms", "p95 ms", "p99 ms"):
        seen.add_column(name, justify="left" if name == "phase" else "right")
    for name, one in phases:
        times = [f"{one.at(percent) * 1000:,.0f}" for percent in (50, 95, 99)]
        told = [f"{one.refused[status]:,}" for status in (429, 503)]
        seen.add_row(
            name, f"{one.offered / one.seconds:,.0f}", f"{one.per_second:,.0f}", *told, str(one.errors.total()), *times
        )
    console.print(seen)
    judged = Table(box=style)
    for name in ("figure", "seen", "wanted", ""):
        judged.add_column(name)
    for verdict in verdicts:
        judged.add_row(verdict.what, verdict.seen, verdict.wanted, "[green]met[/]" if verdict.met else "[red]missed[/]")
    console.print(judged)
