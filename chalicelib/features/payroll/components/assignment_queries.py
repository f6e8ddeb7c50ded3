"""Reads of whom payment types are for."""

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


def types_of_person(scope: Scope, user_id: UUID, *, on: date | None) -> Record:
    """Read what runs compute for a person on a day, today if None, and what they are taken out of."""
    people.get_user(scope, user_id, "payment_types.read")
    on = on or clock.local_day(scope.now, scope.tenant.timezone)
    currency = currency_of(scope, user_id)
    own = _in_force(scope, user_id, on=on)
    items = []
    for component in queries.components_of(scope, on=on):
        said = own.get(component.type_id)
        if component.calculation is Calculation.DYNAMIC or (said is None and not component.applies_to_all):
            continue  # a dynamic one is for whoever is given an amount of it in a run
        item = {name: getattr(component, name) for name in ("code", "name", "category", "calculation")}
        item |= {name: getattr(component, name) for name in queries.VALUES}
        item |= {"payment_type_id": component.type_id, "applies": said is None or said["applies"], "assignment": None}
        if said is not None:
            item["assignment"] = shown(said, code=component.code, currency=currency)
            if said["amount"] is not None:
                item |= {"amount": said["amount"], "currency": currency}
            if said["percent"] is not None:
                item["percent"] = said["percent"]
        items.append(item)
    return {"user_id": user_id, "on": on, "items": items}


def find_assignment(scope: Scope, *, user_id: UUID, type_id: UUID, effective_from: date) -> Record | None:
    """Read what is said of a payment type and a person from exactly this day on, if anything is."""
    table = payment_type_assignments
    found = scope.session.execute(
        select(table).where(
            table.c.tenant_id == scope.tenant_id,
            table.c.user_id == user_id,
            table.c.type_id == type_id,
            table.c.effective_from == effective_from,
        )
    ).mappings()
    return dict(row) if (row := found.first()) else None


def currency_of(scope: Scope, user_id: UUID) -> str:
    """Return in which currency a person is paid: that of their salaries, or else the tenant's."""
    salaries = people.list_salaries(scope, user_id)
    return salaries[0].currency if salaries else scope.tenant.currency


def shown(row: Record, *, code: str, currency: str) -> Record:
    """Return an assignment under the names that go out."""
    has_amount = row["amount"] is not None
    return {**row, "payment_type_id": row["type_id"], "code": code, "currency": currency if has_amount else None}


def _in_force(scope: Scope, user_id: UUID, *, on: date) -> dict[UUID, Record]:
    """Read a person's own assignments of a day by payment type, as a run's inputs do."""
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
    return {row["type_id"]: dict(row) for row in rows}  # the last to begin is written last
