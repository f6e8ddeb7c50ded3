"""Writes of payment types. What one comes to is never written over: a change is a new version, from a day on."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from chalicelib import audit
from chalicelib.backing.database import Record
from chalicelib.entry.versions import check_version
from chalicelib.features.payroll.components import graph_rules as graph
from chalicelib.features.payroll.components import queries
from chalicelib.features.payroll.components import value_rules as values
from chalicelib.features.payroll.components.models import payment_type_versions, payment_types
from chalicelib.features.payroll.components.rules import VARIABLES, Calculation
from chalicelib.features.payroll.components.schemas import NewPaymentType
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, Place, invalid

MOST = 200  # of a tenant: they are all shown for a person, and computed as one
_FOR_GOOD = ("code", "category", "calculation")
_OF_TYPE = ("name", "description", "applies_to_all", "is_active")


def add(scope: Scope, *, new: NewPaymentType) -> Record:
    """Add a payment type with its first version, once it is sure that it can be computed."""
    scope.advisory_lock("payment_types")  # two that each need the other would both be right alone
    code = values.code_of(new.code, name=new.name)
    known = queries.names_by_code(scope)
    if code in known:
        raise Conflict(
            f"There is already a payment type with the code {code} ({known[code]}); say another code.",
            [Place("/code" if new.code else "/name", f"makes the code {code}, which is taken")],
        )
    if len(known) >= MOST:
        raise Conflict(f"There are {MOST} payment types already; change one of those that are no longer active.")
    version = values.complete(
        new.calculation, new.model_dump(), currency=scope.tenant.currency, names={*VARIABLES, *known, code}
    )
    row = (
        scope.session.execute(
            insert(payment_types)
            .values(
                tenant_id=scope.tenant_id,
                code=code,
                category=new.category,
                calculation=new.calculation,
                created_at=scope.now,
                **{name: getattr(new, name) for name in _OF_TYPE},
            )
            .returning(payment_types)
        )
        .mappings()
        .one()
    )
    begins = new.effective_from or queries.this_period_begins(scope)
    _add_version(scope, type_id=row["id"], number=1, effective_from=begins, version=version)
    if new.is_active:
        _refuse_tangle(scope, dict(row), first=begins)
    audit.record(
        scope,
        action="payment_type.added",
        entity_type="payment_type",
        entity_id=row["id"],
        after={**new.model_dump(), **version, "code": code, "effective_from": begins},
    )
    return queries.get_whole_type(scope, row["id"])


def change(scope: Scope, *, type_id: UUID, given: dict[str, Any], if_match: int | None) -> Record:
    """Change a payment type: what it comes to as a new version, the rest at once."""
    scope.advisory_lock("payment_types")
    kind = queries.get_type(scope, type_id, lock=True)
    check_version(kind, if_match)
    for name in _FOR_GOOD:
        if given.get(name, kind[name]) != kind[name]:
            raise invalid(
                f"/{name}", f"is {kind[name]} for good, as payslips know it by that; add another payment type instead"
            )
    begins, before, after = _next_version(scope, kind, given)
    changes = {name: given[name] for name in _OF_TYPE if name in given and given[name] != kind[name]}
    if not changes and after is None:
        return queries.get_whole_type(scope, type_id)
    if changes.get("is_active") is False:
        _refuse_if_used(scope, kind)
    scope.session.execute(
        update(payment_types)
        .where(payment_types.c.tenant_id == scope.tenant_id, payment_types.c.id == type_id)
        .values(**changes, version=payment_types.c.version + 1)
    )
    noted_before = {name: kind[name] for name in changes}
    noted_after = dict(changes)
    if after is not None:
        _add_version(scope, type_id=type_id, number=None, effective_from=begins, version=after)
        changed = [name for name in values.NAMES if before is None or before[name] != after[name]]
        noted_before |= {name: before and before[name] for name in changed}
        noted_after |= {name: after[name] for name in changed} | {"effective_from": begins}
    if changes.get("is_active"):
        _refuse_tangle(scope, kind, first=date.min, pointer=None if after else "/is_active")
    elif after is not None and changes.get("is_active", kind["is_active"]):
        _refuse_tangle(scope, kind, first=begins)
    audit.record(
        scope,
        action="payment_type.changed",
        entity_type="payment_type",
        entity_id=type_id,
        before=noted_before,
        after=noted_after,
    )
    return queries.get_whole_type(scope, type_id)


def _next_version(
    scope: Scope, kind: Record, given: Mapping[str, Any]
) -> tuple[date, Record | None, dict[str, Any] | None]:
    """Return from when a new version is, what was in force then, and the version; None where it says no more."""
    begins = given.get("effective_from") or queries.this_period_begins(scope)
    said = {name: given[name] for name in values.NAMES if name in given}
    if not said:
        if "effective_from" in given:
            raise invalid("/effective_from", "says from when something changes; say what it comes to then, as well")
        return begins, None, None
    history = queries.versions_of(scope, [kind["id"]])[kind["id"]]
    before = next((one for one in history if one["effective_from"] <= begins), None)
    base = before or history[-1]
    after = values.complete(
        Calculation(kind["calculation"]),
        {**{name: base[name] for name in values.NAMES}, **said},
        currency=scope.tenant.currency,
        names={*VARIABLES, *queries.names_by_code(scope)},
    )
    is_new = before is None or any(before[name] != value for name, value in after.items())
    return begins, before, after if is_new else None


def _add_version(
    scope: Scope, *, type_id: UUID, number: int | None, effective_from: date, version: Mapping[str, Any]
) -> None:
    table = payment_type_versions
    last = select(func.max(table.c.number)).where(table.c.tenant_id == scope.tenant_id, table.c.type_id == type_id)
    scope.session.execute(
        insert(table).values(
            tenant_id=scope.tenant_id,
            type_id=type_id,
            number=number or last.scalar_subquery() + 1,
            effective_from=effective_from,
            created_by=scope.actor.name,
            created_at=scope.now,
            **version,
        )
    )


def _refuse_tangle(scope: Scope, kind: Mapping[str, Any], *, first: date, pointer: str | None = None) -> None:
    """Refuse what has just been written if it cannot be computed on some day that a run may be made for."""
    problem = graph.problem_of(
        kind["code"],
        queries.definitions_of(scope),
        first=max(first, queries.first_open_day(scope)),
        needs=graph.Needs(queries.names_by_code(scope)),
    )
    if problem is not None:
        raise invalid(pointer or values.pointer_of(Calculation(kind["calculation"])), problem)


def _refuse_if_used(scope: Scope, kind: Record) -> None:
    users = graph.users_of(
        kind["code"],
        queries.definitions_of(scope),
        first=queries.first_open_day(scope),
        needs=graph.Needs(queries.names_by_code(scope)),
    )
    if users:
        names = ", ".join(f"{one.name} ({one.code})" for one in users)
        raise Conflict(
            f"{kind['name']} ({kind['code']}) is needed by {names}. Change what they are computed from, or make them"
            " inactive first.",
            [Place("/is_active", f"is needed by {', '.join(one.code for one in users)}")],
        )
