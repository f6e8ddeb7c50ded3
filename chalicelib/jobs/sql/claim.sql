-- Claims work that is done once per key, or returns no row where it is done or under way. Of two that claim at once, the
-- second waits for the first's commit. Work that failed or got stuck is claimed again.
insert into jobs as j (tenant_id, kind, key, parameters, started_at)
values (:tenant_id, :kind, :key, cast(:parameters as jsonb), :now)
on conflict (tenant_id, key) do update
set status = 'queued', done = 0, total = null, error = null, started_at = :now
where j.status = 'failed' or (j.status <> 'succeeded' and j.started_at < :stuck)
returning id
