"""Acme in January 2026, Friday and Saturday off: Rahim reports to Boss, and Zenith looks on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.identity.permissions import Role
from tests.support.api import Api
from tests.support.cast import Cast, key, tenant
from tests.support.people import employee, row, sql
from tests.support.stack import Stack, at, running

NIGHT = "{}T03:05:00+06:00"
JANUARY = {"cycle_start": "2026-01-01", "cycle_end": "2026-01-31"}


@dataclass
class Office:
    """A company with two people, and what its HR does with KPIs."""

    cast: Cast
    boss_id: UUID
    rahim_id: UUID
    boss: Api
    rahim: Api

    def define(self, name: str = "Customer rating", **overrides: Any) -> dict[str, Any]:
        """Make a KPI that is entered by hand, unless another source is said."""
        body = {"name": name, "source": "manual_entry", "target": 120, "weight": 20, **overrides}
        definition: dict[str, Any] = self.cast.hr.ok("POST", "/kpi-definitions", body)
        return definition

    def metric(self, name: str, **overrides: Any) -> dict[str, Any]:
        """Make a KPI of what the system measures."""
        return self.define(name, source="system_metric", metric=name, **overrides)

    def formula(self, text_: str, **overrides: Any) -> dict[str, Any]:
        """Make a KPI of a formula."""
        return self.define(f"={text_}", source="formula", formula=text_, **overrides)

    def assign(self, definition: dict[str, Any], user_id: UUID | None = None, **overrides: Any) -> str:
        """Return Rahim, or somebody else, a KPI for January, and give the assignment's id."""
        body = {"definition_id": definition["id"], "user_id": str(user_id or self.rahim_id), **JANUARY, **overrides}
        return str(self.cast.hr.ok("POST", "/kpi-assignments", body)["id"])

    def score(self, assignment_id: str) -> dict[str, Any]:
        """Read the score of an assignment."""
        items = self.cast.hr.ok("GET", "/kpi-scores?limit=200")["items"]
        [score] = [one for one in items if one["assignment_id"] == assignment_id]
        return dict(score)

    def come_out(self, assignment_id: str) -> tuple[Any, Any, Any]:
        """Return value, achievement and weighted score."""
        score = self.score(assignment_id)
        return score["value"], score["achievement"], score["weighted"]

    def register(self, halves: str, *, month: str = "2026-01", of: UUID | None = None, **more: Any) -> None:
        """Put a month into Rahim's register: a letter for each half, as the projection writes them.

        Every half that is no holiday and no day off is a working one. Totals are counted from the letters.
        """
        start = date.fromisoformat(f"{month}-01")
        days = len(halves) // 2
        sql(
            self.cast,
            "insert into pay_periods (tenant_id, month, start_on, end_on) values (:tenant_id, :month, :start, :end)"
            " on conflict do nothing",
            tenant_id=self.cast.id,
            month=month,
            start=start,
            end=date(start.year, start.month, days),
        )
        working = int("".join("0" if half in "HW" else "1" for half in halves), 2)
        values = {
            "month": month,
            "user_id": of or self.rahim_id,
            "as_of": date(start.year, start.month, days),
            "halves": halves,
            "payable": 0,
            "working": working,
            "manual": 0,
            "recorded": 0,
            "rostered": 0,
            "extra_days": 0,
            "payable_shifts": 0,
            "ot_hours": 0,
            "late_count": 0,
            "late_minutes": 0,
            "early_out_count": 0,
            "early_out_minutes": 0,
            "units": 1,
            **{
                name: sum(half in codes for half in halves) / 2
                for name, codes in (
                    ("present_days", "PO"),
                    ("od_days", "O"),
                    ("absent_days", "A"),
                    ("paid_leave_days", "L"),
                    ("lop_days", "U"),
                    ("holidays", "H"),
                    ("week_offs", "W"),
                    ("blank_days", "-"),
                )
            },
            **more,
        }
        row(self.cast, "pay_registers", values, returning="user_id")

    def audited(self) -> list[str]:
        """Return what was written into the audit chain, oldest first."""
        return [one.action for one in sql(self.cast, "select action from audit_logs order by seq")]

    def list_notifications(self, user_id: UUID) -> list[tuple[str, str, str]]:
        """Return what a person was told in the app, oldest first: the kind, of what, and due when."""
        notifications = sql(
            self.cast,
            "select kind, said from notification_logs where user_id = :id and channel = 'in_app' order by id",
            id=user_id,
        )
        return [(one.kind, one.said.get("title", ""), one.said.get("due_on", "")) for one in notifications]


def open_office(**settings: Any) -> Office:
    """Make the company."""
    cast = tenant("Acme", **settings)
    boss_id = employee(cast, name="Boss", employee_no="E-1")
    rahim_id = employee(cast, name="Rahim", employee_no="E-2", manager_id=boss_id)
    return Office(cast, boss_id, rahim_id, key(cast.id, Role.MANAGER, boss_id), key(cast.id, Role.EMPLOYEE, rahim_id))


def night(stack: Stack, day: str, moment: str = NIGHT) -> int:
    """Let the schedule find who is due on a day shortly after 03:00, and the consumers work."""
    with at(moment.format(day)):
        due: int = stack.tick("kpi")["found"]
        stack.drain()
    return due


@pytest.fixture(name="office")
def _office(database: object) -> Office:
    return open_office()


@pytest.fixture(name="stack")
def _stack(database: object) -> Iterator[Stack]:
    """Run the queues, and suspend all tenants in the end, so that they are not due in the next test."""
    with running() as stack:
        yield stack
    with transaction(role="wagebook_platform") as session:
        session.execute(text("update tenants set status = 'suspended'"))
