-- One event, one delivery for each endpoint that wants it, and its message; nothing at all where none does.
with listening as materialized (
    -- the lock is the foreign key's own, taken before: an endpoint deleted meanwhile is passed over, not stumbled upon
    select id from webhook_endpoints
    where tenant_id = :tenant_id and enabled and (events is null or :event_type = any(events))
    order by id for key share
), event as (
    insert into webhook_events (tenant_id, type, body)
    select :tenant_id, :event_type, :body where exists (select from listening)
    returning id
), made as (
    insert into webhook_deliveries (tenant_id, event_id, endpoint_id)
    select :tenant_id, event.id, listening.id from event, listening
    returning id
)
insert into outbox (tenant_id, queue, body)
select :tenant_id, :queue, jsonb_build_object('delivery_id', id) from made
returning id, body
