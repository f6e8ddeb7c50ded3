"""Bare statements: the least that a single call can cost. By psycopg, prepared, with the tenant set."""

from datetime import date
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import psycopg

from infra.labs.bench.product import MONTH

_COUNT = """select count(*) from employments e join users u on u.tenant_id = e.tenant_id and u.id = e.user_id
    where e.tenant_id = %s and e.joined_on <= %s and (e.left_on is null or e.left_on >= %s)"""
_PAGE = """
    select e.user_id, e.employee_no, e.department_id, e.division_id, u.name, r.halves, r.present_days, r.od_days,
        r.absent_days, r.paid_leave_days, r.lop_days, r.holidays, r.week_offs, r.blank_days, r.extra_days,
        r.payable_shifts, r.ot_hours, r.late_count, r.late_minutes, r.early_out_count, r.early_out_minutes,
        r.day_late, r.day_early_out, r.day_ot, r.day_extra, r.day_units, r.leave_halves, r.day_remarks
    from employments e
    join users u on u.tenant_id = e.tenant_id and u.id = e.user_id
    left join pay_registers r on r.tenant_id = e.tenant_id and r.month = %s and r.user_id = e.user_id
    where e.tenant_id = %s and e.joined_on <= %s and (e.left_on is null or e.left_on >= %s)
    order by e.employee_no, e.user_id limit 50"""


class Bare:
    """A connection of the application role."""

    def __init__(self, url: str, tenant_id: UUID) -> None:
        self.tenant_id = tenant_id
        self.app = psycopg.connect(url, autocommit=True, prepare_threshold=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.app.close()

    def write(self, user_id: UUID, number: int) -> None:
        """Change one number in one register row, durably."""
        self._begin()
        self.app.execute(
            "update pay_registers set early_out_minutes = %s where tenant_id = %s and month = %s and user_id = %s",
            [number, self.tenant_id, MONTH, user_id],
        )
        self.app.execute("commit")

    def page(self) -> list[Any]:
        """Read 50 rows with their totals, and the number of all."""
        days = [self.tenant_id, date(2026, 1, 31), date(2026, 1, 1)]
        self._begin()
        self.app.execute(_COUNT, days).fetchall()
        rows = self.app.execute(_PAGE, [MONTH, *days]).fetchall()
        self.app.execute("commit")
        return rows

    def balance(self, user_id: UUID) -> list[Any]:
        """Read one balance."""
        self._begin()
        rows = self.app.execute(
            "select as_of, currency, earned, lines from balances where tenant_id = %s and month = %s and user_id = %s",
            [self.tenant_id, MONTH, user_id],
        ).fetchall()
        self.app.execute("commit")
        return rows

    def _begin(self) -> None:
        self.app.execute(f"begin; set local app.tenant_id = '{self.tenant_id}'".encode(), prepare=False)
