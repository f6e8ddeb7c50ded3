"""Run it: `python -m infra.labs.bench [PART ...] [--json FILE]`, with SIZE=small, full or large set.

The parts are register, payouts, leave, payroll and formulas.

Without a part named, all are measured, one after the other; without a size, it is full.
"""

import argparse
import os
import platform
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from infra.labs.bench import formulas, measures, product
from infra.labs.bench.data import STEPS, loaded, tenants_of
from infra.labs.bench.leave import part as leave
from infra.labs.bench.measures import ReportStep
from infra.labs.bench.payouts import part as payouts
from infra.labs.bench.payouts.part import ShowProgress
from infra.labs.bench.payroll import part as payroll
from infra.labs.bench.table import Line, show, write

SIZES = {
    "tiny": (100, 200, 400),
    "small": (400, 1_200, 4_000),
    "full": (10_000, 30_000, 100_000),
    "large": (10_000, 100_000, 1_000_000),  # a quarter of an hour, and some 10 GB of disk
}
MAIN = {"tiny": 400, "small": 4_000, "full": 100_000, "large": 100_000}
NOTES = [
    "one worker is one process and one connection of the plain application role under forced row-level security,"
    " chunks of at most 5,000 employees, a transaction each, fsync on",
    "register = all of projection.project() but the balances' statement; balances = that statement. The other reads"
    " (tenant, settings), BEGIN and COMMIT count as the register's",
    "bound = one scan-and-aggregate of the sources plus a binary COPY of the result rows into a table with the same"
    " columns and primary key, under the same conditions; in one go = all tenants in one statement, as the owner",
    "row at a time = one employee per transaction, seven queries, days in Python, one upsert; a sample, median",
    "sizes are separate servers, with a tenant for every 500 employees, the largest a fifth or more;"
    " times are medians where there are several runs",
]


PARTS = {"register": (NOTES, MAIN, "employees"), "payouts": (payouts.NOTES, payouts.MAIN, "people with ten sales each"),
         "leave": (leave.NOTES, leave.MAIN, "people with an allocation each"),
         "payroll": (payroll.NOTES, payroll.MAIN, "people with 8 components each"),
         "formulas": (formulas.NOTES, formulas.EMPLOYEES, "people with 8 components each")}  # fmt: skip


def main() -> None:
    """Measure each part and print its table. Nothing is asserted: machines differ."""
    parser = argparse.ArgumentParser(prog="python -m infra.labs.bench", description=main.__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all unless said")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file as well")
    options = parser.parse_args()
    size = os.environ.get("SIZE", "full")
    if size not in SIZES:
        parser.error(f"SIZE is one of {', '.join(SIZES)}, not {size}")
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"the parts are {', '.join(PARTS)}, not {', '.join(unknown)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server and its folder are removed
    all_lines: list[Line] = []
    all_notes: list[str] = []
    for name in options.parts or PARTS:
        lines, notes = _measure_part(name, size)
        all_lines, all_notes = [*all_lines, *lines], [*all_notes, *notes]
    if options.json:
        command = " ".join([f"SIZE={size} python -m infra.labs.bench", *options.parts])
        write(options.json, all_lines, command=command, notes=all_notes)


def _measure_part(name: str, size: str) -> tuple[list[Line], list[str]]:
    notes_of_part, main_size, subjects = PARTS[name]
    began = time.monotonic()
    lines, rows = _MEASURED[name](size, watched)
    notes = [
        *notes_of_part,
        f"{rows:,} rows of facts; {os.cpu_count()} cores, {platform.platform()}",
        f"{time.monotonic() - began:.0f} s in all",
    ]
    tenants = 1 if name in ("payroll", "formulas") else tenants_of(main_size[size])
    title = f"Wagebook, {name}: {main_size[size]:,} {subjects}, tenants: {tenants}"
    show(lines, title=title, command=f"SIZE={size} python -m infra.labs.bench {name}", notes=notes)
    return lines, notes


@contextmanager
def watched(what: str, steps: int) -> Iterator[ReportStep]:
    """Show progress on a terminal; the function that it yields takes the name of the next step."""
    bars = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*bars, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task(what, total=steps)
        yield lambda now: progress.update(bar, advance=1, description=f"{what}: {now}")


def measured(size: str, show_progress: ShowProgress) -> tuple[list[Line], int]:
    """Load and measure each size; the main one beside all yardsticks."""
    lines: list[Line] = []
    runs, rows = {}, 0
    times = 3 if size in ("full", "large") else 1
    for employees in SIZES[size]:
        with show_progress(f"{employees:,} employees", STEPS + 8) as report, loaded(employees, step=report) as data:
            product.use(data.urls.application)
            if employees == MAIN[size]:
                lines += measures.bulk(data, report, times=times, sample=200 if times > 1 else 60)
                lines += measures.single(data, report, times=400 if times > 1 else 60)
                rows = sum(data.rows.values())
            report("growth")
            chunks = product.chunks(data.admin_url)
            runs[employees] = [measures.build(data, chunks) for _ in range(1 if employees > 300_000 else times)]
            product.leave()
    return [*lines, *measures.growth(runs)], rows


_MEASURED = {
    "register": measured,
    "payouts": payouts.measured,
    "leave": leave.measured,
    "payroll": payroll.measured,
    "formulas": formulas.measured,
}


if __name__ == "__main__":
    main()
