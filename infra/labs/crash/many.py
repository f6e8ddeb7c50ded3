"""Many runs: shared out among processes, counted, and told in one table."""

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
from infra.labs.crash.invariants import INVARIANTS
from infra.labs.crash.laboratory import Outcome
from infra.labs.crash.modes import MODES
from infra.local import postgres

# A deadlock would be a fault of the product; found soon, it costs no time.
SETTINGS = {"deadlock_timeout": "100ms", "max_wal_size": "2GB", "autovacuum_naptime": "5s"}
OTHERS = ("nothing-stuck", "off-means-off", "asked-once", "one-bad-message", "provider")  # seen while a story goes on
SILENCE = 120  # seconds without a word after which a process is asked whether it lives


@contextmanager
def server() -> Iterator[str]:
    """Run a PostgreSQL server with the migrated template, in a folder that goes away."""
    with TemporaryDirectory(prefix="wagebook-crash-") as folder:
        Path(folder).chmod(0o755)  # the server's own user has to enter it
        with postgres.running(Path(folder) / "postgres", durable=False, settings=SETTINGS) as running:
            world.make_template(running.admin_url)
            yield running.admin_url


def tell(admin_url: str, seeds: list[int], mode: str | None, heard: Callable[[Outcome], None]) -> None:
    """Run these seeds one after the other in a database of its own."""
    with world.opened(admin_url) as here:
        laboratory.make_other_tenant(here)
        gc.collect()
        gc.freeze()
        for number, seed in enumerate(seeds):
            if number % 100 == 0:  # a story leaves little behind; looking for it all the time takes a tenth of it
                gc.collect()
                gc.disable()
            heard(laboratory.run(here, seed, MODES[mode] if mode else None))


def _process(admin_url: str, seeds: list[int], mode: str | None, queue: Any, tells: bool) -> None:
    def heard(outcome: Outcome) -> None:
        if not tells and not outcome.violations:
            outcome.history = []
        queue.put(outcome)

    try:
        tell(admin_url, seeds, mode, heard)
    except BaseException:
        queue.put(traceback.format_exc())


def outcomes(admin_url: str, seeds: list[int], mode: str | None, *, workers: int, tells: bool) -> Iterator[Outcome]:
    """Run seeds on several processes and give what comes of each, as they come."""
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    shares = [seeds[number::workers] for number in range(workers)]
    processes = [
        spawn.Process(target=_process, args=(admin_url, share, mode, queue, tells), daemon=True)
        for share in shares
        if share
    ]
    for process in processes:
        process.start()
    try:
        for _ in seeds:
            while True:
                try:
                    found = queue.get(timeout=SILENCE)
                    break
                except Empty:
                    if any(process.exitcode for process in processes):  # 0 when it is through with its share
                        raise RuntimeError("a process of the laboratory died without a word") from None
            if isinstance(found, str):
                raise RuntimeError(f"the laboratory itself failed:\n{found}")
            yield found
    finally:
        for process in processes:
            process.terminate()


class Tally:
    """What many runs came to."""

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
        for name in {said.partition(":")[0] for said in outcome.violations}:
            self.broken.setdefault(name, []).append(outcome)

    @property
    def failed(self) -> dict[int, Outcome]:
        return {one.seed: one for found in self.broken.values() for one in found}


def show(*, runs: int, seed: int, mode: str | None, workers: int, tells: bool = False) -> bool:
    """Run so many seeds from one on, print what happened, and tell whether all promises held."""
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
        bar = progress.add_task("stories", total=runs)
        for outcome in outcomes(admin_url, seeds, mode, workers=min(workers, runs), tells=tells):
            tally.add(outcome)
            progress.update(bar, advance=1, description=f"stories, {len(tally.failed)} broken")
            if tells:
                console.print("\n".join(outcome.history), highlight=False, markup=False)
                console.print(f"seed {outcome.seed}, {outcome.mode}, digest {outcome.digest}", highlight=False)
            for said in outcome.violations:
                console.print(f"seed {outcome.seed} ({outcome.mode}) broke {said}", style="red", markup=False)
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
    console.print("[red]PROMISES BROKEN[/]" if tally.broken else "[green]all promises held[/]")
    return not tally.broken


def _print(console: Console, tally: Tally, *, title: str) -> None:
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
    for name in ("promise", "", "broken in", "first seed"):
        table.add_column(name, justify="right" if name in ("broken in", "first seed") else "left")
    for name in (*INVARIANTS, *OTHERS):
        about = (INVARIANTS[name].__doc__ or "").strip() if name in INVARIANTS else _ABOUT[name]
        broken = tally.broken.get(name, [])
        table.add_row(name, about, str(len(broken) or "-"), str(min((one.seed for one in broken), default="")))
    console.print(table)


_ABOUT = {
    "nothing-stuck": "Once faults stop, everything comes to rest within its time limits.",
    "off-means-off": "After a restore, nothing is sent before the provider's list was matched.",
    "asked-once": "One Idempotency-Key starts one run, however often it is sent.",
    "one-bad-message": "A message that nobody can work on keeps no other of its batch from being done.",
    "provider": "The provider is never asked what it cannot do, nor sent another payment under a used key.",
}
