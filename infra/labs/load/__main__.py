"""Run it: `make load`, or `python -m infra.labs.load [overload | neighbours]`, with SIZE=small (two minutes) or full.

It starts a stack of its own, as `make run` does, on a free port and with its data in a folder that goes with it; finds
out how much that stack answers (closed loop: the next call as soon as one is answered); and then offers calls at their
own moments, whatever becomes of others (open loop), each timed from when it was due:

  overload     half of the capacity, five times the capacity, half of it again
  neighbours   five tenants with 5 % of the capacity each, then one of them with twenty times as much; each may make
               twice as many requests a minute as it normally makes

It ends with 1 where a figure is missed. Stack, database and callers share this machine's cores: run it on an idle one.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from infra.labs.load import cast, figures
from infra.labs.load.calls import Tenant
from infra.labs.load.figures import Answer, Summary, Verdict
from infra.labs.load.sender import Sender, Stream, sender
from infra.labs.load.table import show
from infra.local import admission, stack

TENANTS = 5
NORMAL, OVER, SHARE, NOISE = 0.5, 5.0, 0.05, 20  # of the capacity, the same, each tenant's, times that
STEADY = 0.75  # a capacity is another one if it is less than that part of what it was
MAY = 2  # times what a tenant normally asks for, a minute


@dataclass(frozen=True, slots=True)
class Size:
    """How long each part takes, in seconds, and how many people a tenant has."""

    people: int
    press: float
    calm: float
    over: float
    after: float


SIZES = {"tiny": Size(8, 1, 1, 1, 3), "small": Size(40, 3, 8, 20, 12), "full": Size(200, 15, 30, 30, 20)}


class Load:
    """A run: the stack, the sender, and the phases measured so far."""

    def __init__(self, console: Console, running: stack.Stack, to: Sender, size: Size) -> None:
        self.console, self.stack, self.to, self.size = console, running, to, size
        self.phases: list[tuple[str, Summary]] = []
        self.capacities: list[float] = []
        self.seed = 0

    def overload(self) -> list[Verdict]:
        """Offer more than the stack can answer; judge accepted calls, refusals (load shedding) and recovery."""
        size, tenants = self.size, cast.create_tenants(self.stack, TENANTS, people=self.size.people)
        capacity = self.capacity(tenants)
        normal, *_ = self._even("half of the capacity", tenants, NORMAL * capacity, size.calm)
        over, *_ = self._even("five times the capacity", tenants, OVER * capacity, size.over)
        after, answers, began = self._even("half again", tenants, NORMAL * capacity, size.after)
        self.unsteady(tenants)
        recovered = figures.recovery(answers, began, normal.at(95), began + size.after)
        return figures.of_overload(capacity, over, recovered, (normal, over, after))

    def neighbours(self) -> list[Verdict]:
        """Let one tenant of five ask for twenty times its share; judge what the others notice (noisy neighbour)."""
        size, measured = self.size, cast.create_tenants(self.stack, TENANTS, people=self.size.people)
        share = SHARE * self.capacity(measured)
        per_minute = max(1, int(MAY * 60 * share))
        tenants = cast.create_tenants(self.stack, TENANTS, people=self.size.people, per_minute=per_minute)
        noisy, others = tenants[0], {one.number for one in tenants[1:]}
        rates = [(one, share) for one in tenants]
        noise = [(one, share * (NOISE if one is noisy else 1)) for one in tenants]
        _, first, _ = self._offer("all alike", rates, size.calm)
        during, answers, _ = self._offer(f"one at {NOISE} times its share", noise, size.over)
        self._of(
            f"- the one, who may make {per_minute:,} a minute",
            [one for one in answers if one.who == noisy.number],
            size.over,
        )
        disturbed = self._of("- the others", [one for one in answers if one.who in others], size.over)
        _, last, _ = self._offer("all alike again", rates, size.calm)
        self.unsteady(measured)
        # before and after, so that a machine that gets slower or quicker is taken for neither
        calm = self._of(
            "- the others, before and after", [one for one in first + last if one.who in others], 2 * size.calm
        )
        return figures.of_neighbours(calm, disturbed, during)

    def capacity(self, tenants: list[Tenant]) -> float:
        """Measure the capacity: calls answered a second with as many callers as requests are processed at once."""
        self._press(tenants, min(self.size.press, 2))  # imports, connections, plans
        summary = self._of("capacity, closed loop", self._press(tenants, self.size.press), self.size.press)
        self.capacities.append(summary.per_second)
        return summary.per_second

    def unsteady(self, tenants: list[Tenant]) -> None:
        """Warn where the machine's capacity changed meanwhile, which makes the figures unreliable."""
        before, after = self.capacities[-1], self.capacity(tenants)
        if not STEADY <= after / before <= 1 / STEADY:
            self.console.print(
                f"[yellow]The capacity was {before:.0f} a second before and {after:.0f} after: something"
                " else works on this machine, and what follows says little.[/]"
            )

    def _press(self, tenants: list[Tenant], seconds: float) -> list[Answer]:
        self.seed += 1000
        return self.to.press(tenants, seconds, callers=admission.AT_ONCE, seed=self.seed)

    def _even(
        self, name: str, tenants: list[Tenant], total: float, seconds: float
    ) -> tuple[Summary, list[Answer], float]:
        return self._offer(name, [(one, total / len(tenants)) for one in tenants], seconds)

    def _offer(
        self, name: str, rates: list[tuple[Tenant, float]], seconds: float
    ) -> tuple[Summary, list[Answer], float]:
        self.seed += 1000
        streams = [Stream(tenant, rate, self.seed + tenant.number) for tenant, rate in rates]
        with self.console.status(f"{name}: {sum(rate for _, rate in rates):,.0f} calls a second for {seconds:.0f} s"):
            answers, began = self.to.offer(streams, seconds)
        return self._of(name, answers, seconds), answers, began

    def _of(self, name: str, answers: list[Answer], seconds: float) -> Summary:
        summary = Summary.of(answers, seconds)
        self.phases.append((name, summary))
        late = figures.percentile(sorted(one.late for one in answers), 95) * 1000
        self.console.print(
            f"  {name:<44} {summary.offered:>7,} calls, {len(summary.accepted):>6,} accepted;"
            f" 95 % were sent within {late:.0f} ms of when they were due",
            highlight=False,
        )
        return summary


PARTS: dict[str, Callable[[Load], list[Verdict]]] = {"overload": Load.overload, "neighbours": Load.neighbours}


def main(arguments: list[str] | None = None) -> int:
    """Measure the parts asked for and print the tables; return 0 if all figures were met, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.labs.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all unless said")
    parts = parser.parse_args(arguments).parts or list(PARTS)
    size = os.environ.get("SIZE", "full")
    if size not in SIZES:
        parser.error(f"SIZE is one of {', '.join(SIZES)}, not {size}")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"the parts are {', '.join(PARTS)}, not {', '.join(unknown)}")
    console, met = Console(width=None if sys.stdout.isatty() else 150), True
    with _stack(console) as (running, to):
        for part in parts:
            load = Load(console, running, to, SIZES[size])
            verdicts = PARTS[part](load)
            show(console, part, load.phases, verdicts)
            met = met and all(one.met for one in verdicts)
    console.print(
        f"by: SIZE={size} python -m infra.labs.load {' '.join(parts)}; {os.cpu_count()} cores, shared with"
        " database and callers",
        highlight=False,
    )
    return 0 if met else 1


@contextmanager
def _stack(console: Console) -> Iterator[tuple[stack.Stack, Sender]]:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the stack and its folder are removed
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def report(step: str, seconds: float) -> None:
        console.print(f"  ready  {step:<36} {seconds:6.2f} s", highlight=False)

    with (
        tempfile.TemporaryDirectory(prefix="wagebook-load-") as home,
        stack.running(Path(home), port, report) as running,
        sender(port) as to,
    ):
        yield running, to


if __name__ == "__main__":
    sys.exit(main())
