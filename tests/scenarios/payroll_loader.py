"""Read the payroll stories of tests/scenarios/payroll, refusing any word it does not know.

A story has people, components and steps in the order in which they happen. What is not said: Friday and Saturday are
off, money is BDT, whoever has no attendance record of a day was there (the other way round than the product's default:
it keeps the book short), and everybody has worked here since 1 January 2025.

A component is `fixed: 1000.00`, `percent: 10 of gross`, `formula: ot_hours * hourly_rate` or `dynamic: true`, under its
category (`earning`, `deduction`, `tax`, `benefit`), from 1 January 2026 on unless said. It is for everybody, or with
`for: some` only for those to whom it is assigned. An assignment is `included`, `excluded`, an amount or a percent such
as `7.5%`, each perhaps followed by `from 2026-02-01` and `to 2026-02-28`. Facts and salaries are written as loader.py
says. A KPI is `90 of 120 at 20`: value, target, weight;
several are a list.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from tests.model.facts import Employee, Facts, Holiday, Policy, Salary, Shift, Tenant
from tests.model.payroll import Adjustment
from tests.model.payslip import CATEGORIES, Category, Component, Own
from tests.scenarios.loader import (
    ExactLoader,
    facts_of,
    holidays_of,
    known,
    number,
    salary_of,
    shift_of,
)

FOLDER = Path(__file__).parent / "payroll"
LONG_AGO, FIRST_DAY = date(2025, 1, 1), date(2026, 1, 1)
MINOR_UNITS = {"BDT": 2, "JPY": 0, "KWD": 3}
PRESENT = Policy(missing_attendance="present")
SECTIONS: dict[str, Category] = {
    "earnings": "earning",
    "deductions": "deduction",
    "taxes": "tax",
    "benefits": "benefit",
}
Entry = Mapping[str, Any]
Score = tuple[Decimal, Decimal, Decimal]  # value, target, weight


@dataclass(frozen=True)
class Step:
    """One step or one expectation; `value` is as the word's reader parsed it."""

    word: str
    value: Any


@dataclass(frozen=True)
class Story:
    """One worked example."""

    name: str
    sentence: str
    currency: str
    tenant: Tenant
    holidays: tuple[Holiday, ...]
    shift: Shift | None
    components: dict[str, tuple[Component, date]]
    people: dict[str, Employee]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class RunToCalculate:
    """A run to calculate: a month, and for one beside the regular runs whom and what it is for."""

    month: str
    is_regular: bool = True
    people: tuple[str, ...] | None = None
    components: tuple[str, ...] = ()
    amounts: Mapping[str, Mapping[str, Decimal]] | None = None  # by component and person


@dataclass(frozen=True)
class Expected:
    """One payslip as worked by hand: every line there is, by category, and the totals."""

    lines: dict[Category, dict[str, Decimal]]
    gross: Decimal
    net: Decimal
    warnings: dict[str, str]

    def total(self, category: Category) -> Decimal:
        """Sum the lines of one category."""
        return sum(self.lines[category].values(), Decimal(0))


def load(folder: Path = FOLDER) -> list[Story]:
    """Read all files of a folder; no two stories have one name."""
    stories = []
    for path in sorted(folder.glob("*.yaml")):
        stories += stories_of(path.read_text(encoding="utf-8"))
    names = [story.name for story in stories]
    if len(set(names)) != len(names):
        raise ValueError(f"two stories have one name: {sorted(name for name in names if names.count(name) > 1)[0]}")
    return stories


def stories_of(text: str) -> list[Story]:
    """Read the stories of one file."""
    return [story_of(entry) for entry in yaml.load(text, Loader=ExactLoader)]  # noqa: S506 - a SafeLoader


def story_of(entry: Entry) -> Story:
    """Read one story."""
    known(entry, "name", "sentence", "currency", "tenant", "holidays", "shift", "components", "people", "steps")
    currency = entry.get("currency", "BDT")
    holidays = tuple(one for words in entry.get("holidays", []) for one in holidays_of(words))
    return Story(
        name=entry["name"],
        sentence=entry["sentence"],
        currency=currency,
        tenant=tenant_of(entry.get("tenant", {}), currency),
        holidays=holidays,
        shift=shift_of("day", entry["shift"]) if "shift" in entry else None,
        components=components_of(entry.get("components", {})),
        people={name: employee_of(words) for name, words in entry.get("people", {"rahim": {}}).items()},
        steps=tuple(step_of(words) for words in entry["steps"]),
    )


def tenant_of(entry: Entry, currency: str) -> Tenant:
    """Read what is particular about the company."""
    values = dict(known(entry, "weekend", "week_start", "cycle_start_day", "policy"))
    if "weekend" in values:
        values["weekend"] = frozenset(values["weekend"])
    policy = policy_of(PRESENT, values.pop("policy", {}))
    return Tenant(**values, minor_units=MINOR_UNITS[currency], policy=policy)


def policy_of(before: Policy, entry: Entry) -> Policy:
    """Read switches of the pay policy."""
    return replace(before, **known(entry, *Policy.__dataclass_fields__))


def employee_of(entry: Entry) -> Employee:
    """Read a person, whose salary is 15000 monthly unless written."""
    known(entry, "joined", "left", "salary")
    joined = entry.get("joined", LONG_AGO)
    written = entry.get("salary", "15000 monthly")
    salaries = [salary_of(one, joined) for one in (written if isinstance(written, list) else [written])]
    return Employee(joined, entry.get("left"), salaries=tuple(salaries))


def components_of(entry: Entry) -> dict[str, tuple[Component, date]]:
    """Read components, and since when they are in force."""
    return {code: component_of(code, definition) for code, definition in entry.items()}


def component_of(code: str, entry: Entry) -> tuple[Component, date]:
    """Read one component; its category is one of its words."""
    known(entry, *CATEGORIES, "for", "from")
    [category] = [one for one in CATEGORIES if one in entry]
    source = known(entry[category], "fixed", "percent", "formula", "dynamic")
    if len(source) != 1 or source.get("dynamic", True) is not True or entry.get("for", "some") != "some":
        raise ValueError(f"not a component: {dict(entry)!r}")
    values: dict[str, Any] = {}
    if "fixed" in source:
        values["amount"] = number(source["fixed"])
    elif "percent" in source:
        percent, _, base = str(source["percent"]).partition(" of ")
        values["percent"] = Decimal(percent)
        values["base"] = base or "earned_salary"
    elif "formula" in source:
        values["formula"] = str(source["formula"])
    return Component(code, category, "for" not in entry, **values), entry.get("from", FIRST_DAY)


def step_of(entry: Entry) -> Step:
    """Read one step: one word and its value."""
    if len(entry) != 1:
        raise ValueError(f"a step has one word: {dict(entry)!r}")
    [(word, value)] = known(entry, *READERS).items()
    return Step(word, READERS[word](value))


def by_person(read: Callable[[Any], Any]) -> Callable[[Entry], dict[str, Any]]:
    """Make a reader of a mapping from employees to values."""
    return lambda entry: {name: read(value) for name, value in entry.items()}


def person_facts(entry: Entry) -> Facts:
    """Read what happened to one person."""
    known(entry, "present", "absent", "half_day", "worked", "leave", "od", "overtime", "edits")
    return facts_of(dict(entry), (), {})


def salaries_of(text: str) -> Salary:
    """Read `18000 monthly from 2026-01-16`; here the day is required."""
    if " from " not in text:
        raise ValueError(f"from when? {text!r}")
    return salary_of(text, LONG_AGO)


def adjustments_of(entry: Entry) -> list[Adjustment]:
    """Read `rahim: {"Bonus: Eid": 500.00}`; before the colon stands the kind, as on the payslip."""
    adjustments = []
    for person, amounts in entry.items():
        for name, written in amounts.items():
            kind, colon, _ = name.partition(": ")
            if kind not in ("Bonus", "Fine", "Other") or not colon:
                raise ValueError(f"not a kind of adjustment: {name!r}")
            amount, _, day = str(written).partition(" on ")
            adjustments.append(Adjustment(person, name, Decimal(amount), date.fromisoformat(day) if day else FIRST_DAY))
    return adjustments


def own_of(value: Any) -> tuple[Own, date, date | None]:
    """Read `included`, `excluded`, `1200.00` or `7.5%`, with `from` and `to`."""
    words = str(value).split()
    dates = dict(zip(words[1::2], map(date.fromisoformat, words[2::2]), strict=True))
    known(dates, "from", "to")
    if words[0] in ("included", "excluded"):
        own = Own(words[0] == "included")
    elif words[0].endswith("%"):
        own = Own(percent=Decimal(words[0].rstrip("%")))
    else:
        own = Own(amount=Decimal(words[0]))
    return own, dates.get("from", FIRST_DAY), dates.get("to")


def run_of(value: Any) -> RunToCalculate:
    """Read a regular run: `2026-01`, or with the amounts of its dynamic components."""
    if isinstance(value, str):
        return RunToCalculate(value)
    known(value, "month", "amounts")
    return RunToCalculate(value["month"], amounts=amounts_of(value["amounts"]))


def off_cycle_of(entry: Entry) -> RunToCalculate:
    """Read a run beside the regular ones."""
    known(entry, "month", "people", "components", "amounts")
    people = tuple(entry["people"]) if "people" in entry else None
    amounts = amounts_of(entry.get("amounts", {}))
    return RunToCalculate(entry["month"], False, people, tuple(entry.get("components", amounts)), amounts)


def again_of(value: Any) -> tuple[str, tuple[str, ...] | None]:
    """Read which month's run is calculated again, for everybody or for the employees named."""
    if isinstance(value, str):
        return value, None
    known(value, "month", "people")
    return value["month"], tuple(value["people"])


def amounts_of(entry: Entry) -> dict[str, dict[str, Decimal]]:
    """Read the amounts of dynamic components, by component and person."""
    return {code: {name: number(amount) for name, amount in people.items()} for code, people in entry.items()}


def expected_of(entry: Entry) -> Expected:
    """Read one payslip as it must be; gross and net are always given."""
    known(entry, *SECTIONS, "warnings", "gross", "net")
    lines = {
        category: {name: number(amount) for name, amount in entry.get(section, {}).items()}
        for section, category in SECTIONS.items()
    }
    return Expected(lines, number(entry["gross"]), number(entry["net"]), dict(entry.get("warnings", {})))


def encashed(entry: Entry) -> tuple[Decimal, date]:
    """Read `{days: 3, expired: 2026-01-31}`: days of leave that nobody took in time."""
    known(entry, "days", "expired")
    return number(entry["days"]), entry["expired"]


def measured(text: str | list[str]) -> list[Score]:
    """Read `90 of 120 at 20`, one KPI, or a list of them: a value, its target and its weight."""
    scores = []
    for one in [text] if isinstance(text, str) else text:
        value, of, target, weighing, weight = one.split()
        known({of: 0, weighing: 0}, "of", "at")
        scores.append((Decimal(value), Decimal(target), Decimal(weight)))
    return scores


READERS: dict[str, Callable[[Any], Any]] = {
    "facts": by_person(person_facts),
    "holiday": holidays_of,
    "hire": by_person(employee_of),
    "leaves": by_person(lambda day: day),
    "salary": by_person(salaries_of),
    "component": components_of,
    "change": components_of,
    "retire": list,
    "assign": lambda entry: {code: by_person(own_of)(text) for code, text in entry.items()},
    "adjust": adjustments_of,
    "encash": by_person(encashed),
    "policy": dict,
    "kpi": by_person(measured),
    "run": run_of,
    "off cycle": off_cycle_of,
    "calculate again": again_of,
    "approve": str,
    "cancel": str,
    "payslips": by_person(expected_of),
    "nothing for": list,
}
