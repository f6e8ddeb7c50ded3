"""Reads of leave expiry: its rules, and what a night would do."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, select, text

from chalicelib.backing.database import Record, statement
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, page_of
from chalicelib.features.leave.expiry import rules
from chalicelib.features.leave.expiry.models import leave_expiry_rules
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope
from chalicelib.kernel.period import days_before_week

MOST_SHOWN = 200
PLAN, TOLD = statement(__file__, "expiry_plan"), statement(__file__, "expiry_told")
WARNINGS = statement(__file__, "expiry_warnings")
_CYCLES = statement(__file__, "expiry_cycles")
_ACTIONS = """
    select allocation_id, user_id, leave_type_id, leave_type, action, expires_on, lapsed as lapsed_days,
        encashed as encashed_days, transferred as transferred_days, case when encashed > 0 then amount end as amount,
        case when encashed > 0 then currency end as currency, rate::text, remaining_days::text as days,
        trim_scale(working_days)::text as working_days, problem,
        case when transferred > 0 then next_start_on end as next_cycle_start_date
    from plan where remaining_days > 0 order by allocation_id limit :most"""
_MISSING = (
    " select *, count(*) over () as all_warnings from missing where is_nearest order by allocation_id limit :most"
)
_PROBLEMS = """
    select count(*) over () as problems, allocation_id, user_id, leave_type, problem
    from plan where problem is not null order by allocation_id limit :most"""


def get_rule(scope: Scope, rule_id: UUID, *, lock: bool = False) -> Record:
    """Read one rule of the tenant, or NotFound."""
    return get_row(scope, leave_expiry_rules, rule_id, what="leave expiry rule", lock=lock)


def page_of_rules(scope: Scope, query: PageQuery) -> Record:
    """Read one page of rules, oldest first."""
    rows = select(leave_expiry_rules).where(leave_expiry_rules.c.tenant_id == scope.tenant_id)
    found = page_of(scope, rows, key=leave_expiry_rules.c.id, query=query)
    return {**found, "items": [shown(row) for row in found["items"]]}


def shown(row: Record) -> Record:
    """Return a rule under the names that go out."""
    return {**row, "auto_expire_action": row["action"]}


def plan_of(scope: Scope, *, as_of: date) -> dict[str, Any]:
    """Return what a night would do, by the statements that would do it, and write nothing."""
    everybody = EmployeeFilter.everybody()
    values = planning(scope, as_of=as_of, employee_filter=everybody)
    totals = told(scope, planned(everybody, TOLD), values)
    acted = scope.session.execute(planned(everybody, _ACTIONS), {**values, "most": MOST_SHOWN}).mappings()
    warned = (
        scope.session.execute(
            text(everybody.put_into(WARNINGS) + _MISSING), {**warning(scope, as_of=as_of), "most": MOST_SHOWN}
        )
        .mappings()
        .all()
    )
    return {
        **totals,
        "amounts": [{"currency": currency, "amount": amount} for currency, amount in sorted(totals["amounts"].items())],
        "warnings": warned[0]["all_warnings"] if warned else 0,
        "warning_items": [dict(row) for row in warned],
        "action_items": [{**row, "formula": _formula(row)} for row in acted],
    }


def problems_of(scope: Scope, *, as_of: date, most: int) -> tuple[int, list[str]]:
    """Count the allocations that a night can do nothing about, and say the first of them in words."""
    everybody = EmployeeFilter.everybody()
    values = {**planning(scope, as_of=as_of, employee_filter=everybody), "most": most}
    rows = scope.session.execute(planned(everybody, _PROBLEMS), values).all()
    return (rows[0].problems if rows else 0), [problem_of(row.leave_type, row.user_id, row.problem) for row in rows]


def problem_of(leave_type: str, user_id: object, problem: str) -> str:
    """Return why somebody's days stay where they are."""
    return f"{leave_type} of {user_id}: {problem}"


def planned(employee_filter: EmployeeFilter, then: str, *, lock: str = "") -> TextClause:
    """Make the statement that plans for some people, and then does something with the plan."""
    return text(employee_filter.put_into(PLAN).replace("{lock}", lock) + then)


def planning(scope: Scope, *, as_of: date, employee_filter: EmployeeFilter) -> dict[str, Any]:
    """Return the plan's parameters. What the calendar says of each cycle is worked out here, once for all."""
    values = {**employee_filter.values, "tenant_id": scope.tenant_id, "as_of": as_of}
    cycles = scope.session.execute(text(employee_filter.put_into(_CYCLES)), values).mappings()
    return {**values, "calendar": json.dumps([_dated(scope, row) for row in cycles], default=str)}


def warning(scope: Scope, *, as_of: date) -> dict[str, Any]:
    """Return the parameters of the warnings."""
    return {"tenant_id": scope.tenant_id, "as_of": as_of, "widest": rules.WIDEST}


def told(scope: Scope, planned_and_told: TextClause, values: dict[str, Any]) -> dict[str, Any]:
    """Sum up what a plan comes to; `notable` are the allocations that money is due for, or with a problem."""
    rows = scope.session.execute(planned_and_told, values).all()
    notable: list[dict[str, Any]] = [one for row in rows for one in row.notable]
    amounts: dict[str, Decimal] = {}
    for one in notable:
        if one["problem"] is None:
            amounts[one["currency"]] = amounts.get(one["currency"], Decimal(0)) + Decimal(one["amount"])
    return {
        "allocations": sum(row.allocations for row in rows),
        "lapsed_days": sum((row.lapsed for row in rows), Decimal(0)),
        "encashed_days": sum((row.encashed for row in rows), Decimal(0)),
        "transferred_days": sum((row.transferred for row in rows), Decimal(0)),
        "problems": sum(row.problems for row in rows),
        "amounts": amounts,
        "notable": notable,
    }


def _dated(scope: Scope, cycle: Record) -> dict[str, Any]:
    """Return what comes after a cycle, and in which pay period and pay week its last day of use is."""
    next_start, next_end = rules.next_cycle(cycle["cycle_start_on"], cycle["cycle_end_on"])
    period = scope.tenant.period(scope.tenant.month_of(cycle["expires_on"]))
    week_start = cycle["expires_on"] - timedelta(
        days=days_before_week(cycle["expires_on"], week_start=scope.tenant.week_start)
    )
    return {
        "expiry_rule_id": cycle["expiry_rule_id"],
        "cycle_start_on": cycle["cycle_start_on"],
        "cycle_end_on": cycle["cycle_end_on"],
        "expires_on": cycle["expires_on"],
        "next_start_on": next_start,
        "next_end_on": next_end,
        "next_expires_on": rules.expires_on(
            cycle_end=next_end, expire_after_days=cycle["expire_after_days"], formula=cycle["expiry_date_formula"]
        ),
        "period_start_on": period.start,
        "period_end_on": period.end,
        "week_start_on": week_start,
        "week_end_on": week_start + timedelta(days=6),
    }


def _formula(row: Record) -> str | None:
    if row["amount"] is None:
        return None
    return rules.formula_of(rate=row["rate"], days=row["days"], working_days=row["working_days"])
