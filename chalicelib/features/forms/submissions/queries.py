"""Reads of submissions. A draft is read by its owner alone, the others also by the employee's reviewers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from chalicelib.backing import rows
from chalicelib.entry.paging import RowPage, page_rows
from chalicelib.features.forms.attachments import queries as attachments
from chalicelib.features.forms.attachments.models import form_attachments
from chalicelib.features.forms.definitions import queries as definition_queries
from chalicelib.features.forms.definitions.kinds import FormType, SubmissionRow
from chalicelib.features.forms.models import form_submissions, forms
from chalicelib.features.forms.submissions.schemas import Submission, SubmissionQuery, SubmittedFile, WholeSubmission
from chalicelib.features.people.models import employments, users
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Invalid, NotFound
from chalicelib.kernel.states import SubmissionStatus

READ = "form_submissions.read"


@dataclass(frozen=True, slots=True)
class SubmissionOfForm(SubmissionRow):
    """A submission with its form's name and type."""

    form_name: str
    form_type: FormType


@dataclass(frozen=True, slots=True)
class SubmissionForExport:
    """A submission with its employee, and its files as pairs of field name and file name."""

    id: UUID
    employee_no: str | None
    name: str
    status: SubmissionStatus
    version_number: int
    submitted_at: datetime | None
    reviewed_at: datetime | None
    notes: str | None
    data: dict[str, Any]
    files: list[tuple[str, str]] | None


def get_submission(scope: Scope, submission_id: UUID, permission: str = READ) -> SubmissionOfForm:
    """Return one submission that the permission reaches, or raise NotFound."""
    result = scope.session.execute(
        select(form_submissions, forms.c.name.label("form_name"), forms.c.form_type)
        .join(
            forms,
            (forms.c.tenant_id == form_submissions.c.tenant_id) & (forms.c.id == form_submissions.c.form_id),
        )
        .where(
            form_submissions.c.tenant_id == scope.tenant_id,
            form_submissions.c.id == submission_id,
            _is_readable(scope, permission),
        )
    )
    if (row := rows.first(SubmissionOfForm, result)) is None:
        raise NotFound("There is no such submission.")
    return row


def get_whole_submission(scope: Scope, submission_id: UUID) -> WholeSubmission:
    """Return one submission with the fields that it was filled in by, and its files."""
    row = get_submission(scope, submission_id)
    return WholeSubmission(
        **dict(Submission.model_validate(row)),
        form_name=row.form_name,
        fields=definition_queries.list_fields(scope, row.form_id, row.version_number),
        attachments=[
            SubmittedFile.model_validate(attachment)
            for attachment in attachments.list_attachments(scope, submission_id=submission_id)
        ],
    )


def page_of_submissions(scope: Scope, form_id: UUID, query: SubmissionQuery) -> RowPage[SubmissionRow]:
    """Return one page of a form's submissions, oldest first."""
    if query.skip and query.cursor:
        raise Invalid("Send skip or cursor, and not both.")
    definition_queries.get_form(scope, form_id)
    submissions = _filter_by_form(scope, select(form_submissions), form_id, query.status).offset(query.skip or None)
    return page_rows(scope, submissions, kind=SubmissionRow, key=form_submissions.c.id, query=query)


def list_for_export(
    scope: Scope, form_id: UUID, *, status: SubmissionStatus | None, after: UUID | None, limit: int
) -> list[SubmissionForExport]:
    """Return a batch of submissions with their employees and the names of their files, by key from `after`."""
    files = (
        select(
            func.jsonb_agg(
                aggregate_order_by(
                    func.jsonb_build_array(form_attachments.c.field_name, form_attachments.c.file_name),
                    form_attachments.c.id,
                )
            )
        )
        .where(
            form_attachments.c.tenant_id == form_submissions.c.tenant_id,
            form_attachments.c.submission_id == form_submissions.c.id,
        )
        .scalar_subquery()
    )
    submissions: Select[Any] = (
        select(form_submissions, users.c.name, employments.c.employee_no, files.label("files"))
        .join(users, and_(users.c.tenant_id == form_submissions.c.tenant_id, users.c.id == form_submissions.c.user_id))
        .outerjoin(
            employments,
            and_(employments.c.tenant_id == users.c.tenant_id, employments.c.user_id == users.c.id),
        )
    )
    submissions = _filter_by_form(scope, submissions, form_id, status)
    if after is not None:
        submissions = submissions.where(form_submissions.c.id > after)
    batch = submissions.order_by(form_submissions.c.id).limit(limit)
    return rows.every(SubmissionForExport, scope.session.execute(batch))


def _filter_by_form(
    scope: Scope, submissions: Select[Any], form_id: UUID, status: SubmissionStatus | None
) -> Select[Any]:
    """Select the readable submissions of a form, in one status or in all."""
    submissions = submissions.where(
        form_submissions.c.tenant_id == scope.tenant_id,
        form_submissions.c.form_id == form_id,
        _is_readable(scope, READ),
    )
    return submissions if status is None else submissions.where(form_submissions.c.status == status)


def _is_readable(scope: Scope, permission: str) -> ColumnElement[bool]:
    is_own = form_submissions.c.user_id == scope.actor.user_id if scope.actor.user_id else false()
    return and_(
        scope.within(permission, form_submissions.c.user_id),
        or_(form_submissions.c.status != SubmissionStatus.DRAFT, is_own),
    )
