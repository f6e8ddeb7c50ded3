"""What operators and machines look at from outside: health, jobs, the audit log, the API document and its page.

    routes -> queries (pages of jobs and audit rows, newest first)
    schedules: sweeps the outbox, and forgets idempotency keys

Beside the files that every package has:
    docs.html  the docs page as it is served
"""
