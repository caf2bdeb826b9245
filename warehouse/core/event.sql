-- Every event of the payload zone that has no internal number yet. Grain: one row per kind, source and event_key.
-- Unlike the other files here this one only ever adds: a number, once given, is kept for ever.
with named as (
  select 'request' as kind, source, event_key from payload.request where known_to is null
  union all
  select 'assessment' as kind, source, event_key from payload.assessment where known_to is null
  union all
  select 'review' as kind, source, event_key from payload.review where known_to is null
  union all
  select 'service' as kind, source, event_key from payload.service where known_to is null
  union all
  select 'characteristic' as kind, source, event_key from payload.characteristic where known_to is null
  union all
  select 'caring' as kind, source, event_key from payload.caring where known_to is null
  union all
  select 'referral' as kind, source, event_key from payload.referral where known_to is null
  union all
  select 'contact' as kind, source, event_key from payload.contact where known_to is null
)
select named.kind, named.source, named.event_key
  from named
  left join core.event as numbered
    on numbered.kind = named.kind and numbered.source = named.source and numbered.event_key = named.event_key
 where numbered.event_id is null
 order by named.kind, named.source, named.event_key
