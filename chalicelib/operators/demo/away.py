"""The demo's leave, by the product's own actions: an expiry rule, allocations, a form, and requests by it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import clock
from chalicelib.features.forms.definitions import actions as forms
from chalicelib.features.forms.definitions.field_schemas import FIELDS
from chalicelib.features.forms.definitions.kinds import FormType
from chalicelib.features.forms.definitions.schemas import NewForm
from chalicelib.features.forms.submissions import actions as submission_actions
from chalicelib.features.forms.submissions.schemas import NewSubmission, SubmissionPatch
from chalicelib.features.leave.allocations import actions as allocation_actions
from chalicelib.features.leave.allocations import recount_actions
from chalicelib.features.leave.allocations.schemas import NewAllocations
from chalicelib.features.leave.expiry import actions as expiry_actions
from chalicelib.features.leave.expiry.rules import Action
from chalicelib.features.leave.expiry.schemas import NewExpiryRule
from chalicelib.features.leave.requests import actions as request_actions
from chalicelib.features.leave.requests import form_handler
from chalicelib.features.leave.requests.schemas import NewRequest
from chalicelib.features.leave.types import actions as leave_types
from chalicelib.features.people.users.queries import get_user
from chalicelib.identity.permissions import GRANTS, Role
from chalicelib.identity.scope import Actor, Scope
from chalicelib.kernel.halves import Half
from chalicelib.kernel.states import RequestStatus, SubmissionStatus
from chalicelib.operators import scopes
from chalicelib.operators.demo.rows import id_of
from chalicelib.operators.demo.staff import FIRST_YEAR

FORM = "Leave request"
FIELD_LIST: list[dict[str, Any]] = [
    {"field_name": "leave_type", "field_label": "Kind of leave", "field_type": "dropdown", "is_required": True,
     "options": [{"label": "Annual leave", "value": "annual"}, {"label": "Sick leave", "value": "sick"},
                 {"label": "Unpaid leave", "value": "unpaid"}]},
    {"field_name": "start_date", "field_label": "First day", "field_type": "date", "is_required": True},
    {"field_name": "end_date", "field_label": "Last day", "field_type": "date"},
    {"field_name": "reason", "field_label": "Reason", "field_type": "textarea", "validation": {"max_length": 500}},
    {"field_name": "certificate", "field_label": "Medical certificate", "field_type": "file",
     "visible_if": {"field": "leave_type", "equals": "sick"},
     "validation": {"content_types": ["application/pdf", "image/jpeg", "image/png"], "max_size_bytes": 5_000_000,
                    "max_files": 3}},
]  # fmt: skip


def load_leave(tenant_id: UUID) -> int:
    """Load what is missing of the demo's leave, and return the number of leave requests.

    Its mails go out a minute later, when the sweeper finds them.
    """
    form_handler.register()
    with scopes.operating(tenant_id, sends=False) as scope:
        scope.advisory_lock("demo load")
        today = clock.local_day(scope.now, scope.tenant.timezone)
        if not _has(scope, "leave_expiry_rules"):
            _add_expiry_rule(scope)
        for year in range(FIRST_YEAR, today.year + 1):
            _allocate(scope, date(year, 1, 1))
        # the leave of the story's first months was recorded before there were allocations
        recount_actions.recount(scope, user_ids=None, first=date(FIRST_YEAR, 1, 1), last=today)
        if not _has(scope, "forms"):
            _submit_requests(
                scope, _next_weekday(6, today + timedelta(days=7))
            )  # a Saturday: Chattogram works, Dhaka does not
    with scopes.operating(tenant_id) as scope:
        return _count(scope, "leave_requests")


def _add_expiry_rule(scope: Scope) -> None:
    rule = expiry_actions.add_rule(
        scope,
        new=NewExpiryRule(
            name="By the end of March",
            expiry_date_formula="03-31",
            auto_expire_action=Action.TRANSFER_TO_NEXT_CYCLE,
            description="What is left of a year may be used until 31 March of the next; five days go on to that year.",
        ),
    )
    leave_types.change_leave_type(
        scope,
        leave_type_id=_leave_type_id(scope, "Annual leave"),
        if_match=None,
        patch={"expiry_rule_id": rule.id, "allow_carryover": True, "carryover_limit": Decimal(5)},
    )


def _allocate(scope: Scope, first: date) -> None:
    for name in ("Annual leave", "Sick leave"):
        new = NewAllocations(
            leave_type_id=_leave_type_id(scope, name), cycle_start_date=first, all=True, pro_rata_for_joiners=True
        )
        allocation_actions.allocate_many(scope, new=new)  # existing allocations stay


def _submit_requests(scope: Scope, saturday: date) -> None:
    """Submit two requests by form, one pending and one approved, and one directly, which is rejected."""
    fields = FIELDS.validate_json(json.dumps(FIELD_LIST))
    form = forms.add_form(scope, new=NewForm(name=FORM, form_type=FormType.LEAVE_REQUEST, fields=fields))
    sunday, tuesday = saturday + timedelta(days=1), saturday + timedelta(days=3)
    with acting_as(scope, "A005", Role.EMPLOYEE) as nasrin:
        answers = {
            "leave_type": "annual",
            "start_date": f"{sunday}",
            "end_date": f"{tuesday}",
            "reason": "My sister's wedding",
        }
        submission_actions.submit(nasrin, form_id=form.id, new=NewSubmission(submission_data=answers))
    with acting_as(scope, "A027", Role.EMPLOYEE) as moriom:
        answers = {"leave_type": "annual", "start_date": f"{saturday}", "reason": "Moving house"}
        requested = submission_actions.submit(moriom, form_id=form.id, new=NewSubmission(submission_data=answers))
    with acting_as(scope, "A010", Role.MANAGER) as mizanur:
        patch = SubmissionPatch(status=SubmissionStatus.APPROVED, notes="Good luck with the stairs")
        submission_actions.change(mizanur, submission_id=requested.id, patch=patch, if_match=None)
    with acting_as(scope, "A012", Role.EMPLOYEE) as rokeya:
        new = NewRequest(
            leave_type_id=_leave_type_id(scope, "Annual leave"),
            start_date=sunday,
            end_date=tuesday,
            end_half=Half.FIRST,
        )
        leave_request = request_actions.request_leave(rokeya, new=new)
    with acting_as(scope, "A003", Role.MANAGER) as tanvir:
        request_actions.decide(
            tanvir,
            request_id=leave_request.id,
            to=RequestStatus.REJECTED,
            if_match=None,
            notes="The shipment for Hamburg leaves on Tuesday; any day after is fine",
        )


@contextmanager
def acting_as(scope: Scope, number: str, role: Role) -> Iterator[Scope]:
    """Yield a scope of a user of the demo in the same transaction."""
    user_id = id_of(scope, "user", number)
    name = get_user(scope, user_id, "people.read").name
    acting = replace(
        scope, actor=Actor(name, role, user_id, user_id, frozenset({user_id})), grants=GRANTS[role], outgoing=[]
    )
    yield acting
    scope.outgoing += acting.outgoing


def _next_weekday(isoweekday: int, day: date) -> date:
    return day + timedelta(days=(isoweekday - day.isoweekday()) % 7)


def _leave_type_id(scope: Scope, name: str) -> UUID:
    return id_of(scope, "leave", name)


def _has(scope: Scope, table: str) -> bool:
    return _count(scope, table) > 0


def _count(scope: Scope, table: str) -> int:
    count: int = scope.session.execute(
        text(f"select count(*) from {table} where tenant_id = :tenant_id"), {"tenant_id": scope.tenant_id}
    ).scalar_one()
    return count
