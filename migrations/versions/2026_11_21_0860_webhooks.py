"""Webhooks: who of a tenant's systems wants to hear what, what they were told, and how that went."""

from migrations.helpers import open_to, protect, run

revision = "2026_11_21_0860"
down_revision = "2026_11_21_0850"


def upgrade() -> None:
    run("""
        create table webhook_endpoints (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            url text not null,
            events text[] check (cardinality(events) > 0),
            description text,
            enabled boolean not null default true,
            disabled_because text,
            failing_since timestamptz,
            secret_sealed bytea not null,
            secret_key_id uuid not null,
            old_secret_sealed bytea,
            old_secret_key_id uuid,
            old_secret_until timestamptz,
            created_at timestamptz not null default now(),
            version integer not null default 1,
            primary key (tenant_id, id),
            foreign key (tenant_id, secret_key_id) references tenant_keys,
            foreign key (tenant_id, old_secret_key_id) references tenant_keys,
            check (disabled_because is null or not enabled),
            check (num_nulls(old_secret_sealed, old_secret_key_id, old_secret_until) in (0, 3))
        );
        comment on column webhook_endpoints.events is 'null: all, also those that are added later';
        comment on column webhook_endpoints.disabled_because is 'why we disabled it; null where a person did';
        comment on column webhook_endpoints.failing_since is 'the first failure since the last success';
        comment on column webhook_endpoints.old_secret_until is 'the secret before signs too until then';

        create table webhook_events (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            type text not null,
            body text not null,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id)
        );
        comment on column webhook_events.id is 'the webhook-id that receivers know it by';
        comment on column webhook_events.body is 'the JSON as it is sent, byte by byte the same each time';
        create index webhook_events_by_age on webhook_events (created_at);

        create table webhook_deliveries (
            tenant_id uuid not null,
            id uuid not null default uuidv7(),
            event_id uuid not null,
            endpoint_id uuid not null,
            status text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
            attempts integer not null default 0,
            tries integer not null default 0,
            look_at timestamptz default clock_timestamp(),
            problem text,
            created_at timestamptz not null default now(),
            settled_at timestamptz,
            primary key (tenant_id, id),
            unique (tenant_id, event_id, endpoint_id),
            foreign key (tenant_id, event_id) references webhook_events on delete cascade,
            foreign key (tenant_id, endpoint_id) references webhook_endpoints on delete cascade,
            check ((status = 'pending') = (look_at is not null)),
            check ((status = 'pending') = (settled_at is null)),
            check (tries <= attempts)
        );
        comment on column webhook_deliveries.attempts is 'how often it was sent in all; only the latest may settle';
        comment on column webhook_deliveries.tries is 'how often since it was made, or last replayed';
        comment on column webhook_deliveries.look_at is
            'not to be sent before; while it is being sent, the lease''s end';
        create index webhook_deliveries_by_endpoint on webhook_deliveries (tenant_id, endpoint_id, id);
        create index webhook_deliveries_by_status on webhook_deliveries (tenant_id, status, id);
        create index webhook_deliveries_to_look_at on webhook_deliveries (look_at) where look_at is not null;

        create table webhook_attempts (
            tenant_id uuid not null,
            delivery_id uuid not null,
            number integer not null,
            at timestamptz not null default clock_timestamp(),
            status_code integer,
            ms integer,
            response text,
            problem text,
            primary key (tenant_id, delivery_id, number),
            foreign key (tenant_id, delivery_id) references webhook_deliveries on delete cascade
        );
        comment on column webhook_attempts.ms is 'null while nobody knows how it went';
        comment on column webhook_attempts.response is 'how the answer''s body begins';
    """)
    protect("webhook_endpoints")
    protect("webhook_events", grants="select, insert")
    protect("webhook_deliveries", grants="select, insert, update")
    protect("webhook_attempts", grants="select, insert, update")
    # who is due, and what is old enough to be forgotten; rows go with their event
    open_to("wagebook_sweeper", "webhook_deliveries", grants="select (tenant_id, id, tries, look_at)")
    open_to("wagebook_sweeper", "webhook_events", grants="select (created_at), delete")
