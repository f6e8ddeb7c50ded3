"""Writes of expiry rules, and of the expiry dates that follow from them."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text, update

from chalicelib import audit
from chalicelib.backing import rows
from chalicelib.entry.versions import check_version
from chalicelib.features.leave.expiry import queries, rules
from chalicelib.features.leave.expiry.models import ExpiryRuleRow, leave_expiry_rules
from chalicelib.features.leave.expiry.schemas import NewExpiryRule
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid

_CYCLES = """
    select distinct a.leave_type_id, a.cycle_end_on, r.id is not null as expires, r.expire_after_days,
        r.expiry_date_formula
    from leave_allocations a
    join leave_types t on t.tenant_id = :tenant_id and t.id = a.leave_type_id
    left join leave_expiry_rules r on r.tenant_id = :tenant_id and r.id = t.expiry_rule_id and r.is_active
    where a.tenant_id = :tenant_id and a.expired_at is null and """
_REFRESH = text("""
    update leave_allocations a set expires_on = d.expires_on
    from jsonb_to_recordset(cast(:dates as jsonb)) as d (leave_type_id uuid, cycle_end_on date, expires_on date)
    where a.tenant_id = :tenant_id and a.leave_type_id = d.leave_type_id and a.cycle_end_on = d.cycle_end_on
      and a.expired_at is null and a.expires_on is distinct from d.expires_on""")


def add_rule(scope: Scope, *, new: NewExpiryRule) -> ExpiryRuleRow:
    """Add a rule; leave types name it."""
    values = _to_columns(new.model_dump())
    _check_dates(values)
    row = rows.one(
        ExpiryRuleRow,
        scope.session.execute(
            insert(leave_expiry_rules).values(tenant_id=scope.tenant_id, **values).returning(leave_expiry_rules)
        ),
    )
    audit.record(
        scope, action="leave_expiry_rule.added", entity_type="leave_expiry_rule", entity_id=row.id, after=values
    )
    return row


def change_rule(scope: Scope, *, rule_id: UUID, patch: dict[str, Any], if_match: int | None) -> ExpiryRuleRow:
    """Change a rule, and the expiry dates of days that have not expired yet."""
    before = queries.get_rule(scope, rule_id, lock=True)
    check_version(before, if_match)
    changes = {name: value for name, value in _to_columns(patch).items() if getattr(before, name) != value}
    if not changes:
        return before
    _check_dates({**asdict(before), **changes})
    row = rows.one(
        ExpiryRuleRow,
        scope.session.execute(
            update(leave_expiry_rules)
            .where(leave_expiry_rules.c.tenant_id == scope.tenant_id, leave_expiry_rules.c.id == rule_id)
            .values(**changes, version=leave_expiry_rules.c.version + 1)
            .returning(leave_expiry_rules)
        ),
    )
    moved = _refresh(scope, "t.expiry_rule_id = :id", rule_id)
    audit.record(
        scope,
        action="leave_expiry_rule.changed",
        entity_type="leave_expiry_rule",
        entity_id=rule_id,
        before={name: getattr(before, name) for name in changes},
        after={**changes, "allocations_moved": moved},
    )
    return row


def refresh(scope: Scope, *, leave_type_id: UUID) -> int:
    """Set the expiry dates of a leave type's allocations by its rule, and count those that changed.

    Without an active rule they never expire. What has expired stays expired.
    """
    return _refresh(scope, "t.id = :id", leave_type_id)


def _refresh(scope: Scope, which: str, id_: UUID) -> int:
    cycles = scope.session.execute(text(_CYCLES + which), {"tenant_id": scope.tenant_id, "id": id_}).all()
    dates = [
        {
            "leave_type_id": one.leave_type_id,
            "cycle_end_on": one.cycle_end_on,
            "expires_on": rules.expires_on(
                cycle_end=one.cycle_end_on, expire_after_days=one.expire_after_days, formula=one.expiry_date_formula
            )
            if one.expires
            else None,
        }
        for one in cycles
    ]
    return scope.session.execute(
        _REFRESH, {"tenant_id": scope.tenant_id, "dates": json.dumps(dates, default=str)}
    ).rowcount


def _to_columns(fields: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in fields.items() if name != "auto_expire_action"}
    return {**values, "action": fields["auto_expire_action"]} if "auto_expire_action" in fields else values


def _check_dates(values: Mapping[str, Any]) -> None:
    if values["expire_after_days"] is not None and values["expiry_date_formula"] is not None:
        raise invalid(
            "/expiry_date_formula",
            "says the last day of use another way than expire_after_days; send null for the one that shall not count",
        )
