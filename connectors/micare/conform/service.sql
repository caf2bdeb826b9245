-- One row per MiCare service. Key: event_key = 'service:' and SERVICE_NO. An end of 01/01/1900 is no date
-- (QUIRKS 6). After a cut-over STARTED here is the true start of what the new system re-created.
with event as (
  select e.*, nullif(landing.day_ddmmyyyy(e.ended), date '1900-01-01') as end_day
    from landing.micare__service e
   where e.known_to is null and not e.is_removed
)
select
  'service:' || btrim(e.service_no) as event_key,
  btrim(e.client_no) as source_person_key,
  coalesce(client_type.clean, 'Service user') as client_type,
  landing.day_ddmmyyyy(e.started) as start_date,
  e.end_day as end_date,
  landing.day_ddmmyyyy(e.keyed)::timestamp at time zone 'Europe/London' as recorded_at,
  service_type.clean as service_type,
  landing.text_or_null(e.service_type_code) as service_type_raw,
  component.clean as service_component,
  landing.text_or_null(e.component_code) as service_component_raw,
  mechanism.clean as delivery_mechanism,
  landing.text_or_null(e.mechanism_code) as delivery_mechanism_raw,
  support_reason.clean as primary_support_reason,
  landing.text_or_null(e.support_reason_code) as primary_support_reason_raw,
  landing.text_or_null(e.provider_name) as provider_name,
  landing.id_or_null(e.cqc_location_id) as cqc_location_id,
  landing.number_or_null(e.unit_cost)::numeric(18, 2) as unit_cost,
  landing.text_or_null(e.unit_cost) as unit_cost_raw,
  frequency.clean as cost_frequency,
  landing.number_or_null(e.units)::numeric(18, 2) as planned_units,
  case when e.end_day is not null and outcome.clean <> '' then array[outcome.clean] else '{}' end as outcomes,
  nullif(upper(btrim(e.end_reason)), '') as outcomes_raw,
  landing.text_or_null(e.description) as description,
  case when upper(btrim(e.status)) = 'X' then 'cancelled'
       when e.end_day is not null or upper(btrim(e.status)) = 'C' then 'completed' else 'open' end as status,
  'micare__service'::text as landed_dataset,
  e.version_id as landed_version_id
from event e
left join landing.code_map client_type
       on client_type.source = 'micare' and client_type.code_set = 'client_type'
      and client_type.raw = upper(btrim(e.client_type_code))
left join landing.code_map support_reason
       on support_reason.source = 'micare' and support_reason.code_set = 'primary_support_reason'
      and support_reason.raw = upper(btrim(e.support_reason_code))
left join landing.code_map service_type
       on service_type.source = 'micare' and service_type.code_set = 'service_type'
      and service_type.raw = upper(btrim(e.service_type_code))
left join landing.code_map component
       on component.source = 'micare' and component.code_set = 'service_component'
      and component.raw = upper(btrim(e.component_code))
left join landing.code_map mechanism
       on mechanism.source = 'micare' and mechanism.code_set = 'delivery_mechanism'
      and mechanism.raw = upper(btrim(e.mechanism_code))
left join landing.code_map frequency
       on frequency.source = 'micare' and frequency.code_set = 'cost_frequency'
      and frequency.raw = upper(btrim(e.cost_frequency_code))
left join landing.code_map outcome
       on outcome.source = 'micare' and outcome.code_set = 'event_outcome'
      and outcome.raw = upper(btrim(e.end_reason))
