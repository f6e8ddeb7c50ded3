"""The row-at-a-time yardstick, by psycopg: one employee per transaction, a query per source, days computed in Python.

Peers do the same through an ORM, which is slower still: docs/performance.md has a recorded run.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row

SQL = Path(__file__).parent / "sql"
START, END = date(2026, 1, 1), date(2026, 1, 31)
SOURCES = ["employments", "attendance", "leave_days", "on_duty", "overtime", "roster_days", "day_edits"]
_WRITE = """insert into bench.rowwise (tenant_id, user_id, halves, present_days, absent_days, ot_hours)
    values (%s, %s, %s, %s, %s, %s)
    on conflict (tenant_id, user_id) do update set halves = excluded.halves,
        present_days = excluded.present_days, absent_days = excluded.absent_days, ot_hours = excluded.ot_hours"""

Facts = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Person:
    """An employee with their calendar, which a peer would have in a cache, and the code of a day without a record."""

    tenant_id: UUID
    user_id: UUID
    weekend: Sequence[int]
    holidays: dict[date, str | None]
    assumed: str


def prepare(admin_url: str, number: int) -> list[Person]:
    """Create the table of results, and return a sample of employees from all tenants."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("drop table if exists bench.rowwise")
        admin.execute(
            "create table bench.rowwise (tenant_id uuid, user_id uuid, halves text, present_days numeric,"
            " absent_days numeric, ot_hours numeric, primary key (tenant_id, user_id))"
        )
        admin.execute("grant usage on schema bench to wagebook_app")
        admin.execute("grant select, insert, update on bench.rowwise to wagebook_app")
        chosen = admin.execute((SQL / "choose.sql").read_bytes(), [number]).fetchall()
    return [
        Person(tenant_id, user_id, weekend, {date.fromisoformat(day): half for day, half in holidays.items()}, assumed)
        for tenant_id, user_id, weekend, holidays, assumed in chosen
    ]


def halves_of(person: Person, facts: Facts) -> str:
    """Return the codes of all halves of the month."""
    attendance = {row.day: row for row in facts["attendance"]}
    leave = {(row.day, row.half): row for row in facts["leave_days"]}
    roster = {row.day: row for row in facts["roster_days"]}
    edits = {row.day: row for row in facts["day_edits"] if row.superseded_at is None}
    employment = facts["employments"][0]
    codes = []
    for number in range((END - START).days + 1):
        day = START + timedelta(days=number)
        claims = {}
        for half, bit in (("first", 2), ("second", 1)):
            edit = edits.get(day)
            by_hand = edit and (edit.first_code if half == "first" else edit.second_code)
            rostered = roster.get(day)
            off = bool(rostered.off & bit) if rostered else day.isoweekday() in person.weekend
            holiday = day in person.holidays and person.holidays[day] in (None, half)
            holiday = holiday and not (rostered and rostered.works_holidays)
            away = leave.get((day, half))
            duty = any(
                o.status == "approved" and o.start_on <= day <= o.end_on and o.half in (None, half)
                for o in facts["on_duty"]
            )
            if by_hand:
                claims[half] = by_hand
            elif day < employment.joined_on or (employment.left_on and day > employment.left_on):
                claims[half] = "-"
            elif away and (away.counts_non_working or not (off or holiday)):
                claims[half] = "U" if away.nature == "lop" else "L"
            elif duty:
                claims[half] = "O"
            elif holiday:
                claims[half] = "H"
            elif off:
                claims[half] = "W"
        codes += [
            claims.get(half) or _attendance_code(attendance.get(day), half, claims, person)
            for half in ("first", "second")
        ]
    return "".join(codes)


def _attendance_code(record: Any, half: str, claims: dict[str, str], person: Person) -> str:
    """Return the code of a half by its attendance.

    Half of the minutes is enough where the other half is leave, on-duty, holiday or week off.
    """
    if record is None:
        return person.assumed
    beside = claims.get("second" if half == "first" else "first", "-")
    bit = 2 if half == "first" else 1
    return "P" if record.present & bit or (record.enough_for_half and beside in "LUOHW") else "A"


@contextmanager
def by_driver(url: str) -> Iterator[Callable[[Person], str]]:
    """Yield a function that computes one employee."""
    with psycopg.connect(url, autocommit=True, row_factory=namedtuple_row) as app:

        def one(person: Person) -> str:
            with app.transaction():
                app.execute(f"set local app.tenant_id = '{person.tenant_id}'".encode())
                key = [person.tenant_id, person.user_id]
                facts: Facts = {
                    table: app.execute(
                        f"select * from {table} where tenant_id = %s and user_id = %s{_in_month(table)}".encode(), key
                    ).fetchall()
                    for table in SOURCES
                }
                halves = halves_of(person, facts)
                app.execute(_WRITE, [*key, *_totals(halves, facts)])
            return halves

        yield one


def _in_month(table: str) -> str:
    if table == "employments":
        return ""
    if table == "on_duty":
        return f" and start_on <= '{END}' and end_on >= '{START}'"
    return f" and day between '{START}' and '{END}'"


def _totals(halves: str, facts: Facts) -> list[Any]:
    overtime = sum(o.hours for o in facts["overtime"] if o.status == "approved")
    return [halves, (halves.count("P") + halves.count("O")) / 2, halves.count("A") / 2, overtime]
