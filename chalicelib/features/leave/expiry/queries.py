"""Reads of leave expiry: its rules, and the dry run of a night."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, TextClause, select, text

from chalicelib.backing.database import statement
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import PageQuery, RowPage, page_rows
from chalicelib.features.leave.expiry import rules
from chalicelib.features.leave.expiry.models import ExpiryRuleRow, leave_expiry_rules
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope
from chalicelib.kernel.period import days_before_week

MAX_ITEMS = 200
PLAN, TOTALS = statement(__file__, "expiry_plan"), statement(__file__, "expiry_totals")
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


def get_rule(scope: Scope, rule_id: UUID, *, lock: bool = False) -> ExpiryRuleRow:
    """Read one rule of the tenant, or NotFound."""
    return get_row(scope, leave_expiry_rules, rule_id, kind=ExpiryRuleRow, what="leave expiry rule", lock=lock)


def page_of_rules(scope: Scope, query: PageQuery) -> RowPage[ExpiryRuleRow]:
    """Read one page of rules, oldest first."""
    rules_of_tenant = select(leave_expiry_rules).where(leave_expiry_rules.c.tenant_id == scope.tenant_id)
    return page_rows(scope, rules_of_tenant, kind=ExpiryRuleRow, key=leave_expiry_rules.c.id, query=query)


def simulate(scope: Scope, *, as_of: date) -> dict[str, Any]:
    """Return what a night would do, by its own statements; nothing is written."""
    everybody = EmployeeFilter.everybody()
    values = load_parameters(scope, as_of=as_of, employee_filter=everybody)
    totals = load_totals(scope, make_statement(everybody, TOTALS), values)
    actions = scope.session.execute(make_statement(everybody, _ACTIONS), {**values, "most": MAX_ITEMS}).mappings()
    warnings = (
        scope.session.execute(
            text(everybody.put_into(WARNINGS) + _MISSING), {**warning_parameters(scope, as_of=as_of), "most": MAX_ITEMS}
        )
        .mappings()
        .all()
    )
    return {
        **totals,
        "amounts": [{"currency": currency, "amount": amount} for currency, amount in sorted(totals["amounts"].items())],
        "warnings": warnings[0]["all_warnings"] if warnings else 0,
        "warning_items": [dict(row) for row in warnings],
        "action_items": [{**row, "formula": _describe_amount(row)} for row in actions],
    }


def find_problems(scope: Scope, *, as_of: date, most: int) -> tuple[int, list[str]]:
    """Count the allocations that a night cannot expire, and describe the first of them."""
    everybody = EmployeeFilter.everybody()
    values = {**load_parameters(scope, as_of=as_of, employee_filter=everybody), "most": most}
    rows = scope.session.execute(make_statement(everybody, _PROBLEMS), values).all()
    return (rows[0].problems if rows else 0), [
        describe_problem(row.leave_type, row.user_id, row.problem) for row in rows
    ]


def describe_problem(leave_type: str, user_id: object, problem: str) -> str:
    """Describe why the days of an allocation cannot be expired."""
    return f"{leave_type} of {user_id}: {problem}"


def make_statement(employee_filter: EmployeeFilter, rest: str, *, lock: str = "") -> TextClause:
    """Make a statement of the plan of some employees and of what is done with it."""
    return text(employee_filter.put_into(PLAN).replace("{lock}", lock) + rest)


def load_parameters(scope: Scope, *, as_of: date, employee_filter: EmployeeFilter) -> dict[str, Any]:
    """Return the plan's parameters, with the dates of each cycle, which are computed once for all employees."""
    values = {**employee_filter.values, "tenant_id": scope.tenant_id, "as_of": as_of}
    cycles = scope.session.execute(text(employee_filter.put_into(_CYCLES)), values).mappings()
    return {**values, "calendar": json.dumps([_add_dates(scope, row) for row in cycles], default=str)}


def warning_parameters(scope: Scope, *, as_of: date) -> dict[str, Any]:
    """Return the parameters of the warnings' statements."""
    return {"tenant_id": scope.tenant_id, "as_of": as_of, "widest": rules.MAX_WARNING_DAYS}


def load_totals(scope: Scope, totals_statement: TextClause, values: dict[str, Any]) -> dict[str, Any]:
    """Load the totals of a plan; `notable` are the allocations with encashment or a problem."""
    rows = scope.session.execute(totals_statement, values).all()
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


def _add_dates(scope: Scope, cycle: RowMapping) -> dict[str, Any]:
    """Return the dates that follow from a cycle: the next cycle, and the pay period and week of its last day."""
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


def _describe_amount(row: RowMapping) -> str | None:
    if row["amount"] is None:
        return None
    return rules.describe_formula(rate=row["rate"], days=row["days"], working_days=row["working_days"])
