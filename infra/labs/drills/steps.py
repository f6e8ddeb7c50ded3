"""The steps of a drill, with what was seen and the seconds of each; the first failure ends it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.table import Table


class DrillFailure(RuntimeError):
    """A step failed: what was seen is not what must be."""


@dataclass
class Step:
    """A step, and its line of the table."""

    name: str
    seen: str = ""
    seconds: float = 0.0
    problem: str = ""


@dataclass
class Steps:
    """The steps of a drill so far."""

    title: str
    console: Console = field(default_factory=Console)
    done: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a step. The block sets `seen`, or raises DrillFailure."""
        step = Step(name)
        self.done.append(step)
        began = time.monotonic()
        try:
            yield step
        except Exception as error:
            step.problem = f"{error}" if isinstance(error, DrillFailure) else f"{type(error).__name__}: {error}"
            raise
        finally:
            step.seconds = time.monotonic() - began

    @property
    def passed(self) -> bool:
        """Return whether there are steps, and none failed."""
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


def expect(seen: object, expected: object, what: str) -> None:
    """Raise DrillFailure unless what was seen is what was expected."""
    if seen != expected:
        raise DrillFailure(f"{what}: {seen} instead of {expected}")
