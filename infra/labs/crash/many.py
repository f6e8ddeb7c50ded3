"""Many runs: distributed over processes, counted, and printed in one table."""

from __future__ import annotations

import gc
import multiprocessing
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from tempfile import TemporaryDirectory
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from infra.labs.crash import laboratory, world
from infra.labs.crash.faults import AMBIGUOUS, KILLS, Crash
from infra.labs.crash.invariants import INVARIANTS, Check
from infra.labs.crash.laboratory import Outcome
from infra.labs.crash.modes import MODES
from infra.local import postgres

# A deadlock would be a bug of the product; detect it soon.
SETTINGS = {"deadlock_timeout": "100ms", "max_wal_size": "2GB", "autovacuum_naptime": "5s"}
OTHERS = ("nothing-stuck", "off-means-off", "asked-once", "one-bad-message", "provider")  # checked during a run
SILENCE = 120  # seconds without an outcome after which it is checked whether the processes are alive


@contextmanager
def server() -> Iterator[str]:
    """Run a PostgreSQL server with the migrated template, in a temporary folder."""
    with TemporaryDirectory(prefix="wagebook-crash-") as folder:
        Path(folder).chmod(0o755)  # the server's own user has to enter it
        with postgres.running(Path(folder) / "postgres", durable=False, settings=SETTINGS) as running:
            world.make_template(running.admin_url)
            yield running.admin_url


def run_seeds(admin_url: str, seeds: list[int], mode: str | None, report: Callable[[Outcome], None]) -> None:
    """Run these seeds one after the other in a database of their own, and report each outcome."""
    with world.opened(admin_url) as here:
        laboratory.make_other_tenant(here)
        gc.collect()
        gc.freeze()
        for number, seed in enumerate(seeds):
            if (
                number % 100 == 0
            ):  # a run leaves little garbage, and collecting it all the time takes a tenth of the time
                gc.collect()
                gc.disable()
            report(laboratory.run(here, seed, MODES[mode] if mode else None))


def _process(admin_url: str, seeds: list[int], mode: str | None, queue: Any, shows_history: bool) -> None:
    """Run seeds in a process of its own, and put the outcomes into a queue."""

    def report(outcome: Outcome) -> None:
        if not shows_history and not outcome.violations:
            outcome.history = []
        queue.put(outcome)

    try:
        run_seeds(admin_url, seeds, mode, report)
    except BaseException:
        queue.put(traceback.format_exc())


def outcomes(
    admin_url: str, seeds: list[int], mode: str | None, *, workers: int, shows_history: bool
) -> Iterator[Outcome]:
    """Run seeds on several processes and yield their outcomes in the order of completion."""
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    shares = [seeds[number::workers] for number in range(workers)]
    processes = [
        spawn.Process(target=_process, args=(admin_url, share, mode, queue, shows_history), daemon=True)
        for share in shares
        if share
    ]
    for process in processes:
        process.start()
    try:
        for _ in seeds:
            while True:
                try:
                    outcome = queue.get(timeout=SILENCE)
                    break
                except Empty:
                    if any(process.exitcode for process in processes):  # 0 when its share is done
                        raise RuntimeError("a process of the laboratory died") from None
            if isinstance(outcome, str):
                raise RuntimeError(f"the laboratory itself failed:\n{outcome}")
            yield outcome
    finally:
        for process in processes:
            process.terminate()


class Tally:
    """The sums over many runs."""

    def __init__(self) -> None:
        self.runs: Counter[str] = Counter()
        self.payouts = 0
        self.counts: Counter[Crash] = Counter()
        self.by_mode: dict[str, Counter[Crash]] = {name: Counter() for name in MODES}
        self.broken: dict[str, list[Outcome]] = {}

    def add(self, outcome: Outcome) -> None:
        self.runs[outcome.mode] += 1
        self.payouts += outcome.payouts
        self.counts += outcome.counts
        self.by_mode[outcome.mode] += outcome.counts
        for name in {violation.partition(":")[0] for violation in outcome.violations}:
            self.broken.setdefault(name, []).append(outcome)

    @property
    def failed(self) -> dict[int, Outcome]:
        return {outcome.seed: outcome for outcomes in self.broken.values() for outcome in outcomes}


def show(*, runs: int, seed: int, mode: str | None, workers: int, shows_history: bool = False) -> bool:
    """Run consecutive seeds, print what happened, and return whether all invariants held."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    seeds = list(range(seed, seed + runs))
    tally, began = Tally(), time.monotonic()
    bars = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with (
        server() as admin_url,
        Progress(*bars, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress,
    ):
        bar = progress.add_task("runs", total=runs)
        for outcome in outcomes(admin_url, seeds, mode, workers=min(workers, runs), shows_history=shows_history):
            tally.add(outcome)
            progress.update(bar, advance=1, description=f"runs, {len(tally.failed)} broken")
            if shows_history:
                console.print("\n".join(outcome.history), highlight=False, markup=False)
                console.print(f"seed {outcome.seed}, {outcome.mode}, digest {outcome.digest}", highlight=False)
            for violation in outcome.violations:
                console.print(f"seed {outcome.seed} ({outcome.mode}) violated {violation}", style="red", markup=False)
    seconds = time.monotonic() - began
    _print(console, tally, title=f"seeds {seeds[0]} to {seeds[-1]}")
    console.print(
        f"{runs:,} runs, {tally.payouts:,} payouts, {sum(tally.counts[one] for one in KILLS):,} kills,"
        f" {sum(tally.counts[one] for one in AMBIGUOUS):,} ambiguous commits, {sum(tally.counts.values()):,} injections"
        f" in all; {seconds:.0f} s, {runs / seconds:.1f} runs/s with {workers} processes",
        highlight=False,
    )
    for outcome in list(tally.failed.values())[:20]:
        console.print(f"replay: {outcome.replay}", highlight=False)
    console.print("[red]INVARIANTS VIOLATED[/]" if tally.broken else "[green]all invariants held[/]")
    return not tally.broken


def _sentence_of(check: Check) -> str:
    sentence = (check.__doc__ or "").strip().removeprefix("Require that ")
    return sentence[:1].upper() + sentence[1:]


def _print(console: Console, tally: Tally, *, title: str) -> None:
    """Print the table of faults and the table of invariants."""
    style = box.SIMPLE_HEAD if console.is_terminal else box.ASCII2
    ran = [name for name in MODES if tally.runs[name]]
    table = Table(title=f"What was injected, {title}", box=style, title_justify="left")
    table.add_column("crash point or fault")
    for name in ("all", *ran):
        table.add_column(name, justify="right")
    table.add_row("runs", f"{sum(tally.runs.values()):,}", *(f"{tally.runs[name]:,}" for name in ran), end_section=True)
    for crash in Crash:
        if tally.counts[crash]:
            table.add_row(crash, f"{tally.counts[crash]:,}", *(f"{tally.by_mode[name][crash]:,}" for name in ran))
    console.print(table)
    table = Table(title="What has to hold", box=style, title_justify="left")
    for name in ("invariant", "", "violated in", "first seed"):
        table.add_column(name, justify="right" if name in ("violated in", "first seed") else "left")
    for name in (*INVARIANTS, *OTHERS):
        about = _sentence_of(INVARIANTS[name]) if name in INVARIANTS else _ABOUT[name]
        broken = tally.broken.get(name, [])
        table.add_row(name, about, str(len(broken) or "-"), str(min((one.seed for one in broken), default="")))
    console.print(table)


_ABOUT = {
    "nothing-stuck": "Once faults stop, everything comes to rest within its time limits.",
    "off-means-off": "After a restore, nothing is sent before the provider's list was matched.",
    "asked-once": "One Idempotency-Key starts one run, however often it is sent.",
    "one-bad-message": "A message that cannot be processed does not stop others of its batch.",
    "provider": "The provider is never asked what it cannot do, nor sent another payment under a used key.",
}
