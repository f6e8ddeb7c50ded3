"""The terms of a run: every setting and policy switch that prices a period, with its value, as they were.

They are stored resolved, also where a value was only a default: a later release may change a default, and a period
that was paid under the old one must not be repriced. `resolve_terms` is the only writer, `restore_tenant` the only
reader. A field of
`Tenant` or `PayPolicy` that prices stands in SETTINGS or SWITCHES, any other in one of the two lists beside them; a
test fails for a field that stands nowhere. Whoever adds one that prices also adds a migration that gives the stored
runs the value under which they were computed.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.identity.scope import Tenant

SETTINGS = ("currency", "timezone", "weekend", "week_start", "cycle_start_day")
SWITCHES = (
    "missing_attendance",
    "full_day_minutes",
    "half_day_minutes",
    "proration_basis",
    "daily_paid_holidays",
    "weekly_rule",
)
NON_PRICING_SETTINGS = frozenset(
    {"id", "slug", "name", "is_active", "requests_per_minute", "cell"}
    | {"policy_overrides"}  # it is resolved into SWITCHES
)
# They decide about sales, about what is shown before approval, and about how and when the result is paid.
NON_PRICING_SWITCHES = frozenset(
    {"advance_rate", "payroll_change_limit"}
    | {"minimum_payout", "payouts_enabled", "payout_schedule", "payout_provider", "manual_without_bank_account"}
    | {"payout_approval_above", "payout_limits", "destination_hold_hours", "four_eyes"}
)


def resolve_terms(tenant: Tenant) -> dict[str, Any]:
    """Return the tenant's terms of this moment as JSON values."""
    settings = {name: getattr(tenant, name) for name in SETTINGS}
    return {
        **settings,
        "weekend": list(tenant.weekend),
        "policy": tenant.policy.model_dump(mode="json", include=set(SWITCHES)),
    }


def restore_tenant(terms: Mapping[str, Any], tenant: Tenant) -> Tenant:
    """Return the tenant under stored terms; what does not price stays as it is today.

    Raises LookupError where a value is missing: a default of today must never stand in for it.
    """
    policy = terms.get("policy", {})
    missing = [name for name in SETTINGS if name not in terms] + [name for name in SWITCHES if name not in policy]
    if missing:
        raise LookupError(f"the terms of a run lack {', '.join(missing)}; a migration has to fill them")
    settings = {name: terms[name] for name in SETTINGS}
    return replace(
        tenant,
        **{**settings, "weekend": tuple(terms["weekend"])},
        policy_overrides={**tenant.policy_overrides, **{name: policy[name] for name in SWITCHES}},
    )
