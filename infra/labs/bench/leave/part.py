"""Leave expiry as a part of the bench."""

from collections.abc import Iterator
from datetime import date
from statistics import median

from infra.labs.bench.data import Loaded
from infra.labs.bench.leave import data, runs
from infra.labs.bench.leave.rowwise import Clerk, choose
from infra.labs.bench.leave.runs import EXPIRES, WARNS, NightlyRun
from infra.labs.bench.measures import ReportStep, exponent
from infra.labs.bench.payouts.data import copied
from infra.labs.bench.payouts.part import ShowProgress
from infra.labs.bench.table import Line, Target, per_second

# people; each has one allocation
SIZES = {
    "tiny": (100, 200, 400),
    "small": (1_000, 2_000, 5_000),
    "full": (10_000, 30_000, 100_000),
    "large": (10_000, 30_000, 100_000, 300_000),
}
MAIN = {"tiny": 400, "small": 5_000, "full": 100_000, "large": 100_000}
NOTES = [
    "one worker is one process and one connection of the plain application role under forced row-level security, fsync"
    " on; a message for each tenant, one more for each chunk of at most 5,000 people, a transaction each",
    "the night of expiry = all allocations expire at once, the most there can be: half lapse, a quarter are paid out"
    " (salary, working days of the person's own calendar, adjustment, a chained audit row for each), a quarter go over"
    " into cycles that are made; with jobs, chunks and messages; all tenants one after the other",
    "the night of warning = everybody is warned of one step: warning, notification rows, messages to the mail's queue",
    "a night with nothing to do = the same again",
    "one transaction per allocation = by hand and prepared, on the same tables with the same trigger and the same"
    " calendar: read and hold, decide in Python, write; allocations from all over; a sample",
    "every night begins from a copy of the same files; times are medians of three",
]


def measured(size: str, show_progress: ShowProgress) -> tuple[list[Line], int]:
    """Load each size and measure its nightly jobs; the main one beside the row-at-a-time yardstick."""
    lines: list[Line] = []
    by_size: dict[int, dict[date, float]] = {}
    rows = 0
    times = 3 if size in ("full", "large") else 1
    for people in SIZES[size]:
        with (
            show_progress(f"{people:,} allocations", data.STEPS + 4) as report,
            data.loaded(people, step=report) as server,
        ):
            by_size[people] = {}
            for as_of in (EXPIRES, WARNS):
                report(f"the night of {as_of}")
                pairs = [_twice(server, as_of) for _ in range(times)]
                took, again = (median(pair[n].seconds for pair in pairs) for n in (0, 1))
                by_size[people][as_of] = took
                if people == MAIN[size]:
                    by_hand = _by_hand(server, as_of, report, sample=400 if times > 1 else 40)
                    lines += _lines(as_of, people, took, again, by_hand)
            rows = sum(server.rows.values()) if people == MAIN[size] else rows
    return [*lines, *_growth(by_size)], rows


def _twice(server: Loaded, as_of: date) -> tuple[NightlyRun, NightlyRun]:
    with copied(server) as database:
        first = runs.run(database.url, database.admin_url, as_of)
        again = runs.run(database.url, database.admin_url, as_of)
    assert first.rows == again.rows
    return first, again


def _by_hand(server: Loaded, as_of: date, report: ReportStep, *, sample: int) -> float:
    report("one transaction per allocation")
    warm = sample // 10
    with copied(server) as database, Clerk(database.url) as clerk:
        return clerk.rate(choose(database.admin_url, sample + warm), as_of, warm=warm)


def _lines(as_of: date, people: int, took: float, again: float, by_hand: float) -> Iterator[Line]:
    what = "expiry: lapsed, paid out, carried" if as_of == EXPIRES else "warnings"
    yield Line(f"{what}, of everybody in one night", per_second(people, took))
    ratio = people / took / by_hand
    yield Line("  one transaction per allocation", f"{by_hand:,.0f}/s", ratio, "times faster is ours", Target(3))
    yield Line("  the same again, nothing to do", per_second(people, again), took / again, "times as fast")


def _growth(by_size: dict[int, dict[date, float]]) -> Iterator[Line]:
    for as_of, what in ((EXPIRES, "expiry"), (WARNS, "warnings")):
        took = {people: runs_of_size[as_of] for people, runs_of_size in by_size.items()}
        seconds_by_size = ", ".join(f"{people:,}: {seconds:.2f} s" for people, seconds in took.items())
        yield Line(f"growth, {what}", seconds_by_size, exponent(took), "exponent", Target(1.05, at_least=False))
