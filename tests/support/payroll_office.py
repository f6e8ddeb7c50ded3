"""A payroll office that does what a story says over the API, and on paper beside it; and compares the two."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.features.leave.expiry import nightly_job as expiry_nightly_job
from chalicelib.operators import scopes
from tests.model.facts import AttendanceDay, Employee, Facts, Holiday, Salary
from tests.model.paper import Assigned, PaperOffice, same
from tests.model.payroll import Adjustment
from tests.model.payslip import CATEGORIES, Component
from tests.model.workdays import is_working, period_of
from tests.scenarios.payroll_loader import Expected, RunToCalculate, Score, Step, Story
from tests.support.cast import Cast, tenant
from tests.support.payouts import once
from tests.support.payroll_words import calculation_of, edit_of, lines_of, salary_of
from tests.support.stack import Stack

TOTALS = ("gross", "deductions", "taxes", "benefits", "net")


class Office:
    """A company as a story begins; one method per word."""

    def __init__(self, story: Story, running: Stack) -> None:
        self.running = running
        self.paper = PaperOffice(story)
        self.cast: Cast = tenant(
            "Acme",
            currency=story.currency,
            weekend=sorted(story.tenant.weekend),
            week_start=story.tenant.week_start,
            cycle_start_day=story.tenant.cycle_start_day,
            policy=json.dumps(vars(story.tenant.policy)),
        )
        self.hr = self.cast.hr
        self.ids: dict[str, str] = {}
        self.types: dict[str, str] = {}
        self.leave_types: dict[str, str] = {}
        self.runs: dict[str, str] = {}
        self.slips: dict[str, dict[str, Any]] = {}  # of the run calculated last
        self.shift_id = None
        if story.shift is not None:
            hours = {"start": f"{story.shift.starts:%H:%M}", "end": f"{story.shift.ends:%H:%M}"}
            self.shift_id = self.hr.ok("POST", "/shifts", {"name": "Day", **hours})["id"]
        self.do_holiday(story.holidays)
        self.do_component(story.components)
        self.do_hire(story.people)

    def do(self, step: Step) -> None:
        """Do one step, on paper first."""
        self.paper.do(step)
        getattr(self, f"do_{step.word.replace(' ', '_')}")(step.value)

    # people and what happens to them

    def do_hire(self, people: Mapping[str, Employee]) -> None:
        for name, person in people.items():
            first, *more = sorted(person.salaries, key=lambda one: one.effective_from)
            body = {"name": name, "employment": self._employment(name), "salary": salary_of(first)}
            self.ids[name] = self.hr.ok("POST", "/users", body)["id"]
            for salary in more:
                self.do_salary({name: salary})

    def do_leaves(self, people: Mapping[str, date]) -> None:
        for name in people:
            self.hr.ok("PUT", f"/users/{self.ids[name]}/employment", self._employment(name))

    def do_salary(self, people: Mapping[str, Salary]) -> None:
        for name, salary in people.items():
            self.hr.ok("POST", f"/users/{self.ids[name]}/salaries", salary_of(salary))

    def do_facts(self, people: Mapping[str, Facts]) -> None:
        rows = [self._attendance(name, record) for name, new in people.items() for record in new.attendance]
        if rows:
            report = self.hr.ok("POST", "/attendance/import", rows)
            assert not report["errors"], report
        for name, new in people.items():
            self._requests(name, new)
            for edit in new.edits:
                path = f"/pay-register/{self._month_of(edit.day)}/{self.ids[name]}/days/{edit.day}"
                self.hr.ok("PUT", path, edit_of(edit))

    def do_holiday(self, holidays: Iterable[Holiday]) -> None:
        for one in holidays:
            self.hr.ok("POST", "/holidays", {"date": str(one.day), "name": "Holiday", "half": one.half})

    def do_policy(self, said: dict[str, Any]) -> None:
        self.cast.admin.ok("PATCH", "/tenant", {"policy": said})

    def do_kpi(self, people: Mapping[str, Sequence[Score]]) -> None:
        for number, name, (value, target, weight) in (
            (number, name, one) for name, scores in people.items() for number, one in enumerate(scores, start=1)
        ):
            kpi = {
                "name": f"Deals {number} of {name}",
                "target": float(target),
                "weight": float(weight),
                "source": "manual_entry",
            }
            kpi_id = self.hr.ok("POST", "/kpi-definitions", kpi)["id"]
            cycle = {
                "definition_id": kpi_id,
                "user_id": self.ids[name],
                "cycle_start": "2026-01-01",
                "cycle_end": "2026-03-31",
            }
            made = self.hr.ok("POST", "/kpi-assignments", cycle)
            self.hr.ok("POST", f"/kpi-assignments/{made['id']}/value", {"value": float(value)})

    # components, and what is paid once

    def do_component(self, said: Mapping[str, tuple[Component, date]]) -> None:
        for code, (component, since) in said.items():
            body = {
                "code": code,
                "name": code.replace("_", " ").capitalize(),
                "category": component.category,
                "applies_to_all": component.for_everybody,
                "effective_from": str(since),
                **calculation_of(component),
            }
            self.types[code] = self.hr.ok("POST", "/payment-types", body)["id"]

    def do_change(self, said: Mapping[str, tuple[Component, date]]) -> None:
        for code, (component, since) in said.items():
            body = {**calculation_of(component), "effective_from": str(since)}
            self.hr.ok("PATCH", f"/payment-types/{self.types[code]}", body)

    def do_retire(self, codes: Iterable[str]) -> None:
        for code in codes:
            self.hr.ok("PATCH", f"/payment-types/{self.types[code]}", {"is_active": False})

    def do_assign(self, said: Assigned) -> None:
        for code, people in said.items():
            for name, (own, since, until) in people.items():
                body = {
                    "applies": own.included,
                    "effective_from": str(since),
                    "effective_to": until and str(until),
                    "amount": None if own.amount is None else str(own.amount),
                    "percent": None if own.percent is None else float(own.percent),
                }
                self.hr.ok("PUT", f"/users/{self.ids[name]}/payment-types/{self.types[code]}", body)

    def do_adjust(self, adjustments: Iterable[Adjustment]) -> None:
        for one in adjustments:
            kind, _, reason = one.name.partition(": ")
            body = {
                "user_id": self.ids[one.person],
                "kind": kind.lower(),
                "amount": str(one.amount),
                "reason": reason,
                "effective_date": str(one.on),
            }
            self.hr.ok("POST", "/payroll-adjustments", body)

    def do_encash(self, people: Mapping[str, tuple[Decimal, date]]) -> None:
        rule = {"name": "Pay what is left", "auto_expire_action": "convert_to_cash", "expire_after_days": 0}
        rule_id = self.hr.ok("POST", "/leave-expiry-rules", rule)["id"]
        annual = {"name": "Annual", "expiry_rule_id": rule_id, "days_per_year": 20}
        type_id = self.hr.ok("POST", "/leave-types", annual)["id"]
        for name, (days, expired) in people.items():
            next_day = expired + timedelta(days=1)
            body = {
                "user_id": self.ids[name],
                "leave_type_id": type_id,
                "allocated_days": float(days),
                "cycle_start_date": str(next_day.replace(year=next_day.year - 1)),
            }
            self.hr.ok("POST", "/leave-allocations", body)
            with scopes.operating(self.cast.id) as scope:
                expiry_nightly_job.JOB.request(scope, as_of=next_day)
            self.running.drain()

    # runs

    def do_run(self, said: RunToCalculate) -> None:
        body: dict[str, Any] = {"month": said.month, "kind": "regular" if said.is_regular else "off_cycle"}
        if said.people is not None:
            body["user_ids"] = [self.ids[name] for name in said.people]
        if said.components:
            body["payment_type_ids"] = [self.types[code] for code in said.components]
        self.runs[said.month] = self.hr.ok("POST", "/payroll-runs", body)["id"]
        rows = [
            {"user_id": self.ids[name], "payment_type": code, "amount": str(amount)}
            for code, people in (said.amounts or {}).items()
            for name, amount in people.items()
        ]
        if rows:
            report = self.hr.ok("POST", f"/payroll-runs/{self.runs[said.month]}/amounts", rows)
            assert not report["errors"], report
        self.do_calculate_again((said.month, None))

    do_off_cycle = do_run

    def do_calculate_again(self, said: tuple[str, Sequence[str] | None]) -> None:
        month, people = said
        whom = {} if people is None else {"user_ids": [self.ids[name] for name in people]}
        started = self.hr.ok("POST", f"/payroll-runs/{self.runs[month]}/calculate", whom)
        self.running.drain()
        job = self.hr.ok("GET", f"/jobs/{started['job_id']}")
        assert job["status"] == "succeeded", job
        names = {user_id: name for name, user_id in self.ids.items()}
        listed = self.hr.ok("GET", f"/payroll-runs/{self.runs[month]}/payslips?limit=200")["items"]
        self.slips = {names[one["user"]["id"]]: self.hr.ok("GET", f"/payslips/{one['id']}") for one in listed}
        self._agree()

    def do_approve(self, month: str) -> None:
        self.cast.admin.ok("POST", f"/payroll-runs/{self.runs[month]}/approve", headers=once())
        self.running.drain()
        run = self.hr.ok("GET", f"/payroll-runs/{self.runs[month]}")
        assert (run["status"], run["posted_at"] is not None) == ("approved", True)

    def do_cancel(self, month: str) -> None:
        self.hr.ok("POST", f"/payroll-runs/{self.runs[month]}/cancel", {"reason": "Not now"})

    def do_payslips(self, people: Mapping[str, Expected]) -> None:
        for name, wanted in people.items():
            found = self.slips[name]
            same(lines_of(found), wanted.lines, name)
            totals = [Decimal(found["totals"][total]) for total in TOTALS]
            sums = [wanted.total(category) for category in CATEGORIES]
            assert totals == [*sums, wanted.net], name
            warned = {line["code"]: " ".join(line["warnings"]) for line in found["lines"] if line["warnings"]}
            for code, text in wanted.warnings.items():
                assert text in warned[code], f"{name}: {warned}"

    def do_nothing_for(self, names: Iterable[str]) -> None:
        assert not set(names) & self.slips.keys()

    def _agree(self) -> None:
        run = self.paper.latest
        assert run is not None
        assert self.slips.keys() == run.slips.keys(), f"payslips of {sorted(self.slips)}, not {sorted(run.slips)}"
        for name, slip in run.slips.items():
            found, wanted = self.slips[name], slip.payslip
            same(lines_of(found), wanted.lines, name)
            sums = (wanted.gross, wanted.deductions, wanted.taxes, wanted.benefits, wanted.net)
            assert tuple(Decimal(found["totals"][total]) for total in TOTALS) == sums, name
            assert {line["code"] for line in found["lines"] if line["warnings"]} == wanted.warnings.keys(), name
            assert Decimal(found["pays"]) == max(wanted.net, Decimal(0)), name
            assert Decimal(found["carried"]) == max(-wanted.net, Decimal(0)), name

    # how things are said over the API

    def _employment(self, name: str) -> dict[str, Any]:
        person = self.paper.payroll.people[name].employee
        return {
            "employee_no": f"E-{name}",
            "joined_on": str(person.joined_on),
            "shift_id": self.shift_id,
            "left_on": person.left_on and str(person.left_on),
        }

    def _attendance(self, name: str, record: AttendanceDay) -> dict[str, Any]:
        row: dict[str, Any] = {"user_id": self.ids[name], "date": str(record.day)}
        if record.stated is not None:
            return {**row, "status": record.stated, **({"half": record.half} if record.half else {})}
        assert record.worked_minutes is not None
        if self.paper.shift is None:
            return {**row, "worked_minutes": record.worked_minutes}
        came = datetime.combine(record.day, self.paper.shift.starts) + timedelta(minutes=record.late_minutes)
        went = came + timedelta(minutes=record.worked_minutes)
        return {**row, "check_in": f"{came:%H:%M}", "check_out": f"{went:%H:%M}"}

    def _requests(self, name: str, new: Facts) -> None:
        tenant_, person = self.paper.payroll.tenant, self.paper.payroll.people[name].employee
        calendar = Facts(holidays=self.paper.payroll.holidays)
        by_day: dict[tuple[date, str, str], list[str]] = {}
        for leave in new.leaves:
            if is_working(tenant_, person, calendar, leave.day, leave.half):
                by_day.setdefault((leave.day, leave.leave_type, leave.nature), []).append(leave.half)
        for (day, leave_type, nature), halves in by_day.items():
            self._approved(
                "/leave-requests",
                name,
                {
                    "leave_type_id": self._leave_type(leave_type, nature),
                    "start_date": str(day),
                    "end_date": str(day),
                    "start_half": halves[0],
                    "end_half": halves[-1],
                },
            )
        for duty in new.on_duty:
            self._approved(
                "/on-duty", name, {"start_date": str(duty.start), "end_date": str(duty.end), "half": duty.half}
            )
        for work in new.overtime:
            self._approved("/overtime", name, {"date": str(work.day), "hours": float(work.hours)})

    def _approved(self, path: str, name: str, body: dict[str, Any]) -> None:
        made = self.hr.ok("POST", path, {"user_id": self.ids[name], **body})
        self.cast.admin.ok("PATCH", f"{path}/{made['id']}", {"status": "approved"})

    def _leave_type(self, name: str, nature: str) -> str:
        if name not in self.leave_types:
            body = {"name": name, "is_paid": nature == "paid", "is_limited": False}
            self.leave_types[name] = self.hr.ok("POST", "/leave-types", body)["id"]
        return self.leave_types[name]

    def _month_of(self, day: date) -> str:
        for month in (f"{day:%Y-%m}", f"{day + timedelta(days=31):%Y-%m}"):
            start, end = period_of(self.paper.payroll.tenant, month)
            if start <= day <= end:
                return month
        raise AssertionError(day)
