"""Webhooks: telling a tenant's own systems what happened here, signed, until they have heard it.

What happens is published in the transaction in which it happens: one event, and one delivery for each endpoint that
wants it. A delivery is attempted by a message, again on the ladder in `rules`, and kept in a log that can be replayed.
Order is not promised, and an event may arrive more than once, always with the same webhook-id.
"""
