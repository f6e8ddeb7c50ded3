"""Bank files: the bank that accepts them, its reports, and the operators between it and the product.

The bank recognizes a file by its message id: a file that is handed in again is rejected as a duplicate, in one of the
many ways in which banks do so, and pays nothing. Its entries are in the books of the simulated provider, so that the
same invariants are checked against them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID
from xml.etree import ElementTree

from chalicelib.backing.files import Link
from chalicelib.kernel.money import MINOR_UNITS
from infra.labs.crash import reports
from infra.labs.crash.bank import Entry
from infra.labs.crash.baton import Actor, Killed
from infra.labs.crash.faults import Crash
from infra.labs.crash.reports import BookedEntry, TransferStatus

if TYPE_CHECKING:
    from infra.labs.crash.simulation import Simulation

PAIN = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"
IBANS = ("DE75512108001245126199", "GB33BUKB20201555555555", "FR1420041010050500013M02606")
PAYER = {"name": "Acme", "iban": "DE89370400440532013000"}
REFUSALS = ("AC01", "AC04", "AM04", "RC01", "MS03")
# How banks reject a duplicated file: level, reason code, text, whether the code is proprietary.
DUPLICATES: tuple[tuple[str, str | None, str | None, bool], ...] = (
    ("group", "AM05", None, False), ("group", "DU01", "file was delivered twice", False), ("group", None, None, False),
    ("group", "D17", None, True), ("group", "FF01", "Duplicate file", False), ("group", "NARR", "see letter", False),
    ("transfer", "AM05", None, False), ("transfer", "DU03", None, False), ("transfer", "DU04", None, False),
    ("transfer", "DU05", None, False), ("inherited", "DU02", None, False), ("unspecified", "DU01", None, False),
)  # fmt: skip
WRONG_SIGNATURE = "DS0B"


@dataclass
class FileTransfer:
    """One transfer of a file that the bank accepted."""

    message: str
    reference: str
    user_id: UUID
    amount: Decimal
    currency: str
    executes_at: datetime
    refusal: str | None
    back_after: timedelta | None  # the money comes back so long after execution
    fee: Decimal
    entry: Entry | None = None
    is_back: bool = False

    @property
    def final(self) -> TransferStatus | None:
        """The final status of the transfer; None while it is in flight."""
        if self.entry is None:
            return None
        return (
            TransferStatus(self.reference, "RJCT", self.refusal)
            if self.refusal
            else TransferStatus(self.reference, "ACSC")
        )

    @property
    def bookings(self) -> list[BookedEntry]:
        """The entries of the transfer in a statement."""
        if self.entry is None or self.refusal:
            return []
        debit = BookedEntry(self.reference, self.amount, self.currency)
        credit = BookedEntry(self.reference, self.amount, self.currency, is_credit=True, reason="AC04", fee=self.fee)
        return [debit, credit] if self.is_back else [debit]


@dataclass
class BankReport:
    """A report of the bank that has not been uploaded yet."""

    text: str
    message: str | None = None
    accepts: bool = False  # it says that the bank accepted the message


@dataclass
class FileBank:
    """The bank, and the bucket of its files."""

    simulation: Simulation
    store: dict[str, bytes] = field(default_factory=dict)
    orders: dict[str, list[FileTransfer]] = field(default_factory=dict)  # by message
    reports: list[BankReport] = field(default_factory=list)
    accepted_messages: set[str] = field(default_factory=set)  # messages of which a report of acceptance was uploaded

    def open(self) -> None:
        """Let the bank follow simulated time."""
        self.simulation.hub.at_time.append(self._time_moved)

    # Where the product keeps its files

    def put(self, _tenant_id: UUID, key: str, data: bytes, **_about: Any) -> None:
        """Store a file; a point where its writer may be killed."""
        actor = self.simulation.hub.current
        if actor is not None:
            actor.point(Crash.BEFORE_FILE, "file")
        self.store[key] = data
        if actor is not None:
            actor.point(Crash.BEFORE_FILED)

    def link_to(self, _tenant_id: UUID, key: str, *, name: str, now: datetime) -> Link:
        return Link(key, now)

    # What operators do at the bank

    def hand_in(self, data: bytes) -> None:
        """Accept a file, or reject it as a duplicate."""
        root = ElementTree.fromstring(data)  # noqa: S314  # our own file
        message = root.findtext(f".//{PAIN}MsgId") or ""
        if message in self.orders:
            self.simulation.hub.count(Crash.HANDED_IN_TWICE)
            self._refuse_duplicate(message)
            return
        self.simulation.hub.note("bank: took a file")
        known = {order.reference for orders in self.orders.values() for order in orders}
        self.orders[message] = orders = [self._order(message, element) for element in root.iter(f"{PAIN}CdtTrfTxInf")]
        if any(order.reference in known for order in orders):
            self.simulation.bank.complaints.append("one payout was ordered in two files")
        self._acknowledge(message, orders)
        self._time_moved()

    def is_pending(self, reference: str) -> bool:
        """Return whether a transfer has not been executed yet."""
        return any(one.reference == reference and one.entry is None for some in self.orders.values() for one in some)

    def has_seen(self, batch_id: UUID) -> bool:
        return batch_id.hex in self.orders

    def next_moment(self) -> datetime | None:
        """Return when the bank acts next."""
        return min((moment for one in self._all() if (moment := self._next_of(one)) is not None), default=None)

    def close(self) -> list[BankReport]:
        """Return the bank's last reports: a final status of every transfer, and a statement of every booking."""
        rng, now = self.simulation.rng, self.simulation.hub.now
        status_reports = [
            BankReport(reports.status_report(rng, message, [order.final for order in orders if order.final], at=now))
            for message, orders in self.orders.items()
        ]
        booked = [booking for order in self._all() for booking in order.bookings]
        return [*status_reports, *([BankReport(reports.statement(rng, booked, at=now))] if booked else [])]

    # Internal

    def _all(self) -> list[FileTransfer]:
        return [one for orders in self.orders.values() for one in orders]

    def _order(self, message: str, element: ElementTree.Element) -> FileTransfer:
        """Read one transfer of a file, and draw what becomes of it."""
        rng = self.simulation.rng
        money = element.find(f".//{PAIN}InstdAmt")
        assert money is not None
        amount, currency = Decimal(money.text or ""), money.get("Ccy") or ""
        reference = element.findtext(f".//{PAIN}EndToEndId") or ""
        payout = self.simulation.payouts("reference = '" + reference + "'")[0]
        draw = rng.random()
        fee = Decimal(1).scaleb(-MINOR_UNITS[currency]) if rng.random() < 0.5 and amount > 10 else Decimal(0)
        return FileTransfer(
            message,
            reference,
            payout["user_id"],
            amount,
            currency,
            self.simulation.hub.now + timedelta(minutes=rng.choice((0, 0, 10, 600))),
            rng.choice(REFUSALS) if draw < 0.2 else None,
            timedelta(minutes=rng.choice((0, 30, 3000))) if 0.2 <= draw < 0.4 else None,
            fee,
        )

    def _acknowledge(self, message: str, orders: list[FileTransfer]) -> None:
        """Report that the file was accepted, by statuses that settle nothing."""
        rng, now = self.simulation.rng, self.simulation.hub.now
        for _ in range(rng.choice((0, 1, 2))):
            status = rng.choice(("ACTC", "ACSP", "ACCP", "PDNG", "RCVD", "RVNM", "ACWC"))
            statuses = [TransferStatus(order.reference, status) for order in orders]
            accepts = status in ("ACTC", "ACSP", "ACCP", "ACWC")
            self.reports.append(BankReport(reports.status_report(rng, message, statuses, at=now), message, accepts))
        if rng.random() < 0.3:
            booked = [BookedEntry(order.reference, order.amount, order.currency, status="PDNG") for order in orders]
            self.reports.append(BankReport(reports.statement(rng, booked, at=now)))

    def _refuse_duplicate(self, message: str) -> None:
        """Report a duplicate in one of the ways of DUPLICATES."""
        rng, now = self.simulation.rng, self.simulation.hub.now
        level, reason, text, is_own = rng.choice(DUPLICATES)
        if message in self.accepted_messages and rng.random() < 0.5:
            # it was handed in again, with a wrong signature
            level, reason, text, is_own = "group", WRONG_SIGNATURE, None, False
        refusal = TransferStatus(None, "RJCT", reason, text, is_own)
        statuses: list[TransferStatus] = []
        if level == "transfer":
            statuses = [TransferStatus(order.reference, "RJCT", reason) for order in self.orders[message]]
        elif level == "inherited":
            statuses = [TransferStatus(order.reference, "RJCT") for order in self.orders[message]]
        elif level == "unspecified":
            statuses = [TransferStatus(order.reference, "RJCT", "MS03") for order in self.orders[message]]
        group = None if level == "transfer" else refusal
        self.reports.append(BankReport(reports.status_report(rng, message, statuses, at=now, group=group)))

    def _next_of(self, order: FileTransfer) -> datetime | None:
        if order.entry is None:
            return order.executes_at
        return order.entry.at + order.back_after if order.back_after is not None and not order.is_back else None

    def _time_moved(self) -> None:
        """Execute transfers, return money and write reports when they are due."""
        now, rng = self.simulation.hub.now, self.simulation.rng
        statuses: dict[str, list[TransferStatus]] = {}
        booked: list[BookedEntry] = []
        for order in self._all():
            if order.entry is None and order.executes_at <= now:
                self._execute(order)
                has_status = order.refusal is not None or rng.random() < 0.5
                statuses.setdefault(order.message, []).extend([order.final] if has_status and order.final else [])
                booked += order.bookings if not has_status or rng.random() < 0.5 else []
            if order.entry is not None and (moment := self._next_of(order)) is not None and moment <= now:
                order.is_back = order.entry.came_back = True
                self.simulation.hub.count(Crash.LESS_A_FEE if order.fee else Crash.COMES_BACK)
                booked += order.bookings[1:]
        for message, lines in statuses.items():
            if lines:
                self.reports.append(BankReport(reports.status_report(rng, message, lines, at=now)))
        if booked:
            self.reports.append(BankReport(reports.statement(rng, booked, at=now)))

    def _execute(self, order: FileTransfer) -> None:
        """Execute or refuse a transfer, and enter it into the provider's books."""
        order.entry = Entry(
            self.simulation.tenant.id,
            order.user_id,
            order.reference,
            order.amount,
            order.currency,
            max(order.executes_at, STARTS),
            was_refused=order.refusal is not None,
        )
        if order.refusal:
            self.simulation.hub.count(Crash.REFUSED)
            order.back_after = None
        self.simulation.bank.entries.append(order.entry)


STARTS = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


def prepare(simulation: Simulation) -> None:
    """Configure the tenant's bank and its employees' accounts."""
    simulation.files.open()
    simulation.call("Ada", "PATCH", "/tenant", body={"policy": {"payout_provider": "bank_file"}})
    simulation.call("Ada", "PUT", "/payouts/bank-file-settings", body={"format": "pain.001", "payer": PAYER})
    for place, user_id in enumerate(simulation.tenant.people):
        to = {"kind": "iban", "holder": "Person", "iban": IBANS[place % len(IBANS)]}
        simulation.call("Ada", "PUT", "/users/{user_id}/payout-destination", {"user_id": str(user_id)}, to)


def operator(simulation: Simulation, who: str) -> Callable[[Actor], None]:
    """Return the work of an operator: create files of what waits and hand them in, even if another already did."""

    def work(actor: Actor) -> None:
        while True:
            actor.rest(timedelta(minutes=simulation.rng.choice((1, 3, 10, 60))))
            try:
                make_file(simulation, who)
                for batch in open_batches(simulation, who):
                    if simulation.rng.random() < 0.6:
                        hand_in(simulation, who, batch)
            except Killed:
                actor.revive()

    return work


def accountant(simulation: Simulation) -> Callable[[Actor], None]:
    """Return the work of an accountant: upload the bank's reports, in any order, some twice, some never."""

    def work(actor: Actor) -> None:
        while True:
            actor.rest(timedelta(minutes=simulation.rng.choice((1, 10, 60))))
            while simulation.files.reports and simulation.rng.random() < 0.7:
                place = simulation.rng.randrange(len(simulation.files.reports))
                if place:
                    simulation.hub.count(Crash.REPORT_REORDERED)
                mail = simulation.files.reports.pop(place)
                if simulation.rng.random() < 0.15:
                    simulation.hub.count(Crash.REPORT_LOST)
                    continue
                upload(simulation, mail)
                if simulation.rng.random() < 0.2:
                    simulation.hub.count(Crash.REPORT_TWICE)
                    upload(simulation, mail)

    return work


def make_file(simulation: Simulation, who: str) -> None:
    """Create a file of what waits, under an idempotency key that a retry repeats."""
    if not simulation.payouts("status = 'queued'"):
        return
    simulation.batches += 1
    status, answer = simulation.call(who, "POST", "/payouts/batches", body={}, key=f"batch-{simulation.batches}")
    if status not in (0, 201, 409):
        simulation.violations.append(f"acknowledged: a batch was answered with {status} {answer}")


def open_batches(simulation: Simulation, who: str) -> list[dict[str, Any]]:
    """Return the batches that the bank has not answered yet, according to the product."""
    status, page = simulation.call(who, "GET", "/payouts/batches")
    return [one for one in page["items"] if one["status"] == "open"] if status == 200 else []


def hand_in(simulation: Simulation, who: str, batch: dict[str, Any]) -> None:
    """Download a batch's file and hand it in, without knowing whether that was done before."""
    status, link = simulation.call(who, "GET", "/payouts/batches/{batch_id}/file", {"batch_id": batch["id"]})
    if status != 200:
        return
    data = simulation.files.store.get(link["url"])
    if data is None:
        simulation.violations.append("file-there: a batch has no file")
        return
    actor = simulation.hub.current
    simulation.files.hand_in(data)
    if actor is not None:
        actor.point(Crash.AFTER_HAND_IN)


def upload(simulation: Simulation, mail: BankReport) -> None:
    """Upload a report to one of the product's two endpoints for reports."""
    path, values = "/payouts/bank-reports", {}
    if mail.message is not None and simulation.rng.random() < 0.3:
        path, values = "/payouts/batches/{batch_id}/answer", {"batch_id": str(UUID(hex=mail.message))}
    status, answer = simulation.call("Cy", "POST", path, values, mail.text)
    if status not in (0, 200):
        simulation.violations.append(f"acknowledged: a good report was answered with {status} {answer}")
    if status == 200:
        simulation.hub.note(f"report: {sorted(answer['counts'].items())}")
        if mail.accepts and mail.message:
            simulation.files.accepted_messages.add(mail.message)


def work_off(simulation: Simulation) -> None:
    """Hand in all files and upload all reports, once faults have stopped."""
    make_file(simulation, "Ada")
    for batch in open_batches(simulation, "Ada"):
        if not simulation.files.has_seen(UUID(batch["id"])) or simulation.rng.random() < 0.3:
            hand_in(simulation, "Ada", batch)
    mail, simulation.files.reports = simulation.files.reports, []
    for one in [*mail, *simulation.files.close()]:
        upload(simulation, one)
