"""Who changed what: append-only, and chained by hash for each tenant."""

from migrations.helpers import protect, run

revision = "2026_11_21_0740"
down_revision = "2026_11_21_0730"


def upgrade() -> None:
    run("""
        create table audit_heads (
            tenant_id uuid primary key references tenants,
            seq bigint not null,
            hash bytea not null
        );

        create table audit_logs (
            tenant_id uuid not null references tenants,
            seq bigint not null,
            at timestamptz not null,
            actor text not null,
            user_id uuid,
            action text not null,
            entity_type text not null,
            entity_id text not null,
            before jsonb,
            after jsonb,
            ip text,
            agent text,
            request_id text,
            hash bytea not null,
            primary key (tenant_id, seq)
        );
        create index audit_logs_by_entity on audit_logs (tenant_id, entity_type, entity_id, seq);
        create index audit_logs_by_user on audit_logs (tenant_id, user_id, seq);

        -- What a row's hash covers: the hash before it and everything it says.
        create function audit_hash(previous bytea, entry audit_logs) returns bytea
        language sql stable set timezone = 'UTC' as $$
            select sha256(previous || convert_to(jsonb_build_array(
                entry.tenant_id, entry.seq, entry.at, entry.actor, entry.user_id, entry.action,
                entry.entity_type, entry.entity_id, entry.before, entry.after,
                entry.ip, entry.agent, entry.request_id)::text, 'UTF8'))
        $$;

        -- The head row is locked until commit: one chain per tenant, whoever writes at the same time. The function
        -- runs as the owner, so the application can append to the chain but never move its head.
        create function audit_append() returns trigger
        language plpgsql security definer set search_path = public, pg_temp as $$
        declare head audit_heads;
        begin
            insert into audit_heads values (new.tenant_id, 0, '\\x') on conflict do nothing;
            select * into strict head from audit_heads where tenant_id = new.tenant_id for update;
            new.seq := head.seq + 1;
            new.hash := audit_hash(head.hash, new);
            update audit_heads set seq = new.seq, hash = new.hash where tenant_id = new.tenant_id;
            return new;
        end $$;

        create function audit_is_append_only() returns trigger language plpgsql as $$
        begin
            raise exception 'audit rows are never changed or deleted';
        end $$;

        create trigger append before insert on audit_logs for each row execute function audit_append();
        create trigger keep before update or delete on audit_logs
            for each row execute function audit_is_append_only();
        create trigger keep_all before truncate on audit_logs
            for each statement execute function audit_is_append_only();
    """)
    protect("audit_heads", grants="select")
    protect("audit_logs", grants="select, insert")
