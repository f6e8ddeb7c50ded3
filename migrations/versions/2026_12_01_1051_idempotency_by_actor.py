"""An idempotency key is its sender's: another actor's request under the same key is another request."""

from migrations.helpers import run

revision = "2026_12_01_1051"
down_revision = "2026_12_01_1050"


def upgrade() -> None:
    # Rows of before have no sender; their hash covers who sent them, so they replay to that caller and to nobody else
    # (entry/idempotency.py). They are gone after two days.
    run("""
        alter table idempotency_keys
            add column actor_id uuid not null default '00000000-0000-0000-0000-000000000000';
        comment on column idempotency_keys.actor_id is 'Actor.id of who sent it; zeros: not recorded yet';
        alter table idempotency_keys
            drop constraint idempotency_keys_pkey, add primary key (tenant_id, actor_id, key);

        -- What platform admins send belongs to no tenant; a signed secret is never in it (see shown_once).
        create table platform_idempotency_keys (
            actor_id uuid not null references platform_admins on delete cascade,
            key text not null,
            request_hash bytea not null,
            status smallint not null,
            headers jsonb not null,
            body text not null,
            created_at timestamptz not null default now(),
            primary key (actor_id, key)
        );
        grant select, insert on platform_idempotency_keys to wagebook_platform;
        grant select (created_at), delete on platform_idempotency_keys to wagebook_sweeper;
    """)
