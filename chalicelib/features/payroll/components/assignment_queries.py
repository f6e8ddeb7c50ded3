"""Reads of component assignments."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from chalicelib.backing import clock
from chalicelib.backing.database import Record
from chalicelib.features.payroll.components import queries
from chalicelib.features.payroll.components.models import payment_type_assignments
from chalicelib.features.payroll.components.rules import Calculation
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope


def list_employee_components(scope: Scope, user_id: UUID, *, on: date | None) -> Record:
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
        item = {name: getattr(component, name) for name in ("code", "name", "category", "calculation")}
        item |= {name: getattr(component, name) for name in queries.VALUES}
        item |= {
            "payment_type_id": component.type_id,
            "applies": assignment is None or assignment["applies"],
            "assignment": None,
        }
        if assignment is not None:
            item["assignment"] = to_reply(assignment, code=component.code, currency=currency)
            if assignment["amount"] is not None:
                item |= {"amount": assignment["amount"], "currency": currency}
            if assignment["percent"] is not None:
                item["percent"] = assignment["percent"]
        items.append(item)
    return {"user_id": user_id, "on": on, "items": items}


def find_assignment(scope: Scope, *, user_id: UUID, type_id: UUID, effective_from: date) -> Record | None:
    """Return the assignment that begins on exactly this day, or None."""
    table = payment_type_assignments
    rows = scope.session.execute(
        select(table).where(
            table.c.tenant_id == scope.tenant_id,
            table.c.user_id == user_id,
            table.c.type_id == type_id,
            table.c.effective_from == effective_from,
        )
    ).mappings()
    return dict(row) if (row := rows.first()) else None


def find_currency(scope: Scope, user_id: UUID) -> str:
    """Return the currency of an employee's pay: that of their salaries, or the tenant's."""
    salaries = people.list_salaries(scope, user_id)
    return salaries[0].currency if salaries else scope.tenant.currency


def to_reply(row: Record, *, code: str, currency: str) -> Record:
    """Return an assignment with the names of the API."""
    has_amount = row["amount"] is not None
    return {**row, "payment_type_id": row["type_id"], "code": code, "currency": currency if has_amount else None}


def _load_assignments(scope: Scope, user_id: UUID, *, on: date) -> dict[UUID, Record]:
    """Load an employee's assignments in force on a day, by component, as a run does."""
    table = payment_type_assignments
    rows = scope.session.execute(
        select(table)
        .where(
            table.c.tenant_id == scope.tenant_id,
            table.c.user_id == user_id,
            table.c.effective_from <= on,
            table.c.effective_to.is_(None) | (table.c.effective_to >= on),
        )
        .order_by(table.c.effective_from)
    ).mappings()
    return {row["type_id"]: dict(row) for row in rows}  # the latest wins
