"""Writes of component assignments: whether a component applies to an employee, with overrides of its values."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chalicelib import audit, four_eyes
from chalicelib.backing import rows
from chalicelib.features.payroll.components import assignment_queries as queries
from chalicelib.features.payroll.components import queries as component_queries
from chalicelib.features.payroll.components.models import ComponentAssignmentRow, ComponentRow, payment_type_assignments
from chalicelib.features.payroll.components.rules import Calculation
from chalicelib.features.payroll.components.schemas import AssignmentInput, ComponentAssignment
from chalicelib.features.payroll.components.value_rules import check_amount
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, invalid

_KEY = ["tenant_id", "user_id", "type_id", "effective_from"]


def assign(scope: Scope, *, user_id: UUID, type_id: UUID, new: AssignmentInput) -> ComponentAssignment:
    """Assign a component to an employee, or take them out of it, from a day on; replaces an assignment of that day."""
    employee = people.get_user(scope, user_id, "payment_types.write", lock=True)
    four_eyes.check_not_own(scope, four_eyes.Subject.COMPONENT, user_id)
    component = component_queries.get_type(scope, type_id)
    if people.find_employment(scope, user_id) is None:
        raise Conflict(f"{employee.name} has no employment, and so no payslips; give them one first.")
    begins = new.effective_from or component_queries.find_period_start(scope)
    if new.effective_to is not None and new.effective_to < begins:
        raise invalid("/effective_to", f"is before effective_from ({begins})")
    _check_overrides(new, component)
    currency = queries.find_currency(scope, user_id)
    values = {
        "effective_to": new.effective_to,
        "applies": new.applies,
        "amount": None if new.amount is None else check_amount(new.amount, currency),
        "percent": new.percent,
    }
    key = {"tenant_id": scope.tenant_id, "user_id": user_id, "type_id": type_id, "effective_from": begins}
    before = queries.find_assignment(scope, user_id=user_id, type_id=type_id, effective_from=begins)
    if before is not None and all(getattr(before, name) == value for name, value in values.items()):
        return queries.to_reply(before, code=component.code, currency=currency)
    columns = {**values, "changed_by": scope.actor.name, "changed_at": scope.now}
    row = rows.one(
        ComponentAssignmentRow,
        scope.session.execute(
            insert(payment_type_assignments)
            .values(**key, **columns)
            .on_conflict_do_update(index_elements=_KEY, set_=columns)
            .returning(payment_type_assignments)
        ),
    )
    audit.record(
        scope,
        action="payment_type.assigned",
        entity_type="user",
        entity_id=user_id,
        before={name: getattr(before, name) for name in values} if before else None,
        after={**values, "payment_type_id": type_id, "code": component.code, "effective_from": begins},
    )
    return queries.to_reply(row, code=component.code, currency=currency)


def _check_overrides(new: AssignmentInput, component: ComponentRow) -> None:
    calculation = Calculation(component.calculation)
    if calculation is Calculation.DYNAMIC:
        raise Conflict(
            f"{component.name} is dynamic: it is for whoever is given an amount of it in a payroll run"
            " (POST /payroll-runs/{run_id}/amounts), and for nobody else."
        )
    overrides: dict[str, Decimal | None] = {"amount": new.amount, "percent": new.percent}
    for name in [name for name, value in overrides.items() if value is not None]:
        if not new.applies:
            raise invalid(f"/{name}", "is of no use where applies is false; leave one of the two out")
        expected = "percent" if calculation is Calculation.PERCENTAGE else "amount"
        if name != expected:
            raise invalid(
                f"/{name}",
                f"{component.name} is {_DESCRIPTIONS[calculation]}, so what a person may have of their own is"
                f" {expected}",
            )


_DESCRIPTIONS = {Calculation.FIXED: "fixed", Calculation.PERCENTAGE: "a percentage", Calculation.FORMULA: "a formula"}
