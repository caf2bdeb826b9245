-- One row per CareFirst service element, with its agreement. Key: event_key = 'service:' and ELEMENT_ID. The element
-- code says what is bought and how it is paid for (HOMC-DP), the budget code for which support reason (QUIRKS 8).
-- An element whose agreement is not there belongs to nobody yet and waits. 01/01/1900 is no date (QUIRKS 6).
with element as (
  select e.*, a.person_id, a.provider_id, landing.text_or_null(a.service_type) as service_type_raw,
         landing.text_or_null(a.budget_code) as budget, upper(btrim(a.end_reason)) as reason,
         nullif(landing.moment_dmon(coalesce(nullif(btrim(e.end_date), ''), a.end_date))::date, date '1900-01-01')
           as ended,
         split_part(btrim(e.element_code), '-', 1) as component_code
    from landing.carefirst__service_element e
    join landing.carefirst__service_agreement a
      on btrim(a.agreement_id) = btrim(e.agreement_id) and a.known_to is null and not a.is_removed
   where e.known_to is null and not e.is_removed
)
select
  'service:' || btrim(e.element_id) as event_key,
  btrim(e.person_id) as source_person_key,
  coalesce(client_type.clean, 'Service user') as client_type,
  landing.moment_dmon(e.start_date)::date as start_date,
  e.ended as end_date,
  null::timestamptz as recorded_at,
  service_type.clean as service_type,
  e.service_type_raw,
  component.clean as service_component,
  landing.text_or_null(e.element_code) as service_component_raw,
  mechanism.clean as delivery_mechanism,
  landing.text_or_null(e.element_code) as delivery_mechanism_raw,
  support_reason.clean as primary_support_reason,
  e.budget as primary_support_reason_raw,
  landing.text_or_null(provider.provider_name) as provider_name,
  landing.text_or_null(provider.cqc_location_id) as cqc_location_id,
  landing.number_or_null(e.rate)::numeric(18, 2) as unit_cost,
  landing.text_or_null(e.rate) as unit_cost_raw,
  frequency.clean as cost_frequency,
  landing.number_or_null(e.units)::numeric(18, 2) as planned_units,
  case when e.ended is not null and outcome.clean <> '' then array[outcome.clean] else '{}' end as outcomes,
  nullif(e.reason, '') as outcomes_raw,
  landing.text_or_null(described.description) as description,
  case when e.reason = 'CANC' then 'cancelled' when e.ended is not null then 'completed' else 'open' end as status,
  'carefirst__service_element'::text as landed_dataset,
  e.version_id as landed_version_id
from element e
left join landing.carefirst__provider provider on provider.provider_id = landing.id_or_null(e.provider_id)
      and provider.known_to is null and not provider.is_removed
left join landing.carefirst__code described on described.known_to is null and not described.is_removed
      and btrim(described.code_set) = 'COMPONENT' and btrim(described.code) = upper(e.component_code)
left join landing.code_map client_type on client_type.source = 'carefirst'
      and client_type.code_set = 'service_client_type' and client_type.raw = upper(e.service_type_raw)
left join landing.code_map service_type on service_type.source = 'carefirst' and service_type.code_set = 'service_type'
      and service_type.raw = upper(e.service_type_raw)
left join landing.code_map component on component.source = 'carefirst' and component.code_set = 'service_component'
      and component.raw = upper(btrim(e.element_code))
left join landing.code_map mechanism on mechanism.source = 'carefirst' and mechanism.code_set = 'delivery_mechanism'
      and mechanism.raw = upper(btrim(e.element_code))
left join landing.code_map support_reason on support_reason.source = 'carefirst'
      and support_reason.code_set = 'budget_support_reason' and support_reason.raw = upper(e.budget)
left join landing.code_map frequency on frequency.source = 'carefirst' and frequency.code_set = 'cost_frequency'
      and frequency.raw = upper(btrim(e.frequency))
left join landing.code_map outcome on outcome.source = 'carefirst' and outcome.code_set = 'event_outcome'
      and outcome.raw = e.reason
