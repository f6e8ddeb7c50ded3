"""Submissions and decisions on them. Submitted values never change; only the status does."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from chalicelib import audit, four_eyes, notifications
from chalicelib.backing import rows
from chalicelib.entry.versions import check_version
from chalicelib.features.forms.attachments import actions as attachments
from chalicelib.features.forms.attachments import queries as attachment_queries
from chalicelib.features.forms.definitions import queries as definition_queries
from chalicelib.features.forms.definitions.kinds import FormType, SubmissionRow, handler_of
from chalicelib.features.forms.definitions.queries import FormRow, FormVersion
from chalicelib.features.forms.models import form_submissions
from chalicelib.features.forms.submissions import queries as submissions
from chalicelib.features.forms.submissions import value_rules
from chalicelib.features.forms.submissions.queries import SubmissionOfForm
from chalicelib.features.forms.submissions.schemas import NewSubmission, SubmissionPatch, WholeSubmission
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import AlreadyDecided, Conflict, Forbidden, NotFound, Place, invalid
from chalicelib.kernel.states import SUBMISSION_MOVES, SubmissionStatus, check_move

DECISIONS = (SubmissionStatus.APPROVED, SubmissionStatus.REJECTED)


def submit(scope: Scope, *, form_id: UUID, new: NewSubmission) -> WholeSubmission:
    """Submit a form that the caller filled in, or keep it as a draft."""
    form = definition_queries.get_form(scope, form_id)
    _check_own(scope, new.attachments)
    if scope.actor.user_id is None:
        raise Forbidden("Only a person can submit a form; your key does not act for one.")
    version = _current_version(scope, form)
    values: dict[str, Any] = {"attachment_ids": []}
    if new.draft:
        value_rules.check_names(version.fields, new.submission_data)
        values = {"data": new.submission_data, "attachment_ids": new.attachments}
    else:
        values["data"] = value_rules.validate_values(version.fields, new.submission_data)
        values |= {"status": SubmissionStatus.SUBMITTED, "submitted_at": scope.now}
    row = rows.one(
        SubmissionRow,
        scope.session.execute(
            insert(form_submissions)
            .values(
                tenant_id=scope.tenant_id,
                form_id=form_id,
                version_number=version.number,
                user_id=scope.actor.user_id,
                **values,
            )
            .returning(form_submissions)
        ),
    )
    if new.draft:
        _record(scope, "drafted", row)
    else:
        _complete_submission(scope, form, version, row, attachment_ids=new.attachments)
    return submissions.get_whole_submission(scope, row.id)


def change(scope: Scope, *, submission_id: UUID, patch: SubmissionPatch, if_match: int | None) -> WholeSubmission:
    """Change or submit a draft of the caller, or review a submission of another employee."""
    before = submissions.get_submission(scope, submission_id, "forms.review")
    if "attachments" in patch.sent_fields():
        _check_own(scope, patch.attachments)
    check_version(before, if_match)
    if before.status == SubmissionStatus.DRAFT:
        _change_draft(scope, before, patch)
    else:
        _review(scope, before, patch)
    return submissions.get_whole_submission(scope, submission_id)


def _change_draft(scope: Scope, before: SubmissionOfForm, patch: SubmissionPatch) -> None:
    """Change a draft's values and files, and submit it where the patch says so."""
    sent = patch.sent_fields()
    if sent.get("notes") is not None:
        raise invalid("/notes", "are what a reviewer says; this is a draft of yours")
    form = definition_queries.get_form(scope, before.form_id)
    version = _current_version(scope, form)
    data = sent.get("submission_data", before.data)
    attachment_ids = sent.get("attachments", before.attachment_ids)
    if "status" not in sent:
        value_rules.check_names(version.fields, data)
        row = _update(scope, before, version_number=version.number, data=data, attachment_ids=attachment_ids)
        _record(scope, "drafted", row)
        return
    check_move(SUBMISSION_MOVES, now=SubmissionStatus.DRAFT, to=sent["status"], what="submission")
    row = _update(
        scope,
        before,
        version_number=version.number,
        data=value_rules.validate_values(version.fields, data),
        attachment_ids=[],
        status=SubmissionStatus.SUBMITTED,
        submitted_at=scope.now,
    )
    _complete_submission(scope, form, version, row, attachment_ids=attachment_ids)


def _review(scope: Scope, before: SubmissionOfForm, patch: SubmissionPatch) -> None:
    """Move a submission's status, and do what follows from a decision; nobody reviews their own (four eyes)."""
    sent, now = patch.sent_fields(), SubmissionStatus(before.status)
    if "submission_data" in sent or "attachments" in sent:
        raise Conflict(f"This submission is {now}; what was submitted is not changed any more.")
    four_eyes.check_not_own(scope, four_eyes.Subject.FORM, before.user_id)
    if "status" not in sent:
        raise invalid("/status", "say what becomes of it: under_review, approved or rejected")
    to: SubmissionStatus = sent["status"]
    check_move(SUBMISSION_MOVES, now=now, to=to, what="submission")
    notes = {"notes": sent["notes"]} if "notes" in sent else {}
    row = _update(scope, before, status=to, reviewed_by=scope.actor.user_id, reviewed_at=scope.now, **notes)
    audit.record(
        scope,
        action=f"form_submission.{to}",
        entity_type="form_submission",
        entity_id=row.id,
        before={"status": now},
        after={"status": to, **notes},
    )
    if to not in DECISIONS:
        return
    if handler := handler_of(FormType(before.form_type)):
        handler.decided(scope, submission=row, to=to, notes=row.notes)
        return
    notification = notifications.UserNotification(
        user_id=row.user_id,
        cause=f"{row.id}/{to}",
        entity_id=row.id,
        values={"form": before.form_name, "status": to, "notes": row.notes},
    )
    notifications.notify(
        scope,
        kind=notifications.NotificationKind.FORM_DECIDED,
        entity_type="form_submission",
        user_notifications=[notification],
    )


def _complete_submission(
    scope: Scope, form: FormRow, version: FormVersion, row: SubmissionRow, *, attachment_ids: Sequence[UUID]
) -> None:
    """Take in the files of a row that is submitted now, and call the handler of its form's type."""
    files = attachments.attach(
        scope, form_id=form.id, submission_id=row.id, user_id=row.user_id, attachment_ids=attachment_ids
    )
    value_rules.check_files(version.fields, row.data, files)
    _record(scope, "submitted", row, files=files)
    if handler := handler_of(FormType(form.form_type)):
        handler.submitted(scope, submission=row)


def _current_version(scope: Scope, form: FormRow) -> FormVersion:
    """Return the published version of a form that the caller can submit now. Raises Conflict where they cannot."""
    if not form.is_active:
        raise Conflict("This form is not in use any more.")
    if (version := definition_queries.find_published(scope, form.id)) is None:
        raise Conflict("This form is a draft; it can be submitted once it is published.")
    if not definition_queries.can_submit(scope, form):
        raise Conflict("This form is for the people of another branch.")
    return version


def _check_own(scope: Scope, attachment_ids: Sequence[UUID]) -> None:
    """Refuse files that do not exist or are not the caller's, before anything else is reported."""
    user_id = scope.actor.user_id
    own = (
        attachment_queries.lock_own(scope, user_id=user_id, attachment_ids=attachment_ids)
        if user_id and attachment_ids
        else {}
    )
    if places := [
        Place(f"/attachments/{n}", "is not there, or not yours")
        for n, attachment_id in enumerate(attachment_ids)
        if attachment_id not in own
    ]:
        raise NotFound("Some attachments are not there, or not yours.", places)


def _update(scope: Scope, before: SubmissionRow, **values: Any) -> SubmissionRow:
    """Update a submission, if nobody changed it meanwhile (optimistic lock). Raises AlreadyDecided."""
    row = rows.first(
        SubmissionRow,
        scope.session.execute(
            update(form_submissions)
            .where(
                form_submissions.c.tenant_id == scope.tenant_id,
                form_submissions.c.id == before.id,
                form_submissions.c.status == before.status,
                form_submissions.c.version == before.version,
            )
            .values(**values, version=form_submissions.c.version + 1)
            .returning(form_submissions)
        ),
    )
    if row is None:
        raise AlreadyDecided("Somebody else has just changed or decided this submission; read it again.")
    return row


def _record(scope: Scope, verb: str, row: SubmissionRow, **more: Any) -> None:
    """Record what became of a submission in the audit log, with its values."""
    audit.record(
        scope,
        action=f"form_submission.{verb}",
        entity_type="form_submission",
        entity_id=row.id,
        after={
            "form_id": row.form_id,
            "version_number": row.version_number,
            "submission_data": row.data,
            **more,
        },
    )
