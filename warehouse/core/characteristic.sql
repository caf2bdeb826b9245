-- Dated facts about people that returns ask for, as believed now. Grain and key: event_id.
with now as (
  select * from payload.characteristic where known_to is null
), member as (
  select source_record_id, person_id from identity.membership where known_to is null
)
select numbered.event_id,
       member.person_id,
       now.source,
       now.kind,
       now.value,
       now.value_raw,
       now.valid_from,
       now.valid_to,
       now.landed_dataset,
       now.landed_version_id
  from now
  inner join member on member.source_record_id = now.source_record_id
  inner join core.event as numbered
    on numbered.kind = 'characteristic' and numbered.source = now.source and numbered.event_key = now.event_key
