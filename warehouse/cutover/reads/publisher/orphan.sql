-- Events of the new system whose person record is not there any more. Grain: one row per event.
with event as (
  select 'request' as kind, source, event_key, source_record_id from payload.request t where {known:t} union all
  select 'assessment', source, event_key, source_record_id from payload.assessment t where {known:t} union all
  select 'review', source, event_key, source_record_id from payload.review t where {known:t} union all
  select 'service', source, event_key, source_record_id from payload.service t where {known:t} union all
  select 'involvement', source, event_key, source_record_id from payload.involvement t where {known:t} union all
  select 'safeguarding', source, event_key, source_record_id from payload.safeguarding t where {known:t} union all
  select 'dols', source, event_key, source_record_id from payload.dols t where {known:t}
)
select e.kind, e.event_key
  from event e
 where e.source = {new}
   and not exists (select from identity.record_outline o
                    where o.source_record_id = e.source_record_id and o.known_to is null)
