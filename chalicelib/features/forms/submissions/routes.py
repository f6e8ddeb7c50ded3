"""HTTP endpoints of submissions."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import FileReply, endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.features.forms.definitions.kinds import SubmissionRow
from chalicelib.features.forms.submissions import actions, exports, queries, schemas
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST", "/forms/{form_id}/submit", may="forms.submit", status=201)
def submit(scope: Scope, form_id: UUID, body: schemas.NewSubmission) -> schemas.WholeSubmission:
    """Submit a form that you filled in, or keep it as a draft.

    Every value is checked as the form says; all that is wrong is told at once. A value of a field that is not shown
    is dropped.
    """
    return actions.submit(scope, form_id=form_id, new=body)


@endpoint(blueprint, "GET", "/forms/{form_id}/submissions", may="form_submissions.read", reply=Page[schemas.Submission])
def list_submissions(scope: Scope, form_id: UUID, query: schemas.SubmissionQuery) -> RowPage[SubmissionRow]:
    """List a form's submissions, oldest first: all, your people's or your own, as your role allows."""
    return queries.page_of_submissions(scope, form_id, query)


@endpoint(blueprint, "GET", "/forms/{form_id}/submissions/export", may="form_submissions.read", produces="text/csv")
def export_submissions(scope: Scope, form_id: UUID, query: schemas.SubmissionExportQuery) -> FileReply:
    """Write the same submissions as a CSV or XLSX file, a column for each field of all versions."""
    return exports.export(scope, form_id=form_id, query=query)


@endpoint(blueprint, "GET", "/forms/submissions/{submission_id}", may="form_submissions.read")
def get_submission(scope: Scope, submission_id: UUID) -> schemas.WholeSubmission:
    """Show a submission with the fields that it was filled in by, and its files."""
    return queries.get_whole_submission(scope, submission_id)


@endpoint(blueprint, "PATCH", "/forms/submissions/{submission_id}", may="forms.review")
def change_submission(
    scope: Scope, submission_id: UUID, body: schemas.SubmissionPatch, if_match: int | None
) -> schemas.WholeSubmission:
    """Review what somebody submitted: under_review, approved or rejected. Nobody reviews their own.

    Of a draft of your own it changes the values and files, and submits it with `status: submitted`.
    """
    return actions.change(scope, submission_id=submission_id, patch=body, if_match=if_match)
