"""Who acts is an id, not a name: keys store who made them, audit rows store the ids of who acted."""

from migrations.helpers import as_owner_of_rows, declare_personal_data, run

revision = "2026_12_01_1040"
down_revision = "2026_12_01_1033"


def upgrade() -> None:
    run("""
        alter table api_keys add column made_by text, add column made_by_ids uuid[] not null default '{}';
        comment on column api_keys.made_by_ids is
            'who made it over the API, the id that stands in records first; empty: the command line made it';
    """)
    with as_owner_of_rows("api_keys"):
        run("""
            -- every key but the oldest of a name takes the end of its own id behind it
            update api_keys k set name = left(k.name, 180) || ' ' || right(k.id::text, 12)
            where k.revoked_at is null and exists (
                select from api_keys o
                where o.tenant_id = k.tenant_id and o.name = k.name and o.revoked_at is null and o.id < k.id);
        """)
    run("create unique index api_keys_tenant_id_name_key on api_keys (tenant_id, name) where revoked_at is null")
    # A person may be recorded under the id of the person paid, or of a member that is linked to that person or has
    # the same address (an invitation that nobody linked); whichever id is known, the others follow from it.
    run("""
        create function hands_of(of_tenant uuid, ids uuid[]) returns uuid[]
        language sql stable parallel safe as $$
            select array(
                select unnest(ids)
                union
                select m.user_id from members m where m.tenant_id = of_tenant and m.id = any(ids)
                union
                select m.id from members m where m.tenant_id = of_tenant and m.user_id = any(ids)
                union
                select u.id from members m join users u on u.tenant_id = of_tenant and u.email = m.email
                where m.tenant_id = of_tenant and m.id = any(ids)
                union
                select m.id from users u join members m on m.tenant_id = of_tenant and m.email = u.email
                where u.tenant_id = of_tenant and u.id = any(ids)
                except
                select null)
        $$;
    """)
    # The hash covers the ids where there are any, so that rows of before keep theirs.
    run("""
        alter table audit_logs add column actor_ids uuid[];
        comment on column audit_logs.actor_ids is 'all ids of who acted; null: a job, a schedule or an operator';

        create or replace function audit_hash(previous bytea, entry audit_logs) returns bytea
        language sql stable set timezone = 'UTC' as $$
            select sha256(previous || convert_to((jsonb_build_array(
                entry.tenant_id, entry.seq, entry.at, entry.actor, entry.user_id, entry.action,
                entry.entity_type, entry.entity_id, entry.before, entry.after,
                entry.ip, entry.agent, entry.request_id)
                || case when entry.actor_ids is null then '[]'::jsonb else jsonb_build_array(entry.actor_ids) end
            )::text, 'UTF8'))
        $$;
    """)
    declare_personal_data([], [("api_keys", "made_by", "words", "")])
