"""Read the scenario files into plain facts and expectations, refusing any word it does not know.

Days are written `2026-01-05`, `2026-01-04..2026-01-15` (both ends included), or a list of either. A salary is
`15000 monthly` (from joining) or `18000 monthly from 2026-01-16`. A written-over half is `present`, or
`leave lop unpaid` (status, nature, leave type). An expected half is `present attendance` (status, source).
In `facts`, `present` is the background: `absent`, `half_day` and `worked` replace it on their days.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from tests.model.facts import (
    HALVES,
    AttendanceDay,
    Branch,
    Case,
    DayEdit,
    Employee,
    Facts,
    HalfEdit,
    Holiday,
    Leave,
    OnDuty,
    Overtime,
    Policy,
    RosterDay,
    Salary,
    Shift,
    Tenant,
)
from tests.model.workdays import days_between, period_of

HERE = Path(__file__).parent
LONG_AGO = date(2025, 1, 1)
Entry = dict[str, Any]


@dataclass(frozen=True)
class ExpectedLine:
    """One line of an earned balance."""

    rate: Decimal
    frequency: str
    starts_on: date
    ends_on: date
    amount: Decimal


@dataclass(frozen=True)
class Expect:
    """What must come out; totals not named are not asked, None means lines or amount are not asked."""

    totals: dict[str, Any] = field(default_factory=dict)
    halves: dict[date, tuple[tuple[str, str], tuple[str, str]]] = field(default_factory=dict)
    lines: list[ExpectedLine] | None = None
    amount: Decimal | None = None


@dataclass(frozen=True)
class Scenario:
    """One worked example: a sentence, the facts, and what must come out."""

    name: str
    sentence: str
    tenant: Tenant
    branches: tuple[Branch, ...]
    holidays: tuple[Holiday, ...]
    employee: Employee
    facts: Facts
    month: str
    as_of: date
    expect: Expect

    @property
    def case(self) -> Case:
        """Return the question without the answer, in the shape the generators make."""
        return Case(self.tenant, self.branches, self.holidays, self.employee, self.facts, self.month, self.as_of)


class ExactLoader(yaml.SafeLoader):
    """Read numbers with a point as Decimal, never as float."""


ExactLoader.add_constructor("tag:yaml.org,2002:float", lambda _, node: Decimal(str(node.value)))


def load(path: str | Path) -> list[Scenario]:
    """Read one file; a bare name such as `register.yaml` is looked up beside this module."""
    path = HERE / path
    with path.open(encoding="utf-8") as file:
        entries = yaml.load(file, Loader=ExactLoader)  # noqa: S506 - a SafeLoader
    scenarios = [scenario_of(entry) for entry in entries]
    names = [scenario.name for scenario in scenarios]
    if len(set(names)) != len(names):
        raise ValueError(f"two scenarios of {path.name} have one name")
    return scenarios


def known(entry: Mapping[str, Any], *words: str) -> Mapping[str, Any]:
    """Refuse a word that is not in the list, so that a slip of the pen is not silently ignored."""
    for word in entry:
        if word not in words:
            raise ValueError(f"unknown word {word!r} in {dict(entry)!r}; known: {', '.join(words)}")
    return entry


def scenario_of(entry: Entry) -> Scenario:
    """Read one scenario."""
    known(
        entry,
        *("name", "sentence", "tenant", "branches", "holidays", "shifts", "employee", "facts"),
        *("month", "as_of", "expect"),
    )
    tenant = tenant_of(entry.get("tenant", {}))
    branches = tuple(branch_of(one) for one in entry.get("branches", []))
    holidays = tuple(holiday for one in entry.get("holidays", []) for holiday in holidays_of(one))
    shifts = {name: shift_of(name, one) for name, one in entry.get("shifts", {}).items()}
    return Scenario(
        name=entry["name"],
        sentence=entry["sentence"],
        tenant=tenant,
        branches=branches,
        holidays=holidays,
        employee=employee_of(entry["employee"], branches, shifts),
        facts=facts_of(entry.get("facts", {}), holidays, shifts),
        month=entry["month"],
        as_of=entry.get("as_of", period_of(tenant, entry["month"])[1]),
        expect=expect_of(entry["expect"]),
    )


def tenant_of(entry: Entry) -> Tenant:
    """Read the tenant; what is not written is the default of facts.py."""
    words = known(entry, "timezone", "weekend", "week_start", "cycle_start_day", "minor_units", "policy")
    values = dict(words)
    if "weekend" in values:
        values["weekend"] = frozenset(values["weekend"])
    if "policy" in values:
        values["policy"] = Policy(**values["policy"])
    return Tenant(**values)


def branch_of(entry: Entry) -> Branch:
    """Read a branch."""
    known(entry, "name", "weekend", "own_holidays")
    weekend = frozenset(entry["weekend"]) if "weekend" in entry else None
    return Branch(entry["name"], weekend, entry.get("own_holidays", False))


def holidays_of(entry: Entry) -> list[Holiday]:
    """Read one holiday, or several days of one."""
    known(entry, "days", "half", "branch")
    return [Holiday(day, entry.get("half"), entry.get("branch")) for day in days_of(entry["days"])]


def shift_of(name: str, entry: Entry) -> Shift:
    """Read a shift; its hours are quoted, or YAML would take 21:00 for a number."""
    known(entry, "starts", "ends", "units", "full_day_minutes", "half_day_minutes", "unpaid_break_minutes")
    return Shift(
        name,
        time.fromisoformat(entry["starts"]),
        time.fromisoformat(entry["ends"]),
        number(entry.get("units", 1)),
        entry.get("full_day_minutes"),
        entry.get("half_day_minutes"),
        entry.get("unpaid_break_minutes", 0),
    )


def employee_of(entry: Entry, branches: tuple[Branch, ...], shifts: Mapping[str, Shift]) -> Employee:
    """Read the employee, long employed unless written otherwise."""
    known(entry, "joined", "left", "branch", "shift", "salary")
    joined = entry.get("joined", LONG_AGO)
    written = entry.get("salary", [])
    salaries = [salary_of(one, joined) for one in (written if isinstance(written, list) else [written])]
    branch = {b.name: b for b in branches}[entry["branch"]] if "branch" in entry else None
    shift = shifts[entry["shift"]] if "shift" in entry else None
    return Employee(joined, entry.get("left"), branch, shift, tuple(salaries))


def salary_of(written: str, joined: date) -> Salary:
    """Read `15000 monthly` or `15000 monthly from 2026-01-16`."""
    amount, frequency, *since = written.split()
    if frequency not in ("monthly", "weekly", "daily") or (since and since[0] != "from"):
        raise ValueError(f"not a salary: {written!r}")
    start = date.fromisoformat(since[1]) if since else joined
    return Salary(Decimal(amount), frequency, start)  # type: ignore[arg-type]


def facts_of(entry: Entry, holidays: tuple[Holiday, ...], shifts: Mapping[str, Shift]) -> Facts:
    """Read what happened."""
    known(
        entry,
        *("present", "absent", "half_day", "worked"),
        *("leave", "od", "overtime", "roster", "edits"),
    )
    return Facts(
        holidays=holidays,
        roster=tuple(row for one in entry.get("roster", []) for row in roster_of(one, shifts)),
        attendance=tuple(attendance_of(entry).values()),
        leaves=tuple(leave for one in entry.get("leave", []) for leave in leaves_of(one)),
        on_duty=tuple(duty_of(one) for one in entry.get("od", [])),
        overtime=tuple(
            Overtime(day, number(known(one, "days", "hours")["hours"]))
            for one in entry.get("overtime", [])
            for day in days_of(one["days"])
        ),
        edits=tuple(edit_of(one) for one in entry.get("edits", [])),
    )


def attendance_of(entry: Entry) -> dict[date, AttendanceDay]:
    """Read the four ways of writing attendance, one record per day, the later way winning."""
    records = {day: AttendanceDay(day, "present") for day in days_of(entry.get("present", []))}
    for day in days_of(entry.get("absent", [])):
        records[day] = AttendanceDay(day, "absent")
    for one in entry.get("half_day", []):
        known(one, "days", "half", "late", "early_out")
        for day in days_of(one["days"]):
            minutes = {"late_minutes": one.get("late", 0), "early_out_minutes": one.get("early_out", 0)}
            records[day] = AttendanceDay(day, "half_day", one.get("half"), **minutes)
    for one in entry.get("worked", []):
        known(one, "days", "stated", "half", "minutes", "times", "after_middle", "late", "early_out")
        for day in days_of(one["days"]):
            records[day] = AttendanceDay(
                day,
                stated=one.get("stated"),
                half=one.get("half"),
                worked_minutes=one.get("minutes"),
                checked_in_after_middle=one.get("after_middle", False),
                late_minutes=one.get("late", 0),
                early_out_minutes=one.get("early_out", 0),
                sessions=tuple(session_of(written) for written in one.get("times", [])),
            )
    return records


def session_of(written: str) -> tuple[time, time]:
    """Read `13:30-18:00`: from when to when an employee worked, by the local clock."""
    came, left = written.split("-")
    return time.fromisoformat(came), time.fromisoformat(left)


def leaves_of(entry: Entry) -> Iterator[Leave]:
    """Read approved leave, whole days unless a half is written."""
    known(entry, "days", "half", "nature", "type", "counts_non_working")
    nature = entry["nature"]
    name = entry.get("type", "annual" if nature == "paid" else "unpaid")
    for day in days_of(entry["days"]):
        for half in [entry["half"]] if "half" in entry else HALVES:
            yield Leave(day, half, nature, entry.get("counts_non_working", False), name)


def duty_of(entry: Entry) -> OnDuty:
    """Read one duty elsewhere, one day or a range."""
    known(entry, "days", "half")
    days = days_of(entry["days"])
    return OnDuty(days[0], days[-1], entry.get("half"))


def roster_of(entry: Entry, shifts: Mapping[str, Shift]) -> Iterator[RosterDay]:
    """Read roster rows; `day_off` is first, second or full; without it the day is worked."""
    known(entry, "days", "shift", "day_off", "works_holidays")
    shift = shifts[entry["shift"]] if "shift" in entry else None
    for day in days_of(entry["days"]):
        yield RosterDay(day, shift, entry.get("day_off"), entry.get("works_holidays", False))


def edit_of(entry: Entry) -> DayEdit:
    """Read what a person wrote over a day; `day` writes both halves."""
    known(entry, "date", "day", "first", "second", "ot_hours", "extra_days", "remarks")
    first, second = (entry.get(half, entry.get("day")) for half in HALVES)
    return DayEdit(
        entry["date"],
        HalfEdit(*first.split()) if first else None,
        HalfEdit(*second.split()) if second else None,
        number(entry["ot_hours"]) if "ot_hours" in entry else None,
        number(entry["extra_days"]) if "extra_days" in entry else None,
        entry.get("remarks"),
    )


def expect_of(entry: Entry) -> Expect:
    """Read what must come out."""
    known(entry, "totals", "halves", "lines", "amount")
    halves = {}
    for day, (first, second) in entry.get("halves", {}).items():
        halves[day] = (tuple(first.split()), tuple(second.split()))
    lines = [line_of(one) for one in entry["lines"]] if "lines" in entry else None
    amount = number(entry["amount"]) if "amount" in entry else None
    return Expect(entry.get("totals", {}), halves, lines, amount)


def line_of(entry: Entry) -> ExpectedLine:
    """Read one expected line."""
    known(entry, "rate", "days", "amount")
    amount, frequency = entry["rate"].split()
    days = days_of(entry["days"])
    return ExpectedLine(Decimal(amount), frequency, days[0], days[-1], number(entry["amount"]))


def days_of(written: Any) -> list[date]:
    """Read a day, a range, or a list of them."""
    if isinstance(written, list):
        return [day for part in written for day in days_of(part)]
    if isinstance(written, date):
        return [written]
    if isinstance(written, str) and ".." in written:
        start, end = written.split("..")
        return days_between(date.fromisoformat(start), date.fromisoformat(end))
    raise ValueError(f"not a day or a range of days: {written!r}")


def number(written: Any) -> Decimal:
    """Read an exact number."""
    return Decimal(str(written))
