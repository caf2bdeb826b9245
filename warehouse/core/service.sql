-- Services provided, as believed now. Grain and key: event_id. A service entered anew when the system changed keeps the
-- start it had in the old one as original_start_date.
with now as (
  select * from payload.service where known_to is null
), member as (
  select source_record_id, person_id from identity.membership where known_to is null
), later as (                        -- how it ended, when only the system that followed was told (core/same_event.sql)
  select s.same_as_event_id, l.end_date, l.status, l.outcomes, l.outcomes_raw
    from core.same_event as s
    inner join core.event as e on e.event_id = s.event_id
    inner join payload.service as l on l.source = e.source and l.event_key = e.event_key and l.known_to is null
   where s.kind = 'service' and s.known_to is null
)
select numbered.event_id,
       member.person_id,
       now.source,
       now.client_type,
       now.start_date,
       case when now.status = 'open' then coalesce(later.end_date, now.end_date) else now.end_date end as end_date,
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
       case when now.status = 'open' then coalesce(later.outcomes, now.outcomes) else now.outcomes end as outcomes,
       case when now.status = 'open' then coalesce(later.outcomes_raw, now.outcomes_raw) else now.outcomes_raw end
         as outcomes_raw,
       now.description,
       case when now.status = 'open' then coalesce(later.status, now.status) else now.status end as status,
       continued.started_on as original_start_date,
       now.landed_dataset,
       now.landed_version_id
  from now
  inner join member on member.source_record_id = now.source_record_id
  inner join core.event as numbered
    on numbered.kind = 'service' and numbered.source = now.source and numbered.event_key = now.event_key
  left join later on later.same_as_event_id = numbered.event_id
  left join core.same_event as continued
    on continued.event_id = numbered.event_id and continued.rule = 'service_continues' and continued.known_to is null
