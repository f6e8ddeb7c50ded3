"""The table of payout destinations: where an employee's pay goes, and went."""

from sqlalchemy import ARRAY, Column, DateTime, LargeBinary, Table, Text, Uuid

from chalicelib.backing.database import id_column, metadata, tenant_column

payout_destinations = Table(
    "payout_destinations",
    metadata,
    tenant_column(),
    id_column(),
    Column("user_id", Uuid),
    Column("kind", Text, doc="rules.DestinationKind"),
    Column("holder", Text, doc="whose account it is; null where there is none"),
    Column("masked", Text, doc="as much of the number as may be shown"),
    Column("sealed", LargeBinary, doc="rules.Destination and the user's id as JSON, encrypted by the vault"),
    Column("key_id", Uuid, doc="the tenant's data key that encrypted it"),
    Column("created_at", DateTime(timezone=True)),
    Column("created_by", Text, doc="who said so: role and name, as in the audit log"),
    Column("created_by_ids", ARRAY(Uuid), doc="all ids of who set or requested it; empty: nobody's hand"),
    Column("requested_at", DateTime(timezone=True), doc="when its person asked for it; nobody is paid to a request"),
    Column("withdrawn_at", DateTime(timezone=True), doc="when another one took the place of a request"),
    Column("held_until", DateTime(timezone=True), doc="until then nobody is paid to it; null: it is not held"),
    Column("confirmed_by", Text, doc="the second person"),
    Column("confirmed_by_ids", ARRAY(Uuid)),
    Column("confirmed_at", DateTime(timezone=True)),
    Column("superseded_at", DateTime(timezone=True), doc="when another took its place; null: the current one"),
)
