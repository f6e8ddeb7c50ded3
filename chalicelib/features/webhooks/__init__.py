"""Webhooks: notifying systems that a tenant names of what happened, signed by Standard Webhooks, at least once.

The path of an event:
1. actions.publish, sql/publish.sql  write the event, a delivery per endpoint that subscribed, and their messages, in
   the transaction of what happened
2. consumers.py  takes a message to delivery_actions.WEBHOOKS, which claims an attempt, calls and settles it (delivery)
3. schedules.py  sends deliveries whose next attempt is due, and deletes events after 30 days
4. queries.py  the log of deliveries and their attempts; actions.replay starts one again

endpoint_actions.py writes the endpoints and their secrets. Start with actions.py.
"""
