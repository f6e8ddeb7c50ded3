"""The projection: from facts to register rows, and from those to balances, set-based over some employees."""

from datetime import date
from typing import Any

from chalicelib.backing.database import keep_plans, run, statement
from chalicelib.features.balances import actions as balances
from chalicelib.features.pay_register.models import PROJECTED
from chalicelib.features.periods.windows import EmployeeFilter, PeriodWindow
from chalicelib.identity.scope import Scope


def _listed(prefix: str = "") -> str:
    return ", ".join(prefix + name for name in PROJECTED)


_PROJECT = (
    statement(__file__, "project")
    .replace("{columns}", _listed())
    .replace("{excluded}", _listed("excluded."))
    .replace("{kept}", _listed("r."))
)

_LEAVE_OUT = """
    delete from {table} r
    where r.tenant_id = :tenant_id and r.month = :month and r.user_id {employees} and not exists (
        select from employments e
        where e.tenant_id = :tenant_id and e.user_id = r.user_id and e.joined_on <= :end_on
          and (e.left_on is null or e.left_on >= :start_on))"""
_LEAVE_OUT_ROWS = _LEAVE_OUT.replace("{table}", "pay_registers")
_LEAVE_OUT_BALANCES = _LEAVE_OUT.replace("{table}", "balances")


def project(scope: Scope, *, window: PeriodWindow, employee_filter: EmployeeFilter, as_of: date) -> int:
    """Rebuild register rows and balances of an open period, and count the register rows that changed."""
    as_of = min(as_of, window.period.end)
    values: dict[str, Any] = {
        **window.values(),
        **employee_filter.values,
        "tenant_id": scope.tenant_id,
        "as_of": as_of,
        "weekend": list(scope.tenant.weekend),
        "missing_attendance": scope.tenant.policy.missing_attendance,
    }
    keep_plans(scope.session)
    changed = run(scope.session, employee_filter.put_into(_PROJECT), values)
    balances.earn(scope, window=window, employee_filter=employee_filter)
    return changed


def leave_out(scope: Scope, *, window: PeriodWindow, employee_filter: EmployeeFilter) -> None:
    """Drop rows of people who are not, or no longer, employed in the period, and their balances."""
    values = {**window.values(), **employee_filter.values, "tenant_id": scope.tenant_id}
    run(scope.session, employee_filter.put_into(_LEAVE_OUT_BALANCES), values)
    run(scope.session, employee_filter.put_into(_LEAVE_OUT_ROWS), values)
