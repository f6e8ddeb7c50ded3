"""HTTP endpoints of payment types, and of whom they are for."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.payroll.components import (
    actions,
    assignment_actions,
    assignment_queries,
    preview_queries,
    queries,
    schemas,
)
from chalicelib.features.payroll.components.models import WholeComponent
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/payment-types", may="payment_types.read", reply=Page[schemas.ListedType])
def list_payment_types(scope: Scope, query: schemas.TypeQuery) -> RowPage[WholeComponent]:
    """List the components that payslips are made of, as they are today."""
    return queries.page_of_types(scope, query)


@endpoint(blueprint, "POST", "/payment-types", may="payment_types.write", status=201, reply=schemas.PaymentType)
def add_payment_type(scope: Scope, body: schemas.NewPaymentType) -> WholeComponent:
    """Add a component: a fixed amount, a percentage, a formula, or amounts given in each run.

    It is refused where it could not be computed: unknown names, a formula that is no number, or a circle of components
    that need each other (the gross needs all earnings). The answer names the place.
    """
    return actions.add(scope, new=body)


@endpoint(blueprint, "POST", "/payment-types/preview", may="payment_types.write")
def preview_payment_type(scope: Scope, body: schemas.PreviewInput) -> schemas.ComponentPreview:
    """Compute a formula, or another payment type, for an employee, and show each step; nothing is written.

    It is computed from the register and balance of the month, beside the other components, as a payroll run would.
    """
    return preview_queries.preview(scope, request=body)


@endpoint(blueprint, "GET", "/payment-types/{type_id}", may="payment_types.read", reply=schemas.PaymentType)
def get_payment_type(scope: Scope, type_id: UUID) -> WholeComponent:
    """Read one component with all its versions."""
    return queries.get_whole_type(scope, type_id)


@endpoint(blueprint, "PATCH", "/payment-types/{type_id}", may="payment_types.write", reply=schemas.PaymentType)
def change_payment_type(
    scope: Scope, type_id: UUID, body: schemas.PaymentTypePatch, if_match: int | None
) -> WholeComponent:
    """Change a component: what it comes to as a new version from a day on, the rest at once.

    Payslips of approved runs keep the version that they were made with, also where the day lies before theirs.
    """
    return actions.change(scope, type_id=type_id, patch=body.sent_fields(), if_match=if_match)


@endpoint(blueprint, "GET", "/users/{user_id}/payment-types", may="payment_types.read")
def list_types_of_person(scope: Scope, user_id: UUID, query: schemas.ComponentAssignmentQuery) -> schemas.PersonsTypes:
    """List what payroll runs compute for a person on a day, with what is their own about it."""
    return assignment_queries.list_employee_components(scope, user_id, on=query.on)


@endpoint(blueprint, "PUT", "/users/{user_id}/payment-types/{type_id}", may="payment_types.write")
def assign_payment_type(
    scope: Scope, user_id: UUID, type_id: UUID, body: schemas.AssignmentInput
) -> schemas.ComponentAssignment:
    """Say from when to when a component is for a person, or is not, and what it comes to for them.

    It replaces what was said from the same day on. Payslips of approved runs stay as they are.
    """
    return assignment_actions.assign(scope, user_id=user_id, type_id=type_id, new=body)
