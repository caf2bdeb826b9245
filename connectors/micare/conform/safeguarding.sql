-- One row per safeguarding concern (episodes of type SAFE): OPENED is the concern, STARTED the enquiry, CLOSED its end.
-- Key: event_key = 'safeguarding:' and EPISODE_NO.
with event as (
  select e.*, nullif(landing.day_ddmmyyyy(e.closed), date '1900-01-01') as end_day
    from landing.micare__episode e
   where e.known_to is null and not e.is_removed and upper(btrim(e.episode_type)) = 'SAFE'
)
select
  'safeguarding:' || btrim(e.episode_no) as event_key,
  btrim(e.client_no) as source_person_key,
  landing.day_ddmmyyyy(e.opened) as concern_date,
  landing.day_ddmmyyyy(e.started) as enquiry_start_date,
  e.end_day as concluded_date,
  landing.day_ddmmyyyy(e.keyed)::timestamp at time zone 'Europe/London' as recorded_at,
  enquiry_type.clean as enquiry_type,
  landing.text_or_null(e.episode_code) as enquiry_type_raw,
  risk.clean as risk_outcome,
  landing.text_or_null(e.outcome_1) as risk_outcome_raw,
  asked.clean as msp_asked,
  landing.text_or_null(e.msp_code) as msp_asked_raw,
  case when upper(btrim(e.status)) = 'X' then 'cancelled'
       when e.end_day is not null or upper(btrim(e.status)) = 'C' then 'completed' else 'open' end as case_status,
  'micare__episode'::text as landed_dataset,
  e.version_id as landed_version_id
from event e
left join landing.code_map enquiry_type
       on enquiry_type.source = 'micare' and enquiry_type.code_set = 'enquiry_type'
      and enquiry_type.raw = upper(btrim(e.episode_code))
left join landing.code_map risk
       on risk.source = 'micare' and risk.code_set = 'risk_outcome'
      and risk.raw = upper(btrim(e.outcome_1))
left join landing.code_map asked
       on asked.source = 'micare' and asked.code_set = 'msp_asked'
      and asked.raw = upper(btrim(e.msp_code))
