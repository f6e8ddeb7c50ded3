"""Reads of payment types, and of what is in force on a day."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chalicelib.backing import clock
from chalicelib.backing.database import Record
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import page_of
from chalicelib.features.payroll.components.categories import Category
from chalicelib.features.payroll.components.graph_rules import ComponentVersion, in_force
from chalicelib.features.payroll.components.models import payment_type_versions, payment_types
from chalicelib.features.payroll.components.rules import Calculation, Component
from chalicelib.features.payroll.components.schemas import TypeQuery
from chalicelib.features.periods import queries as period_queries
from chalicelib.identity.scope import Scope

VALUES = ("amount", "currency", "percent", "base", "formula")  # what a version says


def get_type(scope: Scope, type_id: UUID, *, lock: bool = False) -> Record:
    """Read a payment type without what it comes to, or NotFound."""
    return get_row(scope, payment_types, type_id, what="payment type", lock=lock)


def get_whole_type(scope: Scope, type_id: UUID) -> Record:
    """Read a payment type as it is today, with all its versions, the last to begin first."""
    return _with_versions(scope, [get_type(scope, type_id)])[0]


def page_of_types(scope: Scope, query: TypeQuery) -> Record:
    """Read one page of payment types as they are today, oldest first."""
    rows = select(payment_types).where(payment_types.c.tenant_id == scope.tenant_id)
    if query.category is not None:
        rows = rows.where(payment_types.c.category == query.category)
    if query.is_active is not None:
        rows = rows.where(payment_types.c.is_active == query.is_active)
    page = page_of(scope, rows, key=payment_types.c.id, query=query)
    return {**page, "items": _with_versions(scope, page["items"])}


def components_of(scope: Scope, *, on: date, type_ids: Collection[UUID] | None = None) -> list[Component]:
    """Read the active components in force on a day, in the order of their codes; `type_ids` picks some."""
    found = in_force(definitions_of(scope), on=on)
    return found if type_ids is None else [component for component in found if component.type_id in set(type_ids)]


def definitions_of(scope: Scope) -> list[ComponentVersion]:
    """Read every version of the tenant's active payment types."""
    types, versions = payment_types, payment_type_versions
    rows = scope.session.execute(
        select(types, versions.c.number, versions.c.effective_from, *(versions.c[name] for name in VALUES))
        .join(versions, (versions.c.tenant_id == scope.tenant_id) & (versions.c.type_id == types.c.id))
        .where(types.c.tenant_id == scope.tenant_id, types.c.is_active)
    ).mappings()
    return [definition_of(row, row) for row in rows]


def definition_of(kind: Any, version: Any) -> ComponentVersion:
    """Make one version of a payment type out of both their rows."""
    component = Component(
        type_id=kind["id"],
        code=kind["code"],
        name=kind["name"],
        category=Category(kind["category"]),
        calculation=Calculation(kind["calculation"]),
        version=version["number"],
        applies_to_all=kind["applies_to_all"],
        **{name: version[name] for name in VALUES},
    )
    return ComponentVersion(version["effective_from"], component)


def names_by_code(scope: Scope) -> dict[str, str]:
    """Read the code and name of every payment type, active or not."""
    rows = scope.session.execute(
        select(payment_types.c.code, payment_types.c.name).where(payment_types.c.tenant_id == scope.tenant_id)
    )
    return {row.code: row.name for row in rows}


def this_period_begins(scope: Scope) -> date:
    """Return the first day of the pay period that today is in."""
    tenant = scope.tenant
    return tenant.period(tenant.month_of(clock.local_day(scope.now, tenant.timezone))).start


def first_open_day(scope: Scope) -> date:
    """Return the first day that a run may still be calculated for: today's period's, or of one left open."""
    earliest = period_queries.find_first_open_day(scope)
    begins = this_period_begins(scope)
    return min(earliest or begins, begins)


def versions_of(scope: Scope, type_ids: Collection[UUID]) -> dict[UUID, list[Record]]:
    """Read all versions of payment types, by type and the last to begin first."""
    table = payment_type_versions
    rows = scope.session.execute(
        select(table)
        .where(table.c.tenant_id == scope.tenant_id, table.c.type_id.in_(type_ids))
        .order_by(table.c.effective_from.desc(), table.c.number.desc())
    ).mappings()
    found: dict[UUID, list[Record]] = defaultdict(list)
    for row in rows:
        found[row["type_id"]].append(dict(row))
    return found


def at(versions: list[Record], *, on: date) -> Record:
    """Pick what is in force on a day, or else what begins first, out of versions from the last on."""
    day = max(on, versions[-1]["effective_from"])
    version = next(one for one in versions if one["effective_from"] <= day)
    return {name: version[name] for name in (*VALUES, "effective_from")}


def _with_versions(scope: Scope, rows: list[Record]) -> list[Record]:
    """Add to each what it comes to today, or else at first, and all its versions."""
    versions = versions_of(scope, [row["id"] for row in rows])
    today = clock.local_day(scope.now, scope.tenant.timezone)
    return [{**row, **at(versions[row["id"]], on=today), "versions": versions[row["id"]]} for row in rows]
