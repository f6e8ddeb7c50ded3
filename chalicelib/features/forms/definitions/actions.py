"""Designing forms. A published version is never changed: other fields make the next one."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from chalicelib import audit
from chalicelib.backing.database import Record
from chalicelib.entry.versions import check_version
from chalicelib.features.forms.definitions import queries
from chalicelib.features.forms.definitions.field_rules import laid_out
from chalicelib.features.forms.definitions.field_schemas import FormField
from chalicelib.features.forms.definitions.kinds import FormType, handler_of
from chalicelib.features.forms.definitions.schemas import FormPatch, NewForm
from chalicelib.features.forms.models import form_versions, forms
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid


def add_form(scope: Scope, *, new: NewForm) -> Record:
    """Make a form with its first version, published unless it begins as a draft."""
    queries.check_branch(scope, new.branch_id)
    fields = _prepared(scope, new.form_type, new.fields)
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


def change_form(scope: Scope, *, form_id: UUID, patch: FormPatch, if_match: int | None) -> Record:
    """Change a form, its fields by a new version; saying what stands already changes nothing."""
    form = queries.get_form(scope, form_id, lock=True)
    check_version(form, if_match)
    given = {name: value for name, value in patch.sent_fields().items() if name not in ("fields", "draft")}
    queries.check_branch(scope, given.get("branch_id"))
    changes = {name: value for name, value in given.items() if form[name] != value}
    before = {name: form[name] for name in changes}
    if version := _change_fields(scope, form, patch):
        before, changes = {**before, **version[0]}, {**changes, **version[1]}
    if changes:
        row = {name: value for name, value in changes.items() if name in given}
        scope.session.execute(
            update(forms)
            .where(forms.c.tenant_id == scope.tenant_id, forms.c.id == form_id)
            .values(**row, version=forms.c.version + 1)
        )
        audit.record(scope, action="form.changed", entity_type="form", entity_id=form_id, before=before, after=changes)
    return queries.get_whole_form(scope, form_id)


def _change_fields(scope: Scope, form: Record, patch: FormPatch) -> tuple[Record, Record] | None:
    """Write the version that a change asks for, and give what the audit says of before and after."""
    published, draft = queries.find_published(scope, form["id"]), queries.find_draft(scope, form["id"])
    said = patch.sent_fields()
    latest: Record = draft or published  # a form has at least one
    if "fields" in said:
        fields = _prepared(scope, form["form_type"], patch.fields)
        is_draft = said.get("draft", published is None)  # a form that is not published yet stays a draft until told
    elif "draft" not in said:
        return None
    elif said["draft"]:
        raise invalid("/draft", "send the fields of the draft with it")
    elif draft is None:
        return None
    else:
        fields, is_draft = _stored(draft["fields"]), False
    if fields == _stored(latest["fields"]) and is_draft is (latest is draft):
        return None
    number = published["number"] + 1 if published else 1  # which is the draft's too, if one waits
    _write_version(scope, form["id"], number=number, fields=fields, is_draft=is_draft, over=draft is not None)
    before = {"version_number": latest["number"], "is_published": latest is published}
    after = {"version_number": number, "is_published": not is_draft, "fields": fields}
    return before, after


def _prepared(scope: Scope, form_type: str, fields: Sequence[FormField]) -> list[Record]:
    stored = _stored(laid_out(fields))
    if handler := handler_of(FormType(form_type)):
        handler.check_definition(scope, fields=stored)
    return stored


def _stored(fields: Sequence[FormField]) -> list[Record]:
    return [json.loads(field.model_dump_json(by_alias=True, exclude_none=True)) for field in fields]


def _write_version(
    scope: Scope, form_id: UUID, *, number: int, fields: list[Record], is_draft: bool, over: bool = False
) -> None:
    values: dict[str, Any] = {"fields": fields, "published_at": None if is_draft else scope.now}
    if not over:
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
