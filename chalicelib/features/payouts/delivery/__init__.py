"""One payout on its way to its provider: claim, call, settle, retry.

Beside the files that every package has:
    actions.py  one payout's way to its provider: claim, call, settle
    outcomes.py  what an answer of whoever pays is worth: a status with its reasons
    payout_states.py  the one place that changes a payout's state
    providers  who pays, an adapter for each
"""
