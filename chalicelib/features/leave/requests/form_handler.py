"""Forms of the type `leave_request`: submitting one requests leave, and deciding the submission decides the leave.

Its fields: `leave_type` (a dropdown; the value of an option is a leave type's id or name, or else its label is the
name, in whatever case), `start_date`, and if wanted `end_date` (else it is one day), `start_half` and `end_half`
(`first` or `second`) and `reason`. Others are kept with the submission and mean nothing to leave.

The leave of a submission is approved and rejected with it, never by itself. It can be cancelled and shortened by
itself, as any leave; a submission whose leave was cancelled before the decision can only be rejected.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select

from chalicelib.entry.problems import places_of
from chalicelib.features.forms.definitions import kinds as definition_kinds
from chalicelib.features.forms.models import form_submissions, form_versions
from chalicelib.features.leave.models import LeaveTypeRow
from chalicelib.features.leave.requests import actions
from chalicelib.features.leave.requests import queries as request_queries
from chalicelib.features.leave.requests.schemas import NewRequest
from chalicelib.features.leave.types import queries as type_queries
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, Invalid, Place, invalid
from chalicelib.kernel.states import RequestStatus, SubmissionStatus

LEAVE_TYPE, START_DATE = "leave_type", "start_date"
FIELD_TYPES = {
    LEAVE_TYPE: {"dropdown"},
    START_DATE: {"date"},
    "end_date": {"date"},
    "start_half": {"dropdown", "text"},
    "end_half": {"dropdown", "text"},
    "reason": {"text", "textarea"},
}
_DATA = "/submission_data"
_TO = {SubmissionStatus.APPROVED: RequestStatus.APPROVED, SubmissionStatus.REJECTED: RequestStatus.REJECTED}


class LeaveRequestForms:
    """The handler of leave request forms (forms.definitions.kinds)."""

    def check_definition(self, scope: Scope, *, fields: Sequence[definition_kinds.StoredField]) -> None:
        """Raise Invalid for a form without a leave type or a first day, or with fields of other types."""
        named = {str(field["field_name"]): field for field in fields}
        places = [
            Place("/fields", f"a leave request needs the field {name} ({_join_or(FIELD_TYPES[name])}, required)")
            for name in (LEAVE_TYPE, START_DATE)
            if name not in named or not named[name].get("is_required")
        ]
        places += [
            Place(
                "/fields",
                f"the field {name} of a leave request is a {_join_or(types)}, not a {named[name]['field_type']}",
            )
            for name, types in FIELD_TYPES.items()
            if name in named and named[name]["field_type"] not in types
        ]
        if places:
            raise Invalid("; ".join(place.detail for place in places) + ".", places)

    def submitted(self, scope: Scope, *, submission: definition_kinds.SubmissionRow) -> None:
        """Request the leave of a submission for its submitter."""
        data = submission.data
        leave_type = _find_leave_type(scope, submission)
        values = {
            "user_id": str(submission.user_id),
            "leave_type_id": str(leave_type.id),
            "start_date": data.get(START_DATE),
            "end_date": data.get("end_date") or data.get(START_DATE),
            **{name: str(data[name]).strip().lower() for name in ("start_half", "end_half") if data.get(name)},
            **({"reason": data["reason"]} if data.get("reason") else {}),
        }
        try:
            # validated as a request of the API: dates and halves are text in a submission
            new = NewRequest.model_validate_json(json.dumps(values))
            actions.request_leave(scope, new=new, submission_id=submission.id)
        except ValidationError as error:
            raise _point_to_submission(Invalid("The leave cannot be asked for.", places_of(error))) from None
        except Invalid as wrong:
            raise _point_to_submission(wrong) from None

    def decided(
        self, scope: Scope, *, submission: definition_kinds.SubmissionRow, to: SubmissionStatus, notes: str | None
    ) -> None:
        """Decide the leave together with its submission."""
        request = request_queries.find_by_submission(scope, submission.id)
        is_open = request is not None and request.status == RequestStatus.PENDING
        if not is_open and to is SubmissionStatus.REJECTED:
            return  # the leave was cancelled before
        if request is None or request.status == RequestStatus.CANCELLED:
            raise Conflict("The leave of this submission was cancelled; it can only be rejected now.")
        actions.decide(scope, request_id=request.id, to=_TO[to], notes=notes, if_match=None, by_submission=True)


def register() -> None:
    """Register this handler for forms of the type leave_request."""
    definition_kinds.register(definition_kinds.FormType.LEAVE_REQUEST, LeaveRequestForms())


def _find_leave_type(scope: Scope, submission: definition_kinds.SubmissionRow) -> LeaveTypeRow:
    """Find the chosen leave type by the option's value, or else by its label. Raises Invalid."""
    value = str(submission.data.get(LEAVE_TYPE) or "")
    for text in (value, _find_label(scope, submission.id, value)):
        matches = type_queries.find_types_by_text(scope, text=text) if text else []
        if len(matches) > 1:
            raise invalid(f"{_DATA}/{LEAVE_TYPE}", f'"{text}" is the name of several leave types; use the id of one')
        if matches:
            return matches[0]
    raise invalid(
        f"{_DATA}/{LEAVE_TYPE}",
        f'"{value}" is no leave type; give the option the name or id of one, or make a leave type of this name',
    )


def _find_label(scope: Scope, submission_id: UUID, value: str) -> str | None:
    fields: Sequence[Mapping[str, Any]] | None = scope.session.execute(
        select(form_versions.c.fields)
        .join_from(
            form_versions,
            form_submissions,
            (form_submissions.c.tenant_id == form_versions.c.tenant_id)
            & (form_submissions.c.form_id == form_versions.c.form_id)
            & (form_submissions.c.version_number == form_versions.c.number),
        )
        .where(form_submissions.c.tenant_id == scope.tenant_id, form_submissions.c.id == submission_id)
    ).scalar()
    options = next((field.get("options") or [] for field in fields or [] if field["field_name"] == LEAVE_TYPE), [])
    return next((str(option["label"]) for option in options if option["value"] == value), None)


def _point_to_submission(wrong: Invalid) -> Invalid:
    """Return the error with pointers into the submission's data."""
    places = [Place(_DATA + place.pointer, place.detail) for place in wrong.places]
    return Invalid(wrong.detail, places)


def _join_or(types: set[str]) -> str:
    return " or ".join(sorted(types))
