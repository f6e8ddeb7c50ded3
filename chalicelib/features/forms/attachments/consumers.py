"""Queue consumers of attachments: what S3 tells of, and what is left over."""

from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.backing.settings import settings
from chalicelib.entry.messages import SideEffect, consumes
from chalicelib.features.forms.attachments import check_actions as checks
from chalicelib.features.forms.attachments import removal_actions as removal
from chalicelib.features.forms.attachments.rules import uploads_in
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


def uploads_told_of(body: Any) -> list[dict[str, Any]]:
    """Find the uploads to our bucket that a message tells of."""
    return uploads_in(body, bucket=settings().files_bucket)


# each holds a whole file in memory, one after the other
@consumes(blueprint, checks.QUEUE, batch_size=5, at_once=10, messages_in=uploads_told_of, uses=("files",))
def look_at_upload(scope: Scope, *, message: dict[str, Any]) -> SideEffect | None:
    """Look at one file that arrived, and keep it or refuse it."""
    return checks.arrived(scope, UUID(message["attachment_id"]))


@consumes(blueprint, removal.QUEUE, batch_size=1, uses=("files",))
def remove_left_over(scope: Scope, *, message: dict[str, Any]) -> SideEffect | None:
    """Remove some of a tenant's files that nobody submitted."""
    return removal.remove_left_over(scope)
