"""Bank files: the bank that takes them, its reports, and the people between it and the product.

The bank knows a message that it has had by its id: what is brought again is refused as a duplicate, in one of the many
ways in which banks say so, and pays nobody. Its entries are those of the laboratory's provider, so that the same
promises are held against them.
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
from infra.labs.crash.reports import Booked, Told

if TYPE_CHECKING:
    from infra.labs.crash.story import Story

PAIN = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"
IBANS = ("DE75512108001245126199", "GB33BUKB20201555555555", "FR1420041010050500013M02606")
PAYER = {"name": "Acme", "iban": "DE89370400440532013000"}
REFUSALS = ("AC01", "AC04", "AM04", "RC01", "MS03")
# How banks say that they have had a file: on which level, with which reason, in which words.
DUPLICATES: tuple[tuple[str, str | None, str | None, bool], ...] = (
    ("group", "AM05", None, False), ("group", "DU01", "file was delivered twice", False), ("group", None, None, False),
    ("group", "D17", None, True), ("group", "FF01", "Duplicate file", False), ("group", "NARR", "see letter", False),
    ("transfer", "AM05", None, False), ("transfer", "DU03", None, False), ("transfer", "DU04", None, False),
    ("transfer", "DU05", None, False), ("inherited", "DU02", None, False), ("unspecified", "DU01", None, False),
)  # fmt: skip
WRONG_SIGNATURE = "DS0B"


@dataclass
class Ordered:
    """One transfer of a file that the bank took."""

    message: str
    reference: str
    user_id: UUID
    amount: Decimal
    currency: str
    executes_at: datetime
    refusal: str | None
    back_after: timedelta | None  # it comes back so long after it was executed
    fee: Decimal
    entry: Entry | None = None
    is_back: bool = False

    @property
    def final(self) -> Told | None:
        """What the bank says of it in the end; None while it is under way."""
        if self.entry is None:
            return None
        return Told(self.reference, "RJCT", self.refusal) if self.refusal else Told(self.reference, "ACSC")

    @property
    def bookings(self) -> list[Booked]:
        """What a statement says of it."""
        if self.entry is None or self.refusal:
            return []
        debit = Booked(self.reference, self.amount, self.currency)
        credit = Booked(self.reference, self.amount, self.currency, is_credit=True, reason="AC04", fee=self.fee)
        return [debit, credit] if self.is_back else [debit]


@dataclass
class Mail:
    """A report that the bank has made and nobody has uploaded yet."""

    text: str
    message: str | None = None
    accepts: bool = False  # the bank says in it that it took the message


@dataclass
class FileBank:
    """The bank's far end of files, and the store that files lie in."""

    story: Story
    store: dict[str, bytes] = field(default_factory=dict)
    orders: dict[str, list[Ordered]] = field(default_factory=dict)  # by message
    mail: list[Mail] = field(default_factory=list)
    told_accepted: set[str] = field(default_factory=set)  # messages whose acceptance the product has heard of

    def open(self) -> None:
        """Let the bank follow the story's time."""
        self.story.hub.at_time.append(self._time_moved)

    # Where the product keeps its files

    def put(self, _tenant_id: UUID, key: str, data: bytes, **_about: Any) -> None:
        """Keep a file, or be the place where its writer is killed."""
        actor = self.story.hub.current
        if actor is not None:
            actor.point(Crash.BEFORE_FILE, "file")
        self.store[key] = data
        if actor is not None:
            actor.point(Crash.BEFORE_FILED)

    def link_to(self, _tenant_id: UUID, key: str, *, name: str, now: datetime) -> Link:
        return Link(key, now)

    # What people do at the bank's counter

    def bring(self, data: bytes) -> None:
        """Take a file, or refuse it as one that was there before."""
        root = ElementTree.fromstring(data)  # noqa: S314  # our own file
        message = root.findtext(f".//{PAIN}MsgId") or ""
        if message in self.orders:
            self.story.hub.count(Crash.BROUGHT_TWICE)
            self._refuse_duplicate(message)
            return
        self.story.hub.note("bank: took a file")
        known = {order.reference for orders in self.orders.values() for order in orders}
        self.orders[message] = orders = [self._order(message, one) for one in root.iter(f"{PAIN}CdtTrfTxInf")]
        if any(order.reference in known for order in orders):
            self.story.bank.complaints.append("one payout was ordered in two files")
        self._acknowledge(message, orders)
        self._time_moved()

    def is_pending(self, reference: str) -> bool:
        """Whether the bank has still something to do with a transfer."""
        return any(one.reference == reference and one.entry is None for some in self.orders.values() for one in some)

    def has_seen(self, batch_id: UUID) -> bool:
        return batch_id.hex in self.orders

    def next_moment(self) -> datetime | None:
        """Return when the bank does something next."""
        return min((moment for one in self._all() if (moment := self._next_of(one)) is not None), default=None)

    def close(self) -> list[Mail]:
        """Return the bank's last reports: a final status of every transfer, and a statement of every booking."""
        rng, now = self.story.rng, self.story.hub.now
        found = [
            Mail(reports.status_report(rng, message, [one.final for one in orders if one.final], at=now))
            for message, orders in self.orders.items()
        ]
        booked = [booking for one in self._all() for booking in one.bookings]
        return [*found, *([Mail(reports.statement(rng, booked, at=now))] if booked else [])]

    # Its own affairs

    def _all(self) -> list[Ordered]:
        return [one for orders in self.orders.values() for one in orders]

    def _order(self, message: str, element: ElementTree.Element) -> Ordered:
        rng = self.story.rng
        money = element.find(f".//{PAIN}InstdAmt")
        assert money is not None
        amount, currency = Decimal(money.text or ""), money.get("Ccy") or ""
        reference = element.findtext(f".//{PAIN}EndToEndId") or ""
        payout = self.story.payouts("reference = '" + reference + "'")[0]
        drawn = rng.random()
        fee = Decimal(1).scaleb(-MINOR_UNITS[currency]) if rng.random() < 0.5 and amount > 10 else Decimal(0)
        return Ordered(
            message,
            reference,
            payout["user_id"],
            amount,
            currency,
            self.story.hub.now + timedelta(minutes=rng.choice((0, 0, 10, 600))),
            rng.choice(REFUSALS) if drawn < 0.2 else None,
            timedelta(minutes=rng.choice((0, 30, 3000))) if 0.2 <= drawn < 0.4 else None,
            fee,
        )

    def _acknowledge(self, message: str, orders: list[Ordered]) -> None:
        """Say that the file was taken, in words that are not yet a settlement."""
        rng, now = self.story.rng, self.story.hub.now
        for _ in range(rng.choice((0, 1, 2))):
            status = rng.choice(("ACTC", "ACSP", "ACCP", "PDNG", "RCVD", "RVNM", "ACWC"))
            told = [Told(one.reference, status) for one in orders]
            accepts = status in ("ACTC", "ACSP", "ACCP", "ACWC")
            self.mail.append(Mail(reports.status_report(rng, message, told, at=now), message, accepts))
        if rng.random() < 0.3:
            booked = [Booked(one.reference, one.amount, one.currency, status="PDNG") for one in orders]
            self.mail.append(Mail(reports.statement(rng, booked, at=now)))

    def _refuse_duplicate(self, message: str) -> None:
        rng, now = self.story.rng, self.story.hub.now
        level, reason, text, is_own = rng.choice(DUPLICATES)
        if message in self.told_accepted and rng.random() < 0.5:
            level, reason, text, is_own = "group", WRONG_SIGNATURE, None, False  # it was brought with another signature
        refusal = Told(None, "RJCT", reason, text, is_own)
        told: list[Told] = []
        if level == "transfer":
            told = [Told(one.reference, "RJCT", reason) for one in self.orders[message]]
        elif level == "inherited":
            told = [Told(one.reference, "RJCT") for one in self.orders[message]]
        elif level == "unspecified":
            told = [Told(one.reference, "RJCT", "MS03") for one in self.orders[message]]
        group = None if level == "transfer" else refusal
        self.mail.append(Mail(reports.status_report(rng, message, told, at=now, group=group)))

    def _next_of(self, one: Ordered) -> datetime | None:
        if one.entry is None:
            return one.executes_at
        return one.entry.at + one.back_after if one.back_after is not None and not one.is_back else None

    def _time_moved(self) -> None:
        now, rng = self.story.hub.now, self.story.rng
        told: dict[str, list[Told]] = {}
        booked: list[Booked] = []
        for one in self._all():
            if one.entry is None and one.executes_at <= now:
                self._execute(one)
                says_so = one.refusal is not None or rng.random() < 0.5
                told.setdefault(one.message, []).extend([one.final] if says_so and one.final else [])
                booked += one.bookings if not says_so or rng.random() < 0.5 else []
            if one.entry is not None and (moment := self._next_of(one)) is not None and moment <= now:
                one.is_back = one.entry.came_back = True
                self.story.hub.count(Crash.LESS_A_FEE if one.fee else Crash.COMES_BACK)
                booked += one.bookings[1:]
        for message, lines in told.items():
            if lines:
                self.mail.append(Mail(reports.status_report(rng, message, lines, at=now)))
        if booked:
            self.mail.append(Mail(reports.statement(rng, booked, at=now)))

    def _execute(self, one: Ordered) -> None:
        one.entry = Entry(
            self.story.tenant.id,
            one.user_id,
            one.reference,
            one.amount,
            one.currency,
            max(one.executes_at, STARTS),
            was_refused=one.refusal is not None,
        )
        if one.refusal:
            self.story.hub.count(Crash.REFUSED)
            one.back_after = None
        self.story.bank.entries.append(one.entry)


STARTS = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


def prepare(story: Story) -> None:
    """Give the tenant a bank that takes files, and its people accounts."""
    story.files.open()
    story.call("Ada", "PATCH", "/tenant", body={"policy": {"payout_provider": "bank_file"}})
    story.call("Ada", "PUT", "/payouts/bank-file-settings", body={"format": "pain.001", "payer": PAYER})
    for place, user_id in enumerate(story.tenant.people):
        to = {"kind": "iban", "holder": "Person", "iban": IBANS[place % len(IBANS)]}
        story.call("Ada", "PUT", "/users/{user_id}/payout-destination", {"user_id": str(user_id)}, to)


def operator(story: Story, who: str) -> Callable[[Actor], None]:
    """Return somebody who makes files of what waits and brings them to the bank, not knowing whether another did."""

    def work(actor: Actor) -> None:
        while True:
            actor.rest(timedelta(minutes=story.rng.choice((1, 3, 10, 60))))
            try:
                make_file(story, who)
                for batch in open_batches(story, who):
                    if story.rng.random() < 0.6:
                        bring(story, who, batch)
            except Killed:
                actor.revive()

    return work


def accountant(story: Story) -> Callable[[Actor], None]:
    """Return somebody who uploads the bank's reports: in any order, some of them twice, some never."""

    def work(actor: Actor) -> None:
        while True:
            actor.rest(timedelta(minutes=story.rng.choice((1, 10, 60))))
            while story.files.mail and story.rng.random() < 0.7:
                place = story.rng.randrange(len(story.files.mail))
                if place:
                    story.hub.count(Crash.REPORT_REORDERED)
                mail = story.files.mail.pop(place)
                if story.rng.random() < 0.15:
                    story.hub.count(Crash.REPORT_LOST)
                    continue
                upload(story, mail)
                if story.rng.random() < 0.2:
                    story.hub.count(Crash.REPORT_TWICE)
                    upload(story, mail)

    return work


def make_file(story: Story, who: str) -> None:
    """Put what waits into a file, under a key that a second try repeats."""
    if not story.payouts("status = 'queued'"):
        return
    story.batches += 1
    status, answer = story.call(who, "POST", "/payouts/batches", body={}, key=f"batch-{story.batches}")
    if status not in (0, 201, 409):
        story.violations.append(f"acknowledged: a batch was answered with {status} {answer}")


def open_batches(story: Story, who: str) -> list[dict[str, Any]]:
    """Return the batches that the product says the bank has not answered for."""
    status, page = story.call(who, "GET", "/payouts/batches")
    return [one for one in page["items"] if one["status"] == "open"] if status == 200 else []


def bring(story: Story, who: str, batch: dict[str, Any]) -> None:
    """Get a batch's file and bring it to the bank; whether it was brought before, its bringer does not know."""
    status, link = story.call(who, "GET", "/payouts/batches/{batch_id}/file", {"batch_id": batch["id"]})
    if status != 200:
        return
    data = story.files.store.get(link["url"])
    if data is None:
        story.violations.append("file-there: a batch has no file")
        return
    actor = story.hub.current
    story.files.bring(data)
    if actor is not None:
        actor.point(Crash.AFTER_BRINGING)


def upload(story: Story, mail: Mail) -> None:
    """Hand a report to the product, at either of its endpoints."""
    path, values = "/payouts/bank-reports", {}
    if mail.message is not None and story.rng.random() < 0.3:
        path, values = "/payouts/batches/{batch_id}/answer", {"batch_id": str(UUID(hex=mail.message))}
    status, answer = story.call("Cy", "POST", path, values, mail.text)
    if status not in (0, 200):
        story.violations.append(f"acknowledged: a good report was answered with {status} {answer}")
    if status == 200:
        story.hub.note(f"report: {sorted(answer['counts'].items())}")
        if mail.accepts and mail.message:
            story.files.told_accepted.add(mail.message)


def work_off(story: Story) -> None:
    """Bring what the bank has not had, and upload whatever it says, once faults have stopped."""
    make_file(story, "Ada")
    for batch in open_batches(story, "Ada"):
        if not story.files.has_seen(UUID(batch["id"])) or story.rng.random() < 0.3:
            bring(story, "Ada", batch)
    mail, story.files.mail = story.files.mail, []
    for one in [*mail, *story.files.close()]:
        upload(story, one)
