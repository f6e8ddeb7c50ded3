"""Work that goes on after the answer: jobs, messages to send, answers to repeat."""

from migrations.helpers import open_to, protect, run

revision = "2026_11_21_0730"
down_revision = "2026_11_21_0720"


def upgrade() -> None:
    run("""
        create table jobs (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            kind text not null,
            key text,
            parameters jsonb not null default '{}',
            status text not null default 'queued' check (status in ('queued', 'running', 'succeeded', 'failed')),
            done integer not null default 0,
            total integer,
            result jsonb,
            error text,
            created_at timestamptz not null default now(),
            started_at timestamptz,
            finished_at timestamptz,
            primary key (tenant_id, id),
            unique (tenant_id, key)
        );

        create table job_chunks (
            tenant_id uuid not null,
            job_id uuid not null,
            number integer not null,
            first_user_id uuid not null,
            last_user_id uuid not null,
            employees integer not null,
            changed integer not null default 0,
            done_at timestamptz,
            primary key (tenant_id, job_id, number),
            foreign key (tenant_id, job_id) references jobs on delete cascade
        );

        create table nightly_runs (
            tenant_id uuid not null references tenants,
            kind text not null,
            done_on date not null,
            primary key (tenant_id, kind)
        );

        create table outbox (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            queue text not null,
            body jsonb not null,
            created_at timestamptz not null default now(),
            sent_at timestamptz,
            primary key (tenant_id, id)
        );
        create index outbox_unsent on outbox (created_at) where sent_at is null;

        create table idempotency_keys (
            tenant_id uuid not null references tenants,
            key text not null,
            request_hash bytea not null,
            status smallint not null,
            headers jsonb not null,
            body text not null,
            created_at timestamptz not null default now(),
            primary key (tenant_id, key)
        );
    """)
    protect("jobs")
    protect("job_chunks")
    protect("nightly_runs")
    protect("outbox")
    protect("idempotency_keys")
    open_to("wagebook_sweeper", "nightly_runs", grants="select")
    open_to("wagebook_sweeper", "idempotency_keys", grants="select (created_at), delete")
    open_to("wagebook_sweeper", "outbox", grants="select, update (sent_at), delete")
