"""Puts cases of the independent model into the database, has the product compute them, and reads both alike."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from chalicelib.backing import clock
from chalicelib.features.attendance.records import actions as attendance
from chalicelib.features.pay_register import rules
from chalicelib.features.pay_register.projection import project
from chalicelib.features.pay_register.queries import DETAILS
from chalicelib.features.periods import periods
from chalicelib.features.periods.windows import EmployeeFilter, window_of
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin, Scope
from chalicelib.kernel.halves import HalfStatus, Nature, code_of
from tests.model import hours
from tests.model.earned import earned
from tests.model.facts import Case, HalfEdit, Shift
from tests.model.register import register, totals
from tests.model.workdays import shift_of
from tests.support.cast import Cast, tenant

CURRENCY = {0: "JPY", 2: "BDT", 3: "KWD"}
OFF = {None: 0, "first": 2, "second": 1, "full": 3}


@dataclass(frozen=True)
class Outcome:
    """What came out for one employee, in the terms of the rules."""

    halves: list[tuple[str, str | None, str, str | None]]
    totals: dict[str, Any]
    days: list[tuple[Decimal, int, int, Decimal]]
    lines: list[tuple[str, Decimal, Any, Any, Decimal]]


def company(case: Case) -> Cast:
    """Make the tenant that a case is about."""
    tenant_case, policy = case.tenant, case.tenant.policy
    return tenant(
        "Case",
        currency=CURRENCY[tenant_case.minor_units],
        timezone=tenant_case.timezone,
        weekend=sorted(tenant_case.weekend),
        week_start=tenant_case.week_start,
        cycle_start_day=tenant_case.cycle_start_day,
        policy=json.dumps(vars(policy)),
    )


def place(session: Connection, tenant_id: UUID, cases: Sequence[Case]) -> list[UUID]:
    """Write the facts of cases that share a tenant, branches and holidays; an employee each."""
    put = _Writer(session, tenant_id)
    first = cases[0]
    branches = {
        b.name: put.made("branches", name=b.name, weekend=b.weekend and sorted(b.weekend), own_holidays=b.own_holidays)
        for b in first.branches
    }
    for holiday in {(h.day, h.branch): h for h in reversed(first.holidays)}.values():
        put.made(
            "holidays",
            day=holiday.day,
            name="holiday",
            half=holiday.half,
            branch_id=holiday.branch and branches[holiday.branch],
        )
    shifts: dict[Shift | None, UUID | None] = {None: None}
    types: dict[str, UUID] = {}

    def shift_id(shift: Shift | None) -> UUID | None:
        if shift not in shifts:
            assert shift is not None
            shifts[shift] = put.made(
                "shifts",
                name=f"{shift.name} {len(shifts)}",
                starts_at=shift.starts,
                ends_at=shift.ends,
                payable_units=shift.payable_units,
                full_day_minutes=shift.full_day_minutes,
                half_day_minutes=shift.half_day_minutes,
                unpaid_break_minutes=shift.unpaid_break_minutes,
            )
        return shifts[shift]

    def type_id(name: str) -> UUID:
        if name not in types:
            types[name] = put.made("leave_types", name=name)
        return types[name]

    user_ids = []
    for number, case in enumerate(cases):
        who, facts = case.employee, case.facts
        user_id = put.made("users", name=f"Employee {number}")
        user_ids.append(user_id)
        put.add(
            "employments",
            user_id=user_id,
            employee_no=f"E{number}",
            joined_on=who.joined_on,
            left_on=who.left_on,
            branch_id=who.branch and branches[who.branch.name],
            shift_id=shift_id(who.shift),
        )
        for salary in who.salaries:
            put.add(
                "salaries",
                user_id=user_id,
                amount=salary.amount,
                frequency=salary.frequency,
                currency=CURRENCY[case.tenant.minor_units],
                effective_from=salary.effective_from,
            )
        for row in {r.day: r for r in reversed(facts.roster)}.values():
            put.add(
                "roster_days",
                user_id=user_id,
                day=row.day,
                shift_id=shift_id(row.shift),
                off=OFF[row.off],
                works_holidays=row.works_holidays,
            )
        for record in {a.day: a for a in reversed(facts.attendance)}.values():
            shift = shift_of(who, facts, record.day)
            times = hours.punches(case.tenant, record, shift)
            put.add(
                "attendance",
                user_id=user_id,
                day=record.day,
                stated=record.stated,
                stated_half=record.half,
                worked_minutes=hours.gross_minutes(case.tenant, record, shift),
                source="import",
                check_in_at=times[0][0] if times else _check_in(case, shift, record),
                check_out_at=times[-1][1] if times else None,
            )
        for leave in {(x.day, x.half): x for x in reversed(facts.leaves)}.values():
            put.add(
                "leave_days",
                user_id=user_id,
                day=leave.day,
                half=leave.half,
                nature=leave.nature,
                counts_non_working=leave.counts_non_working,
                leave_type_id=type_id(leave.leave_type),
            )
        for duty in facts.on_duty:
            put.add(
                "on_duty",
                id=uuid4(),
                user_id=user_id,
                start_on=duty.start,
                end_on=duty.end,
                half=duty.half,
                status="approved",
            )
        for work in facts.overtime:
            put.add("overtime", id=uuid4(), user_id=user_id, day=work.day, hours=work.hours, status="approved")
        for edit in {e.day: e for e in reversed(facts.edits)}.values():
            put.add(
                "day_edits",
                id=uuid4(),
                user_id=user_id,
                day=edit.day,
                ot_hours=edit.ot_hours,
                extra_days=edit.extra_days,
                remarks=edit.remarks,
                edited_by="test",
                edited_at=clock.now(),
                first_code=_code(edit.first),
                second_code=_code(edit.second),
                first_leave_type_id=edit.first and edit.first.leave_type and type_id(edit.first.leave_type),
                second_leave_type_id=edit.second and edit.second.leave_type and type_id(edit.second.leave_type),
            )
    put.flush()
    return user_ids


def compute(scope: Scope, cases: Sequence[Case], user_ids: Sequence[UUID]) -> int:
    """Have the product decide attendance and project; lateness is put in as the model has it."""
    case = cases[0]
    window = window_of(scope, case.month)
    periods.ensure(scope, [window.period])
    attendance.decide_days(scope, first=window.lead_on, last=window.tail_on)
    minutes = [
        (user_id, a.day, a.late_minutes, a.early_out_minutes)
        for user_id, one in zip(user_ids, cases, strict=True)
        for a in one.facts.attendance
    ]
    scope.session.execute(
        text(
            "update attendance a set late_minutes = m.late, early_out_minutes = m.early"
            " from unnest(cast(:users as uuid[]), cast(:days as date[]), cast(:late as int[]), cast(:early as int[]))"
            " m(user_id, day, late, early)"
            " where a.tenant_id = :tenant_id and a.user_id = m.user_id and a.day = m.day"
        ),
        {
            "tenant_id": scope.tenant_id,
            "users": [m[0] for m in minutes],
            "days": [m[1] for m in minutes],
            "late": [m[2] for m in minutes],
            "early": [m[3] for m in minutes],
        },
    )
    return project(scope, window=window, employee_filter=EmployeeFilter.these(user_ids), as_of=case.as_of)


def outcomes(scope: Scope, case: Case) -> dict[UUID, Outcome]:
    """Read what the product computed."""
    window = window_of(scope, case.month)
    rows = scope.session.execute(
        text(f"""select r.user_id, register_totals(r) as totals, r.halves, r.manual, r.recorded, r.rostered, r.units,
                {DETAILS} as details, b.lines, b.earned
             from pay_registers r left join balances b using (tenant_id, month, user_id)
             where r.tenant_id = :tenant_id and r.month = :month"""),
        {"tenant_id": scope.tenant_id, "month": case.month, "start_on": window.period.start},
    )
    names = {str(row.id): row.name for row in scope.session.execute(text("select id, name from leave_types"))}
    by_user = {}
    for row in rows:
        spelled = rules.day_records(
            window.period.days,
            {
                "halves": row.halves,
                "details": row.details,
                "units": row.units,
                "masks": {"manual": row.manual, "recorded": row.recorded, "rostered": row.rostered},
            },
        )
        lines = [
            (x["frequency"], Decimal(x["rate"]), x["from"], x["to"], Decimal(x["amount"])) for x in row.lines or []
        ]
        assert sum((line[4] for line in lines), Decimal(0)) == (row.earned or 0)
        by_user[row.user_id] = Outcome(
            [
                (h["status"], h.get("leave_nature"), h["source"] or "none", names.get(h.get("leave_type_id") or ""))
                for day in spelled
                for h in (day["first_half"], day["second_half"])
            ],
            {**row.totals, "leave_by_type": {names[k]: v for k, v in row.totals["leave_by_type"].items()}},
            [
                (Decimal(str(d["ot_hours"])), d["late_minutes"], d["early_out_minutes"], Decimal(str(d["extra_days"])))
                for d in spelled
            ],
            lines,
        )
    return by_user


def expected(case: Case) -> Outcome:
    """Ask the model."""
    about = (case.tenant, case.employee, case.facts, case.month, case.as_of)
    rows = register(*about)
    return Outcome(
        [(str(half.status), half.nature, half.source, half.leave_type) for day in rows.values() for half in day.halves],
        totals(rows),
        [(day.ot_hours, day.late_minutes, day.early_out_minutes, day.extra_days) for day in rows.values()],
        [(x.frequency, x.rate, x.starts_on.isoformat(), x.ends_on.isoformat(), x.amount) for x in earned(*about)],
    )


def open_scope(tenant_id: UUID) -> Any:
    """Open a transaction as a job would."""
    return job_scope(tenant_id, name="test", now=clock.now(), origin=Origin("test"))


def _code(half: HalfEdit | None) -> str | None:
    return half and code_of(HalfStatus(half.status), half.nature and Nature(half.nature))


def _check_in(case: Case, shift: Shift | None, record: Any) -> datetime | None:
    if record.worked_minutes is None or shift is None:
        return None
    start = datetime.combine(record.day, shift.starts, ZoneInfo(case.tenant.timezone))
    end = datetime.combine(record.day, shift.ends, ZoneInfo(case.tenant.timezone))
    if end <= start:
        end += timedelta(days=1)
    middle = start + (end - start) / 2
    return middle + timedelta(minutes=1 if record.checked_in_after_middle else -1)


class _Writer:
    """Rows gathered by table and columns, written many at a time."""

    def __init__(self, session: Connection, tenant_id: UUID) -> None:
        self.session, self.tenant_id = session, tenant_id
        self.rows: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = {}

    def add(self, table: str, **values: Any) -> None:
        self.rows.setdefault((table, tuple(values)), []).append({"tenant_id": self.tenant_id, **values})

    def made(self, table: str, **values: Any) -> UUID:
        row_id = uuid4()
        self.add(table, id=row_id, **values)
        return row_id

    def flush(self) -> None:
        order = ["branches", "shifts", "leave_types", "users", "employments"]
        for (table, columns), rows in sorted(
            self.rows.items(), key=lambda item: order.index(item[0][0]) if item[0][0] in order else 99
        ):
            names = ("tenant_id", *columns)
            self.session.execute(text(f"insert into {table} ({', '.join(names)}) values (:{', :'.join(names)})"), rows)
