"""Live through a payroll story on paper: in the slow model alone, without the product or a database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.model.expressions import round_to
from tests.model.facts import Employee, Facts, Holiday, Salary
from tests.model.payroll import Adjustment, Payroll, Person, Run
from tests.model.payslip import Component, Own, Payslip, inputs_of
from tests.scenarios.payroll_loader import Expected, RunToCalculate, Score, Step, Story, policy_of

Assigned = Mapping[str, Mapping[str, tuple[Own, date, date | None]]]


class PaperOffice:
    """The company as a story begins; one method per word."""

    def __init__(self, story: Story) -> None:
        self.payroll = Payroll(story.tenant, story.holidays)
        self.shift = story.shift
        self.runs: dict[str, tuple[RunToCalculate, Run]] = {}
        self.latest: Run | None = None
        self.do_component(story.components)
        self.do_hire(story.people)

    def do(self, step: Step) -> None:
        """Do one step."""
        getattr(self, f"do_{step.word.replace(' ', '_')}")(step.value)

    def do_hire(self, people: Mapping[str, Employee]) -> None:
        for name, said in people.items():
            self.payroll.people[name] = Person(replace(said, shift=self.shift))

    def do_leaves(self, people: Mapping[str, date]) -> None:
        for name, day in people.items():
            person = self.payroll.people[name]
            person.employee = replace(person.employee, left_on=day)

    def do_salary(self, people: Mapping[str, Salary]) -> None:
        for name, salary in people.items():
            person = self.payroll.people[name]
            kept = [one for one in person.employee.salaries if one.effective_from != salary.effective_from]
            person.employee = replace(person.employee, salaries=(*kept, salary))

    def do_facts(self, people: Mapping[str, Facts]) -> None:
        for name, new in people.items():
            person = self.payroll.people[name]
            recorded, edited = {one.day for one in new.attendance}, {one.day for one in new.edits}
            person.facts = replace(
                person.facts,
                attendance=(*(one for one in person.facts.attendance if one.day not in recorded), *new.attendance),
                leaves=(*person.facts.leaves, *new.leaves),
                on_duty=(*person.facts.on_duty, *new.on_duty),
                overtime=(*person.facts.overtime, *new.overtime),
                edits=(*(one for one in person.facts.edits if one.day not in edited), *new.edits),
            )

    def do_holiday(self, holidays: Iterable[Holiday]) -> None:
        self.payroll.holidays = (*self.payroll.holidays, *holidays)

    def do_policy(self, said: dict[str, object]) -> None:
        policy = policy_of(self.payroll.tenant.policy, said)
        self.payroll.tenant = replace(self.payroll.tenant, policy=policy)

    def do_component(self, said: Mapping[str, tuple[Component, date]]) -> None:
        for component, since in said.values():
            self.payroll.define(component, since)

    do_change = do_component

    def do_retire(self, codes: Iterable[str]) -> None:
        self.payroll.retired.update(codes)

    def do_assign(self, said: Assigned) -> None:
        for code, people in said.items():
            for name, (own, since, until) in people.items():
                self.payroll.own.setdefault((name, code), []).append((since, until, own))

    def do_adjust(self, adjustments: Iterable[Adjustment]) -> None:
        # copies, as they are marked when they are paid, and the story may be told again
        self.payroll.adjustments += [replace(one) for one in adjustments]

    def do_encash(self, people: Mapping[str, tuple[Decimal, date]]) -> None:
        for name, (days, expired) in people.items():
            person = self.payroll.people[name]
            rate = inputs_of(self.payroll.tenant, person.employee, person.facts, f"{expired:%Y-%m}")["daily_rate"]
            assert isinstance(rate, Fraction)
            label = f"Leave encashment: {days:.1f} days of Annual that expired on {expired}"
            self.payroll.adjustments.append(Adjustment(name, label, self.money(Fraction(days) * rate), expired))

    def do_kpi(self, people: Mapping[str, Sequence[Score]]) -> None:
        for name, scores in people.items():
            exact = sum(
                (Fraction(value) * Fraction(weight) / Fraction(target) for value, target, weight in scores), Fraction(0)
            )
            # as exact as a quotient is in formulas: ten places
            score = round_to(exact, 10)
            self.payroll.people[name].kpi_score = Decimal(score.numerator) / score.denominator

    def do_run(self, said: RunToCalculate) -> None:
        given: dict[str, dict[str, Decimal]] = {}
        for code, people in (said.amounts or {}).items():
            for name, amount in people.items():
                given.setdefault(name, {})[code] = amount
        self.latest = self.payroll.calculate(
            said.month, is_regular=said.is_regular, only=said.people, codes=said.components, given=given
        )
        self.runs[said.month] = said, self.latest

    do_off_cycle = do_run

    def do_calculate_again(self, said: tuple[str, Any]) -> None:
        # for whomever it is said: on paper everybody's payslip is true each time
        self.do_run(self.runs[said[0]][0])

    def do_approve(self, month: str) -> None:
        self.payroll.approve(self.runs[month][1])

    def do_cancel(self, month: str) -> None:
        del self.runs[month]

    def do_payslips(self, people: Mapping[str, Expected]) -> None:
        assert self.latest is not None
        for name, wanted in people.items():
            assert name in self.latest.slips, f"{name} has no payslip"
            found: Payslip = self.latest.slips[name].payslip
            same(found.lines, wanted.lines, name)
            assert found.gross == wanted.gross == wanted.total("earning"), name
            assert found.net == wanted.net == wanted.gross - wanted.total("deduction") - wanted.total("tax"), name
            assert found.warnings.keys() == wanted.warnings.keys(), name

    def do_nothing_for(self, names: Iterable[str]) -> None:
        assert self.latest is not None
        assert not set(names) & self.latest.slips.keys()

    def money(self, exact: Fraction) -> Decimal:
        """Round to the minor unit."""
        amount = round_to(exact, self.payroll.tenant.minor_units)
        return Decimal(amount.numerator) / Decimal(amount.denominator)


def same(found: Mapping[str, Mapping[str, Decimal]], wanted: Mapping[str, Mapping[str, Decimal]], whose: str) -> None:
    """Hold the lines of a payslip against what they must be, and tell only those that differ."""
    ours, theirs = flat(found), flat(wanted)
    names = [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    assert not names, f"{whose}: " + "; ".join(f"{name} is {ours.get(name)}, not {theirs.get(name)}" for name in names)


def flat(lines: Mapping[str, Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """Return each line by its category too."""
    return {f"{category} {name}": amount for category, of in lines.items() for name, amount in of.items()}
