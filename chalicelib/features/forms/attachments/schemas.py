"""What comes in and goes out about attachments."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.features.forms.attachments.rules import MOST_BYTES, AttachmentStatus
from chalicelib.features.forms.attachments.type_rules import TYPES
from chalicelib.features.forms.definitions.field_schemas import FieldName
from chalicelib.kernel.schema import Input, Output, Text

ContentType = Annotated[str, Field(min_length=1, max_length=100, description=", ".join(TYPES))]


class NewAttachment(Input):
    """A file that is about to be uploaded for a field of a form."""

    field_name: FieldName = Field(description="a field of type `file`")
    file_name: Text
    content_type: ContentType
    size_bytes: int = Field(ge=1, le=MOST_BYTES, description="exactly; a form may ask for less")


class AttachmentUpload(Output):
    """Where and how to upload: send `fields` as they are and then `file`, last, as multipart/form-data to `url`."""

    id: UUID
    url: str
    fields: dict[str, str]
    method: Literal["POST"]
    expires_at: datetime


class Attachment(Output):
    """A file of a form."""

    id: UUID
    form_id: UUID
    submission_id: UUID | None
    field_name: str
    file_name: str
    content_type: str
    size_bytes: int
    status: AttachmentStatus
    problem: str | None = Field(description="why it was refused")


class OpenAttachment(Attachment):
    """A file of a form, with a link to it."""

    url: str | None = Field(description="saves the file, until it expires; null unless the file is clean")
    expires_at: datetime | None
