"""Payout destinations: bank details that an employee's pay goes to, and requests to change them.

Envelope encryption: details are encrypted with a data key of the tenant (backing.vault), bound to their row and
employee, and only a masked number is ever shown. The states of a row:

    requested --confirm--> current --another row takes its place--> superseded
        +--a newer request or details set by HR--> withdrawn

Details that replace others delay payouts until `held_until`, unless a second person confirms them (four eyes).
Start with rules.py for what a destination is, then actions.py; `queries.open_destination` decrypts, for paying only.
"""
