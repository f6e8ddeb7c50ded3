"""Reads of the register. They never write: an employee without a row reads as a stub."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, select, text

from chalicelib.backing import rows as result_rows
from chalicelib.backing.database import statement
from chalicelib.entry.paging import RowPage
from chalicelib.features.pay_register import rules
from chalicelib.features.pay_register.models import day_edits
from chalicelib.features.pay_register.schemas import ExportQuery, GridQuery, RegisterTotals, View
from chalicelib.features.people.models import departments, divisions
from chalicelib.features.people.organisation.queries import get_unit
from chalicelib.features.periods import queries as period_queries
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.halves import STATUS_OF, HalfStatus
from chalicelib.kernel.period import Period
from chalicelib.kernel.states import PeriodStatus

_GRID = statement(__file__, "grid")
DETAILS = statement(__file__, "details")
# What the records view needs beside the codes: where each half came from.
_MASKS = """, 'masks', json_build_object('manual', (r).manual, 'recorded', (r).recorded, 'rostered', (r).rostered),
    'units', (r).units"""
_NO_TOTALS = json.dumps({name: {} if name == "leave_by_type" else 0 for name in RegisterTotals.model_fields})


@dataclass(frozen=True, slots=True)
class PeriodDetails:
    """A pay period's days and state."""

    month: str
    start_date: date
    end_date: date
    total_days: int
    status: str
    is_stale: bool


@dataclass(frozen=True, slots=True)
class EmployeePeriod:
    """One employee's period; user and totals are JSON documents of sql/grid.sql."""

    period: PeriodDetails
    days: list[date]
    user: Mapping[str, Any]
    version: int
    totals: Mapping[str, Any]
    daily_records: list[rules.DayRecord]
    late_correction: bool = False


@dataclass(frozen=True, slots=True)
class DayEditRow:
    """The cells of a day as one edit by hand left them."""

    id: UUID
    day: date
    first_code: str | None
    first_leave_type_id: UUID | None
    second_code: str | None
    second_leave_type_id: UUID | None
    ot_hours: Decimal | None
    extra_days: Decimal | None
    remarks: str | None
    version: int
    edited_by: str
    edited_at: datetime
    superseded_by: str | None
    superseded_at: datetime | None


@dataclass(frozen=True, slots=True)
class EditHistoryItem:
    """An edit by hand as it goes out, with the cells that it changed."""

    id: UUID
    date: date
    version: int
    changed: list[str]
    first_half: HalfStatus | None
    second_half: HalfStatus | None
    ot_hours: Decimal | None
    extra_days: Decimal | None
    remarks: str | None
    edited_by: str
    edited_at: datetime
    superseded_by: str | None
    superseded_at: datetime | None


def get_period(scope: Scope, period: Period) -> PeriodDetails:
    """Return a period's days and state; one that was never touched is open and fresh."""
    state = period_queries.find_state(scope, period.month)
    return PeriodDetails(
        month=period.month,
        start_date=period.start,
        end_date=period.end,
        total_days=period.length,
        status=state.status if state else PeriodStatus.OPEN,
        is_stale=bool(state and state.is_stale),
    )


def grid(scope: Scope, *, month: str, query: GridQuery) -> str:
    """Return one page of the grid as JSON text, most of it built by the database."""
    period = scope.tenant.period(month)
    total, items = _read_page(scope, period, query, limit=query.limit, page=query.page)
    if query.view is View.RECORDS:
        items = json.dumps([_with_records(period, item) for item in json.loads(items)])
    head = {"period": asdict(get_period(scope, period)), "days": period.days}
    tail = {"page": query.page, "limit": query.limit, "total": total}
    return f'{json.dumps(head, default=str)[:-1]}, "items": {items}, {json.dumps(tail)[1:]}'


def rows_for_export(scope: Scope, *, period: Period, query: ExportQuery, page: int, limit: int) -> list[dict[str, Any]]:
    """Read one batch of rows in the codes view."""
    rows: list[dict[str, Any]] = json.loads(_read_page(scope, period, query, limit=limit, page=page)[1])
    return rows


def get_row(scope: Scope, *, month: str, user_id: UUID) -> EmployeePeriod:
    """Return one employee's period, or raise NotFound where the employee is not in it or not within reach."""
    period = scope.tenant.period(month)
    _, items = _read_page(scope, period, None, limit=1, page=1, user_id=user_id)
    rows = json.loads(items)
    if not rows:
        raise NotFound(f"There is no such person employed in {month}.")
    return EmployeePeriod(period=get_period(scope, period), days=period.days, **_with_records(period, rows[0]))


def list_edits(scope: Scope, *, month: str, user_id: UUID) -> RowPage[EditHistoryItem]:
    """List every edit by hand of the period, newest first, with the user who replaced it and the cells it changed.

    A day that was cleared says so in the edit that was cleared.
    """
    period = scope.tenant.period(month)
    in_period = day_edits.c.day.between(period.start, period.end)
    edits = result_rows.every(
        DayEditRow,
        scope.session.execute(
            select(day_edits)
            .where(day_edits.c.tenant_id == scope.tenant_id, day_edits.c.user_id == user_id, in_period)
            .order_by(day_edits.c.id)
        ),
    )
    items: list[EditHistoryItem] = []
    before: dict[date, DayEditRow] = {}  # the latest edit of each day so far
    for edit in edits:
        if any(rules.cells_of(edit)):
            items.append(_history_item(edit, changed=rules.changed_cells(before.get(edit.day), edit)))
        before[edit.day] = edit
    return RowPage(items[::-1], None)


def _history_item(edit: DayEditRow, *, changed: list[str]) -> EditHistoryItem:
    return EditHistoryItem(
        id=edit.id,
        date=edit.day,
        version=edit.version,
        changed=changed,
        first_half=STATUS_OF[edit.first_code][0] if edit.first_code else None,
        second_half=STATUS_OF[edit.second_code][0] if edit.second_code else None,
        ot_hours=edit.ot_hours,
        extra_days=edit.extra_days,
        remarks=edit.remarks,
        edited_by=edit.edited_by,
        edited_at=edit.edited_at,
        superseded_by=edit.superseded_by,
        superseded_at=edit.superseded_at,
    )


def _with_records(period: Period, item: dict[str, Any]) -> dict[str, Any]:
    """Turn a row of the codes view, a JSON document, into one of the records view."""
    return {
        "user": item["user"],
        "version": item["version"],
        "totals": item["totals"],
        "daily_records": rules.day_records(
            period.days,
            {"halves": item["halves"], "details": item["details"], "masks": item["masks"], "units": item["units"]},
        ),
    }


def _read_page(
    scope: Scope,
    period: Period,
    query: GridQuery | ExportQuery | None,
    *,
    limit: int,
    page: int,
    user_id: UUID | None = None,
) -> tuple[int, str]:
    """Return how many employees match, and one page of them as a JSON array."""
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
    return text(_GRID.replace("{filters}", filters).replace("{details}", DETAILS).replace("{masks}", masks))
