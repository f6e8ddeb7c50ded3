-- Counts a chunk as done, once, and returns how many employees of the job are left. The job's row is locked first, so that
-- of two chunks that finish at once the later sees the earlier.
with job as (
    select id from jobs where tenant_id = :tenant_id and id = :job_id for update
), finished as (
    update job_chunks set done_at = :now, changed = :changed from job
    where tenant_id = :tenant_id and job_id = job.id and number = :number and done_at is null
    returning employees
)
update jobs set done = done + finished.employees from finished
where tenant_id = :tenant_id and id = :job_id
returning total - done
