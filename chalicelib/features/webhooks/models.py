"""Tables of webhooks."""

from sqlalchemy import ARRAY, Boolean, Column, DateTime, Integer, LargeBinary, Table, Text, Uuid

from chalicelib.backing.database import id_column, metadata, tenant_column

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    tenant_column(),
    id_column(),
    Column("url", Text),
    Column("events", ARRAY(Text), doc="rules.EventType; null: all, also those that are added later"),
    Column("description", Text),
    Column("enabled", Boolean),
    Column("disabled_because", Text, doc="why we disabled it; null where a person did"),
    Column("failing_since", DateTime(timezone=True), doc="the first failure since the last success"),
    Column("secret_sealed", LargeBinary, doc="the secret as receivers know it, encrypted by the vault"),
    Column("secret_key_id", Uuid, doc="the tenant's data key that encrypted it"),
    Column("old_secret_sealed", LargeBinary, doc="the secret before, which signs, too, for a day"),
    Column("old_secret_key_id", Uuid),
    Column("old_secret_until", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True)),
    Column("version", Integer),
)

webhook_events = Table(
    "webhook_events",
    metadata,
    tenant_column(),
    id_column(),
    Column("type", Text, doc="rules.EventType, or ping"),
    Column("body", Text, doc="the JSON as it is sent, byte by byte the same each time"),
    Column("created_at", DateTime(timezone=True)),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    tenant_column(),
    id_column(),
    Column("event_id", Uuid, doc="the webhook-id that receivers know it by"),
    Column("endpoint_id", Uuid),
    Column("status", Text, doc="rules.DeliveryStatus"),
    Column("attempts", Integer, doc="how often it was attempted in all; the fencing token: only the latest may settle"),
    Column("tries", Integer, doc="attempts since it was made, or last replayed"),
    Column(
        "look_at",
        DateTime(timezone=True),
        doc="the next attempt, or the lease's end of one under way; null: settled",
    ),
    Column("problem", Text, doc="why the last attempt failed"),
    Column("created_at", DateTime(timezone=True)),
    Column("settled_at", DateTime(timezone=True)),
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    tenant_column(),
    Column("delivery_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", DateTime(timezone=True)),
    Column("status_code", Integer, doc="null: there was no answer, or it is not known yet"),
    Column("ms", Integer, doc="null while the outcome is not known"),
    Column("response", Text, doc="how the answer's body begins"),
    Column("problem", Text),
)
