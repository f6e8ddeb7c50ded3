"""Announcing a file, taking it into a submission, and giving it out again."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from chalicelib import audit
from chalicelib.backing import files
from chalicelib.backing.database import Record
from chalicelib.features.forms.attachments import check_actions as checks
from chalicelib.features.forms.attachments import queries, rules
from chalicelib.features.forms.attachments import type_rules as types
from chalicelib.features.forms.attachments.models import form_attachments
from chalicelib.features.forms.attachments.rules import AttachmentStatus, FileField
from chalicelib.features.forms.attachments.schemas import NewAttachment
from chalicelib.features.forms.definitions import queries as forms
from chalicelib.features.forms.definitions.field_schemas import FormField
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Place, invalid


def announce(scope: Scope, *, form_id: UUID, new: NewAttachment) -> Record:
    """Check what is said of a file against its field, and give the form that uploads exactly that."""
    fields = rules.file_fields(_fields_to_fill_in(scope, form_id))
    user_id = scope.actor.user_id
    if user_id is None:
        raise Forbidden("Files belong to the person who submits them; your key does not act for a person.")
    _check(new, fields)
    scope.advisory_lock(f"form-attachments/{user_id}")  # two at once would both see room for one
    if queries.count_waiting(scope, user_id=user_id) >= rules.MOST_WAITING:
        raise Conflict(
            f"{rules.MOST_WAITING} of your files are in no submission yet; submit them, or wait: what is not submitted"
            " is removed after a day."
        )
    attachment_id: UUID = scope.session.execute(
        insert(form_attachments)
        .values(tenant_id=scope.tenant_id, form_id=form_id, user_id=user_id, created_at=scope.now, **new.model_dump())
        .returning(form_attachments.c.id)
    ).scalar_one()
    upload = files.make_upload_form(
        scope.tenant_id,
        rules.quarantine_key(scope.tenant_id, attachment_id),
        content_type=new.content_type,
        size_bytes=new.size_bytes,
        now=scope.now,
    )
    audit.record(
        scope,
        action="form_attachment.announced",
        entity_type="form_attachment",
        entity_id=attachment_id,
        after={"form_id": form_id, **new.model_dump()},
    )
    return {
        "id": attachment_id,
        "url": upload.url,
        "fields": upload.fields,
        "method": "POST",
        "expires_at": upload.expires_at,
    }


def attach(
    scope: Scope, *, form_id: UUID, submission_id: UUID, user_id: UUID, attachment_ids: Sequence[UUID]
) -> dict[str, list[Record]]:
    """Take a person's files into a submission of theirs and give them by field, or refuse them all.

    Every refusal is told, with its place in the list of `attachments`. What is another's is as if it were not there.
    """
    found = queries.lock_own(scope, user_id=user_id, attachment_ids=attachment_ids)
    fields = rules.file_fields(queries.fields_of_submission(scope, submission_id))
    seen: dict[UUID, Record] = {}
    taken: dict[str, list[Record]] = {}
    wrong: list[Place] = []
    for place, attachment_id in enumerate(attachment_ids):
        if attachment_id in seen:
            problem: str | None = "is there twice"
        elif (row := found.get(attachment_id)) is None:
            problem = "is not there, or not yours"
        else:
            seen[attachment_id] = row
            beside = taken.setdefault(row["field_name"], [])
            problem = _misplaced(row, form_id=form_id, field=fields.get(row["field_name"]), beside=len(beside))
            if problem is None:  # only of what could be taken, because a look reads the whole file
                row = checks.confirm(scope, row)
                problem = _unclean(row)
            if problem is None:
                beside.append(row)
        if problem:
            wrong.append(Place(f"/attachments/{place}", problem))
    if wrong:
        fault = Invalid if all(one in found for one in attachment_ids) else NotFound
        raise fault("Some files cannot be attached; each is listed with its place.", wrong)
    scope.session.execute(
        update(form_attachments)
        .where(form_attachments.c.tenant_id == scope.tenant_id, form_attachments.c.id.in_(list(seen)))
        .values(submission_id=submission_id)
    )
    return taken


def open_attachment(scope: Scope, attachment_id: UUID) -> Record:
    """Show an attachment, looked at now if nobody has, and with a link to it where it is clean.

    That somebody else than its owner was given a link is noted in the audit.
    """
    row = checks.confirm(scope, queries.get_attachment(scope, attachment_id))
    told: dict[str, Any] = {**row, "url": None, "expires_at": None}
    if row["status"] != AttachmentStatus.CLEAN:
        return told
    link = files.make_download_link(
        scope.tenant_id,
        rules.clean_key(scope.tenant_id, attachment_id, row["sha256"]),
        name=types.name_to_save(row["file_name"], row["content_type"]),
        now=scope.now,
    )
    if row["user_id"] != scope.actor.user_id:
        audit.record(scope, action="form_attachment.opened", entity_type="form_attachment", entity_id=attachment_id)
    return {**told, "url": link.url, "expires_at": link.expires_at}


def _fields_to_fill_in(scope: Scope, form_id: UUID) -> list[FormField]:
    form = forms.get_form(scope, form_id)
    published = forms.find_published(scope, form_id)
    if published is None or not form["is_active"]:
        raise Conflict("This form cannot be submitted now.")
    if not forms.can_submit(scope, form):
        raise Conflict("This form is for the people of another branch.")
    found: list[FormField] = published["fields"]
    return found


def _check(new: NewAttachment, fields: dict[str, FileField]) -> None:
    if new.field_name not in fields:
        known = ", ".join(fields) or "it has none"
        raise invalid("/field_name", f"is no file field of this form; those are: {known}")
    field = fields[new.field_name]
    wrong = []
    if new.content_type not in field.types:
        known = ", ".join(field.types) or "nothing"
        wrong.append(Place("/content_type", f"is not taken here; what is: {known}"))
    elif problem := types.problem_of_name(new.file_name, new.content_type):
        wrong.append(Place("/file_name", problem))
    if new.size_bytes > field.most_bytes:
        wrong.append(Place("/size_bytes", f"is too large; at most {field.most_bytes:,} bytes are taken here"))
    if wrong:
        raise Invalid("This file cannot be attached; each reason is listed with its place.", wrong)


def _misplaced(row: Record, *, form_id: UUID, field: FileField | None, beside: int) -> str | None:
    """Return why a file of the person's own is not for a submission, beside those already in its field."""
    if row["submission_id"] is not None:
        return "was submitted before; upload it again"
    if row["form_id"] != form_id:
        return "was uploaded for another form; upload it for this one"
    if field is None:
        return f"is for the field {row['field_name']}, which takes no files any more"
    if row["content_type"] not in field.types or row["size_bytes"] > field.most_bytes:
        return f"is not what the field {row['field_name']} takes now"
    if beside >= field.most_files:
        return f"is one too many for the field {row['field_name']}, which takes {field.most_files}"
    return None


def _unclean(row: Record) -> str | None:
    if row["status"] == AttachmentStatus.PENDING:
        return "has not arrived; upload it first"
    if row["status"] == AttachmentStatus.REFUSED:
        return f"was refused: {row['problem']}"
    return None
