"""The table that a person reads, and the file that a program reads."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Target:
    """A limit that a figure should meet."""

    value: float
    at_least: bool = True

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.value:g}"

    def met_by(self, figure: float) -> bool:
        return figure >= self.value if self.at_least else figure <= self.value


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: a measured rate or time, and its ratio to a yardstick."""

    what: str
    measured: str
    ratio: float | None = None
    of: str = ""
    target: Target | None = None

    @property
    def met(self) -> bool | None:
        return None if self.target is None or self.ratio is None else self.target.met_by(self.ratio)


def show(lines: list[Line], *, title: str, command: str, notes: list[str]) -> None:
    """Print the table, in colour on a terminal and plain elsewhere."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=170)
    table = Table(title=title, box=box.SIMPLE_HEAD if console.is_terminal else box.ASCII2, title_justify="left")
    for name in ("what", "measured", "ratio", "of", "target", ""):
        table.add_column(name, justify="right" if name in ("measured", "ratio", "target") else "left")
    for line in lines:
        verdict = {None: "", True: "[green]met[/]", False: "[red]not met[/]"}[line.met]
        ratio = "" if line.ratio is None else f"{line.ratio:,.2f}"
        table.add_row(line.what, line.measured, ratio, line.of, str(line.target or ""), verdict)
    console.print(table)
    for note in notes:
        console.print(f"- {note}", highlight=False, markup=False)
    console.print(f"made by: {command}", highlight=False, markup=False)


def write(file: Path, lines: list[Line], *, command: str, notes: list[str]) -> None:
    """Write the lines as JSON."""
    rows = [{**asdict(line), "target": str(line.target or ""), "met": line.met} for line in lines]
    file.write_text(json.dumps({"command": command, "lines": rows, "notes": notes}, indent=2) + "\n")


def per_second(employees: int, seconds: float) -> str:
    """Format a rate and its time."""
    return f"{employees / seconds:,.0f}/s ({seconds:.2f} s)"


def clock(seconds: float) -> str:
    """Format a short time."""
    return f"{seconds * 1e6:,.0f} us" if seconds < 0.01 else f"{seconds * 1e3:,.1f} ms"
