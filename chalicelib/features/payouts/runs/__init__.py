"""Payout runs: what is owed becomes payouts, and people decide about them.

1. schedules.py, routes.py  start a run: each hour, or by hand
2. actions.py  splits it into chunks, books advances, makes payouts (sql/pay.sql)
3. decision_actions.py  approve, reject, confirm, retry, return, resolve

Beside the files that every package has:
    messages.py  the messages of the queue payout-runs
    participants.py  who had a part in a payout, and may therefore not approve it
    earmark_actions.py  the nets of payslips, which only the pay of their payroll run pays out
"""
