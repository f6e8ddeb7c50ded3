"""Writes of forms. A published version is never changed: other fields make the next one."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from chalicelib import audit
from chalicelib.entry.versions import check_version
from chalicelib.features.forms.definitions import queries
from chalicelib.features.forms.definitions.field_rules import lay_out
from chalicelib.features.forms.definitions.field_schemas import FormField
from chalicelib.features.forms.definitions.kinds import FormType, StoredField, handler_of
from chalicelib.features.forms.definitions.queries import FormRow
from chalicelib.features.forms.definitions.schemas import Form, FormPatch, NewForm
from chalicelib.features.forms.models import form_versions, forms
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid


def add_form(scope: Scope, *, new: NewForm) -> Form:
    """Add a form with its first version, published unless it begins as a draft."""
    queries.check_branch(scope, new.branch_id)
    fields = _prepare(scope, new.form_type, new.fields)
    values = new.model_dump(include={"name", "description", "form_type", "branch_id", "is_active"})
    form_id = scope.session.execute(
        insert(forms).values(tenant_id=scope.tenant_id, **values).returning(forms.c.id)
    ).scalar_one()
    _write_version(scope, form_id, number=1, fields=fields, is_draft=new.draft)
    audit.record(
        scope,
        action="form.added",
        entity_type="form",
        entity_id=form_id,
        after={**values, "version_number": 1, "is_published": not new.draft, "fields": fields},
    )
    return queries.get_whole_form(scope, form_id)


def change_form(scope: Scope, *, form_id: UUID, patch: FormPatch, if_match: int | None) -> Form:
    """Change a form, its fields by a new version; a patch with the present values changes nothing."""
    form = queries.get_form(scope, form_id, lock=True)
    check_version(form, if_match)
    sent = {name: value for name, value in patch.sent_fields().items() if name not in ("fields", "draft")}
    queries.check_branch(scope, sent.get("branch_id"))
    changes = {name: value for name, value in sent.items() if getattr(form, name) != value}
    before = {name: getattr(form, name) for name in changes}
    if version := _change_fields(scope, form, patch):
        before, changes = {**before, **version[0]}, {**changes, **version[1]}
    if changes:
        values = {name: value for name, value in changes.items() if name in sent}
        scope.session.execute(
            update(forms)
            .where(forms.c.tenant_id == scope.tenant_id, forms.c.id == form_id)
            .values(**values, version=forms.c.version + 1)
        )
        audit.record(scope, action="form.changed", entity_type="form", entity_id=form_id, before=before, after=changes)
    return queries.get_whole_form(scope, form_id)


def _change_fields(scope: Scope, form: FormRow, patch: FormPatch) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Write the version that a patch requests; return what the audit records of before and after, or None."""
    published, draft = queries.find_published(scope, form.id), queries.find_draft(scope, form.id)
    latest = draft or published
    if latest is None:
        raise RuntimeError(f"The form {form.id} has no version.")
    sent = patch.sent_fields()
    if "fields" in sent:
        fields = _prepare(scope, form.form_type, patch.fields)
        is_draft = sent.get("draft", published is None)  # an unpublished form stays a draft until `draft: false`
    elif "draft" not in sent:
        return None
    elif sent["draft"]:
        raise invalid("/draft", "send the fields of the draft with it")
    elif draft is None:
        return None
    else:
        fields, is_draft = _to_json(draft.fields), False
    if fields == _to_json(latest.fields) and is_draft is (latest is draft):
        return None
    number = published.number + 1 if published else 1  # which is the draft's too, if one waits
    _write_version(scope, form.id, number=number, fields=fields, is_draft=is_draft, replace=draft is not None)
    before = {"version_number": latest.number, "is_published": latest is published}
    after = {"version_number": number, "is_published": not is_draft, "fields": fields}
    return before, after


def _prepare(scope: Scope, form_type: str, fields: Sequence[FormField]) -> list[StoredField]:
    """Check a definition, also by its type's handler, and return it as it is stored."""
    stored = _to_json(lay_out(fields))
    if handler := handler_of(FormType(form_type)):
        handler.check_definition(scope, fields=stored)
    return stored


def _to_json(fields: Sequence[FormField]) -> list[StoredField]:
    return [json.loads(field.model_dump_json(by_alias=True, exclude_none=True)) for field in fields]


def _write_version(
    scope: Scope, form_id: UUID, *, number: int, fields: list[StoredField], is_draft: bool, replace: bool = False
) -> None:
    """Insert a version, or replace the draft of that number."""
    values: dict[str, Any] = {"fields": fields, "published_at": None if is_draft else scope.now}
    if not replace:
        scope.session.execute(
            insert(form_versions).values(tenant_id=scope.tenant_id, form_id=form_id, number=number, **values)
        )
        return
    scope.session.execute(
        update(form_versions)
        .where(
            form_versions.c.tenant_id == scope.tenant_id,
            form_versions.c.form_id == form_id,
            form_versions.c.number == number,
        )
        .values(**values)
    )
