"""Reads of the register. They never write: an employee without a row reads as a stub."""

import json
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, select, text

from chalicelib.backing.database import Record, statement
from chalicelib.features.pay_register import rules
from chalicelib.features.pay_register.models import day_edits
from chalicelib.features.pay_register.schemas import ExportQuery, GridQuery, RegisterTotals, View
from chalicelib.features.people.models import departments, divisions
from chalicelib.features.people.organisation.queries import get_unit
from chalicelib.features.periods import queries as period_queries
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.halves import STATUS_OF
from chalicelib.kernel.period import Period

_GRID = statement(__file__, "grid")
# What a row has to say about single days: kind of detail, then date, then value. Most rows have little or none.
_DETAILS = f"""case when r is null then '{{}}' else jsonb_strip_nulls(jsonb_build_object({
    ", ".join(
        f"'{kind}', case when (r).{packed} is not null then unpacked((r).{packed}, :start_on, {parts}) end"
        for kind, packed, parts in (
            ("late_minutes", "day_late", 1),
            ("early_out_minutes", "day_early_out", 1),
            ("ot_hours", "day_ot", 100),
            ("extra_days", "day_extra", 100),
            ("payable_units", "day_units", 100),
        )
    )
}, 'leave_halves', (r).leave_halves, 'remarks', (r).day_remarks)) end"""
# The versions of days that were edited, which the register row does not have: edits of a locked period raise them, too.
_VERSIONS = "case when edited.versions is null then '{}' else jsonb_build_object('version', edited.versions) end"
# What the records view needs beside the codes to say where each half came from.
_MASKS = """, 'masks', json_build_object('manual', (r).manual, 'recorded', (r).recorded, 'rostered', (r).rostered),
    'units', (r).units"""
_NO_TOTALS = json.dumps({name: {} if name == "leave_by_type" else 0 for name in RegisterTotals.model_fields})


def get_period(scope: Scope, period: Period) -> Record:
    """Return a period's days and state; one that nobody has touched yet is open and fresh."""
    row = period_queries.find_state(scope, period.month)
    return {
        "month": period.month,
        "start_date": period.start,
        "end_date": period.end,
        "total_days": period.length,
        "status": row.status if row else "open",
        "is_stale": bool(row and row.is_stale),
    }


def grid(scope: Scope, *, month: str, query: GridQuery) -> str:
    """Return one page of the grid as JSON text, most of it made by the database."""
    period = scope.tenant.period(month)
    total, items = _page(scope, period, query, limit=query.limit, page=query.page)
    if query.view is View.RECORDS:
        items = json.dumps([_spelled(period, item) for item in json.loads(items)])
    head = {"period": get_period(scope, period), "days": period.days}
    tail = {"page": query.page, "limit": query.limit, "total": total}
    return f'{json.dumps(head, default=str)[:-1]}, "items": {items}, {json.dumps(tail)[1:]}'


def rows_for_export(scope: Scope, *, period: Period, query: ExportQuery, page: int, limit: int) -> list[dict[str, Any]]:
    """Read one batch of rows in the codes view."""
    rows: list[dict[str, Any]] = json.loads(_page(scope, period, query, limit=limit, page=page)[1])
    return rows


def get_row(scope: Scope, *, month: str, user_id: UUID) -> Record:
    """Read one employee's period, or NotFound where they are not in it or not within reach."""
    period = scope.tenant.period(month)
    _, items = _page(scope, period, None, limit=1, page=1, user_id=user_id)
    found = json.loads(items)
    if not found:
        raise NotFound(f"There is no such person employed in {month}.")
    return {"period": get_period(scope, period), "days": period.days, **_spelled(period, found[0])}


def history(scope: Scope, *, month: str, user_id: UUID) -> Record:
    """List every edit by hand of the period, newest first, with who replaced it and which cells it changed.

    A day that was cleared says so in the edit that was cleared.
    """
    period = scope.tenant.period(month)
    edited = day_edits.c.day.between(period.start, period.end)
    rows = scope.session.execute(
        select(day_edits)
        .where(day_edits.c.tenant_id == scope.tenant_id, day_edits.c.user_id == user_id, edited)
        .order_by(day_edits.c.id)
    ).mappings()
    items = []
    before: dict[date, dict[str, Any]] = {}
    for row in map(dict, rows):
        items.append(
            {
                **row,
                "date": row["day"],
                "first_half": row["first_code"] and STATUS_OF[row["first_code"]][0],
                "second_half": row["second_code"] and STATUS_OF[row["second_code"]][0],
                "changed": rules.changed_cells(before.get(row["day"]), row),
            }
        )
        before[row["day"]] = row
    return {"items": [item for item in reversed(items) if any(rules.cells_of(item))]}


def _spelled(period: Period, item: dict[str, Any]) -> dict[str, Any]:
    return {
        "user": item["user"],
        "version": item["version"],
        "totals": item["totals"],
        "daily_records": rules.records(period.days, item),
    }


def _page(
    scope: Scope,
    period: Period,
    query: GridQuery | ExportQuery | None,
    *,
    limit: int,
    page: int,
    user_id: UUID | None = None,
) -> tuple[int, str]:
    values: dict[str, Any] = {
        "tenant_id": scope.tenant_id,
        "month": period.month,
        "start_on": period.start,
        "end_on": period.end,
        "limit": limit,
        "offset": (page - 1) * limit,
        "no_totals": _NO_TOTALS,
    }
    reach, reach_values = scope.reach("pay_register.read", "e.user_id")
    filters = reach
    if user_id is not None:
        filters += " and e.user_id = :user_id"
        values["user_id"] = user_id
    if query is not None:
        if query.department_id:
            get_unit(scope, departments, query.department_id)
            filters += " and e.department_id = :department_id"
        if query.division_id:
            get_unit(scope, divisions, query.division_id)
            filters += " and e.division_id = :division_id"
        if query.search:
            filters += (
                " and (strpos(u.search_text, fold_text(:search)) > 0 or strpos(e.search_text, fold_text(:search)) > 0)"
            )
        values |= {
            "department_id": query.department_id,
            "division_id": query.division_id,
            "search": query.search,
        }
    masks = _MASKS if not (isinstance(query, GridQuery) and query.view is View.CODES) else ""
    row = scope.session.execute(_statement(filters, masks), values | reach_values).one()
    return row.total, row.items


@cache
def _statement(filters: str, masks: str) -> TextClause:
    return text(
        _GRID.replace("{filters}", filters).replace("{details}", f"{_DETAILS} || {_VERSIONS}").replace("{masks}", masks)
    )
