-- One row per MiCare assessment. Key: event_key = 'assessment:' and ASSESS_NO. An end of 01/01/1900 is no
-- date (QUIRKS 6).
with event as (
  select e.*, nullif(landing.day_ddmmyyyy(e.completed), date '1900-01-01') as end_day
    from landing.micare__assessment e
   where e.known_to is null and not e.is_removed
)
select
  'assessment:' || btrim(e.assessment_no) as event_key,
  btrim(e.client_no) as source_person_key,
  coalesce(client_type.clean, 'Service user') as client_type,
  landing.day_ddmmyyyy(e.started) as start_date,
  e.end_day as end_date,
  landing.day_ddmmyyyy(e.keyed)::timestamp at time zone 'Europe/London' as recorded_at,
  assessment_type.clean as assessment_type,
  landing.text_or_null(e.assessment_type_code) as assessment_type_raw,
  eligible_needs.clean as eligible_needs,
  method.clean as method,
  landing.text_or_null(e.method_code) as method_raw,
  support_reason.clean as primary_support_reason,
  landing.text_or_null(e.support_reason_code) as primary_support_reason_raw,
  array_remove(array[outcome_1.clean, outcome_2.clean, outcome_3.clean], null) as outcomes,
  nullif(concat_ws(', ', nullif(upper(btrim(e.outcome_1)), ''), nullif(upper(btrim(e.outcome_2)), ''),
    nullif(upper(btrim(e.outcome_3)), '')), '') as outcomes_raw,
  landing.text_or_null(e.description) as description,
  case when upper(btrim(e.status)) = 'X' then 'cancelled'
       when e.end_day is not null or upper(btrim(e.status)) = 'C' then 'completed' else 'open' end as status,
  'micare__assessment'::text as landed_dataset,
  e.version_id as landed_version_id
from event e
left join landing.code_map client_type
       on client_type.source = 'micare' and client_type.code_set = 'client_type'
      and client_type.raw = upper(btrim(e.client_type_code))
left join landing.code_map support_reason
       on support_reason.source = 'micare' and support_reason.code_set = 'primary_support_reason'
      and support_reason.raw = upper(btrim(e.support_reason_code))
left join landing.code_map assessment_type
       on assessment_type.source = 'micare' and assessment_type.code_set = 'assessment_type'
      and assessment_type.raw = upper(btrim(e.assessment_type_code))
left join landing.code_map eligible_needs
       on eligible_needs.source = 'micare' and eligible_needs.code_set = 'eligible_needs'
      and eligible_needs.raw = upper(btrim(e.eligible_code))
left join landing.code_map method
       on method.source = 'micare' and method.code_set = 'method'
      and method.raw = upper(btrim(e.method_code))
left join landing.code_map outcome_1
       on outcome_1.source = 'micare' and outcome_1.code_set = 'event_outcome'
      and outcome_1.raw = upper(btrim(e.outcome_1))
left join landing.code_map outcome_2
       on outcome_2.source = 'micare' and outcome_2.code_set = 'event_outcome'
      and outcome_2.raw = upper(btrim(e.outcome_2))
left join landing.code_map outcome_3
       on outcome_3.source = 'micare' and outcome_3.code_set = 'event_outcome'
      and outcome_3.raw = upper(btrim(e.outcome_3))
