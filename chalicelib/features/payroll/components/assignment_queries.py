"""Reads of component assignments."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from chalicelib.backing import clock, rows
from chalicelib.features.payroll.components import queries
from chalicelib.features.payroll.components.models import ComponentAssignmentRow, payment_type_assignments
from chalicelib.features.payroll.components.rules import Calculation
from chalicelib.features.payroll.components.schemas import ComponentAssignment, PersonsType, PersonsTypes
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope


def list_employee_components(scope: Scope, user_id: UUID, *, on: date | None) -> PersonsTypes:
    """Return the components that apply to an employee on a day (today if None), and those they are taken out of."""
    people.get_user(scope, user_id, "payment_types.read")
    on = on or clock.local_day(scope.now, scope.tenant.timezone)
    currency = find_currency(scope, user_id)
    assignments = _load_assignments(scope, user_id, on=on)
    items = []
    for component in queries.load_components(scope, on=on):
        assignment = assignments.get(component.type_id)
        if component.calculation is Calculation.DYNAMIC or (assignment is None and not component.applies_to_all):
            continue  # dynamic ones apply by their amounts in a run
        values = {name: getattr(component, name) for name in queries.VALUES}
        if assignment is not None and assignment.amount is not None:
            values |= {"amount": assignment.amount, "currency": currency}
        if assignment is not None and assignment.percent is not None:
            values["percent"] = assignment.percent
        items.append(
            PersonsType(
                payment_type_id=component.type_id,
                code=component.code,
                name=component.name,
                category=component.category,
                calculation=component.calculation,
                applies=assignment is None or assignment.applies,
                assignment=None if assignment is None else to_reply(assignment, code=component.code, currency=currency),
                **values,
            )
        )
    return PersonsTypes(user_id=user_id, on=on, items=items)


def find_assignment(
    scope: Scope, *, user_id: UUID, type_id: UUID, effective_from: date
) -> ComponentAssignmentRow | None:
    """Return the assignment that begins on exactly this day, or None."""
    table = payment_type_assignments
    assignments = scope.session.execute(
        select(table).where(
            table.c.tenant_id == scope.tenant_id,
            table.c.user_id == user_id,
            table.c.type_id == type_id,
            table.c.effective_from == effective_from,
        )
    )
    return rows.first(ComponentAssignmentRow, assignments)


def find_currency(scope: Scope, user_id: UUID) -> str:
    """Return the currency of an employee's pay: that of their salaries, or the tenant's."""
    salaries = people.list_salaries(scope, user_id)
    return salaries[0].currency if salaries else scope.tenant.currency


def to_reply(row: ComponentAssignmentRow, *, code: str, currency: str) -> ComponentAssignment:
    """Return an assignment with the names of the API."""
    return ComponentAssignment(
        user_id=row.user_id,
        payment_type_id=row.type_id,
        code=code,
        effective_from=row.effective_from,
        effective_to=row.effective_to,
        applies=row.applies,
        amount=row.amount,
        currency=None if row.amount is None else currency,
        percent=row.percent,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
    )


def _load_assignments(scope: Scope, user_id: UUID, *, on: date) -> dict[UUID, ComponentAssignmentRow]:
    """Load an employee's assignments in force on a day, by component, as a run does."""
    table = payment_type_assignments
    assignments = scope.session.execute(
        select(table)
        .where(
            table.c.tenant_id == scope.tenant_id,
            table.c.user_id == user_id,
            table.c.effective_from <= on,
            table.c.effective_to.is_(None) | (table.c.effective_to >= on),
        )
        .order_by(table.c.effective_from)
    )
    return {row.type_id: row for row in rows.every(ComponentAssignmentRow, assignments)}  # the latest wins
