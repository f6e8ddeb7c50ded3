r"""Erasing a person: one function of the owner's, which does what personal_data says, to nobody who is still owed."""

from migrations.helpers import protect, run

revision = "2026_11_21_0970"
down_revision = "2026_11_21_0965"


def upgrade() -> None:
    run("""
        create table person_erasures (
            tenant_id uuid not null,
            user_id uuid not null,
            erased_at timestamptz not null,
            erased_by text not null,
            kept_until date not null,
            records_erased_at timestamptz,
            attachment_ids uuid[] not null default '{}',
            payslip_ids uuid[] not null default '{}',
            primary key (tenant_id, user_id),
            foreign key (tenant_id, user_id) references users
        );
        comment on column person_erasures.kept_until is 'the last day on which their records are kept';
        comment on column person_erasures.attachment_ids is 'whose files are still to be deleted from the bucket';
        comment on column person_erasures.payslip_ids is 'likewise, payslips as PDF';
        alter table audit_logs add column erased_by bigint;
        comment on column audit_logs.erased_by is
            'the row that tells of the latest erasure and of what is left here; null: it is as it was written';
    """)
    protect("person_erasures", grants="select, update (attachment_ids, payslip_ids)")
    run(r"""
        -- True inside erase_person and nowhere else: the owner cannot log in, and the application cannot become it.
        create function is_erasing() returns boolean language sql stable as $$
            select current_user = 'wagebook_owner' and current_setting('app.erasing', true) = 'on'
        $$;

        create or replace function audit_is_append_only() returns trigger language plpgsql as $$
        begin
            if tg_op = 'UPDATE' and is_erasing() then
                return new;
            end if;
            raise exception 'audit rows are never changed or deleted';
        end $$;

        create or replace function leave_is_append_only() returns trigger language plpgsql as $$
        begin
            if tg_op = 'UPDATE' and is_erasing() then
                return new;
            end if;
            raise exception 'leave entries are never changed or deleted; book the reverse';
        end $$;

        create or replace function destination_is_kept() returns trigger language plpgsql as $$
        begin
            if is_erasing() then
                return new;
            end if;
            if old.superseded_at is null and to_jsonb(new) - 'superseded_at' = to_jsonb(old) - 'superseded_at' then
                return new;
            end if;
            if new.key_id > old.key_id
                and to_jsonb(new) - '{sealed,key_id}'::text[] = to_jsonb(old) - '{sealed,key_id}'::text[] then
                return new;
            end if;
            raise insufficient_privilege using message = 'a payout destination is superseded and never changed';
        end $$;

        -- As before, and nobody writes a row that claims to have been erased.
        create or replace function audit_append() returns trigger
        language plpgsql security definer set search_path = public, pg_temp as $$
        declare head audit_heads;
        begin
            insert into audit_heads values (new.tenant_id, 0, '\x') on conflict do nothing;
            select * into strict head from audit_heads where tenant_id = new.tenant_id for update;
            new.seq := head.seq + 1;
            new.erased_by := null;
            new.hash := audit_hash(head.hash, new);
            update audit_heads set seq = new.seq, hash = new.hash where tenant_id = new.tenant_id;
            return new;
        end $$;

        -- JSON in one form, whoever wrote it: a name in \u-escapes is found too.
        create function plain_words(said text) returns text language sql immutable as $$
            select case when said is json object or said is json array then said::jsonb::text else said end
        $$;

        -- Why a person cannot be erased today: one row per reason, and what to do.
        create function person_erasure_refused(of_tenant uuid, person uuid, today date) returns setof text
        language sql stable as $$
            select case when left_on is null then 'they are employed: give them a last day of work first'
                        else format('they work until %s', left_on) end
            from employments where tenant_id = of_tenant and user_id = person and coalesce(left_on, today) >= today
            union all
            select format('%s payouts to them are on their way: settle them first', count(*))
            from payouts where tenant_id = of_tenant and user_id = person
                and status in ('held', 'queued', 'sending', 'unknown', 'review') having count(*) > 0
            union all
            select format('their account "%s" stands at %s %s: pay or settle it first', kind, balance, currency)
            from ledger_accounts where tenant_id = of_tenant and user_id = person and balance <> 0
            union all
            select format('%s of their sales are not decided: decide them first', count(*))
            from pending_sales where tenant_id = of_tenant and user_id = person having count(*) > 0
            union all
            select format('the payroll run of %s with them is %s: finish or cancel it first', r.month, r.status)
            from payslips p join payroll_runs r on r.tenant_id = p.tenant_id and r.id = p.run_id
            where p.tenant_id = of_tenant and p.user_id = person and r.status in ('draft', 'calculated', 'approved')
            union all
            select format('a payslip of %s %s is carried into none yet: settle it first', p.net, p.currency)
            from payslips p join payroll_runs r on r.tenant_id = p.tenant_id and r.id = p.run_id
            where p.tenant_id = of_tenant and p.user_id = person and r.status = 'paid' and p.net < 0
                and p.carried_into is null
            union all
            select format('%s adjustments of their pay are in no payslip: pay them first', count(*))
            from payroll_adjustments where tenant_id = of_tenant and user_id = person and payslip_id is null
            having count(*) > 0
            union all
            select format('pay periods with them are open (%s): lock them first', string_agg(b.month, ', ' order by 1))
            from pay_registers b join pay_periods q on q.tenant_id = b.tenant_id and q.month = b.month
            where b.tenant_id = of_tenant and b.user_id = person and q.status = 'open' having count(*) > 0
            union all
            select format('%s requests of theirs wait for a decision: decide them first', count(*))
            from (
                select from leave_requests where tenant_id = of_tenant and user_id = person and status = 'pending'
                union all
                select from on_duty where tenant_id = of_tenant and user_id = person and status = 'pending'
                union all
                select from overtime where tenant_id = of_tenant and user_id = person and status = 'pending'
                union all
                select from form_submissions where tenant_id = of_tenant and user_id = person
                    and status in ('submitted', 'under_review')
            ) waiting having count(*) > 0
        $$;

        -- The name and addresses of a person as one pattern; whether the name is in it. A name of one word would be
        -- found in too much, so it counts only where it stands alone; one that is part of another person's name counts
        -- nowhere, or what others said would lose them.
        create function person_pattern(
            of_tenant uuid, person uuid, addresses text[], out pattern text, out named boolean)
        language sql stable as $$
            with names as (
                select u.name, u.name !~ '\s' as is_one_word
                from users u
                where u.tenant_id = of_tenant and u.id = person and u.name <> 'Erased person' and not exists (
                    select from users o where o.tenant_id = of_tenant and o.id <> person
                        and position(lower(u.name) in lower(o.name)) > 0)
            ), words as (
                select name as word, is_one_word from names
                union
                select unnest(addresses), false
            ), forms as (
                -- as it is, and as it is inside a JSON string
                select word, is_one_word from words
                union
                select substr(j, 2, length(j) - 2), is_one_word from (select to_json(word)::text as j, * from words) w
            ), escaped as (
                select regexp_replace(word, '([^\w\s])', '\\\1', 'g') as word, is_one_word from forms
            )
            select coalesce(string_agg(case
                    when is_one_word then '(?<=^|"|:)' || word || '(?=$|")'
                    else '(?<![\w.+-])' || word || '(?![\w-]|\.\w)'
                end, '|' order by length(word) desc), '^\Znobody'),
                coalesce((select true from names), false)
            from escaped
        $$;

        -- Erases one person of the current tenant as personal_data says, tells of it in the audit, and counts. Doing it
        -- again finishes what came later, and takes the records when their time is over.
        create function erase_person(person uuid, by_whom text, request text, today date, keep_years integer)
        returns jsonb
        language plpgsql security definer set search_path = public, pg_temp as $$
        declare
            of_tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
            refused text;
            addresses text[];
            pattern text;
            named boolean;
            d record;
            kind text;
            mine text[] := array[person::text];
            more text[];
            n bigint;
            counts jsonb := '{}';
            erasure person_erasures;
            kept date;
            is_over boolean;
            next_seq bigint;
            erased jsonb;
        begin
            perform set_config('app.erasing', 'on', true);
            perform from users where tenant_id = of_tenant and id = person for update;
            if not found then
                raise no_data_found using message = 'there is no such person';
            end if;
            select string_agg(r, '; ') into refused from person_erasure_refused(of_tenant, person, today) r;
            if refused is not null then
                raise object_not_in_prerequisite_state using message = refused;
            end if;

            select array_agg(distinct a) filter (where length(a) > 4) into addresses from (
                select email from users where tenant_id = of_tenant and id = person
                union all
                select unnest(array[email, subject]) from members where tenant_id = of_tenant and user_id = person
                union all
                select unnest(array[phone, push_endpoint]) from notification_preferences
                where tenant_id = of_tenant and user_id = person
                union all
                select sent_to from notification_logs where tenant_id = of_tenant and user_id = person
            ) x(a);
            addresses := coalesce(addresses, '{}');
            select p.pattern, p.named into pattern, named from person_pattern(of_tenant, person, addresses) p;

            select make_interval(years => keep_years) + coalesce(greatest(
                (select max(created_at)::date from payouts where tenant_id = of_tenant and user_id = person),
                (select max(calculated_at)::date from payslips where tenant_id = of_tenant and user_id = person),
                (select max(left_on) from employments where tenant_id = of_tenant and user_id = person)
            ), today
            ) into kept;
            insert into person_erasures (tenant_id, user_id, erased_at, erased_by, kept_until)
            values (of_tenant, person, clock_timestamp(), by_whom, kept)
            on conflict (tenant_id, user_id) do update set erased_by = person_erasures.erased_by
            returning * into erasure;
            is_over := today > erasure.kept_until;

            update person_erasures e set
                attachment_ids = array(
                    select unnest(e.attachment_ids) union
                    select id from form_attachments where tenant_id = of_tenant and user_id = person),
                payslip_ids = case when is_over then array(
                    select unnest(e.payslip_ids) union
                    select f.payslip_id from payslip_documents f
                    join payslips p on p.tenant_id = f.tenant_id and p.id = f.payslip_id
                    where f.tenant_id = of_tenant and p.user_id = person) else e.payslip_ids end,
                records_erased_at = case when is_over then coalesce(e.records_erased_at, clock_timestamp()) end
            where tenant_id = of_tenant and user_id = person;

            -- what was theirs, so that the audit of it is found when it is gone
            for d in
                select distinct r.table_name, r.whose from personal_data r
                join personal_data c using (table_name)
                join pg_attribute a on a.attrelid = r.table_name::regclass and a.attname = 'id' and not a.attisdropped
                where r.column_name = '*' and r.whose <> 'false'
                  and c.treatment in ('deleted', 'cleared') and r.table_name <> 'audit_logs'
            loop
                execute format('select array_agg(t.id::text) from %I t where t.tenant_id = $3 and (%s)',
                               d.table_name, d.whose) into more using person, addresses, of_tenant;
                mine := mine || coalesce(more, '{}');
            end loop;

            -- the pattern while the name is still there to be found in, so words of all before anything of theirs
            for d in
                select c.*, r.whose as rows, format_type(a.atttypid, null) as type
                from personal_data c
                join personal_data r on r.table_name = c.table_name and r.column_name = '*'
                join pg_attribute a on a.attrelid = c.table_name::regclass and a.attname = c.column_name
                where c.treatment in ('blanked', 'cleared', 'words')
                order by c.treatment, c.step
            loop
                kind := d.table_name || '.' || d.column_name;
                n := 0;
                if d.treatment in ('blanked', 'cleared') then
                    execute format(
                        'update %1$I t set %2$I = %3$s where t.tenant_id = $3 and (%4$s)'
                        ' and t.%2$I::text is distinct from (%3$s)::text',
                        d.table_name, d.column_name, d.becomes, d.rows) using person, addresses, of_tenant;
                    get diagnostics n = row_count;
                end if;
                if n > 0 then
                    counts := jsonb_set(counts, array[kind], to_jsonb(n));
                end if;
                if d.treatment in ('cleared', 'words') then
                    execute format(
                        'update %1$I t'
                        ' set %2$I = regexp_replace(plain_words(t.%2$I::text), $1, ''Erased person'', ''gi'')::%3$s'
                        ' where t.tenant_id = $2 and plain_words(t.%2$I::text) ~* $1',
                        d.table_name, d.column_name, d.type) using pattern, of_tenant;
                    get diagnostics n = row_count;
                    if n > 0 then
                        counts := jsonb_set(counts, array[kind || ' (words)'], to_jsonb(n));
                    end if;
                end if;
            end loop;

            for d in
                select * from personal_data
                where column_name = '*' and (treatment = 'deleted' or treatment = 'later' and is_over) order by step
            loop
                execute format('delete from %I t where t.tenant_id = $3 and (%s)', d.table_name, d.whose)
                using person, addresses, of_tenant;
                get diagnostics n = row_count;
                if n > 0 then
                    counts := jsonb_set(counts, array[d.table_name], to_jsonb(n));
                end if;
            end loop;

            -- The hash of an audit row stays, so the chain does; what is left of the row is hashed into the row that
            -- tells of the erasure, further down the same chain.
            insert into audit_heads values (of_tenant, 0, '\x') on conflict do nothing;
            select seq + 1 into next_seq from audit_heads where tenant_id = of_tenant for update;
            with candidates as (
                select a.seq, a.user_id is not distinct from person as acted,
                    (a.entity_id = any(mine) or a.entity_id like person::text || '/%') as is_theirs
                from audit_logs a where a.tenant_id = of_tenant and a.action <> 'person.erased'
            ), becoming as (
                select a.seq,
                    case when c.acted then split_part(a.actor, ':', 1) || ':Erased person'
                        else regexp_replace(a.actor, pattern, 'Erased person', 'gi') end as actor,
                    case when not c.acted then a.ip end as ip,
                    case when not c.acted then a.agent end as agent,
                    case when not c.is_theirs
                        then regexp_replace(a.before::text, pattern, 'Erased person', 'gi')::jsonb end as before,
                    case when not c.is_theirs
                        then regexp_replace(a.after::text, pattern, 'Erased person', 'gi')::jsonb end as after
                from audit_logs a join candidates c using (seq) where a.tenant_id = of_tenant
            ), changed as (
                update audit_logs a
                set actor = b.actor, ip = b.ip, agent = b.agent, before = b.before, after = b.after,
                    erased_by = next_seq
                from becoming b
                where a.tenant_id = of_tenant and a.seq = b.seq
                  and (a.actor, a.ip, a.agent, a.before, a.after)
                    is distinct from (b.actor, b.ip, b.agent, b.before, b.after)
                returning a.seq, encode(audit_hash(a.hash, a), 'hex') as remains
            )
            select coalesce(jsonb_object_agg(seq, remains), '{}'), count(*) into erased, n from changed;
            if n > 0 then
                counts := jsonb_set(counts, '{audit_logs}', to_jsonb(n));
            end if;
            if counts <> '{}' then
                insert into audit_logs (tenant_id, at, actor, action, entity_type, entity_id, after, request_id)
                values (of_tenant, clock_timestamp(), by_whom, 'person.erased', 'user', person::text,
                        jsonb_build_object('counts', counts, 'remains', erased), request);
            end if;
            perform set_config('app.erasing', '', true);
            return jsonb_build_object(
                'counts', counts, 'is_named', named, 'kept_until', erasure.kept_until, 'is_over', is_over);
        end $$;

        revoke execute on function erase_person(uuid, text, text, date, integer) from public;
        grant execute on function erase_person(uuid, text, text, date, integer) to wagebook_app;
    """)
