-- Unpaid carers and the adults they care for, as believed now. Grain and key: event_id; person_id is the carer.
with now as (
  select * from payload.caring where known_to is null
), member as (
  select source_record_id, person_id from identity.membership where known_to is null
)
select numbered.event_id,
       carer.person_id,
       cared_for.person_id as cared_for_person_id,
       now.source,
       now.valid_from,
       now.valid_to,
       now.landed_dataset,
       now.landed_version_id
  from now
  inner join member as carer on carer.source_record_id = now.source_record_id
  inner join member as cared_for on cared_for.source_record_id = now.cared_for_record_id
  inner join core.event as numbered
    on numbered.kind = 'caring' and numbered.source = now.source and numbered.event_key = now.event_key
