"""Payroll as a part of the bench: one run of one tenant, from the month's register to payslips."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psycopg

from infra.labs.bench import data, product
from infra.labs.bench.data import Loaded
from infra.labs.bench.measures import ReportStep, exponent
from infra.labs.bench.payouts.part import ShowProgress
from infra.labs.bench.payroll import runs
from infra.labs.bench.payroll.rowwise import Clerk, choose
from infra.labs.bench.payroll.rowwise import rate as rate_of
from infra.labs.bench.payroll.runs import Calculated
from infra.labs.bench.table import Line, Target, per_second

SIZES = {
    "tiny": (100, 200, 400),
    "small": (1_000, 2_000, 5_000),
    "full": (10_000, 30_000, 100_000),
    "large": (10_000, 30_000, 100_000, 300_000),
}
MAIN = {"tiny": 400, "small": 5_000, "full": 100_000, "large": 100_000}
NOTES = [
    "a run = one tenant, everybody, 8 components (percentages, a fixed amount, formulas with IF, MIN, FLOOR, ROUND and"
    " BRACKET), from the register and the balances of the night before; one worker is one process and one connection of"
    " the plain application role under forced row-level security, fsync on; a message and a transaction for each chunk"
    " of at most 5,000 people; summary and anomalies included",
    "again = the same run calculated again: its payslips thrown away and made anew",
    "with the month computed anew = the register and the balances as well, as after a change of facts",
    "row at a time = on the same tables: the same reads by key, formulas evaluated as Python text, one transaction for"
    " each payslip; by hand, with prepared statements; a sample",
    "COPY = the same rows, binary, as the owner and without policies, into a table with the same columns and keys",
]


def measured(size: str, show_progress: ShowProgress) -> tuple[list[Line], int]:
    """Load each size and calculate its run; the main one beside its yardsticks."""
    lines: list[Line] = []
    took: dict[int, float] = {}
    peaks: dict[int, float] = {}
    rows = 0
    times = 3 if size in ("full", "large") else 1
    for people in SIZES[size]:
        with (
            show_progress(f"{people:,} payslips", data.STEPS + 8) as report,
            data.loaded(people, tenants=1, step=report) as server,
        ):
            _components(server)
            report("the register of the month")
            tenant_id = runs.prepare(server.urls.application, server.admin_url)
            runs_by_name: dict[str, list[Calculated]] = {"first": [], "again": []}
            for _ in range(times):
                for name in runs_by_name:
                    report(f"calculating, {name}")
                    if name == "first":
                        _forget(server)
                    runs_by_name[name].append(runs.calculate(server.urls.application, tenant_id))
            took[people] = median(one.seconds for one in runs_by_name["first"])
            peaks[people] = max(one.peak_mb for one in runs_by_name["again"])
            if people == MAIN[size]:
                lines += _lines(server, report, runs_by_name, times=times)
                rows = sum(server.rows.values())
            product.leave()
    times_by_size = ", ".join(f"{people:,}: {seconds:.2f} s" for people, seconds in took.items())
    memory = ", ".join(f"{people:,}: {peak:.0f} MB" for people, peak in peaks.items())
    lines.append(Line("growth", times_by_size, exponent(took), "exponent", Target(1.05, at_least=False)))
    lines.append(Line("  the worker's memory at most", memory))
    return lines, rows


def _lines(
    server: Loaded, report: ReportStep, runs_by_name: dict[str, list[Calculated]], *, times: int
) -> Iterator[Line]:
    people = runs_by_name["first"][0].payslips
    first, again = (median(one.seconds for one in runs_by_name[name]) for name in ("first", "again"))
    rate = people / first
    yield Line("payslips of one run", per_second(people, first), rate / 1000, "thousand a second", Target(20))
    report("one payslip per transaction")
    sample = 400 if times > 1 else 60
    chosen = choose(server.admin_url, sample + sample // 10)
    with Clerk(server.urls.application) as clerk:
        by_hand = rate_of(clerk.make, chosen, warm=sample // 10)
    yield Line("  row at a time, by hand", f"{by_hand:,.0f}/s", rate / by_hand, "times faster is ours")
    report("COPY of the same rows")
    copied = _copy(server, times=times)
    yield Line("  COPY of the same rows", per_second(people, copied), copied / first, "of it is ours")
    yield Line("  again", per_second(people, again), first / again, "times as fast")
    report("with the month computed anew")
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        admin.execute("update pay_periods set changed_at = clock_timestamp()")
        [(tenant_id,)] = admin.execute("select id from tenants").fetchall()
    anew = runs.calculate(server.urls.application, tenant_id).seconds
    yield Line("  with the month computed anew", per_second(people, anew), again / anew, "times as fast")


def _components(server: Loaded) -> None:
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        admin.execute((Path(__file__).parent / "facts.sql").read_bytes())


def _forget(server: Loaded) -> None:
    """Delete the payslips, so that every first calculation begins with the same files."""
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        admin.execute("truncate payslips cascade")


def _copy(server: Loaded, *, times: int) -> float:
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        with admin.cursor().copy("copy payslips to stdout (format binary)") as out:
            rows = b"".join(bytes(part) for part in out)
        admin.execute("create table bench.copied (like payslips including indexes)")
        took = []
        for _ in range(times):
            admin.execute("truncate bench.copied")
            began = time.perf_counter()
            with admin.cursor().copy("copy bench.copied from stdin (format binary)") as into:
                into.write(rows)
            took.append(time.perf_counter() - began)
    return median(took)
