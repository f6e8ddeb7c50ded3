"""Tables of attachments."""

from sqlalchemy import Column, DateTime, Integer, Table, Text, Uuid

from chalicelib.backing.database import id_column, metadata, tenant_column

form_attachments = Table(
    "form_attachments",
    metadata,
    tenant_column(),
    id_column(),
    Column("form_id", Uuid),
    Column("user_id", Uuid, doc="whose file it is: who may submit it"),
    Column("field_name", Text, doc="of the version that was current when it was announced"),
    Column("file_name", Text, doc="as it was said; headers get attachment_type_rules.name_to_save"),
    Column("content_type", Text, doc="one of attachment_type_rules.TYPES"),
    Column("size_bytes", Integer, doc="as it was announced; nothing of another size is taken"),
    Column("status", Text, doc="attachment_rules.AttachmentStatus"),
    Column("problem", Text, doc="why it was refused"),
    Column("sha256", Text, doc="of the content that was looked at, in hexadecimal; the file's key ends with it"),
    Column("scanned_by", Text, doc="which of backing.scanner passed it; none: there was none"),
    Column("checked_at", DateTime(timezone=True)),
    Column("submission_id", Uuid, doc="null: in no submission yet"),
    Column("created_at", DateTime(timezone=True)),
)
