"""Computing balances: always anew from the register and the salaries, never added to."""

from typing import Any

from chalicelib.backing.database import statement
from chalicelib.features.tenants.windows import Among, Window
from chalicelib.identity.scope import Scope

_EARN = statement(__file__, "earn")


def earn(scope: Scope, *, window: Window, among: Among) -> int:
    """This will compute the balances of some employees for a period, and count the rows that changed."""
    policy = scope.tenant.policy
    values: dict[str, Any] = {
        **window.values(),
        **among.values,
        "tenant_id": scope.tenant_id,
        "daily_paid_holidays": policy.daily_paid_holidays,
        "proration_basis": policy.proration_basis,
        "weekly_rule": policy.weekly_rule,
    }
    return scope.session.execute(among.put_into(_EARN), values).rowcount
