"""Computing balances: always anew from the register and the salaries, never added to."""

import json
from typing import Any

from sqlalchemy import delete

from chalicelib.backing.database import run, statement
from chalicelib.features.balances.models import balances
from chalicelib.features.periods.windows import EmployeeFilter, PeriodWindow
from chalicelib.identity.scope import Scope
from chalicelib.kernel.money import MINOR_UNITS

_EARN = statement(__file__, "earn")
_DROP_BALANCES = statement(__file__, "drop_balances")
_MINOR_UNITS = json.dumps(MINOR_UNITS)


def earn(scope: Scope, *, window: PeriodWindow, employee_filter: EmployeeFilter) -> int:
    """Compute the balances of some employees for a period, and count the rows that changed."""
    policy = scope.tenant.policy
    values: dict[str, Any] = {
        **window.values(),
        **employee_filter.values,
        "tenant_id": scope.tenant_id,
        "daily_paid_holidays": policy.daily_paid_holidays,
        "proration_basis": policy.proration_basis,
        "weekly_rule": policy.weekly_rule,
        "minor_units": _MINOR_UNITS,
    }
    return run(scope.session, employee_filter.put_into(_EARN), values)


def drop(scope: Scope, *, window: PeriodWindow, employee_filter: EmployeeFilter) -> None:
    """Drop the balances of people who are not, or no longer, employed in the period."""
    values = {**window.values(), **employee_filter.values, "tenant_id": scope.tenant_id}
    run(scope.session, employee_filter.put_into(_DROP_BALANCES), values)


def drop_all(scope: Scope) -> None:
    """Drop all balances of the tenant."""
    scope.session.execute(delete(balances).where(balances.c.tenant_id == scope.tenant_id))
