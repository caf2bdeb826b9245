-- One row per funded service line. Key: event_key = 'service:' and FACT_SERVICE_PROVISION_ID.
-- Units are typed text (QUIRKS 9): what is not a number is left empty. An end before the start is kept as it stands.
-- The primary support reason is that of the linked referral, else the person's latest. 1900-01-01 is "no date".
with referral as (
  select r.referral_id, r.person_id, landing.text_or_null(r.primary_support_reason_code) as reason_raw,
         case when landing.id_or_null(r.primary_support_reason_code) is not null then coalesce(m.clean, 'Unknown') end as reason,
         landing.moment_iso(r.start_at) as start_moment
    from landing.liquidlogic__referral r
    left join landing.code_map as m
      on m.source = 'liquidlogic' and m.code_set = 'primary_support_reason'
         and m.raw = upper(btrim(r.primary_support_reason_code))
   where r.known_to is null and not r.is_removed
), latest_referral as (
  select distinct on (person_id) person_id, reason, reason_raw
    from referral where reason is not null
   order by person_id, start_moment desc nulls last, referral_id::bigint desc
), current_event as (
  select *, nullif(landing.moment_iso(start_at)::date, date '1900-01-01') as start_date,
         nullif(landing.moment_iso(end_at)::date, date '1900-01-01') as end_date
    from landing.liquidlogic__service where known_to is null and not is_removed
)
select
  e.person_id as source_person_key,
  'service:' || e.service_id as event_key,
  coalesce(client_type.clean, 'Service user') as client_type,
  e.start_date,
  e.end_date,
  kind.clean as service_type,
  landing.text_or_null(e.service_type_code) as service_type_raw,
  component.clean as service_component,
  landing.text_or_null(e.service_component_code) as service_component_raw,
  mechanism.clean as delivery_mechanism,
  landing.text_or_null(e.delivery_mechanism_code) as delivery_mechanism_raw,
  case when landing.id_or_null(e.provider_name) is not null then landing.text_or_null(e.provider_name) end as provider_name,
  landing.id_or_null(e.cqc_location_id) as cqc_location_id,
  landing.number_or_null(e.unit_cost)::numeric(18, 2) as unit_cost,
  landing.text_or_null(e.unit_cost) as unit_cost_raw,
  frequency.clean as cost_frequency,
  landing.number_or_null(e.planned_units)::numeric(18, 2) as planned_units,
  landing.text_or_null(e.description) as description,
  coalesce(linked.reason, latest.reason) as primary_support_reason,
  coalesce(linked.reason_raw, latest.reason_raw) as primary_support_reason_raw,
  case when outcome.clean is null then '{}'::text[] else array[outcome.clean] end as outcomes,
  landing.text_or_null(e.end_reason_code) as outcomes_raw,
  coalesce(status.clean, case when e.end_date is null then 'open' else 'completed' end) as status,
  landing.moment_iso(e.created_at) at time zone 'Europe/London' as recorded_at,
  'liquidlogic__service' as landed_dataset,
  e.version_id as landed_version_id
from current_event e
left join landing.code_map as outcome
  on outcome.source = 'liquidlogic' and outcome.code_set = 'outcome'
     and outcome.raw = upper(btrim(e.end_reason_code))
left join referral as linked on linked.referral_id = e.referral_id and linked.person_id = e.person_id
left join latest_referral as latest on latest.person_id = e.person_id
left join landing.code_map as client_type
  on client_type.source = 'liquidlogic' and client_type.code_set = 'client_type'
     and client_type.raw = upper(btrim(e.client_type_code))
left join landing.code_map as status
  on status.source = 'liquidlogic' and status.code_set = 'event_status'
     and status.raw = upper(btrim(e.status_code))
left join landing.code_map as kind
  on kind.source = 'liquidlogic' and kind.code_set = 'service_type'
     and kind.raw = upper(btrim(e.service_type_code))
left join landing.code_map as component
  on component.source = 'liquidlogic' and component.code_set = 'service_component'
     and component.raw = upper(btrim(e.service_component_code))
left join landing.code_map as mechanism
  on mechanism.source = 'liquidlogic' and mechanism.code_set = 'delivery_mechanism'
     and mechanism.raw = upper(btrim(e.delivery_mechanism_code))
left join landing.code_map as frequency
  on frequency.source = 'liquidlogic' and frequency.code_set = 'cost_frequency'
     and frequency.raw = upper(btrim(e.unit_type_code))
where landing.id_or_null(e.person_id) is not null
