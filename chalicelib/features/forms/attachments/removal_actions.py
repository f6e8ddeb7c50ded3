"""Removal of files that were never submitted: mark and commit, delete in S3, then delete the rows.

A worker that dies in between leaves rows that are marked; they are selected again with the next ones. A marked file
cannot be submitted, so no submission ever names a file that is gone.
"""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from sqlalchemy import delete, update

from chalicelib.entry.messages import SideEffect
from chalicelib.features.forms.attachments import check_actions as checks
from chalicelib.features.forms.attachments import queries
from chalicelib.features.forms.attachments.models import form_attachments
from chalicelib.features.forms.attachments.rules import AttachmentStatus
from chalicelib.identity.scope import Scope

QUEUE = "attachment-removal"
AT_ONCE = 100  # files of a tenant; each is asked for in S3 by itself


def remove_left_over(scope: Scope) -> SideEffect | None:
    """Remove some of the files that nobody submitted in time; another message removes the rest."""
    left_over = queries.list_left_over(scope, limit=AT_ONCE)
    if not left_over:
        return None
    marked = list(
        scope.session.execute(
            update(form_attachments)
            .where(
                form_attachments.c.tenant_id == scope.tenant_id,
                form_attachments.c.id.in_(left_over),
                form_attachments.c.submission_id.is_(None),  # checked again: it may have been submitted meanwhile
            )
            .values(status=AttachmentStatus.REMOVED)
            .returning(form_attachments.c.id)
        ).scalars()
    )
    return SideEffect(
        partial(checks.delete_files, scope.tenant_id, marked, everything=True),
        lambda after, _: _delete_rows(after, marked, more=len(left_over) == AT_ONCE),
    )


def _delete_rows(scope: Scope, attachment_ids: Sequence[UUID], *, more: bool) -> None:
    """Delete the rows of files that are deleted, and send for more."""
    scope.session.execute(
        delete(form_attachments).where(
            form_attachments.c.tenant_id == scope.tenant_id,
            form_attachments.c.id.in_(attachment_ids),
            form_attachments.c.status == AttachmentStatus.REMOVED,
        )
    )
    if more:
        scope.send(QUEUE, [{}])
