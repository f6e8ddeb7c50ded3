"""Reads of attachments."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text

from chalicelib.backing import rows
from chalicelib.entry.get_or_404 import get_row
from chalicelib.features.forms.attachments.models import form_attachments
from chalicelib.features.forms.attachments.rules import KEPT_FOR, KEPT_FOR_A_DRAFT, AttachmentStatus
from chalicelib.features.forms.definitions import queries as definition_queries
from chalicelib.features.forms.definitions.field_schemas import FormField
from chalicelib.features.forms.models import form_submissions
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

# A draft names what it will attach; it keeps those files, for a while.
_LEFT_OVER = text("""
    select a.id from form_attachments a
    where a.tenant_id = :tenant_id and a.submission_id is null and a.created_at < :old
      and (a.status <> 'clean' or a.created_at < :very_old or not exists (
          select from form_submissions s
          where s.tenant_id = a.tenant_id and s.user_id = a.user_id and s.status = 'draft'
            and a.id = any(s.attachment_ids)))
    order by a.created_at limit :limit""")


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """A file of a form."""

    id: UUID
    tenant_id: UUID
    form_id: UUID
    user_id: UUID
    field_name: str
    file_name: str
    content_type: str
    size_bytes: int
    status: AttachmentStatus
    problem: str | None
    sha256: str | None
    submission_id: UUID | None


@dataclass(frozen=True, slots=True)
class _SubmittedVersion:
    """Which version of which form a submission is filled in by."""

    form_id: UUID
    version_number: int


def find_attachment(scope: Scope, attachment_id: UUID) -> AttachmentRow | None:
    """Return an attachment of the tenant in any status, or None; for work on it, not for callers."""
    return rows.first(
        AttachmentRow,
        scope.session.execute(
            select(form_attachments).where(
                form_attachments.c.tenant_id == scope.tenant_id, form_attachments.c.id == attachment_id
            )
        ),
    )


def get_attachment(scope: Scope, attachment_id: UUID) -> AttachmentRow:
    """Return an attachment that the caller may open, or raise NotFound.

    The caller's own, and those of a submission that the caller may read.
    """
    is_own = form_attachments.c.user_id == scope.actor.user_id
    is_submitted = form_attachments.c.submission_id.is_not(None)
    is_read = is_submitted & scope.within("form_submissions.read", form_attachments.c.user_id)
    row = rows.first(
        AttachmentRow,
        scope.session.execute(
            select(form_attachments).where(
                form_attachments.c.tenant_id == scope.tenant_id,
                form_attachments.c.id == attachment_id,
                form_attachments.c.status != AttachmentStatus.REMOVED,
                is_own | is_read,
            )
        ),
    )
    if row is None:
        raise NotFound("There is no such attachment.")
    return row


def list_attachments(scope: Scope, *, submission_id: UUID) -> list[AttachmentRow]:
    """Return what was attached to a submission, in the order in which it was announced."""
    return rows.every(
        AttachmentRow,
        scope.session.execute(
            select(form_attachments)
            .where(form_attachments.c.tenant_id == scope.tenant_id, form_attachments.c.submission_id == submission_id)
            .order_by(form_attachments.c.id)
        ),
    )


def lock_own(scope: Scope, *, user_id: UUID, attachment_ids: Sequence[UUID]) -> dict[UUID, AttachmentRow]:
    """Lock and return attachments of one user by id, so that no other request submits them meanwhile."""
    attachments = rows.every(
        AttachmentRow,
        scope.session.execute(
            select(form_attachments)
            .where(
                form_attachments.c.tenant_id == scope.tenant_id,
                form_attachments.c.user_id == user_id,
                form_attachments.c.id.in_(attachment_ids),
                form_attachments.c.status != AttachmentStatus.REMOVED,
            )
            .order_by(form_attachments.c.id)  # in one order, so that two requests for the same do not deadlock
            .with_for_update()
        ),
    )
    return {row.id: row for row in attachments}


def count_waiting(scope: Scope, *, user_id: UUID) -> int:
    """Count a user's files that are in no submission."""
    waiting = (
        select(func.count())
        .select_from(form_attachments)
        .where(
            form_attachments.c.tenant_id == scope.tenant_id,
            form_attachments.c.user_id == user_id,
            form_attachments.c.submission_id.is_(None),
        )
    )
    return int(scope.session.execute(waiting).scalar_one())


def list_left_over(scope: Scope, *, limit: int) -> list[UUID]:
    """Return files that nobody submitted in time, oldest first, also those whose removal was not finished."""
    return list(
        scope.session.execute(
            _LEFT_OVER,
            {
                "tenant_id": scope.tenant_id,
                "old": scope.now - KEPT_FOR,
                "very_old": scope.now - KEPT_FOR_A_DRAFT,
                "limit": limit,
            },
        ).scalars()
    )


def list_submitted_fields(scope: Scope, submission_id: UUID) -> list[FormField]:
    """Return the fields that a submission is filled in by."""
    submitted = get_row(scope, form_submissions, submission_id, kind=_SubmittedVersion, what="submission")
    return definition_queries.list_fields(scope, submitted.form_id, submitted.version_number)
