"""Reads of submissions. A draft is its owner's alone; the others are read by whoever reviews the person too."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from chalicelib.backing.database import Record
from chalicelib.entry.paging import page_of
from chalicelib.features.forms.attachments import queries as attachments
from chalicelib.features.forms.attachments.models import form_attachments
from chalicelib.features.forms.definitions import queries as forms_queries
from chalicelib.features.forms.models import form_submissions, forms
from chalicelib.features.forms.submissions.schemas import SubmissionQuery
from chalicelib.features.people.models import employments, users
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Invalid, NotFound
from chalicelib.kernel.states import SubmissionStatus

READ = "form_submissions.read"
COLUMNS = (*form_submissions.c, form_submissions.c.data.label("submission_data"))


def get_submission(scope: Scope, submission_id: UUID, permission: str = READ) -> Record:
    """Read one submission that the permission reaches, with its form's name and type, or NotFound."""
    found = scope.session.execute(
        select(*COLUMNS, forms.c.name.label("form_name"), forms.c.form_type)
        .join(
            forms,
            (forms.c.tenant_id == form_submissions.c.tenant_id) & (forms.c.id == form_submissions.c.form_id),
        )
        .where(
            form_submissions.c.tenant_id == scope.tenant_id,
            form_submissions.c.id == submission_id,
            _within(scope, permission),
        )
    ).mappings()
    if (row := found.first()) is None:
        raise NotFound("There is no such submission.")
    return dict(row)


def get_whole_submission(scope: Scope, submission_id: UUID) -> Record:
    """Read one submission with the fields that it was filled in by, and its files."""
    row = get_submission(scope, submission_id)
    return {
        **row,
        "fields": forms_queries.fields_of(scope, row["form_id"], row["version_number"]),
        "attachments": attachments.find_attachments(scope, submission_id=submission_id),
    }


def page_of_submissions(scope: Scope, form_id: UUID, query: SubmissionQuery) -> Record:
    """Read one page of a form's submissions, oldest first."""
    if query.skip and query.cursor:
        raise Invalid("Send skip or cursor, and not both.")
    forms_queries.get_form(scope, form_id)
    rows = _of_form(scope, select(*COLUMNS), form_id, query.status).offset(query.skip or None)
    return page_of(scope, rows, key=form_submissions.c.id, query=query)


def rows_for_export(
    scope: Scope, form_id: UUID, *, status: SubmissionStatus | None, after: UUID | None, limit: int
) -> list[Record]:
    """Read submissions with who they are from and the names of their files, by key from `after`."""
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
    rows: Select[Any] = (
        select(*COLUMNS, users.c.name.label("person"), employments.c.employee_no, files.label("files"))
        .join(users, and_(users.c.tenant_id == form_submissions.c.tenant_id, users.c.id == form_submissions.c.user_id))
        .outerjoin(
            employments,
            and_(employments.c.tenant_id == users.c.tenant_id, employments.c.user_id == users.c.id),
        )
    )
    rows = _of_form(scope, rows, form_id, status)
    if after is not None:
        rows = rows.where(form_submissions.c.id > after)
    return [dict(row) for row in scope.session.execute(rows.order_by(form_submissions.c.id).limit(limit)).mappings()]


def _of_form(scope: Scope, rows: Select[Any], form_id: UUID, status: SubmissionStatus | None) -> Select[Any]:
    rows = rows.where(
        form_submissions.c.tenant_id == scope.tenant_id,
        form_submissions.c.form_id == form_id,
        _within(scope, READ),
    )
    return rows if status is None else rows.where(form_submissions.c.status == status)


def _within(scope: Scope, permission: str) -> ColumnElement[bool]:
    is_own = form_submissions.c.user_id == scope.actor.user_id if scope.actor.user_id else false()
    return and_(
        scope.within(permission, form_submissions.c.user_id),
        or_(form_submissions.c.status != SubmissionStatus.DRAFT, is_own),
    )
