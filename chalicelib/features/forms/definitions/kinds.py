"""What a form is for. A feature above that gives a type its meaning registers a handler for it when it is imported."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from chalicelib.backing.database import Record
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import SubmissionStatus


class FormType(StrEnum):
    LEAVE_REQUEST = "leave_request"
    APPRAISAL = "appraisal"
    APPLICATION = "application"
    FEEDBACK = "feedback"
    CUSTOM = "custom"


class Handler(Protocol):
    """What follows from a form's type. Each verb is a part of the transaction that calls it, and may raise a Fault.

    A `submission` has id, form_id, user_id, data (by field name) and status. Whoever has a handler tells the person of
    the decision too; of forms without one, `form_decided` is told.
    """

    def check_definition(self, scope: Scope, *, fields: Sequence[Record]) -> None:
        """Refuse (Invalid) fields that a form of this type cannot do with or without."""

    def submitted(self, scope: Scope, *, submission: Record) -> None:
        """Do what follows from a submission that has just been submitted."""

    def decided(self, scope: Scope, *, submission: Record, to: SubmissionStatus, notes: str | None) -> None:
        """Do what follows from an approval or a rejection, the only two `to` that there are."""


_HANDLERS: dict[FormType, Handler] = {}
# types that mean something: approving one must never do nothing
_MEANT = frozenset({FormType.LEAVE_REQUEST, FormType.APPRAISAL})


def register(form_type: FormType, handler: Handler) -> None:
    """Return a type its meaning, for the life of the process."""
    _HANDLERS[form_type] = handler


def handler_of(form_type: FormType) -> Handler | None:
    """Return what a type means, or None where its forms are only kept and reviewed."""
    if form_type in _MEANT and form_type not in _HANDLERS:
        raise RuntimeError(f"Nobody in this process knows what a {form_type} form means: register its handler.")
    return _HANDLERS.get(form_type)
