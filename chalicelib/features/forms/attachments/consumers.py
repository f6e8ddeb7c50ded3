"""Queue consumers of attachments: uploads that S3 notifies us of, and files that nobody submitted."""

from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.backing.settings import settings
from chalicelib.entry.messages import SideEffect, consumes
from chalicelib.features.forms.attachments import check_actions as checks
from chalicelib.features.forms.attachments import removal_actions as removal
from chalicelib.features.forms.attachments.rules import parse_uploads
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


def parse_message(body: Any) -> list[dict[str, Any]]:
    """Return a message for each upload to our bucket that an event names."""
    return parse_uploads(body, bucket=settings().files_bucket)


# each holds a whole file in memory, one after the other
@consumes(blueprint, checks.QUEUE, batch_size=5, at_once=10, messages_in=parse_message, uses=("files",))
def check_upload(scope: Scope, *, message: dict[str, Any]) -> SideEffect | None:
    """Check one file that arrived, and keep it or refuse it; of one that was checked before, empty the quarantine."""
    attachment_id = UUID(message["attachment_id"])
    return checks.CHECKS.attempt(scope, attachment_id) or checks.empty_quarantine(scope, attachment_id)


@consumes(blueprint, removal.QUEUE, batch_size=1, uses=("files",))
def remove_left_over(scope: Scope, *, message: dict[str, Any]) -> SideEffect | None:
    """Remove some of a tenant's files that nobody submitted."""
    return removal.remove_left_over(scope)
