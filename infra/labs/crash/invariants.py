"""The invariants: what must hold once faults have stopped and the queues have drained, one function each.

They are computed slowly and obviously in Python, from rows as the database returns them, and share no code with the
product: its state machine and its arithmetic are written down here a second time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from infra.labs.crash.bank import Entry
from infra.labs.crash.simulation import Simulation
from infra.labs.crash.sqs import canonical

Rows = list[dict[str, Any]]
GRAPH = {
    None: {"held", "queued"},
    "held": {"queued", "cancelled"},
    "queued": {"sending"},
    "sending": {"queued", "paid", "failed", "unknown", "review"},
    "unknown": {"sending", "paid", "failed", "review"},
    "review": {"paid", "failed"},
    "paid": {"returned"},
    "failed": set(),
    "returned": set(),
    "cancelled": set(),
}
CLAIMS = ("sent", "asked")
LEASE, SLACK = timedelta(minutes=2), timedelta(seconds=30)
OPEN = {"held", "queued", "sending", "unknown", "review"}


@dataclass(frozen=True)
class Books:
    """All rows of a tenant at the end, and the provider's own books."""

    simulation: Simulation
    accounts: Rows
    entries: Rows
    sales: Rows
    pending: set[Any]
    decisions: Rows
    payouts: Rows
    events: Rows
    jobs: Rows
    outbox: Rows
    bank: list[Entry]

    @classmethod
    def of(cls, simulation: Simulation) -> Books:
        """Read all of it as the superuser, without row-level security."""

        def read(table: str, order: str) -> Rows:
            return simulation.world.rows(
                f"select * from {table} where tenant_id = %s order by {order}", simulation.tenant.id
            )

        return cls(
            simulation,
            read("ledger_accounts", "1, 2, 4"),
            read("ledger_entries", "number"),
            read("sales", "id"),
            {row["sale_id"] for row in read("pending_sales", "sale_id")},
            read("sale_decisions", "sale_id, revision"),
            read("payouts", "id"),
            read("payout_events", "payout_id, number"),
            read("jobs", "id"),
            read("outbox", "id"),
            simulation.bank.entries,
        )

    def lines_of(self, subject_id: Any, *events: str) -> Rows:
        return [line for line in self.entries if line["subject_id"] == subject_id and line["event"] in events]

    def latest(self, sale_id: Any) -> str:
        return next(
            (decision["status"] for decision in reversed(self.decisions) if decision["sale_id"] == sale_id), "pending"
        )

    def moved(self, payout: dict[str, Any]) -> list[Entry]:
        return [entry for entry in self.bank if entry.reference == payout["reference"] and entry.moved]


Check = Callable[[Books], Iterator[str]]
INVARIANTS: dict[str, Check] = {}


def invariant(check: Check) -> Check:
    INVARIANTS[check.__name__.replace("_", "-")] = check
    return check


def check_all(simulation: Simulation) -> list[str]:
    """Return the violations of every invariant."""
    books = Books.of(simulation)
    return [f"{name}: {problem}" for name, check in INVARIANTS.items() for problem in check(books)]


def _sums(entries: Rows) -> dict[tuple[str, Any, str], Decimal]:
    """Return debits less credits by account kind, employee (None for the tenant's own) and currency."""
    sums: dict[tuple[str, Any, str], Decimal] = defaultdict(Decimal)
    for line in entries:
        for kind, sign in ((line["debit"], 1), (line["credit"], -1)):
            owner = line["user_id"] if kind in ("payable", "advances") else None
            sums[kind, owner, line["currency"]] += sign * line["amount"]
    return sums


@invariant
def ledger_adds_up(books: Books) -> Iterator[str]:
    """Require that entries sum to zero, and each account's balance is the sum of its lines."""
    sums = _sums(books.entries)
    kept = {
        (account["kind"], account["user_id"], account["currency"]): account["balance"] for account in books.accounts
    }
    for key in sums.keys() | kept.keys():
        if sums.get(key, 0) != kept.get(key, 0):
            yield f"{key[0]} {key[2]} has balance {kept.get(key)}, its lines sum to {sums.get(key, 0)}"
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for (_, _, currency), balance in kept.items():
        totals[currency] += balance
    yield from (f"all balances in {currency} sum to {total}" for currency, total in totals.items() if total)


@invariant
def paid_once(books: Books) -> Iterator[str]:
    """Require that the provider moved money at most once per payout, and for no unknown payout."""
    movements = Counter(one.reference for one in books.bank if one.moved)
    references = {one["reference"] for one in books.payouts}
    for reference, count in movements.items():
        if count > 1:
            yield f"the provider paid one payout {count} times"
        if reference not in references:
            yield "the provider made a payment that belongs to no payout"


@invariant
def paid_means_moved(books: Books) -> Iterator[str]:
    """Require that a payout is paid if and only if exactly one movement of its amount reached its employee."""
    for payout in books.payouts:
        arrived = [movement for movement in books.moved(payout) if movement.is_there]
        if payout["status"] == "paid" and len(arrived) != 1:
            yield f"a payout of {payout['amount']} is paid, and {len(arrived)} movements reached its person"
        if payout["status"] != "paid" and arrived and payout["status"] not in OPEN:
            yield f"a payout of {payout['amount']} is {payout['status']}, and its money is with the person"
        for movement in arrived:
            moved = (movement.amount, movement.currency, movement.user_id)
            expected = (payout["amount"], payout["currency"], payout["user_id"])
            if moved != expected:
                yield f"{moved[0]} {moved[1]} moved for a payout of {expected[0]} {expected[1]}"


@invariant
def cash_is_what_moved(books: Books) -> Iterator[str]:
    """Require that cash equals the provider's movements and the money in flight."""
    for currency in {one["currency"] for one in books.accounts}:
        cash = -sum(one["balance"] for one in books.accounts if (one["kind"], one["currency"]) == ("cash", currency))
        moved = sum(one.amount for one in books.bank if one.is_there and one.currency == currency)
        open_ = sum(
            one["amount"]
            for one in books.payouts
            if one["currency"] == currency and one["status"] in OPEN and not any(m.is_there for m in books.moved(one))
        )
        if cash != moved + open_:
            yield f"cash says {cash} {currency} left; {moved} moved and {open_} are on their way"


@invariant
def in_flight_is_open(books: Books) -> Iterator[str]:
    """Require that a payout took its amount out of payable once, and released it only if it did not arrive."""
    for payout in books.payouts:
        out = [line["amount"] for line in books.lines_of(payout["id"], "payout")]
        back = [line["amount"] for line in books.lines_of(payout["id"], "release")]
        is_released = payout["status"] in ("failed", "cancelled", "returned")
        if out != [payout["amount"]] or back != ([payout["amount"]] if is_released else []):
            yield f"a payout of {payout['amount']} that is {payout['status']} booked {out} out and {back} back"


@invariant
def lines_make_the_amount(books: Books) -> Iterator[str]:
    """Require that a payout's amount is the sum of the lines posted for its employee since the previous payout."""
    for payout in books.payouts:
        if payout["kind"] == "matched":  # taken from the provider's list after a restore; its lines may be lost
            continue
        lines = [
            line["amount"] * (1 if line["credit"] == "payable" else -1)
            for line in books.entries
            if (line["user_id"], line["currency"]) == (payout["user_id"], payout["currency"])
            and payout["after_number"] < line["number"] <= payout["through_number"]
            and "payable" in (line["debit"], line["credit"])
        ]
        if sum(lines) != payout["amount"]:
            yield f"a payout of {payout['amount']} says that it pays lines of {sum(lines)}"


@invariant
def advanced_once(books: Books) -> Iterator[str]:
    """Require that no advance exceeds its rate or exists twice, and every pending sale has the one that is due."""
    for sale in books.sales:
        due = books.simulation.tenant.advance_of(sale["earning"], sale["currency"])
        advances = [line["amount"] for line in books.lines_of(sale["id"], "advance")]
        if len(advances) > 1 or any(amount != due for amount in advances):
            yield f"a sale of {sale['earning']} was advanced {advances}, and is due {due}"
        if not advances and due and sale["id"] in books.pending:
            yield f"a pending sale of {sale['earning']} was never advanced"


@invariant
def decisions_are_booked(books: Books) -> Iterator[str]:
    """Require that approved sales posted their earning, declined ones nothing in sum, pending ones the advance."""
    for sale in books.sales:
        status = books.latest(sale["id"])
        if (status == "pending") != (sale["id"] in books.pending):
            yield f"a sale is {status} and {'' if sale['id'] in books.pending else 'not '}on the list of pending ones"
        lines = [line for line in books.entries if line["subject_id"] == sale["id"]]
        sums = _sums(lines)
        payable = -sum(amount for (kind, _, _), amount in sums.items() if kind == "payable")
        advances = sum(amount for (kind, _, _), amount in sums.items() if kind == "advances")
        advanced = sum(line["amount"] for line in lines if line["event"] == "advance")
        expected = {"approved": (sale["earning"], 0), "declined": (0, 0), "pending": (advanced, advanced)}[status]
        if (payable, advances) != expected:
            yield f"a sale of {sale['earning']} that is {status} has {payable} payable and {advances} advanced"


@invariant
def people_got_what_is_due(books: Books) -> Iterator[str]:
    """Require that what an employee has, is owed and awaits is the sum of their sales, and no debt is left unpaid."""
    owed: dict[tuple[Any, str], Decimal] = defaultdict(Decimal)
    for sale in books.sales:
        status, key = books.latest(sale["id"]), (sale["user_id"], sale["currency"])
        if status == "approved":
            owed[key] += sale["earning"]
        elif status == "pending":
            owed[key] += sum(one["amount"] for one in books.lines_of(sale["id"], "advance"))
    tenant = books.simulation.tenant
    for account in books.accounts:
        if account["kind"] != "payable":
            continue
        key = (account["user_id"], account["currency"])
        has = sum(one.amount for one in books.bank if one.is_there and (one.user_id, one.currency) == key)
        awaits = sum(
            one["amount"]
            for one in books.payouts
            if (one["user_id"], one["currency"]) == key
            and one["status"] in OPEN
            and not any(m.is_there for m in books.moved(one))
        )
        if has + awaits - account["balance"] != owed[key]:
            yield f"a person should have {owed[key]}: has {has}, awaits {awaits}, is owed {-account['balance']}"
        least = tenant.minimum if account["currency"] == tenant.currency else 0
        if account["balance"] < 0 and -account["balance"] >= least:
            yield f"a person is still owed {-account['balance']} {account['currency']}"


@invariant
def nothing_open(books: Books) -> Iterator[str]:
    """Require that no payout is open past its time limit."""
    yield from (f"a payout is still {one['status']}" for one in books.payouts if one["status"] in OPEN)


@invariant
def refusals_moved_nothing(books: Books) -> Iterator[str]:
    """Require that a payout that failed or was cancelled never moved money."""
    for payout in books.payouts:
        if payout["status"] in ("failed", "cancelled") and books.moved(payout):
            yield f"a payout of {payout['amount']} is {payout['status']}, and the provider moved it"


@invariant
def histories_follow_the_graph(books: Books) -> Iterator[str]:
    """Require that histories follow the state machine and end in the payout's state; fences never fall."""
    for payout in books.payouts:
        before, fence = None, 0
        for event in (row for row in books.events if row["payout_id"] == payout["id"]):
            if event["status"] != before and event["status"] not in GRAPH[before]:
                yield f"a payout went from {before} to {event['status']}"
            if event["fence"] < fence:
                yield f"a payout's fence fell from {fence} to {event['fence']}"
            before, fence = event["status"], event["fence"]
        if (before, fence) != (payout["status"], payout["fence"]):
            yield f"a payout is {payout['status']}/{payout['fence']}, its history ends with {before}/{fence}"


@invariant
def leases_are_kept(books: Books) -> Iterator[str]:
    """Require that no payout is claimed during a lease of two minutes, and each claim has a fence of its own."""
    for payout in books.payouts:
        claim: Any = None
        for event in (row for row in books.events if row["payout_id"] == payout["id"]):
            if event["what"] in CLAIMS:
                # a worker that asked and learned that it may send continues under the next fence
                goes_on = claim is not None and (claim["what"], event["what"]) == ("asked", "sent")
                # a slow transaction writes its event long after the lease began
                is_measured = claim is not None and not goes_on and not books.simulation.faults.slow_transactions
                if is_measured and event["at"] - claim["at"] < LEASE - SLACK:
                    yield f"a payout was taken over after {event['at'] - claim['at']}"
                if claim is not None and event["fence"] <= claim["fence"]:
                    yield f"two claims have the fence {event['fence']}"
                claim = event
            elif not _is_take_over(event):
                claim = {**event, "at": event["at"] - LEASE, "what": "over"} if claim is not None else None


@invariant
def one_answer_per_claim(books: Books) -> Iterator[str]:
    """Require that each claim is settled at most once, by its holder; a late answer changes nothing."""
    for payout in books.payouts:
        events = [row for row in books.events if row["payout_id"] == payout["id"]]
        answered: Counter[int] = Counter()
        for before, event in pairwise(events):
            # these follow without another answer: a doubt is given up, or paid money came back
            moved = (before["status"], event["status"])
            # (and a bank answers more than once)
            follows = _is_take_over(before) or moved in (
                ("unknown", "review"),
                ("paid", "returned"),
                ("review", "paid"),
                ("review", "failed"),
            )
            if (
                event["what"] == "answered"
                and not _is_take_over(event)
                and not (follows and before["what"] == "answered")
            ):
                answered[event["fence"]] += 1
        yield from (f"a claim was answered {count} times" for count in answered.values() if count > 1)


def _is_take_over(event: dict[str, Any]) -> bool:
    return event["what"] == "answered" and str(event["detail"]).startswith("the worker that was sending")


@invariant
def sent_means_sent(books: Books) -> Iterator[str]:
    """Require that a message of the outbox is marked as sent only if the queue accepted it."""
    for row in books.outbox:
        body = {**row["body"], "tenant_id": str(row["tenant_id"])}
        if row["sent_at"] is not None and (row["queue"], canonical(body)) not in books.simulation.sqs.seen:
            yield f"a message to {row['queue']} is marked as sent, and was not"


@invariant
def other_tenant_untouched(books: Books) -> Iterator[str]:
    """Require that the other tenant's rows have not changed."""
    world = books.simulation.world
    if world.other_tenant_id is not None and world.digest_of(world.other_tenant_id) != world.other_tenant_digest:
        yield "rows of another tenant have changed"


@invariant
def acknowledged(books: Books) -> Iterator[str]:
    """Require that every write that the API acknowledged is in the database."""
    writes = books.simulation.acknowledged
    sales = {one["external_id"]: one for one in books.sales}
    for external_id, reply in writes.sales.items():
        stored = sales.get(external_id)
        if stored is None or (str(stored["id"]), stored["earning"]) != (reply["id"], Decimal(reply["earning"])):
            yield f"sale {external_id} was acknowledged and is {'another' if stored else 'not there'}"
    decided = Counter((str(one["sale_id"]), one["status"]) for one in books.decisions)
    for sale_id, status, result, _ in writes.decisions:
        if result in ("ok", "unchanged") and not decided[sale_id, status]:
            yield f"a decision ({status}, {result}) was acknowledged and is not there"
    jobs = {str(one["id"]) for one in books.jobs}
    yield from ("a run was acknowledged and is not there" for job_id in writes.runs.values() if job_id not in jobs)
    happened = {(str(one["payout_id"]), one["what"]) for one in books.events}
    for payout_id, what in writes.moves:
        if (payout_id, what) not in happened:
            yield f"{what} was acknowledged for a payout and is not there"


@invariant
def decided_once(books: Books) -> Iterator[str]:
    """Require that each sale is decided once, each correction counts once, and contradictions never take effect."""
    for sale in books.sales:
        rows = [one for one in books.decisions if one["sale_id"] == sale["id"]]
        if [one["revision"] for one in rows] != list(range(1, len(rows) + 1)):
            yield "a sale's decisions are not numbered one after the other"
        if any(one["status"] == two["status"] for one, two in pairwise(rows)):
            yield "a sale was decided alike twice in a row"
        if any((str(sale["id"]), one["status"]) not in books.simulation.corrections for one in rows[1:]):
            yield "a decision was replaced, and nobody asked for a correction"
        successes = [
            one for one in books.simulation.acknowledged.decisions if one[0] == str(sale["id"]) and one[2] == "ok"
        ]
        if len(successes) > len(rows):
            yield f"{len(successes)} decisions took effect, and {len(rows)} are there"


@invariant
def one_run_per_slot(books: Books) -> Iterator[str]:
    """Require that an hour's run is created once, and a requested run once per idempotency key."""
    slots = Counter((job["kind"], job["parameters"].get("slot")) for job in books.jobs if "slot" in job["parameters"])
    yield from (f"{kind} ran {count} times for {slot}" for (kind, slot), count in slots.items() if count > 1)
    requested = [job for job in books.jobs if "asked_by" in job["parameters"]]
    if len(requested) > len(books.simulation.runs_asked):
        yield f"{len(books.simulation.runs_asked)} runs were asked for, and {len(requested)} made"
