"""What comes in and goes out about forms."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.entry.paging import PageQuery
from chalicelib.features.forms.definitions.field_schemas import MOST_FIELDS, FormField
from chalicelib.features.forms.definitions.kinds import FormType
from chalicelib.kernel.schema import UNSET, Input, LongText, Output, Text, Version

Fields = Annotated[list[FormField], Field(min_length=1, max_length=MOST_FIELDS)]


class FormQuery(PageQuery):
    """Which forms."""

    form_type: FormType | None = None
    is_active: bool | None = Field(None, description="whoever cannot design forms sees active ones only")


class NewForm(Input):
    """A form; it can be submitted at once, unless it begins as a draft."""

    name: Text
    description: LongText | None = None
    form_type: FormType
    fields: Fields
    branch_id: UUID | None = Field(None, description="only for this branch's people; for everybody, if not said")
    is_active: bool = True
    draft: bool = Field(False, description="only designers see it, until it is published by PATCH `draft: false`")


class FormPatch(Input):
    """What may be changed about a form. Other fields make its next version; what was submitted keeps the one it had."""

    name: Text = UNSET
    description: LongText | None = None
    branch_id: UUID | None = None
    is_active: bool = UNSET
    fields: Fields = UNSET
    draft: bool = Field(
        UNSET,
        description="true: these fields wait as a draft; false: the fields, or the draft that waits, are published now",
    )


class FormSummary(Output):
    """A form without its fields."""

    id: UUID
    name: str
    description: str | None
    form_type: FormType
    branch_id: UUID | None
    is_active: bool
    version_number: int | None = Field(description="the version that is published; null: none yet")
    published_at: datetime | None
    created_at: datetime
    version: Version


class Form(FormSummary):
    """A form: its fields in the order in which they are shown."""

    fields: list[FormField] = Field(description="as they are published; where nothing is yet, those of the draft")
    draft: list[FormField] | None = Field(description="fields that wait to be published; for designers only")
