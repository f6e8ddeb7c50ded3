"""HTTP endpoints of attachments."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.features.forms.attachments import actions, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST", "/forms/{form_id}/attachments", may="forms.submit", status=201)
def announce_attachment(scope: Scope, form_id: UUID, body: schemas.NewAttachment) -> schemas.AttachmentUpload:
    """Let you upload one file for a form, straight to storage: exactly the size and type that you say.

    Name its `id` when you submit the form, within a day. It is looked at first: what is not what it claims
    to be is refused.
    """
    return actions.announce(scope, form_id=form_id, new=body)


@endpoint(blueprint, "GET", "/forms/attachments/{attachment_id}", may="form_submissions.read")
def get_attachment(scope: Scope, attachment_id: UUID) -> schemas.OpenAttachment:
    """Show a file of yours, or of a submission that you review, with a link to it that lives five minutes."""
    return actions.open_attachment(scope, attachment_id)
