"""Reads of forms. Whoever cannot design them sees what they, or the people they review, can submit."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, cast, false, or_, select, true

from chalicelib.backing.database import Record
from chalicelib.entry.paging import page_of
from chalicelib.features.forms.definitions.field_schemas import FIELDS, FormField
from chalicelib.features.forms.definitions.schemas import FormQuery
from chalicelib.features.forms.models import form_submissions, form_versions, forms
from chalicelib.features.people.models import branches, employments
from chalicelib.features.people.organisation import queries as organisation
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.schema import STORED

DESIGN = "forms.design"


def get_form(scope: Scope, form_id: UUID, *, lock: bool = False) -> Record:
    """Read one form whose name the caller may know, or NotFound; `lock` keeps other writers waiting.

    A form that is out of use stays readable for those who have, or review, submissions of it.
    """
    rows = select(forms).where(
        forms.c.tenant_id == scope.tenant_id, forms.c.id == form_id, or_(_offered(scope), _used(scope))
    )
    found = scope.session.execute(rows.with_for_update(of=forms, key_share=True) if lock else rows).mappings()
    if (row := found.first()) is None:
        raise NotFound("There is no such form.")
    return dict(row)


def get_whole_form(scope: Scope, form_id: UUID) -> Record:
    """Read a form with its fields, and for designers with the draft that waits."""
    form = get_form(scope, form_id)
    published, draft = find_published(scope, form_id), None
    if DESIGN in scope.grants:
        draft = find_draft(scope, form_id)
    shown = published or draft
    if shown is None:  # it was a draft when its name was read, and is one still
        raise NotFound("There is no such form.")
    return {
        **form,
        "version_number": published["number"] if published else None,
        "published_at": published["published_at"] if published else None,
        "fields": shown["fields"],
        "draft": draft["fields"] if draft else None,
    }


def page_of_forms(scope: Scope, query: FormQuery) -> Record:
    """Read one page of the forms that the caller can design, submit or review, oldest first."""
    latest = form_versions.alias("latest")
    newer = form_versions.alias("newer")
    rows = (
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
        .where(forms.c.tenant_id == scope.tenant_id, _offered(scope))
    )
    if query.form_type is not None:
        rows = rows.where(forms.c.form_type == query.form_type)
    if query.is_active is not None:
        rows = rows.where(forms.c.is_active == query.is_active)
    return page_of(scope, rows, key=forms.c.id, query=query)


def find_published(scope: Scope, form_id: UUID) -> Record | None:
    """Read the version of a form that is submitted now, if one is published."""
    rows = _versions(scope, form_id).where(form_versions.c.published_at.is_not(None))
    return _version(scope, rows.order_by(form_versions.c.number.desc()).limit(1))


def find_draft(scope: Scope, form_id: UUID) -> Record | None:
    """Read the version of a form that waits to be published, if one does."""
    return _version(scope, _versions(scope, form_id).where(form_versions.c.published_at.is_(None)))


def fields_of(scope: Scope, form_id: UUID, number: int) -> list[FormField]:
    """Read the fields of one version of a form, in the order in which they are shown."""
    row = _version(scope, _versions(scope, form_id).where(form_versions.c.number == number))
    found: list[FormField] = row["fields"] if row else []
    return found


def all_fields_of(scope: Scope, form_id: UUID) -> list[FormField]:
    """Read the fields of every published version of a form, each by name once, as it was last."""
    rows = _versions(scope, form_id).where(form_versions.c.published_at.is_not(None))
    found: dict[str, FormField] = {}
    for row in scope.session.execute(rows.order_by(form_versions.c.number.desc())).mappings():
        for field in FIELDS.validate_json(row["fields"], context=STORED):
            found.setdefault(field.field_name, field)
    return list(found.values())


def can_submit(scope: Scope, form: Record) -> bool:
    """Return whether a form is for the caller: for everybody, or for their branch."""
    if form["branch_id"] is None:
        return True
    return bool(scope.session.execute(select(_of_branch(scope, form["branch_id"], "forms.submit"))).scalar_one())


def check_branch(scope: Scope, branch_id: UUID | None) -> None:
    """Refuse a branch that the tenant does not have."""
    if branch_id is not None:
        organisation.get_unit(scope, branches, branch_id)


def _offered(scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a form can be submitted by people within the caller's reach."""
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
    is_own = or_(forms.c.branch_id.is_(None), _of_branch(scope, forms.c.branch_id, "form_submissions.read"))
    return and_(forms.c.is_active, is_published, is_own)


def _used(scope: Scope) -> ColumnElement[bool]:
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


def _of_branch(scope: Scope, branch_id: Any, permission: str) -> ColumnElement[bool]:
    return (
        select(employments.c.user_id)
        .where(
            employments.c.tenant_id == scope.tenant_id,
            employments.c.branch_id == branch_id,
            scope.within(permission, employments.c.user_id),
        )
        .exists()
    )


def _versions(scope: Scope, form_id: UUID) -> Select[Any]:
    # the fields as text: read strictly, and their numbers as they were written
    return select(
        form_versions.c.number, form_versions.c.published_at, cast(form_versions.c.fields, Text).label("fields")
    ).where(form_versions.c.tenant_id == scope.tenant_id, form_versions.c.form_id == form_id)


def _version(scope: Scope, rows: Select[Any]) -> Record | None:
    row = scope.session.execute(rows).mappings().first()
    return None if row is None else {**row, "fields": FIELDS.validate_json(row["fields"], context=STORED)}
