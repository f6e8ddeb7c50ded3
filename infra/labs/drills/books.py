"""Our books and the provider's, read by a superuser from outside the product."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from infra.labs.drills import surroundings
from infra.labs.drills.steps import DrillFailure, expect
from infra.local.postgres import Server

DATABASE = "wagebook"


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement in the provider's list."""

    reference: str
    user_id: str
    amount: Decimal
    status: str


@dataclass
class Books:
    """A server's books, and what was recorded of them before they were lost."""

    server: Server
    rows: list[tuple[Any, ...]] = field(default_factory=list)  # of the provider's list
    payout_ids: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The superuser's address."""
        return make_url(self.server.admin_url).set(database=DATABASE).render_as_string(hide_password=False)

    @property
    def application_url(self) -> str:
        """The plain application role's address."""
        password = surroundings.passwords()["wagebook_app"]
        url = make_url(self.server.admin_url).set(username="wagebook_app", password=password, database=DATABASE)
        return url.render_as_string(hide_password=False)

    def now(self) -> datetime:
        """Return the database's time; everything before is older, everything after is younger."""
        self._query("select pg_sleep(0.02)")
        [(moment,)] = self._query("select clock_timestamp()")
        self._query("select pg_sleep(0.02)")
        assert isinstance(moment, datetime)
        return moment

    def movements(self) -> list[Movement]:
        """Return the provider's list."""
        rows = self._query("select reference, user_id::text, amount, status from simulated_movements order by id")
        return [Movement(*row) for row in rows]

    def summary(self) -> str:
        """Return the number of payouts by state."""
        counts = self._query("select status, count(*) from payouts group by 1 order by 1")
        return "payouts: " + ", ".join(f"{count} {status}" for status, count in counts)

    def remember(self) -> None:
        """Record the provider's list and the numbers of our rows, before they are lost."""
        self.rows = self._query("select * from simulated_movements")
        self.payout_ids = [str(row[0]) for row in self._query("select id from payouts")]
        self.counts = self._counts()

    def summary_of_loss(self, lost: Books) -> str:
        """Return the numbers of rows that were lost."""
        lost_counts = {name: lost.counts[name] - count for name, count in self._counts().items()}
        if not all(lost_counts.values()):
            raise DrillFailure(f"nothing was lost of some tables, so nothing is proven: {lost_counts}")
        return "lost: " + ", ".join(f"{count} {name}" for name, count in lost_counts.items())

    def take_over(self, lost: Books) -> None:
        """Put the simulated provider's list back: it is in our database only for convenience."""
        with psycopg.connect(self.url) as admin:
            admin.execute("delete from simulated_movements")
            places = ", ".join(["%s"] * len(lost.rows[0]))
            with admin.cursor() as cursor:
                cursor.executemany(f"insert into simulated_movements values ({places})".encode(), lost.rows)

    def destroy(self) -> None:
        """Destroy the database."""
        with psycopg.connect(self.url) as admin:
            admin.execute("drop table payouts cascade")

    def expect_paid_once(self, owed: dict[str, Decimal]) -> None:
        """Compare the provider's list with what people are owed, to the cent."""
        moved = [one for one in self.movements() if one.status == "accepted"]
        repeated = [reference for reference, count in Counter(one.reference for one in moved).items() if count > 1]
        expect(repeated, [], "references that moved money more than once")
        paid: dict[str, Decimal] = {}
        for one in moved:
            paid[one.user_id] = paid.get(one.user_id, Decimal(0)) + one.amount
        expect(paid, owed, "paid by person")

    def _counts(self) -> dict[str, int]:
        tables = ("payouts", "sales", "sale_decisions", "ledger_entries")
        return {name: int(self._query(f"select count(*) from {name}")[0][0]) for name in tables}

    def _query(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as admin:
            return admin.execute(query.encode()).fetchall()
