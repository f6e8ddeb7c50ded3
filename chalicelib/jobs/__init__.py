"""Nightly jobs, and work that is long: one row per job with its progress, and chunks that finish independently.

The path of a nightly job, from its schedule to its result (a feature's own files are its nightly_job.py and the chunk
query in its sql/):
1. nightly_job.py, @scheduled  every 15 minutes; nightly.NightlyJob.send_due_tenants selects the tenants that are due
   (sql/due_tenants.sql) and sends one message for each
2. nightly_job.py, @consumes  one message is one transaction (entry/messages.py); ChunkedNightlyJob.process
3. NightlyJob.start  claims the run: progress.claim, a job once per kind, tenant and day (sql/claim.sql)
4. ChunkedNightlyJob.begin  chunks.load_chunks splits the employees whom the chunk query selects; progress.fan_out does
   a single chunk at once, and sends more as messages through the outbox
5. ChunkedNightlyJob.process  takes a chunk that is not done yet, calls the feature's do_chunk, and
   progress.finish_chunk counts it once (sql/finish_chunk.sql)
6. The last chunk marks the tenant's night as done, and the job as succeeded with the feature's summary

A message may arrive twice or late, and a worker may die anywhere: a tenant stays due until 6 (1 finds it again), 3
claims a failed or stuck run again, and 5 passes over chunks that are done. A job's later messages are failed with it
(progress.fail).

    chunks.py  the chunk query: employees in ranges by id
    due_tenants.py  the sweep of due tenants, which other schedules use, too
    nightly.py  what every nightly job has in common
    progress.py  the writes of a job's life
    schemas.py  what callers see of a job

Users: features/pay_register, features/leave/expiry, features/kpis/scores; payroll and payouts take chunks and progress.
Start with nightly.py.
"""
