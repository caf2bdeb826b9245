-- One row per safeguarding concern and the enquiry it led to. Key: event_key = 'safeguarding:' and FACT_SAFEGUARDING_ID.
-- Types of risk stay in the landing zone: nothing built here asks for them. 1900-01-01 is "no date".
select
  s.person_id as source_person_key,
  'safeguarding:' || s.safeguarding_id as event_key,
  nullif(landing.moment_iso(s.concern_at)::date, date '1900-01-01') as concern_date,
  nullif(landing.moment_iso(s.enquiry_start_at)::date, date '1900-01-01') as enquiry_start_date,
  nullif(landing.moment_iso(s.concluded_at)::date, date '1900-01-01') as concluded_date,
  kind.clean as enquiry_type,
  landing.text_or_null(s.enquiry_type_code) as enquiry_type_raw,
  outcome.clean as risk_outcome,
  landing.text_or_null(s.risk_outcome_code) as risk_outcome_raw,
  msp.clean as msp_asked,
  landing.text_or_null(s.msp_asked_code) as msp_asked_raw,
  coalesce(status.clean,
    case when nullif(landing.moment_iso(s.concluded_at)::date, date '1900-01-01') is null then 'open' else 'completed' end)
    as case_status,
  landing.moment_iso(s.created_at) at time zone 'Europe/London' as recorded_at,
  'liquidlogic__safeguarding' as landed_dataset,
  s.version_id as landed_version_id
from landing.liquidlogic__safeguarding s
left join landing.code_map as kind
  on kind.source = 'liquidlogic' and kind.code_set = 'enquiry_type' and kind.raw = upper(btrim(s.enquiry_type_code))
left join landing.code_map as outcome
  on outcome.source = 'liquidlogic' and outcome.code_set = 'risk_outcome' and outcome.raw = upper(btrim(s.risk_outcome_code))
left join landing.code_map as msp
  on msp.source = 'liquidlogic' and msp.code_set = 'msp_asked' and msp.raw = upper(btrim(s.msp_asked_code))
left join landing.code_map as status
  on status.source = 'liquidlogic' and status.code_set = 'event_status' and status.raw = upper(btrim(s.status_code))
where s.known_to is null and not s.is_removed and landing.id_or_null(s.person_id) is not null
