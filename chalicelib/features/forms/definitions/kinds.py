"""Types of forms, and their handlers: a feature above registers one for a type when it is imported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import SubmissionStatus


class FormType(StrEnum):
    LEAVE_REQUEST = "leave_request"
    APPRAISAL = "appraisal"
    APPLICATION = "application"
    FEEDBACK = "feedback"
    CUSTOM = "custom"


StoredField = Mapping[str, Any]  # a FormField as form_versions.fields keeps it, in JSON


@dataclass(frozen=True, slots=True)
class SubmissionRow:
    """A submission; `data` are its values by field name, `status` is a SubmissionStatus."""

    id: UUID
    form_id: UUID
    version_number: int
    user_id: UUID
    data: dict[str, Any]
    attachment_ids: list[UUID]
    status: SubmissionStatus
    submitted_at: datetime | None
    reviewed_by: UUID | None
    reviewed_at: datetime | None
    notes: str | None
    created_at: datetime
    version: int

    @property
    def submission_data(self) -> dict[str, Any]:
        """Return the values under the name that the API gives them."""
        return self.data


class Handler(Protocol):
    """What follows from a form's type; called in the transaction of the change, and may raise a Fault to refuse it.

    A handler notifies the user of the decision, too; of forms without one, FORM_DECIDED is sent.
    """

    def check_definition(self, scope: Scope, *, fields: Sequence[StoredField]) -> None:
        """Refuse fields that a form of this type must not have, or lacks. Raises Invalid."""

    def submitted(self, scope: Scope, *, submission: SubmissionRow) -> None:
        """Do what follows from a submission that has just been submitted."""

    def decided(self, scope: Scope, *, submission: SubmissionRow, to: SubmissionStatus, notes: str | None) -> None:
        """Do what follows from a decision; `to` is approved or rejected."""


_HANDLERS: dict[FormType, Handler] = {}
# types that need a handler: approving such a form must never do nothing
_MEANINGFUL = frozenset({FormType.LEAVE_REQUEST, FormType.APPRAISAL})


def register(form_type: FormType, handler: Handler) -> None:
    """Register the handler of a type, for the life of the process."""
    _HANDLERS[form_type] = handler


def handler_of(form_type: FormType) -> Handler | None:
    """Return the handler of a type, or None where its forms are only kept and reviewed."""
    if form_type in _MEANINGFUL and form_type not in _HANDLERS:
        raise RuntimeError(f"Nobody in this process knows what a {form_type} form means: register its handler.")
    return _HANDLERS.get(form_type)
