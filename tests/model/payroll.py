"""Run payroll month after month the slow and obvious way: nothing is kept but what was approved.

Arrears are found by paying every approved period anew, for everybody, whether something is known to have changed or
not: what comes out another way than it was paid, arrears of later runs included, is a line of the run at hand.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from tests.model.facts import Employee, Facts, Holiday, Tenant
from tests.model.payslip import (
    CATEGORIES,
    Category,
    Component,
    OneOff,
    Own,
    Payslip,
    Sheet,
    in_the_period,
    inputs_of,
    without_salary,
)
from tests.model.workdays import period_of

NOTHING = Decimal(0)
Part = tuple[Category, str]  # the salary or a component, by its category and code


@dataclass
class Person:
    """Somebody as known today."""

    employee: Employee
    facts: Facts = field(default_factory=Facts)
    kpi_score: Decimal | None = None


@dataclass
class Adjustment:
    """An amount with a reason, to be paid once; below 0 it is taken off."""

    person: str
    name: str
    amount: Decimal
    on: date
    paid: bool = False


@dataclass
class Slip:
    """One payslip of a run, with what is needed to look at it again later."""

    payslip: Payslip
    worth: Mapping[Part, Decimal]  # what the period itself is worth: without adjustments, arrears, what is carried over
    own: Mapping[str, Own] = field(default_factory=dict)
    given: Mapping[str, Decimal] = field(default_factory=dict)
    adjustments: list[Adjustment] = field(default_factory=list)
    arrears: dict[str, dict[Part, Decimal]] = field(default_factory=dict)  # by month: what is more, or less
    makes_up_for: list["Slip"] = field(default_factory=list)
    made_up: bool = False


@dataclass
class Run:
    """One run: with what it was calculated, and what came out."""

    month: str
    is_regular: bool
    tenant: Tenant
    components: list[Component]
    slips: dict[str, Slip] = field(default_factory=dict)


class Payroll:
    """The payroll office of one company."""

    def __init__(self, tenant: Tenant, holidays: tuple[Holiday, ...] = ()) -> None:
        self.tenant = tenant
        self.holidays = holidays
        self.people: dict[str, Person] = {}
        self.versions: dict[str, list[tuple[date, Component]]] = {}
        self.retired: set[str] = set()
        self.own: dict[tuple[str, str], list[tuple[date, date | None, Own]]] = {}
        self.adjustments: list[Adjustment] = []
        self.approved: list[Run] = []

    def define(self, component: Component, since: date) -> None:
        """Add a component, or a new version of one."""
        self.versions.setdefault(component.code, []).append((since, component))

    def components_on(self, day: date) -> list[Component]:
        """Pick the version of each component in force on a day, in order of their codes."""
        found = []
        for code in sorted(self.versions.keys() - self.retired):
            begun = [(since, place) for place, (since, _) in enumerate(self.versions[code]) if since <= day]
            if begun:
                found.append(self.versions[code][max(begun)[1]][1])
        return found

    def own_on(self, name: str, day: date) -> dict[str, Own]:
        """Pick what is in force for one person on a day."""
        found = {}
        for (person, code), entries in self.own.items():
            begun = [one for one in entries if one[0] <= day and (one[1] is None or one[1] >= day)]
            if person == name and begun:
                found[code] = max(begun, key=lambda one: one[0])[2]
        return found

    def calculate(
        self,
        month: str,
        *,
        is_regular: bool = True,
        only: Collection[str] | None = None,
        codes: Collection[str] = (),
        given: Mapping[str, Mapping[str, Decimal]] | None = None,
    ) -> Run:
        """Calculate a run; of an off-cycle one `codes` are its components. `given` is by person and code."""
        _, end = period_of(self.tenant, month)
        components = [one for one in self.components_on(end) if is_regular or one.code in codes]
        run = Run(month, is_regular, self.tenant, components)
        for name in self.people:
            if only is None or name in only:
                slip = self._slip(run, name, (given or {}).get(name, {}))
                if slip is not None:
                    run.slips[name] = slip
        return run

    def approve(self, run: Run) -> None:
        """Make a run the last word on its period."""
        for slip in run.slips.values():
            for adjustment in slip.adjustments:
                adjustment.paid = True
            for earlier in slip.makes_up_for:
                earlier.made_up = True
        self.approved.append(run)

    def _slip(self, run: Run, name: str, given: Mapping[str, Decimal]) -> Slip | None:
        _, end = period_of(run.tenant, run.month)
        slip = Slip(Payslip({}, NOTHING, NOTHING, NOTHING, NOTHING), {}, self.own_on(name, end), given)
        slip.adjustments = [one for one in self.adjustments if one.person == name and not one.paid and one.on <= end]
        slip.arrears = {one.month: found for one in self.approved if (found := self._arrears(one, name))}
        lines = [
            OneOff(f"Arrears {month}: {called(code)}", category, amount)
            for month, found in slip.arrears.items()
            for (category, code), amount in found.items()
        ]
        lines += [of_sign(one.name, one.amount, taxed=True) for one in slip.adjustments]
        for earlier in self.approved:
            before = earlier.slips.get(name)
            if before is not None and before.payslip.net < 0 and not before.made_up:
                slip.makes_up_for.append(before)
                lines.append(OneOff(f"Carried over from {earlier.month}", "deduction", -before.payslip.net))
        is_there = in_the_period(run.tenant, self.people[name].employee, run.month)
        if not is_there and not lines and not given:
            return None
        slip.payslip = self._paid(run, name, slip, lines)
        if not run.is_regular and not any(slip.payslip.lines.values()):
            return None
        slip.worth = worth_of(slip.payslip, lines)
        return slip

    def _paid(self, run: Run, name: str, slip: Slip, lines: list[OneOff]) -> Payslip:
        person = self.people[name]
        facts = replace(person.facts, holidays=self.holidays)
        inputs = inputs_of(run.tenant, person.employee, facts, run.month, person.kpi_score)
        is_there = in_the_period(run.tenant, person.employee, run.month)
        sheet = Sheet(
            inputs if run.is_regular and is_there else without_salary(inputs),
            # of somebody who is not in the period only what is given counts
            run.components if is_there else [one for one in run.components if one.code in slip.given],
            own=slip.own,
            given=slip.given,
            one_offs=lines,
            minor_units=run.tenant.minor_units,
        )
        return sheet.payslip(with_salary=run.is_regular and is_there)

    def _arrears(self, run: Run, name: str) -> dict[Part, Decimal]:
        """Return by how much each part of a period is worth more for somebody than they were paid for it."""
        if not run.is_regular:
            return {}
        was = run.slips.get(name)
        paid = {} if was is None else dict(was.worth)
        for later in self.approved:
            if name in later.slips:
                for part, amount in later.slips[name].arrears.get(run.month, {}).items():
                    paid[part] = paid.get(part, NOTHING) + amount
        if was is None:
            if not in_the_period(run.tenant, self.people[name].employee, run.month):
                return {part: -amount for part, amount in paid.items() if amount != 0}
            _, end = period_of(run.tenant, run.month)
            was = Slip(Payslip({}, NOTHING, NOTHING, NOTHING, NOTHING), {}, self.own_on(name, end))
        lines = [of_sign(one.name, one.amount, taxed=True) for one in was.adjustments]
        now = worth_of(self._paid(run, name, was, lines), lines)
        differences = {part: now.get(part, NOTHING) - paid.get(part, NOTHING) for part in {**now, **paid}}
        return {part: amount for part, amount in differences.items() if amount != 0}


def of_sign(name: str, amount: Decimal, *, taxed: bool = False) -> OneOff:
    """Make an earning of what is above 0 and a deduction of what is below."""
    return OneOff(name, "earning" if amount >= 0 else "deduction", abs(amount), taxed and amount > 0)


def worth_of(payslip: Payslip, besides: Collection[OneOff]) -> dict[Part, Decimal]:
    """Return the lines that the salary and the components of a period made."""
    names = {(one.category, one.name) for one in besides}
    return {
        (category, name): amount
        for category in CATEGORIES
        for name, amount in payslip.lines.get(category, {}).items()
        if (category, name) not in names
    }


def called(code: str) -> str:
    """Return a part as the payslips of the stories do."""
    return code.replace("_", " ").capitalize()
