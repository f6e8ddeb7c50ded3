"""Reads of attachments."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, text

from chalicelib.backing.database import Record
from chalicelib.entry.get_or_404 import get_row
from chalicelib.features.forms.attachments.models import form_attachments
from chalicelib.features.forms.attachments.rules import KEPT_FOR, KEPT_FOR_A_DRAFT, AttachmentStatus
from chalicelib.features.forms.definitions import queries as forms
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


def find_attachment(scope: Scope, attachment_id: UUID) -> Record | None:
    """Read an attachment of the tenant whatever became of it, for those who work on it."""
    return (
        scope.session.execute(
            select(form_attachments).where(
                form_attachments.c.tenant_id == scope.tenant_id, form_attachments.c.id == attachment_id
            )
        )
        .mappings()
        .first()
    )


def get_attachment(scope: Scope, attachment_id: UUID) -> Record:
    """Read an attachment that the caller may open, or NotFound.

    One's own, and those that came with a submission which the caller may read.
    """
    is_own = form_attachments.c.user_id == scope.actor.user_id
    is_submitted = form_attachments.c.submission_id.is_not(None)
    is_read = is_submitted & scope.within("form_submissions.read", form_attachments.c.user_id)
    found = scope.session.execute(
        select(form_attachments).where(
            form_attachments.c.tenant_id == scope.tenant_id,
            form_attachments.c.id == attachment_id,
            form_attachments.c.status != AttachmentStatus.REMOVED,
            is_own | is_read,
        )
    ).mappings()
    if (row := found.first()) is None:
        raise NotFound("There is no such attachment.")
    return dict(row)


def find_attachments(scope: Scope, *, submission_id: UUID) -> list[Record]:
    """Read what was attached to a submission, in the order in which it was announced."""
    rows = scope.session.execute(
        select(form_attachments)
        .where(form_attachments.c.tenant_id == scope.tenant_id, form_attachments.c.submission_id == submission_id)
        .order_by(form_attachments.c.id)
    )
    return [dict(row) for row in rows.mappings()]


def lock_own(scope: Scope, *, user_id: UUID, attachment_ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Read attachments of one person and keep others from submitting them until this transaction ends."""
    rows = scope.session.execute(
        select(form_attachments)
        .where(
            form_attachments.c.tenant_id == scope.tenant_id,
            form_attachments.c.user_id == user_id,
            form_attachments.c.id.in_(attachment_ids),
            form_attachments.c.status != AttachmentStatus.REMOVED,
        )
        .order_by(form_attachments.c.id)  # in one order, so that two who want the same do not wait for each other
        .with_for_update()
    )
    return {row["id"]: dict(row) for row in rows.mappings()}


def count_waiting(scope: Scope, *, user_id: UUID) -> int:
    """Count a person's files that are in no submission."""
    rows = (
        select(func.count())
        .select_from(form_attachments)
        .where(
            form_attachments.c.tenant_id == scope.tenant_id,
            form_attachments.c.user_id == user_id,
            form_attachments.c.submission_id.is_(None),
        )
    )
    return int(scope.session.execute(rows).scalar_one())


def left_over(scope: Scope, *, limit: int) -> list[UUID]:
    """Find files that nobody submitted in time, oldest first, also those whose removal was not finished."""
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


def fields_of_submission(scope: Scope, submission_id: UUID) -> list[FormField]:
    """Read the fields that a submission is filled in by."""
    row = get_row(scope, form_submissions, submission_id, what="submission")
    return forms.fields_of(scope, row["form_id"], row["version_number"])
