"""Delivery: one payout on its way to its provider. Claim, commit, call, settle, retry.

1. actions.py  locks the payout, decides what it needs, claims it; calls the provider; settles the answer
2. payout_states.py  the state machine: the one place that changes a payout's state, with its event and its money
3. providers  the port, and a module for each provider
4. outcomes.py  what an answer of a bank or provider means for the money
5. rules.py  the retry schedule, and until when an idempotency key may be used

Beside them:
    credentials.py  what a tenant has at a provider, encrypted by the vault
    provider_http.py  the HTTP client of adapters
"""
