"""The projection: from facts to register rows, set-based over some employees, and who follows it.

A follower keeps what it derives from register rows in step with them, in the same transaction. It belongs to a feature
above this one, so it is named here by its module and imported at the first projection: whichever routes or consumers a
process has loaded, no rows change without their followers.
"""

from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib import import_module
from typing import Any, Protocol

from sqlalchemy import delete

from chalicelib.backing.database import force_generic_plans, run, statement
from chalicelib.features.pay_register.models import pay_registers
from chalicelib.features.periods.windows import EmployeeFilter, PeriodWindow
from chalicelib.identity.scope import Scope

# The module of each follower; its `FOLLOWER` is a RegisterFollower. They follow in this order.
FOLLOWERS = ["chalicelib.features.balances.followers"]

_PROJECT = statement(__file__, "project")
_DROP_ROWS = statement(__file__, "drop_rows")


class RegisterFollower(Protocol):
    """What a feature above does when register rows of some employees change."""

    def rows_projected(self, scope: Scope, *, window: PeriodWindow, employee_filter: EmployeeFilter) -> None:
        """Compute what follows from these employees' rows; the rows are written, and not committed."""

    def rows_dropped(self, scope: Scope, *, window: PeriodWindow, employee_filter: EmployeeFilter) -> None:
        """Drop what was derived for employees of the filter who are not employed in the period."""

    def all_rows_dropped(self, scope: Scope) -> None:
        """Drop all that was derived from the tenant's register rows."""


def project(scope: Scope, *, window: PeriodWindow, employee_filter: EmployeeFilter, as_of: date) -> int:
    """Rebuild register rows of an open period, let the followers do theirs, and count the rows that changed."""
    values: dict[str, Any] = {
        **window.values(),
        **employee_filter.values,
        "tenant_id": scope.tenant_id,
        "as_of": min(as_of, window.period.end),
        "weekend": list(scope.tenant.weekend),
        "missing_attendance": scope.tenant.policy.missing_attendance,
    }
    force_generic_plans(scope.session)
    changed = run(scope.session, employee_filter.put_into(_PROJECT), values)
    for follower in followers():
        follower.rows_projected(scope, window=window, employee_filter=employee_filter)
    return changed


def drop_rows(scope: Scope, *, window: PeriodWindow, employee_filter: EmployeeFilter) -> None:
    """Drop rows of people who are not, or no longer, employed in the period, and what followers derived from them."""
    values = {**window.values(), **employee_filter.values, "tenant_id": scope.tenant_id}
    run(scope.session, employee_filter.put_into(_DROP_ROWS), values)
    for follower in followers():
        follower.rows_dropped(scope, window=window, employee_filter=employee_filter)


def drop_all_rows(scope: Scope) -> None:
    """Drop the register rows of all periods, and what followers derived from them."""
    scope.session.execute(delete(pay_registers).where(pay_registers.c.tenant_id == scope.tenant_id))
    for follower in followers():
        follower.all_rows_dropped(scope)


@cache
def followers() -> Sequence[RegisterFollower]:
    """Import the followers, once."""
    return [import_module(module).FOLLOWER for module in FOLLOWERS]
