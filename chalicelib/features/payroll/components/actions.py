"""Writes of components. Their values are never overwritten: a change is a new version from a day on."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from chalicelib import audit
from chalicelib.backing import rows
from chalicelib.entry.versions import check_version
from chalicelib.features.payroll.components import graph_rules as graph
from chalicelib.features.payroll.components import queries
from chalicelib.features.payroll.components import value_rules as values
from chalicelib.features.payroll.components.models import (
    ComponentRow,
    ComponentVersionRow,
    WholeComponent,
    payment_type_versions,
    payment_types,
)
from chalicelib.features.payroll.components.rules import VARIABLES, Calculation
from chalicelib.features.payroll.components.schemas import NewPaymentType
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, Place, invalid

MAX_COMPONENTS = 200  # of a tenant: all are listed for an employee, and compiled into one function
_IMMUTABLE = ("code", "category", "calculation")
_UNVERSIONED = ("name", "description", "applies_to_all", "is_active")


def add(scope: Scope, *, new: NewPaymentType) -> WholeComponent:
    """Add a component with its first version. Raises Invalid where it cannot be computed."""
    scope.advisory_lock("payment_types")  # two concurrent changes could make a cycle that neither sees
    code = values.make_code(new.code, name=new.name)
    known = queries.load_names_by_code(scope)
    if code in known:
        raise Conflict(
            f"There is already a payment type with the code {code} ({known[code]}); say another code.",
            [Place("/code" if new.code else "/name", f"makes the code {code}, which is taken")],
        )
    if len(known) >= MAX_COMPONENTS:
        raise Conflict(
            f"There are {MAX_COMPONENTS} payment types already; change one of those that are no longer active."
        )
    version = values.complete_version(
        new.calculation, new.model_dump(), currency=scope.tenant.currency, names={*VARIABLES, *known, code}
    )
    row = rows.one(
        ComponentRow,
        scope.session.execute(
            insert(payment_types)
            .values(
                tenant_id=scope.tenant_id,
                code=code,
                category=new.category,
                calculation=new.calculation,
                created_at=scope.now,
                **{name: getattr(new, name) for name in _UNVERSIONED},
            )
            .returning(payment_types)
        ),
    )
    begins = new.effective_from or queries.find_period_start(scope)
    _add_version(scope, type_id=row.id, number=1, effective_from=begins, version=version)
    if new.is_active:
        _check_computable(scope, row, first=begins)
    audit.record(
        scope,
        action="payment_type.added",
        entity_type="payment_type",
        entity_id=row.id,
        after={**new.model_dump(), **version, "code": code, "effective_from": begins},
    )
    return queries.get_whole_type(scope, row.id)


def change(scope: Scope, *, type_id: UUID, patch: dict[str, Any], if_match: int | None) -> WholeComponent:
    """Change a component: its values as a new version, name and reach at once."""
    scope.advisory_lock("payment_types")
    component = queries.get_type(scope, type_id, lock=True)
    check_version(component, if_match)
    for name in _IMMUTABLE:
        if patch.get(name, getattr(component, name)) != getattr(component, name):
            raise invalid(
                f"/{name}",
                f"is {getattr(component, name)} for good, as payslips know it by that; add another payment type"
                " instead",
            )
    begins, before, after = _next_version(scope, component, patch)
    changes = {name: patch[name] for name in _UNVERSIONED if name in patch and patch[name] != getattr(component, name)}
    if not changes and after is None:
        return queries.get_whole_type(scope, type_id)
    if changes.get("is_active") is False:
        _check_unused(scope, component)
    scope.session.execute(
        update(payment_types)
        .where(payment_types.c.tenant_id == scope.tenant_id, payment_types.c.id == type_id)
        .values(**changes, version=payment_types.c.version + 1)
    )
    noted_before = {name: getattr(component, name) for name in changes}
    noted_after = dict(changes)
    if after is not None:
        _add_version(scope, type_id=type_id, number=None, effective_from=begins, version=after)
        changed = [name for name in values.NAMES if before is None or getattr(before, name) != after[name]]
        noted_before |= {name: before and getattr(before, name) for name in changed}
        noted_after |= {name: after[name] for name in changed} | {"effective_from": begins}
    if changes.get("is_active"):
        _check_computable(scope, component, first=date.min, pointer=None if after else "/is_active")
    elif after is not None and changes.get("is_active", component.is_active):
        _check_computable(scope, component, first=begins)
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
    scope: Scope, component: ComponentRow, patch: Mapping[str, Any]
) -> tuple[date, ComponentVersionRow | None, dict[str, Any] | None]:
    """Return the first day of a new version, the version in force then, and the new one (None: no change)."""
    begins = patch.get("effective_from") or queries.find_period_start(scope)
    changes = {name: patch[name] for name in values.NAMES if name in patch}
    if not changes:
        if "effective_from" in patch:
            raise invalid("/effective_from", "says from when something changes; say what it comes to then, as well")
        return begins, None, None
    history = queries.load_versions(scope, [component.id])[component.id]
    before = next((one for one in history if one.effective_from <= begins), None)
    base = before or history[-1]
    after = values.complete_version(
        Calculation(component.calculation),
        {**{name: getattr(base, name) for name in values.NAMES}, **changes},
        currency=scope.tenant.currency,
        names={*VARIABLES, *queries.load_names_by_code(scope)},
    )
    is_new = before is None or any(getattr(before, name) != value for name, value in after.items())
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


def _check_computable(scope: Scope, component: ComponentRow, *, first: date, pointer: str | None = None) -> None:
    """Raise Invalid if the component just written cannot be computed on some day that a run may be for."""
    problem = graph.find_problem(
        component.code,
        queries.load_definitions(scope),
        first=max(first, queries.find_first_open_day(scope)),
        dependencies=graph.Dependencies(queries.load_names_by_code(scope)),
    )
    if problem is not None:
        raise invalid(pointer or values.pointer_of(Calculation(component.calculation)), problem)


def _check_unused(scope: Scope, component: ComponentRow) -> None:
    dependents = graph.find_dependents(
        component.code,
        queries.load_definitions(scope),
        first=queries.find_first_open_day(scope),
        dependencies=graph.Dependencies(queries.load_names_by_code(scope)),
    )
    if dependents:
        names = ", ".join(f"{one.name} ({one.code})" for one in dependents)
        raise Conflict(
            f"{component.name} ({component.code}) is needed by {names}. Change what they are computed"
            " from, or make them inactive first.",
            [Place("/is_active", f"is needed by {', '.join(one.code for one in dependents)}")],
        )
