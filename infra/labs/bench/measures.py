"""The part `register`, in order: each function takes a loaded server and yields lines of the table."""

import math
from collections.abc import Callable, Iterator
from statistics import median

import psycopg

from infra.labs.bench import calls, product, rowwise, yardsticks
from infra.labs.bench.bare import Bare
from infra.labs.bench.data import Loaded
from infra.labs.bench.product import Chunk, Run
from infra.labs.bench.table import Line, Target, clock, per_second
from infra.labs.bench.workers import workers
from infra.labs.bench.yardsticks import Bound

ReportStep = Callable[[str], None]  # takes the name of the next step
EMPTY = "truncate pay_registers, balances"
# every twentieth employee is late by an hour one day
CHANGE = """update attendance set late_minutes = 60 from bench.people p
    where attendance.tenant_id = p.tenant_id and attendance.user_id = p.user_id and p.n % 20 = 0
      and day = '2026-01-13'"""


def admin(data: Loaded, *statements: str) -> None:
    """Run statements as the superuser."""
    with psycopg.connect(data.admin_url, autocommit=True) as session:
        for statement in statements:
            session.execute(statement.encode())


def build(data: Loaded, chunks: list[Chunk], number: int = 1, *, times: int = 1) -> Run:
    """Build registers and balances from nothing, several times, and return the median run."""
    runs = []
    with workers(data.urls.application, number) as run:
        for _ in range(times):
            admin(data, EMPTY, "checkpoint")
            runs.append(run(chunks))
    return _middle(runs)


def _middle(runs: list[Run]) -> Run:
    return sorted(runs, key=lambda r: r.ended - r.began)[len(runs) // 2]


def bulk(data: Loaded, report: ReportStep, *, times: int, sample: int) -> Iterator[Line]:
    """Measure all registers and balances, beside their yardsticks."""
    chunks = product.chunks(data.admin_url)
    report("building registers and balances")
    first = build(data, chunks, times=times)
    admin(data, "vacuum (analyze) pay_registers, balances")
    report("the bounds")
    where = (data.admin_url, data.urls.application, chunks)
    least = yardsticks.bound(*where, table="pay_registers", scan="scan", times=times)
    least_b = yardsticks.bound(*where, table="balances", scan="scan_registers", times=times)
    yield from _against("register, built from facts", first.employees, first.register, least, Target(0.20))
    report("row at a time")
    yield from _rowwise(data, first, sample)
    yield from _against("balances, on top of the register", first.employees, first.balances, least_b, Target(0.40))
    report("PL/pgSQL loop")
    some = sorted(chunks, key=lambda chunk: chunk.employees)[len(chunks) // 2 :][:5]
    took, done = yardsticks.by_loop(data.admin_url, data.urls.application, some)
    rate = first.employees / first.balances
    yield Line("  PL/pgSQL loop over days", per_second(done, took), rate / (done / took), "times faster is ours")
    report("nothing changed, 5 % changed")
    with workers(data.urls.application, 1) as run:
        same = _middle([run(chunks) for _ in range(times)])
        admin(data, CHANGE, "vacuum (analyze) attendance")
        few = run(chunks)
    whole = first.ended - first.began
    for what, took_again in ((f"both again, {same.changed} rows changed", same), (f"{few.changed} rows changed", few)):
        seconds = took_again.ended - took_again.began
        yield Line(what, per_second(took_again.employees, seconds), whole / seconds, "times as fast as the first time")
    report("two workers")
    two = build(data, chunks, 2, times=times)
    seconds = two.ended - two.began
    yield Line("both, two workers", per_second(two.employees, seconds), whole / seconds, "of one worker's rate")


def _against(what: str, employees: int, seconds: float, least: Bound, target: Target) -> Iterator[Line]:
    size = f"{least.bytes_per_row} bytes a row"
    of = f"of the bound, {per_second(employees, least.chunked)}, {size}"
    yield Line(what, per_second(employees, seconds), least.chunked / seconds, of, target)
    of = f"of the bound in one go, {per_second(employees, least.at_once)}"
    yield Line("  the same", "", least.at_once / seconds, of)


def _rowwise(data: Loaded, first: Run, sample: int) -> Iterator[Line]:
    people = rowwise.prepare(data.admin_url, sample)
    ours = first.employees / first.register
    with rowwise.by_driver(data.urls.application) as compute:
        took = calls.median(lambda n: compute(people[n % len(people)]), len(people))
    yield Line("  row at a time, by hand", f"{1 / took:,.0f}/s", ours * took, "times faster is ours")
    took = calls.median(lambda n: product.compute_one(people[n % sample].tenant_id, people[n % sample].user_id), sample)
    yield Line("  our own statements, one employee a time", f"{1 / took:,.0f}/s", ours * took, "times faster in chunks")


def single(data: Loaded, report: ReportStep, *, times: int) -> Iterator[Line]:
    """Measure single calls in the largest tenant, beside the bare statements."""
    report("single calls")
    tenant = max(product.chunks(data.admin_url), key=lambda chunk: chunk.employees)
    tenant_id, user_id = tenant.tenant_id, tenant.first
    api = calls.Api(calls.make_key(tenant_id))
    with Bare(data.urls.application, tenant_id) as bare:
        write = calls.median(lambda n: bare.write(user_id, n), times)
        page = calls.median(lambda _: bare.page(), times)
        balance = calls.median(lambda _: bare.balance(user_id), times)
    statements = calls.median(lambda n: calls.correct_by_statements(tenant_id, user_id, "PA"[n % 2]), times)
    with calls.quiet():
        edit = calls.median(lambda n: calls.correct(api, user_id, ("present", "absent")[n % 2]), times)
        grid = calls.median(lambda _: calls.grid(api), times)
        read = calls.median(lambda _: calls.balance(api, user_id), times)
    of = f"times the bare point write, {clock(write)}"
    most = Target(5, at_least=False)
    yield Line("one-day correction: edit, row, balance", clock(statements), statements / write, of, most)
    yield Line("  through the API function", clock(edit), edit / write, "the same; with audit, locks and the new row")
    of = f"times the bare query, {clock(page)}"
    yield Line("grid page 50 x 31 through the API function", clock(grid), grid / page, of, Target(3, at_least=False))
    yield Line(
        "balance through the API function", clock(read), read / balance, f"times the bare query, {clock(balance)}"
    )


def growth(runs: dict[int, list[Run]]) -> Iterator[Line]:
    """Fit the exponent of time against employees, and show the workers' memory."""
    for what in ("register", "balances"):
        took = {size: median(getattr(run, what) for run in some) for size, some in runs.items()}
        measured = ", ".join(f"{size:,}: {value:.2f} s" for size, value in took.items())
        yield Line(f"growth, {what}", measured, exponent(took), "exponent", Target(1.05, at_least=False))
    peaks = {size: max(run.peak_mb for run in some) for size, some in runs.items()}
    sizes = sorted(peaks)
    yield Line(
        "memory of a worker",
        ", ".join(f"{size:,}: {mb:.0f} MB" for size, mb in peaks.items()),
        peaks[sizes[-1]] / peaks[sizes[0]],
        "largest of smallest",
    )


def exponent(took: dict[int, float]) -> float:
    """Fit time = c * size ^ exponent by least squares of the logarithms."""
    points = [(math.log(size), math.log(seconds)) for size, seconds in took.items()]
    x0, y0 = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    slope: float = sum((x - x0) * (y - y0) for x, y in points) / sum((x - x0) ** 2 for x, _ in points)
    return slope
