"""Announce a file, take it into a submission, and open it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert, update

from chalicelib import audit
from chalicelib.backing import files
from chalicelib.features.forms.attachments import check_actions as checks
from chalicelib.features.forms.attachments import queries, rules
from chalicelib.features.forms.attachments import type_rules as types
from chalicelib.features.forms.attachments.models import form_attachments
from chalicelib.features.forms.attachments.queries import AttachmentRow
from chalicelib.features.forms.attachments.rules import AttachmentStatus, FileField
from chalicelib.features.forms.attachments.schemas import Attachment, AttachmentUpload, NewAttachment, OpenAttachment
from chalicelib.features.forms.definitions import queries as forms
from chalicelib.features.forms.definitions.field_schemas import FormField
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Place, invalid


def announce(scope: Scope, *, form_id: UUID, new: NewAttachment) -> AttachmentUpload:
    """Check an announced file against its field, and return a signed upload of exactly that file."""
    fields = rules.file_fields(_list_current_fields(scope, form_id))
    user_id = scope.actor.user_id
    if user_id is None:
        raise Forbidden("Files belong to the person who submits them; your key does not act for a person.")
    _check_announced(new, fields)
    scope.advisory_lock(f"form-attachments/{user_id}")  # two requests at once would both see room for one
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
    return AttachmentUpload(
        id=attachment_id, url=upload.url, fields=upload.fields, method="POST", expires_at=upload.expires_at
    )


def attach(
    scope: Scope, *, form_id: UUID, submission_id: UUID, user_id: UUID, attachment_ids: Sequence[UUID]
) -> dict[str, list[UUID]]:
    """Take a user's files into their submission and return their ids by field, or refuse them all.

    Every refusal is listed, with its place in the list of `attachments`. Another user's file is as if it did not exist.
    """
    own = queries.lock_own(scope, user_id=user_id, attachment_ids=attachment_ids)
    fields = rules.file_fields(queries.list_submitted_fields(scope, submission_id))
    seen: set[UUID] = set()
    by_field: dict[str, list[UUID]] = {}
    refusals: list[Place] = []
    for place, attachment_id in enumerate(attachment_ids):
        if attachment_id in seen:
            problem: str | None = "is there twice"
        elif (row := own.get(attachment_id)) is None:
            problem = "is not there, or not yours"
        else:
            seen.add(attachment_id)
            in_field = by_field.setdefault(row.field_name, [])
            problem = _check_placement(row, form_id=form_id, field=fields.get(row.field_name), before=len(in_field))
            if problem is None:  # only of what could be taken, because a check reads the whole file
                problem = _check_status(checks.check_now(scope, row))
            if problem is None:
                in_field.append(row.id)
        if problem:
            refusals.append(Place(f"/attachments/{place}", problem))
    if refusals:
        fault = Invalid if all(attachment_id in own for attachment_id in attachment_ids) else NotFound
        raise fault("Some files cannot be attached; each is listed with its place.", refusals)
    scope.session.execute(
        update(form_attachments)
        .where(form_attachments.c.tenant_id == scope.tenant_id, form_attachments.c.id.in_(list(seen)))
        .values(submission_id=submission_id)
    )
    return by_field


def open_attachment(scope: Scope, attachment_id: UUID) -> OpenAttachment:
    """Return an attachment, checked now if it was not, with a link to it where it is clean.

    A link for another user than its owner is recorded in the audit log.
    """
    row = checks.check_now(scope, queries.get_attachment(scope, attachment_id))
    attachment = Attachment.model_validate(row)
    if row.status != AttachmentStatus.CLEAN or row.sha256 is None:
        return OpenAttachment(**dict(attachment), url=None, expires_at=None)
    link = files.make_download_link(
        scope.tenant_id,
        rules.clean_key(scope.tenant_id, attachment_id, row.sha256),
        name=types.name_to_save(row.file_name, row.content_type),
        now=scope.now,
    )
    if row.user_id != scope.actor.user_id:
        audit.record(scope, action="form_attachment.opened", entity_type="form_attachment", entity_id=attachment_id)
    return OpenAttachment(**dict(attachment), url=link.url, expires_at=link.expires_at)


def _list_current_fields(scope: Scope, form_id: UUID) -> list[FormField]:
    """Return the fields of a form that the caller can submit now."""
    form = forms.get_form(scope, form_id)
    published = forms.find_published(scope, form_id)
    if published is None or not form.is_active:
        raise Conflict("This form cannot be submitted now.")
    if not forms.can_submit(scope, form):
        raise Conflict("This form is for the people of another branch.")
    return published.fields


def _check_announced(new: NewAttachment, fields: dict[str, FileField]) -> None:
    """Refuse a file that its field does not take, with every reason."""
    if new.field_name not in fields:
        known = ", ".join(fields) or "it has none"
        raise invalid("/field_name", f"is no file field of this form; those are: {known}")
    field = fields[new.field_name]
    places = []
    if new.content_type not in field.types:
        known = ", ".join(field.types) or "nothing"
        places.append(Place("/content_type", f"is not taken here; what is: {known}"))
    elif problem := types.check_name(new.file_name, new.content_type):
        places.append(Place("/file_name", problem))
    if new.size_bytes > field.most_bytes:
        places.append(Place("/size_bytes", f"is too large; at most {field.most_bytes:,} bytes are taken here"))
    if places:
        raise Invalid("This file cannot be attached; each reason is listed with its place.", places)


def _check_placement(row: AttachmentRow, *, form_id: UUID, field: FileField | None, before: int) -> str | None:
    """Return why a user's own file is not for a submission, after so many in the same field; or None."""
    if row.submission_id is not None:
        return "was submitted before; upload it again"
    if row.form_id != form_id:
        return "was uploaded for another form; upload it for this one"
    if field is None:
        return f"is for the field {row.field_name}, which takes no files any more"
    if row.content_type not in field.types or row.size_bytes > field.most_bytes:
        return f"is not what the field {row.field_name} takes now"
    if before >= field.most_files:
        return f"is one too many for the field {row.field_name}, which takes {field.most_files}"
    return None


def _check_status(row: AttachmentRow) -> str | None:
    """Return why a file's content cannot be submitted, or None."""
    if row.status == AttachmentStatus.PENDING:
        return "has not arrived; upload it first"
    if row.status == AttachmentStatus.REFUSED:
        return f"was refused: {row.problem}"
    return None
