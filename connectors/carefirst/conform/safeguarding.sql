-- One row per CareFirst safeguarding activity: a concern, and the enquiry it led to. Key: event_key = 'safeguarding:' and
-- ACTIVITY_ID. When the enquiry began, of which kind and how it ended stand in the observations. 01/01/1900 is no date.
with activity as (
  select a.*, upper(btrim(a.outcome_code)) as outcome,
         nullif(landing.moment_slash(a.end_at)::date, date '1900-01-01') as ended
    from landing.carefirst__activity a
   where a.known_to is null and not a.is_removed and upper(btrim(a.activity_type)) = 'SAFEGUARDING'
), answer as (
  select btrim(o.activity_id) as activity_id, upper(btrim(o.observation_code)) as question,
         landing.text_or_null(o.observation_value) as value, landing.moment_slash(o.observed_at) as observed_at,
         row_number() over (partition by btrim(o.activity_id), upper(btrim(o.observation_code))
           order by landing.moment_slash(o.observed_at) desc nulls last, o.observation_id desc) as nth
    from landing.carefirst__observation o
   where o.known_to is null and not o.is_removed
     and btrim(o.activity_id) in (select btrim(activity_id) from activity)
), form as (
  select activity_id, min(observed_at) as recorded_at,
         max(value) filter (where question = 'ENQSTART' and nth = 1) as enquiry_start,
         max(value) filter (where question = 'ENQTYPE' and nth = 1) as enquiry_type,
         max(value) filter (where question = 'RISKOUT' and nth = 1) as risk_outcome,
         max(value) filter (where question = 'MSP' and nth = 1) as msp_asked
    from answer group by activity_id
)
select
  'safeguarding:' || btrim(a.activity_id) as event_key,
  btrim(a.person_id) as source_person_key,
  landing.moment_slash(a.start_at)::date as concern_date,
  landing.moment_dmon(form.enquiry_start)::date as enquiry_start_date,
  a.ended as concluded_date,
  form.recorded_at at time zone 'Europe/London' as recorded_at,
  enquiry_type.clean as enquiry_type,
  form.enquiry_type as enquiry_type_raw,
  risk_outcome.clean as risk_outcome,
  form.risk_outcome as risk_outcome_raw,
  msp_asked.clean as msp_asked,
  form.msp_asked as msp_asked_raw,
  case when a.outcome = 'CANC' then 'cancelled'
       when a.ended is not null or a.outcome <> '' then 'completed' else 'open' end as case_status,
  'carefirst__activity'::text as landed_dataset,
  a.version_id as landed_version_id
from activity a
left join form on form.activity_id = btrim(a.activity_id)
left join landing.code_map enquiry_type
       on enquiry_type.source = 'carefirst' and enquiry_type.code_set = 'enquiry_type' and enquiry_type.raw = upper(form.enquiry_type)
left join landing.code_map risk_outcome
       on risk_outcome.source = 'carefirst' and risk_outcome.code_set = 'risk_outcome' and risk_outcome.raw = upper(form.risk_outcome)
left join landing.code_map msp_asked
       on msp_asked.source = 'carefirst' and msp_asked.code_set = 'msp_asked' and msp_asked.raw = upper(form.msp_asked)
