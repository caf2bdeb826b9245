-- Services provided, as believed now. Grain and key: event_id.
with now as (
  select * from payload.service where known_to is null
), member as (
  select source_record_id, person_id from identity.membership where known_to is null
)
select numbered.event_id,
       member.person_id,
       now.source,
       now.client_type,
       now.start_date,
       now.end_date,
       now.recorded_at,
       now.service_type,
       now.service_type_raw,
       now.service_component,
       now.service_component_raw,
       now.delivery_mechanism,
       now.delivery_mechanism_raw,
       now.primary_support_reason,
       now.primary_support_reason_raw,
       now.provider_name,
       now.cqc_location_id,
       now.unit_cost,
       now.unit_cost_raw,
       now.cost_frequency,
       now.planned_units,
       now.outcomes,
       now.outcomes_raw,
       now.description,
       now.status,
       now.landed_dataset,
       now.landed_version_id
  from now
  inner join member on member.source_record_id = now.source_record_id
  inner join core.event as numbered
    on numbered.kind = 'service' and numbered.source = now.source and numbered.event_key = now.event_key
