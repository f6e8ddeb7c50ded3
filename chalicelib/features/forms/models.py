"""Tables of forms."""

from sqlalchemy import ARRAY, Boolean, Column, DateTime, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from chalicelib.backing.database import id_column, metadata, tenant_column

forms = Table(
    "forms",
    metadata,
    tenant_column(),
    id_column(),
    Column("name", Text, doc="its own within the tenant"),
    Column("description", Text),
    Column("form_type", Text, doc="kinds.FormType"),
    Column("branch_id", Uuid, doc="whose people it is for; null: everybody"),
    Column("is_active", Boolean, doc="false: nobody can submit it any more"),
    Column("version", Integer, doc="of this row, for If-Match; the versions of its fields are form_versions"),
    Column("created_at", DateTime(timezone=True)),
)

form_versions = Table(
    "form_versions",
    metadata,
    tenant_column(),
    Column("form_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, doc="1, 2, 3, ..."),
    Column("fields", JSONB, doc="field_schemas.FormField, in the order in which they are shown"),
    Column("published_at", DateTime(timezone=True), doc="null: a draft, of which a form has one at most, its last"),
)

form_submissions = Table(
    "form_submissions",
    metadata,
    tenant_column(),
    id_column(),
    Column("form_id", Uuid),
    Column("version_number", Integer, doc="the version that it was checked by, for good; a draft's may still rise"),
    Column("user_id", Uuid, doc="who submits it"),
    Column("data", JSONB, doc="by field_name, only what was given; checked once it is submitted"),
    Column("attachment_ids", ARRAY(Uuid), doc="what a draft will attach once it is submitted"),
    Column("status", Text, doc="kernel.states.SubmissionStatus"),
    Column("submitted_at", DateTime(timezone=True)),
    Column("reviewed_by", Uuid, doc="the person who reviewed last, where the actor is a person"),
    Column("reviewed_at", DateTime(timezone=True)),
    Column("notes", Text, doc="what the reviewer said last"),
    Column("version", Integer),
    Column("created_at", DateTime(timezone=True)),
)
