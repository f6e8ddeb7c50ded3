"""A drill told step by step: what was done, what was seen, how long it took. It ends at the first wrong thing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.table import Table


class Wrong(RuntimeError):
    """What was seen instead of what has to be."""


@dataclass
class Step:
    """One line of the table."""

    name: str
    seen: str = ""
    seconds: float = 0.0
    problem: str = ""


@dataclass
class Steps:
    """What a drill has done so far."""

    title: str
    console: Console = field(default_factory=Console)
    done: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a step. Whoever does it says in `seen` what they saw, or raises Wrong."""
        step = Step(name)
        self.done.append(step)
        began = time.monotonic()
        try:
            yield step
        except Exception as error:
            step.problem = f"{error}" if isinstance(error, Wrong) else f"{type(error).__name__}: {error}"
            raise
        finally:
            step.seconds = time.monotonic() - began

    @property
    def held(self) -> bool:
        """Return whether nothing was wrong."""
        return bool(self.done) and not any(step.problem for step in self.done)

    def show(self) -> None:
        """Print the table, in colour on a terminal and plain elsewhere."""
        console = self.console
        if not console.is_terminal:
            console = Console(file=console.file, width=160)
        table = Table(title=self.title, title_justify="left", box=box.SIMPLE_HEAD if console.is_terminal else box.ASCII)
        table.add_column("step")
        table.add_column("what was seen")
        table.add_column("seconds", justify="right")
        for step in self.done:
            seen = f"[red]WRONG: {step.problem}[/]" if step.problem else step.seen
            table.add_row(step.name, seen, f"{step.seconds:.2f}")
        console.print(table)


def expect(seen: object, wanted: object, what: str) -> None:
    """Raise Wrong where something is not as it has to be."""
    if seen != wanted:
        raise Wrong(f"{what}: {seen} instead of {wanted}")
