"""Saying whom a payment type is for, and what it comes to for one person."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chalicelib import audit, four_eyes
from chalicelib.backing.database import Record
from chalicelib.features.payroll.components import assignment_queries as queries
from chalicelib.features.payroll.components import queries as component_queries
from chalicelib.features.payroll.components.models import payment_type_assignments
from chalicelib.features.payroll.components.rules import Calculation
from chalicelib.features.payroll.components.schemas import AssignmentInput
from chalicelib.features.payroll.components.value_rules import money
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, invalid

_KEY = ["tenant_id", "user_id", "type_id", "effective_from"]


def assign(scope: Scope, *, user_id: UUID, type_id: UUID, said: AssignmentInput) -> Record:
    """Set whether a payment type is for a person from a day on, in place of what began on the same day."""
    person = people.get_user(scope, user_id, "payment_types.write", lock=True)
    four_eyes.check_not_own(scope, four_eyes.Subject.COMPONENT, user_id)
    kind = component_queries.get_type(scope, type_id)
    if people.find_employment(scope, user_id) is None:
        raise Conflict(f"{person.name} has no employment, and so no payslips; give them one first.")
    begins = said.effective_from or component_queries.this_period_begins(scope)
    if said.effective_to is not None and said.effective_to < begins:
        raise invalid("/effective_to", f"is before effective_from ({begins})")
    _refuse_unfit(said, kind)
    currency = queries.currency_of(scope, user_id)
    values = {
        "effective_to": said.effective_to,
        "applies": said.applies,
        "amount": None if said.amount is None else money(said.amount, currency),
        "percent": said.percent,
    }
    key = {"tenant_id": scope.tenant_id, "user_id": user_id, "type_id": type_id, "effective_from": begins}
    before = queries.find_assignment(scope, user_id=user_id, type_id=type_id, effective_from=begins)
    if before is not None and all(before[name] == value for name, value in values.items()):
        return queries.shown(before, code=kind["code"], currency=currency)
    noted = {**values, "changed_by": scope.actor.name, "changed_at": scope.now}
    row = (
        scope.session.execute(
            insert(payment_type_assignments)
            .values(**key, **noted)
            .on_conflict_do_update(index_elements=_KEY, set_=noted)
            .returning(payment_type_assignments)
        )
        .mappings()
        .one()
    )
    audit.record(
        scope,
        action="payment_type.assigned",
        entity_type="user",
        entity_id=user_id,
        before={name: before[name] for name in values} if before else None,
        after={**values, "payment_type_id": type_id, "code": kind["code"], "effective_from": begins},
    )
    return queries.shown(dict(row), code=kind["code"], currency=currency)


def _refuse_unfit(said: AssignmentInput, kind: Record) -> None:
    calculation = Calculation(kind["calculation"])
    if calculation is Calculation.DYNAMIC:
        raise Conflict(
            f"{kind['name']} is dynamic: it is for whoever is given an amount of it in a payroll run"
            " (POST /payroll-runs/{run_id}/amounts), and for nobody else."
        )
    own: dict[str, Decimal | None] = {"amount": said.amount, "percent": said.percent}
    for name in [name for name, value in own.items() if value is not None]:
        if not said.applies:
            raise invalid(f"/{name}", "is of no use where applies is false; leave one of the two out")
        wanted = "percent" if calculation is Calculation.PERCENTAGE else "amount"
        if name != wanted:
            raise invalid(
                f"/{name}", f"{kind['name']} is {_A[calculation]}, so what a person may have of their own is {wanted}"
            )


_A = {Calculation.FIXED: "fixed", Calculation.PERCENTAGE: "a percentage", Calculation.FORMULA: "a formula"}
