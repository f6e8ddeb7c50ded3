-- One event, one delivery for each endpoint that subscribed to it, and its message; nothing at all where none did.
with subscribed as materialized (
    -- the lock is the foreign key's own, taken before: an endpoint deleted meanwhile is passed over instead of failing this
    select id from webhook_endpoints
    where tenant_id = :tenant_id and enabled and (events is null or :event_type = any(events))
    order by id for key share
), event as (
    insert into webhook_events (tenant_id, type, body)
    select :tenant_id, :event_type, :body where exists (select from subscribed)
    returning id
), delivery as (
    insert into webhook_deliveries (tenant_id, event_id, endpoint_id)
    select :tenant_id, event.id, subscribed.id from event, subscribed
    returning id
)
insert into outbox (tenant_id, queue, body)
select :tenant_id, :queue, jsonb_build_object('delivery_id', id) from delivery
returning id, body
