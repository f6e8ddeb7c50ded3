"""Reads of components (table payment_types) and of their versions in force on a day."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from chalicelib.backing import clock, rows
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import RowPage, page_rows
from chalicelib.features.payroll.components.categories import Category
from chalicelib.features.payroll.components.graph_rules import ComponentVersion, select_in_force
from chalicelib.features.payroll.components.models import (
    ComponentRow,
    ComponentVersionRow,
    WholeComponent,
    payment_type_versions,
    payment_types,
)
from chalicelib.features.payroll.components.rules import Calculation, Component
from chalicelib.features.payroll.components.schemas import TypeQuery
from chalicelib.features.periods import queries as period_queries
from chalicelib.identity.scope import Scope

VALUES = ("amount", "currency", "percent", "base", "formula")  # the columns of a version


@dataclass(frozen=True, slots=True)
class ComponentDefinitionRow:
    """A component joined with one of its versions."""

    id: UUID
    code: str
    name: str
    category: str
    calculation: str
    applies_to_all: bool
    number: int
    effective_from: date
    amount: Decimal | None
    currency: str | None
    percent: Decimal | None
    base: str | None
    formula: str | None


def get_type(scope: Scope, type_id: UUID, *, lock: bool = False) -> ComponentRow:
    """Return a component without its versions. Raises NotFound."""
    return get_row(scope, payment_types, type_id, kind=ComponentRow, what="payment type", lock=lock)


def get_whole_type(scope: Scope, type_id: UUID) -> WholeComponent:
    """Return a component with its values of today and all its versions, the latest first."""
    return _with_versions(scope, [get_type(scope, type_id)])[0]


def page_of_types(scope: Scope, query: TypeQuery) -> RowPage[WholeComponent]:
    """Return a page of components with their values of today, oldest first."""
    types = select(payment_types).where(payment_types.c.tenant_id == scope.tenant_id)
    if query.category is not None:
        types = types.where(payment_types.c.category == query.category)
    if query.is_active is not None:
        types = types.where(payment_types.c.is_active == query.is_active)
    page = page_rows(scope, types, kind=ComponentRow, key=payment_types.c.id, query=query)
    return RowPage(_with_versions(scope, page.items), page.next_cursor)


def load_components(scope: Scope, *, on: date, type_ids: Collection[UUID] | None = None) -> list[Component]:
    """Load the active components in force on a day, in the order of codes; only those of `type_ids` if given."""
    components = select_in_force(load_definitions(scope), on=on)
    return (
        components
        if type_ids is None
        else [component for component in components if component.type_id in set(type_ids)]
    )


def load_definitions(scope: Scope) -> list[ComponentVersion]:
    """Load every version of the tenant's active components."""
    types, versions = payment_types, payment_type_versions
    definitions = scope.session.execute(
        select(types, versions.c.number, versions.c.effective_from, *(versions.c[name] for name in VALUES))
        .join(versions, (versions.c.tenant_id == scope.tenant_id) & (versions.c.type_id == types.c.id))
        .where(types.c.tenant_id == scope.tenant_id, types.c.is_active)
    )
    return [_make_definition(row) for row in rows.every(ComponentDefinitionRow, definitions)]


def _make_definition(row: ComponentDefinitionRow) -> ComponentVersion:
    """Make the version of a component that a row describes."""
    component = Component(
        type_id=row.id,
        code=row.code,
        name=row.name,
        category=Category(row.category),
        calculation=Calculation(row.calculation),
        version=row.number,
        applies_to_all=row.applies_to_all,
        amount=row.amount,
        currency=row.currency,
        percent=row.percent,
        base=row.base,
        formula=row.formula,
    )
    return ComponentVersion(row.effective_from, component)


def load_names_by_code(scope: Scope) -> dict[str, str]:
    """Return the names of all components by code, active or not."""
    names = scope.session.execute(
        select(payment_types.c.code, payment_types.c.name).where(payment_types.c.tenant_id == scope.tenant_id)
    )
    return {row.code: row.name for row in names}


def find_period_start(scope: Scope) -> date:
    """Return the first day of the pay period that today is in."""
    tenant = scope.tenant
    return tenant.period(tenant.month_of(clock.local_day(scope.now, tenant.timezone))).start


def find_first_open_day(scope: Scope) -> date:
    """Return the first day that a run may still be for: of the earliest open period, or of today's."""
    earliest = period_queries.find_first_open_day(scope)
    begins = find_period_start(scope)
    return min(earliest or begins, begins)


def load_versions(scope: Scope, type_ids: Collection[UUID]) -> dict[UUID, list[ComponentVersionRow]]:
    """Load all versions of components, by component, the latest first."""
    table = payment_type_versions
    versions = rows.every(
        ComponentVersionRow,
        scope.session.execute(
            select(table)
            .where(table.c.tenant_id == scope.tenant_id, table.c.type_id.in_(type_ids))
            .order_by(table.c.effective_from.desc(), table.c.number.desc())
        ),
    )
    by_type: dict[UUID, list[ComponentVersionRow]] = defaultdict(list)
    for version in versions:
        by_type[version.type_id].append(version)
    return by_type


def select_version(versions: Sequence[ComponentVersionRow], *, on: date) -> ComponentVersionRow:
    """Select the version in force on a day, or the first to begin, from versions with the latest first."""
    day = max(on, versions[-1].effective_from)
    return next(version for version in versions if version.effective_from <= day)


def _with_versions(scope: Scope, components: Sequence[ComponentRow]) -> list[WholeComponent]:
    """Add to each component its values of today, or the first to begin, and all its versions."""
    versions = load_versions(scope, [component.id for component in components])
    today = clock.local_day(scope.now, scope.tenant.timezone)
    return [
        WholeComponent(
            **asdict(component),
            **{name: getattr(version, name) for name in (*VALUES, "effective_from")},
            versions=versions[component.id],
        )
        for component in components
        for version in [select_version(versions[component.id], on=today)]
    ]
