"""The row-at-a-time yardstick, by psycopg, prepared: a transaction per sale, with the same tables, locks, invariants.

A program that books sale by sale still pays each person once, so a person's sales are followed by a transaction that
creates their payout; it counts in both ways.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID, uuid4

import psycopg

from infra.labs.bench.data import Loaded
from infra.labs.bench.payouts.data import copied


@dataclass(frozen=True, slots=True)
class Person:
    """A person with sales to book."""

    tenant_id: UUID
    user_id: UUID
    sale_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Rates:
    """Sales a second: advanced, or decided, with each person's payout; or decided before and each paid alone."""

    advance: float
    settlement: float
    final: float


def rates(server: Loaded, sample: int) -> Rates:
    """Advance, pay, approve and pay a sample of sales, one by one, after a warm-up."""
    with copied(server) as database, Clerk(database.url) as clerk:
        people = choose(database.admin_url, 2 * sample + sample // 10 + 1)
        people, others = people[sample:], people[:sample]
        first = _rate(clerk, clerk.advance, people, sample)
        return Rates(first, _rate(clerk, clerk.approve, people, sample), _singly(clerk, others))


def _rate(clerk: "Clerk", book: Callable[[Person, UUID], None], people: Sequence[Person], sample: int) -> float:
    sales, began = 0, 0.0
    for place, person in enumerate(people):
        if place == len(people) - sample:
            sales, began = 0, time.perf_counter()
        for sale_id in person.sale_ids:
            book(person, sale_id)
        clerk.pay(person)
        sales += len(person.sale_ids)
    return sales / (time.perf_counter() - began)


def _singly(clerk: "Clerk", people: Sequence[Person]) -> float:
    took = 0.0
    for person in people:
        for sale_id in person.sale_ids:
            clerk.approve(person, sale_id)
            began = time.perf_counter()
            clerk.pay(person)
            took += time.perf_counter() - began
    return sum(len(person.sale_ids) for person in people) / took


def choose(admin_url: str, number: int) -> list[Person]:
    """Return a sample of people from all tenants."""
    with psycopg.connect(admin_url) as admin:
        rows = admin.execute(_CHOOSE, [number]).fetchall()
    return [Person(*row) for row in rows]


class Clerk:
    """A connection of the application role that books one sale at a time."""

    def __init__(self, url: str) -> None:
        self._app = psycopg.connect(url, autocommit=True, prepare_threshold=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._app.close()

    def advance(self, person: Person, sale_id: UUID) -> None:
        """Book a sale's advance, unless it has one or is decided."""
        with self._transaction(person):
            self._one(_LOCK_ACCOUNT, person.tenant_id, person.user_id)
            sale = self._one(_SALE, person.tenant_id, sale_id)
            pending = self._one(_IS_PENDING, person.tenant_id, sale_id)
            advanced = self._one(_ADVANCE_OF, person.tenant_id, sale_id)
            if sale and pending and not advanced:
                amount = sale[1]
                self._book(person, sale_id, ("advance", 1, "advances", "payable", amount))

    def approve(self, person: Person, sale_id: UUID) -> None:
        """Approve a sale, unless it is decided."""
        with self._transaction(person):
            self._one(_LOCK_ACCOUNT, person.tenant_id, person.user_id)
            sale = self._one(_SALE, person.tenant_id, sale_id)
            advanced = self._one(_ADVANCE_OF, person.tenant_id, sale_id)
            if sale and self._one(_DECIDE, person.tenant_id, sale_id) is not None:
                part = advanced[0] if advanced else 0
                lines = (
                    ("approve", 1, "sales_cost", "advances", part),
                    ("approve", 2, "sales_cost", "payable", sale[0] - part),
                )
                self._book(person, sale_id, *(line for line in lines if line[-1] > 0))

    def pay(self, person: Person) -> None:
        """Pay a person what they are owed: the payout, its event, its ledger line and its message."""
        with self._transaction(person):
            account = self._one(_LOCK_ACCOUNT, person.tenant_id, person.user_id)
            if account is None or account[0] >= 0:
                return
            paid = self._app.execute(
                _PAYOUT,
                {
                    "tenant_id": person.tenant_id,
                    "user_id": person.user_id,
                    "amount": -account[0],
                    "reference": uuid4().hex,
                },
            ).fetchall()[0]
            self._app.execute(_EVENT, [person.tenant_id, paid[0]])
            self._book(person, paid[0], ("payout", 1, "payable", "cash", -account[0]))
            self._app.execute(_MESSAGE, [person.tenant_id, paid[0]])

    def balances(self, tenant_id: UUID, user_id: UUID) -> list[Any]:
        """Read a person's two accounts."""
        self._app.execute(f"begin; set local app.tenant_id = '{tenant_id}'".encode(), prepare=False)
        rows = self._app.execute(_BALANCES, [tenant_id, user_id]).fetchall()
        self._app.execute("commit")
        return rows

    def _book(self, person: Person, subject_id: UUID, *lines: tuple[str, int, str, str, Any]) -> None:
        values = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, 'BDT', %s, now())"] * len(lines))
        parameters = [value for line in lines for value in (person.tenant_id, person.user_id, subject_id, *line)]
        self._app.execute((_BOOK + values).encode(), parameters)

    def _one(self, query: str, *values: object) -> Any:
        return self._app.execute(query.encode(), values).fetchone()

    @contextmanager
    def _transaction(self, person: Person) -> Iterator[None]:
        self._app.execute(f"begin; set local app.tenant_id = '{person.tenant_id}'".encode(), prepare=False)
        yield
        self._app.execute("commit")


_CHOOSE = """
    select p.tenant_id, p.user_id, array_agg(s.sale_id order by s.sale_id)
    from (select * from bench.people order by md5(user_id::text) limit %s) p
    join pending_sales s on s.tenant_id = p.tenant_id and s.user_id = p.user_id
    group by 1, 2 order by md5(p.user_id::text)"""

_BALANCES = """
    select kind, currency, balance from ledger_accounts
    where tenant_id = %s and owner_id = %s and kind in ('payable', 'advances')"""

_LOCK_ACCOUNT = """
    select balance from ledger_accounts
    where tenant_id = %s and kind = 'payable' and owner_id = %s and currency = 'BDT' for update"""

_SALE = "select earning, trunc(earning / 10, 2) from sales where tenant_id = %s and id = %s"

_IS_PENDING = "select true from pending_sales where tenant_id = %s and sale_id = %s"

_ADVANCE_OF = """
    select amount from ledger_entries
    where tenant_id = %s and subject_id = %s and event = 'advance' and revision = 1 and line = 1"""

_DECIDE = """
    with listed as (delete from pending_sales where tenant_id = %s and sale_id = %s returning tenant_id, sale_id)
    insert into sale_decisions (tenant_id, sale_id, revision, status, decided_by, decided_at)
    select tenant_id, sale_id, 1, 'approved', 'HR', now() from listed returning sale_id"""

_BOOK = """
    insert into ledger_entries
        (tenant_id, user_id, subject_id, event, line, debit, credit, currency, amount, booked_at)
    values """

_PAYOUT = """
    insert into payouts (tenant_id, user_id, currency, amount, after_number, through_number, kind, provider,
        destination_id, reference, status, look_at, prepared_by)
    select d.tenant_id, d.user_id, 'BDT', %(amount)s, lines.paid, lines.last, 'final', 'simulated', d.id, %(reference)s,
        'queued', clock_timestamp() + interval '5 minutes', 'HR'
    from payout_destinations d
    cross join (
        select max(number) as last, coalesce(max(number) filter (where event = 'payout'), 0) as paid
        from ledger_entries
        where tenant_id = %(tenant_id)s and user_id = %(user_id)s and currency = 'BDT' and 'payable' in (debit, credit)
    ) lines
    where d.tenant_id = %(tenant_id)s and d.user_id = %(user_id)s and d.superseded_at is null
    returning id"""

_EVENT = """
    insert into payout_events (tenant_id, payout_id, what, status, fence, actor)
    values (%s, %s, 'made', 'queued', 0, 'HR')"""

_MESSAGE = """
    insert into outbox (tenant_id, queue, body) values (%s, 'payouts', jsonb_build_object('payout_id', %s::uuid))"""
