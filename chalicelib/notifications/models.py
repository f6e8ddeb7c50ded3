"""Tables of notifications."""

from sqlalchemy import ARRAY, Column, DateTime, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from chalicelib.backing.database import id_column, metadata, tenant_column

notification_logs = Table(
    "notification_logs",
    metadata,
    tenant_column(),
    id_column(),
    Column("user_id", Uuid, doc="who is notified"),
    Column("kind", Text, doc="rules.NotificationKind"),
    Column("channel", Text, doc="rules.Channel"),
    Column("cause", Text, doc="the reason; the user is notified of the same one once"),
    Column("entity_type", Text, doc="what it is about"),
    Column("entity_id", Text),
    Column("said", JSONB, doc="the values for its template"),
    Column("status", Text, doc="rules.NotificationStatus"),
    Column("attempts", Integer, doc="counts claims; the fencing token: only the latest may settle"),
    Column(
        "look_at",
        DateTime(timezone=True),
        doc="the next attempt, or the end of the lease of one; null when settled",
    ),
    Column("title", Text, doc="as it was sent; null before that, and in the app, where it is worded when read"),
    Column("message", Text, doc="likewise"),
    Column("address", Text, doc="where this mail is sent instead of the user's address: the one before"),
    Column("sent_to", Text, doc="the address, number or endpoint of the latest attempt"),
    Column("provider_id", Text, doc="what SES or SNS call it"),
    Column("problem", Text, doc="why the last attempt failed, or what came back"),
    Column("created_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    Column("opened_at", DateTime(timezone=True)),
    Column("collapsed_into", Uuid, doc="the row whose message includes this one, and whose outcome it shares"),
)

notification_preferences = Table(
    "notification_preferences",
    metadata,
    tenant_column(),
    Column("user_id", Uuid, primary_key=True),
    Column("phone", Text, doc="E.164; where SMS go"),
    Column("push_endpoint", Text, doc="ARN of their device's endpoint in SNS"),
    Column("switched_off", ARRAY(Text), doc="kind/channel; what is not named is on"),
    Column("version", Integer),
)

notification_suppressions = Table(
    "notification_suppressions",
    metadata,
    tenant_column(),
    id_column(),
    Column("address", Text, doc="lower case; no mail of this tenant is sent there"),
    Column("reason", Text, doc="bounce or complaint"),
    Column("log_id", Uuid, doc="the mail that bounced or was complained about"),
    Column("created_at", DateTime(timezone=True)),
)
