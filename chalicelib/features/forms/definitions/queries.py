"""Reads of forms. A caller who cannot design them sees those that the employees within reach can submit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Text, and_, cast, false, or_, select, true

from chalicelib.backing import rows
from chalicelib.entry.paging import RowPage, page_rows
from chalicelib.features.forms.definitions.field_schemas import FIELDS, FormField
from chalicelib.features.forms.definitions.kinds import FormType
from chalicelib.features.forms.definitions.schemas import Form, FormQuery
from chalicelib.features.forms.models import form_submissions, form_versions, forms
from chalicelib.features.people.models import branches, employments
from chalicelib.features.people.organisation import queries as organisation
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.schema import STORED

DESIGN = "forms.design"


@dataclass(frozen=True, slots=True)
class FormRow:
    """A form without its fields."""

    id: UUID
    name: str
    description: str | None
    form_type: FormType
    branch_id: UUID | None
    is_active: bool
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FormSummaryRow:
    """A form of a list, with its version that is submitted now; None: it is a draft."""

    id: UUID
    name: str
    description: str | None
    form_type: FormType
    branch_id: UUID | None
    is_active: bool
    version: int
    created_at: datetime
    version_number: int | None
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class FormVersion:
    """One version of a form's fields, in the order in which they are shown."""

    number: int
    published_at: datetime | None
    fields: list[FormField]


def get_form(scope: Scope, form_id: UUID, *, lock: bool = False) -> FormRow:
    """Return one form that the caller may see, or raise NotFound; `lock` takes the row lock (FOR NO KEY UPDATE).

    A form that is out of use stays readable for those who have, or review, submissions of it.
    """
    query = select(forms).where(
        forms.c.tenant_id == scope.tenant_id, forms.c.id == form_id, or_(_is_offered(scope), _has_submissions(scope))
    )
    result = scope.session.execute(query.with_for_update(of=forms, key_share=True) if lock else query)
    if (row := rows.first(FormRow, result)) is None:
        raise NotFound("There is no such form.")
    return row


def get_whole_form(scope: Scope, form_id: UUID) -> Form:
    """Return a form with its fields, and for designers with the draft that waits."""
    form = get_form(scope, form_id)
    published, draft = find_published(scope, form_id), None
    if DESIGN in scope.grants:
        draft = find_draft(scope, form_id)
    shown = published or draft
    if shown is None:  # it was a draft when its name was read, and is one still
        raise NotFound("There is no such form.")
    return Form(
        id=form.id,
        name=form.name,
        description=form.description,
        form_type=form.form_type,
        branch_id=form.branch_id,
        is_active=form.is_active,
        version_number=published.number if published else None,
        published_at=published.published_at if published else None,
        created_at=form.created_at,
        version=form.version,
        fields=shown.fields,
        draft=draft.fields if draft else None,
    )


def page_of_forms(scope: Scope, query: FormQuery) -> RowPage[FormSummaryRow]:
    """Return one page of the forms that the caller can design, submit or review, oldest first."""
    latest = form_versions.alias("latest")
    newer = form_versions.alias("newer")
    summaries = (
        select(forms, latest.c.number.label("version_number"), latest.c.published_at)
        .select_from(
            forms.outerjoin(
                latest,
                and_(
                    latest.c.tenant_id == forms.c.tenant_id,
                    latest.c.form_id == forms.c.id,
                    latest.c.published_at.is_not(None),
                    ~select(newer.c.number)
                    .where(
                        newer.c.tenant_id == latest.c.tenant_id,
                        newer.c.form_id == latest.c.form_id,
                        newer.c.number > latest.c.number,
                        newer.c.published_at.is_not(None),
                    )
                    .exists(),
                ),
            )
        )
        .where(forms.c.tenant_id == scope.tenant_id, _is_offered(scope))
    )
    if query.form_type is not None:
        summaries = summaries.where(forms.c.form_type == query.form_type)
    if query.is_active is not None:
        summaries = summaries.where(forms.c.is_active == query.is_active)
    return page_rows(scope, summaries, kind=FormSummaryRow, key=forms.c.id, query=query)


def find_published(scope: Scope, form_id: UUID) -> FormVersion | None:
    """Return the version of a form that is submitted now, or None where none is published."""
    versions = _select_versions(scope, form_id).where(form_versions.c.published_at.is_not(None))
    return _read_version(scope, versions.order_by(form_versions.c.number.desc()).limit(1))


def find_draft(scope: Scope, form_id: UUID) -> FormVersion | None:
    """Return the version of a form that waits to be published, or None."""
    return _read_version(scope, _select_versions(scope, form_id).where(form_versions.c.published_at.is_(None)))


def list_fields(scope: Scope, form_id: UUID, number: int) -> list[FormField]:
    """Return the fields of one version of a form, in the order in which they are shown."""
    version = _read_version(scope, _select_versions(scope, form_id).where(form_versions.c.number == number))
    return version.fields if version else []


def list_fields_of_all_versions(scope: Scope, form_id: UUID) -> list[FormField]:
    """Return the fields of every published version of a form, one of each name: the latest."""
    versions = _select_versions(scope, form_id).where(form_versions.c.published_at.is_not(None))
    by_name: dict[str, FormField] = {}
    for row in scope.session.execute(versions.order_by(form_versions.c.number.desc())):
        for field in _parse_version(row).fields:
            by_name.setdefault(field.field_name, field)
    return list(by_name.values())


def can_submit(scope: Scope, form: FormRow) -> bool:
    """Return whether a form is for the caller: for everybody, or for their branch."""
    if form.branch_id is None:
        return True
    return bool(scope.session.execute(select(_has_employee_of(scope, form.branch_id, "forms.submit"))).scalar_one())


def check_branch(scope: Scope, branch_id: UUID | None) -> None:
    """Refuse a branch that the tenant does not have."""
    if branch_id is not None:
        organisation.get_unit(scope, branches, branch_id)


def _is_offered(scope: Scope) -> ColumnElement[bool]:
    """Return the condition that employees within the caller's reach can submit a form; designers see all."""
    if DESIGN in scope.grants:
        return true()
    version = form_versions.alias("published")
    is_published = (
        select(version.c.number)
        .where(
            version.c.tenant_id == forms.c.tenant_id,
            version.c.form_id == forms.c.id,
            version.c.published_at.is_not(None),
        )
        .exists()
    )
    is_own = or_(forms.c.branch_id.is_(None), _has_employee_of(scope, forms.c.branch_id, "form_submissions.read"))
    return and_(forms.c.is_active, is_published, is_own)


def _has_submissions(scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a form has submissions within the caller's reach; designers see all forms anyway."""
    if DESIGN in scope.grants:
        return false()
    mine = form_submissions.alias("mine")
    return (
        select(mine.c.id)
        .where(
            mine.c.tenant_id == forms.c.tenant_id,
            mine.c.form_id == forms.c.id,
            scope.within("form_submissions.read", mine.c.user_id),
        )
        .exists()
    )


def _has_employee_of(scope: Scope, branch_id: Any, permission: str) -> ColumnElement[bool]:
    """Return the condition that an employee of a branch is within the permission's reach."""
    return (
        select(employments.c.user_id)
        .where(
            employments.c.tenant_id == scope.tenant_id,
            employments.c.branch_id == branch_id,
            scope.within(permission, employments.c.user_id),
        )
        .exists()
    )


def _select_versions(scope: Scope, form_id: UUID) -> Select[Any]:
    """Select a form's versions; the fields as text, to be parsed strictly, with numbers as they were written."""
    return select(
        form_versions.c.number, form_versions.c.published_at, cast(form_versions.c.fields, Text).label("fields")
    ).where(form_versions.c.tenant_id == scope.tenant_id, form_versions.c.form_id == form_id)


def _read_version(scope: Scope, versions: Select[Any]) -> FormVersion | None:
    row = scope.session.execute(versions).first()
    return None if row is None else _parse_version(row)


def _parse_version(row: Row[Any]) -> FormVersion:
    return FormVersion(row.number, row.published_at, FIELDS.validate_json(row.fields, context=STORED))
