"""What comes in and goes out about submissions."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.entry.paging import PageQuery
from chalicelib.features.forms.definitions.field_schemas import FormField
from chalicelib.kernel.schema import UNSET, Input, LongText, Output, Version
from chalicelib.kernel.states import SubmissionStatus

Data = Annotated[dict[str, Any], Field(description="values by field_name")]
AttachmentIds = Annotated[list[UUID], Field(max_length=100, description="ids of files that were uploaded")]


class SubmissionQuery(PageQuery):
    """Which submissions, and how many of them to leave out at the beginning."""

    status: SubmissionStatus | None = None
    skip: int = Field(0, ge=0, le=1_000_000, description="rows to leave out; large lists are read faster by cursor")


class SubmissionExportQuery(Input):
    """Which submissions, and as what."""

    status: SubmissionStatus | None = None
    format: Literal["csv", "xlsx"] = "csv"


class NewSubmission(Input):
    """A filled-in form."""

    submission_data: Data = Field(default_factory=dict)
    attachments: AttachmentIds = Field(default_factory=list)
    draft: bool = Field(False, description="kept for later, and checked only once it is submitted")


class SubmissionPatch(Input):
    """What its owner changes about a draft, or what a reviewer decides about a submission."""

    submission_data: Data = Field(UNSET, description="of a draft: in place of what it had")
    attachments: AttachmentIds = Field(UNSET, description="of a draft: in place of those it had")
    status: Literal[
        SubmissionStatus.SUBMITTED, SubmissionStatus.UNDER_REVIEW, SubmissionStatus.APPROVED, SubmissionStatus.REJECTED
    ] = UNSET
    notes: LongText | None = Field(None, description="what the reviewer says; the person reads it too")


class Submission(Output):
    """What a person filled in, and what became of it."""

    id: UUID
    form_id: UUID
    version_number: int
    user_id: UUID
    submission_data: dict[str, Any]
    attachment_ids: list[UUID] = Field(description="what a draft will attach once it is submitted")
    status: SubmissionStatus
    submitted_at: datetime | None
    reviewed_by: UUID | None = Field(description="the person who reviewed last, where it was a person, no machine")
    reviewed_at: datetime | None
    notes: str | None
    created_at: datetime
    version: Version


class SubmittedFile(Output):
    """A file of a submission; `GET /forms/attachments/{attachment_id}` gives a link to it."""

    id: UUID
    field_name: str
    file_name: str
    content_type: str
    size_bytes: int


class WholeSubmission(Submission):
    """A submission with the fields that it was filled in by, and its files."""

    form_name: str
    fields: list[FormField]
    attachments: list[SubmittedFile]
