"""Calling outside, at least once: claim a row and commit, call, settle the answer, and retry by a schedule.

The path of one attempt:
1. sweep.send_due  every minute, sends a message for each row whose next attempt is due (a new row has its own message)
2. attempts.OutboundDelivery.attempt  locks the row if it is still due, and decides what to call, or gives it up
3. leases.LeasedTable.claim  counts the attempt, which is its fencing token, and leases the row to this worker; commit
4. attempts.OutboundDelivery.call  calls outside, with no transaction open
5. leases.LeasedTable.settle  in a second transaction, if no later attempt has claimed the row: what became of it, or
   when it is retried (retry.RetrySchedule)

A worker may die anywhere. Before the commit of 3 nothing has happened; after it the lease ends, and 1 finds the row
again. So a call may be made twice, and none is lost. A feature whose table keeps its own states and claims (payouts)
uses the sweep alone; one whose call may be made by several workers at once (checks of attachments) needs no lease, and
is retried by its queue.

    attempts.py  the order of one attempt, and what a feature says of its own
    leases.py  the statements that claim and settle
    retry.py  when a failed attempt is repeated, and how often
    sweep.py  rows of all tenants that are due

Users: features/webhooks, notifications, features/forms/attachments. Start with attempts.py.
"""
