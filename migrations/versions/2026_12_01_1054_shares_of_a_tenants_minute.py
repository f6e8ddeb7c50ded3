"""A tenant's minute is shared by its actors: one actor's flood leaves the others a share of the pace."""

from migrations.helpers import declare_personal_data, run

revision = "2026_12_01_1054"
down_revision = "2026_12_01_1053"


def upgrade() -> None:
    run("""
        alter table request_windows add column by_actor jsonb not null default '{}';
        comment on column request_windows.by_actor is
            'requests of this minute by Actor.id, of the 16 who made most; the others count as having made none';

        -- Adds what processes counted by actor, and keeps the actors with most requests.
        create function most_requests(known jsonb, more jsonb) returns jsonb
        language sql immutable parallel safe as $$
            select coalesce(jsonb_object_agg(actor, requests), '{}')
            from (
                select actor, sum(n) as requests
                from (
                    select key as actor, value::bigint as n from jsonb_each_text(known)
                    union all
                    select key, value::bigint from jsonb_each_text(more)
                ) counted
                group by actor order by requests desc, actor limit 16
            ) most
        $$;

        -- Leases requests of the tenant's minute to a process, for the request of one actor. The row's lock puts all
        -- leases of a tenant in one order. What is left of the pace is leased to the process, for whoever asks there.
        -- Where nothing is left, an actor below their share of it is lent some, for themselves alone (is_own): the
        -- tenant is then ahead of its pace by at most that share of a burst, which comes off what it gets next.
        create function lease_requests(
            of_tenant uuid, actor uuid, per_minute integer, burst integer, most integer, share numeric, counted jsonb,
            out lease integer, out taken integer, out seconds float8, out is_own boolean)
        language plpgsql as $$
        declare
            w request_windows;
            at timestamptz;
            elapsed numeric := 0;
            released integer := burst;
            used integer := 0;
            own_burst integer := floor(burst * share);
            own_released integer;
            own_room integer;
        begin
            insert into request_windows (tenant_id, over_at, taken, lease)
            values (of_tenant, clock_timestamp() + interval '1 minute', 0, 0)
            on conflict (tenant_id) do nothing;
            select * into w from request_windows where tenant_id = of_tenant for update;
            at := clock_timestamp();
            if w.over_at <= at then
                w.over_at := at + interval '1 minute';
                w.by_actor := '{}';
            else
                elapsed := 1 - extract(epoch from w.over_at - at) / 60;
                released := burst + floor((per_minute - burst) * elapsed);
                used := greatest(w.taken, released - burst);
            end if;
            if counted <> '{}' then
                w.by_actor := most_requests(w.by_actor, counted);
            end if;
            lease := greatest(0, least(most, greatest(1, (per_minute - used) / 50),
                greatest(1, (released - used) / 2), released - used));
            is_own := lease = 0;
            if is_own then
                own_released := own_burst + floor((floor(per_minute * share) - own_burst) * elapsed);
                own_room := own_released
                    - greatest(coalesce((w.by_actor ->> actor::text)::integer, 0), own_released - own_burst);
                lease := greatest(0, least(most, greatest(1, own_room / 2), own_room, released + own_burst - used));
                if lease > 0 then
                    w.by_actor := most_requests(w.by_actor, jsonb_build_object(actor, lease));
                end if;
            end if;
            taken := used + lease;
            seconds := extract(epoch from w.over_at - at);
            update request_windows r
            set over_at = w.over_at, taken = lease_requests.taken, lease = lease_requests.lease, by_actor = w.by_actor
            where r.tenant_id = of_tenant;
        end $$;
    """)
    declare_personal_data([], [("request_windows", "by_actor", "none", "")])  # ids and counts, for a minute
