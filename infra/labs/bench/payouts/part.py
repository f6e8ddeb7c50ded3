"""Sales and payouts as a part of the bench."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from infra.labs.bench.measures import ReportStep
from infra.labs.bench.payouts import data, measures, runs
from infra.labs.bench.payouts.data import SALES_EACH
from infra.labs.bench.payouts.runs import Runs
from infra.labs.bench.table import Line

ShowProgress = Callable[
    [str, int], AbstractContextManager[ReportStep]
]  # what is loaded and in how many steps, for who watches

# people; each has ten sales
SIZES = {
    "tiny": (20, 40, 80),
    "small": (200, 600, 2_000),
    "full": (1_000, 10_000, 100_000),
    "large": (1_000, 10_000, 100_000, 400_000),
}
MAIN = {"tiny": 80, "small": 2_000, "full": 100_000, "large": 100_000}
NOTES = [
    "one worker is one process and one connection of the plain application role under forced row-level security, fsync"
    " on; workers take messages and calls from one queue, tenants in turn, so a tenant's chunks meet at its accounts",
    "advances = the messages of an hour's run as the queue's door does them: each tenant's message cuts its people into"
    " chunks, each chunk is a transaction that holds its people, books a line for each sale, and makes each person's"
    " payout with its event, line and outbox message; sending to SQS and to the provider is not in it",
    "decisions = sales.actions.decide in calls of at most 10,000 items, whole people in each, all approved: decision,"
    " work list, two lines a sale, audit and results, without reading JSON; settlements = the messages of an hour's run"
    " after that, which pay each person once",
    "sales imported = import_rows on rows as taken from JSON, named by user_id, for the largest tenants",
    "one transaction per sale = by hand and prepared, on the same tables with the same references and the same trigger:"
    " hold the account, read, read, read, book; or hold, read, read, decide, book; and one more transaction for each"
    " person's payout; people from all over, the ten sales of each one behind the other; for settlements, sales that"
    " are decided already, and a payout for each of them: hold, pay, event, line, message",
    "bound = insert the same rows into tables with the same indexes, change each person's two balances once, delete the"
    " decided sales from a list: a statement for each, one transaction, as the owner, without references or policies",
    "every run begins from a copy of the same files: ten pending sales a person, spread over a month by chance, after a"
    " month that is paid, vacuumed; settlements from a copy where all advances are made. Times are medians of three",
]  # fmt: skip


def measured(size: str, show_progress: ShowProgress) -> tuple[list[Line], int]:
    """Load each size in turn and measure it; the main one in all respects."""
    lines: list[Line] = []
    by_size: dict[int, Runs] = {}
    rows = 0
    times = 3 if size in ("full", "large") else 1
    for people in SIZES[size]:
        with (
            show_progress(f"{SALES_EACH * people:,} sales", data.STEPS + 8) as report,
            data.loaded(people, step=report) as server,
        ):
            if people == MAIN[size]:
                bulk, by_size[people] = measures.bulk(server, report, times=times, sample=200 if times > 1 else 10)
                lines += [*bulk, *measures.single(server, report, times=400 if times > 1 else 60)]
                rows = sum(server.rows.values())
            else:
                report("growth")
                by_size[people] = runs.everything(server, times=1 if people > MAIN[size] else times)
    return [*lines, *measures.growth(by_size)], rows
