"""The part `payouts`, in order: each function takes a loaded server and returns lines of the table."""

from collections.abc import Iterator
from statistics import median

from infra.labs.bench import product as register_product
from infra.labs.bench.calls import Api, make_key, quiet
from infra.labs.bench.calls import balance as get_balance
from infra.labs.bench.calls import median as median_of
from infra.labs.bench.data import Loaded
from infra.labs.bench.measures import ReportStep, exponent
from infra.labs.bench.payouts import calls, product, runs, yardsticks
from infra.labs.bench.payouts.crews import Crew, Took, crew
from infra.labs.bench.payouts.data import SALES_EACH, copied
from infra.labs.bench.payouts.rowwise import Clerk, rates
from infra.labs.bench.payouts.runs import Runs
from infra.labs.bench.payouts.yardsticks import Bound
from infra.labs.bench.table import Line, Target, clock, per_second

OURS, FASTER = "times faster is ours", "times as fast"
AT_LEAST = Target(60)


def seconds(some: list[Took]) -> float:
    """Return the median seconds."""
    return median(took.seconds for took in some)


def bulk(server: Loaded, report: ReportStep, *, times: int, sample: int) -> tuple[list[Line], Runs]:
    """Measure all imports, advances and settlements, beside their yardsticks.

    Return also the runs of one worker.
    """
    work, sales = runs.work_of(server), SALES_EACH * server.employees
    one, two, four, by_time = Runs(), Runs(), Runs(), Runs()
    with crew(1) as one_worker, crew(2) as pair, crew(4) as quartet:
        report("imports")
        imports = _imports(server, one_worker)
        report("advances")
        by_hand = [rates(server, sample)]  # again and again in between, as a machine is not the same all the time
        for _ in range(times - 1):
            runs.advance(server, work, one_worker, one)
        for _ in range(times):
            runs.advance(server, work, pair, two)
        runs.advance(server, work, quartet, four)
        with runs.advanced(server, work, one_worker, one) as since:
            report("one transaction per sale")
            by_hand.append(rates(server, sample))
            simple = yardsticks.simple_updates(server, seconds=8 if times > 1 else 1)
            report("settlement")
            for turn in range(times):
                runs.settle(server, work, one_worker, one, since=since, with_bounds=turn == times - 1)
                runs.settle(server, work, pair, two, since=since)
            runs.settle(server, work, quartet, four, since=since)
            runs.settle(server, work, one_worker, by_time, since=since, by_time=True)
    by_hand.append(rates(server, sample))
    advance, settlement = seconds(one.advance), median(one.settlement)
    decided, by_chance = seconds(one.reconcile), seconds(by_time.reconcile)
    final, again, final_again = seconds(one.final), seconds(one.advance_again), seconds(one.final_again)
    done = [
        *imports,
        _against("advances booked and their payouts made", sales, advance, one.advance_bound),
        *_by_hand([rate.advance for rate in by_hand], sales / advance),
        Line("  pgbench simple-update, one client", f"{simple:,.0f}/s", sales / advance / simple, "sales for each"),
        *_crews(sales, advance, {2: seconds(two.advance), 4: seconds(four.advance)}),
        Line("  the same again, nothing to do", per_second(sales, again), advance / again, FASTER),
        Line(
            "settlements: final payouts of decided sales",
            per_second(sales, final),
            sales / final / simple,
            "sales for each simple-update of pgbench",
        ),
        *_by_hand([rate.final for rate in by_hand], sales / final),
        Line("  the same again, nothing to do", clock(final_again), final / final_again, FASTER),
        _against("  with the decisions, 10,000 a call", sales, settlement, one.settlement_bound),
        *_by_hand([rate.settlement for rate in by_hand], sales / settlement, target=None),
        *_crews(sales, settlement, {2: median(two.settlement), 4: median(four.settlement)}),
        Line("  decisions alone", per_second(sales, decided), settlement / decided, FASTER),
        Line("  the same, calls in order of time", per_second(sales, by_chance), decided / by_chance, "of that rate"),
    ]
    return done, one


def _imports(server: Loaded, workers: Crew) -> list[Line]:
    first, again, least = runs.bring_in(server, workers)
    rate = per_second(first.number, again.seconds)
    return [
        _against("sales imported, 5,000 a call", first.number, first.seconds, least),
        Line("  the same again, all there already", rate, first.seconds / again.seconds, FASTER),
    ]


def _against(what: str, sales: int, took: float, least: Bound | None) -> Line:
    assert least is not None
    of = f"of the bound, {per_second(sales, least.seconds)}, {least.rows / sales:.2f} rows a sale"
    return Line(what, per_second(sales, took), least.seconds / took, of)


def _by_hand(rates_by_hand: list[float], ours: float, target: Target | None = AT_LEAST) -> Iterator[Line]:
    rate_by_hand = median(rates_by_hand)
    span = f"{min(rates_by_hand):,.0f} to {max(rates_by_hand):,.0f}"
    yield Line("  one transaction per sale", f"{rate_by_hand:,.0f}/s ({span})", ours / rate_by_hand, OURS, target)


def _crews(sales: int, took: float, by_number: dict[int, float]) -> Iterator[Line]:
    for number, took_by_crew in by_number.items():
        target = Target(1.4) if number == 2 else None
        yield Line(
            f"  {number} workers", per_second(sales, took_by_crew), took / took_by_crew, "of one worker's rate", target
        )


def single(server: Loaded, report: ReportStep, *, times: int) -> Iterator[Line]:
    """Measure calls through the API function in the largest tenant, beside the bare statements."""
    report("single calls")
    with copied(server) as database:
        register_product.use(database.url)
        tenant_id, pending = calls.largest(database.admin_url)  # each call takes sales off it
        times, user_id = min(times, len(pending) // 4), pending[0].person.user_id
        api = Api(make_key(tenant_id))
        with Clerk(database.url) as clerk:
            booked = median_of(lambda _: clerk.approve(*pending.pop()), times)
            read = median_of(lambda _: clerk.balances(tenant_id, user_id), times)
            own = median_of(lambda _: product.decide((tenant_id, pending.pop().sale_id.bytes)), times)
        with quiet():
            balance = median_of(lambda _: get_balance(api, user_id), times)
            decide = median_of(lambda _: calls.reconcile(api, [pending.pop()]), times)
            size = min(len(pending) // 3, runs.MOST_ITEMS)
            took = median_of(lambda n: calls.reconcile(api, pending[n * size : (n + 1) * size]), 3, warm=0)
        register_product.leave()
    of = f"times the bare query, {clock(read)}"
    yield Line("GET /users/{id}/balance through the API function", clock(balance), balance / read, of)
    of = f"times a transaction of five statements by hand, {clock(booked)}"
    yield Line("our own statements, one sale decided a call", clock(own), own / booked, of)
    yield Line("POST /reconcile of 1 through the API function", clock(decide), decide / booked, of)
    ratio = booked * size / took
    yield Line(f"POST /reconcile of {size:,}", per_second(size, took), ratio, "times faster than so many by hand")


def growth(by_size: dict[int, Runs]) -> Iterator[Line]:
    """Fit the exponent of time against sales, and show the workers' memory."""
    for what in ("advance", "settlement"):
        took = {
            SALES_EACH * people: seconds(some.advance) if what == "advance" else median(some.settlement)
            for people, some in by_size.items()
        }
        measured = ", ".join(f"{size:,}: {value:.2f} s" for size, value in took.items())
        yield Line(f"growth, {what}", measured, exponent(took), "exponent", Target(1.05, at_least=False))
    peaks = {SALES_EACH * people: some.peak_mb for people, some in by_size.items()}
    measured = ", ".join(f"{size:,}: {mb:.0f} MB" for size, mb in peaks.items())
    yield Line("memory of a worker", measured, peaks[max(peaks)] / peaks[min(peaks)], "largest of smallest")
