-- One row per review of existing support. Key: event_key = 'review:' and FACT_ADULT_REVIEW_ID.
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
    from landing.liquidlogic__review where known_to is null and not is_removed
)
select
  e.person_id as source_person_key,
  'review:' || e.review_id as event_key,
  coalesce(client_type.clean, 'Service user') as client_type,
  nullif(landing.moment_iso(e.due_at)::date, date '1900-01-01') as due_date,
  e.start_date,
  e.end_date,
  reason.clean as review_reason,
  landing.text_or_null(e.review_reason_code) as review_reason_raw,
  achieved.clean as outcomes_achieved,
  method.clean as method,
  landing.text_or_null(e.method_code) as method_raw,
  landing.text_or_null(e.template_description) as description,
  coalesce(linked.reason, latest.reason) as primary_support_reason,
  coalesce(linked.reason_raw, latest.reason_raw) as primary_support_reason_raw,
  case when outcome.clean is null then '{}'::text[] else array[outcome.clean] end as outcomes,
  landing.text_or_null(e.outcome_code) as outcomes_raw,
  coalesce(status.clean, case when e.end_date is null then 'open' else 'completed' end) as status,
  landing.moment_iso(e.created_at) at time zone 'Europe/London' as recorded_at,
  'liquidlogic__review' as landed_dataset,
  e.version_id as landed_version_id
from current_event e
left join landing.code_map as outcome
  on outcome.source = 'liquidlogic' and outcome.code_set = 'outcome'
     and outcome.raw = upper(btrim(e.outcome_code))
left join referral as linked on linked.referral_id = e.referral_id and linked.person_id = e.person_id
left join latest_referral as latest on latest.person_id = e.person_id
left join landing.code_map as client_type
  on client_type.source = 'liquidlogic' and client_type.code_set = 'client_type'
     and client_type.raw = upper(btrim(e.client_type_code))
left join landing.code_map as status
  on status.source = 'liquidlogic' and status.code_set = 'event_status'
     and status.raw = upper(btrim(e.status_code))
left join landing.code_map as reason
  on reason.source = 'liquidlogic' and reason.code_set = 'review_reason'
     and reason.raw = upper(btrim(e.review_reason_code))
left join landing.code_map as achieved
  on achieved.source = 'liquidlogic' and achieved.code_set = 'outcomes_achieved'
     and achieved.raw = upper(btrim(e.outcomes_achieved_code))
left join landing.code_map as method
  on method.source = 'liquidlogic' and method.code_set = 'method'
     and method.raw = upper(btrim(e.method_code))
where landing.id_or_null(e.person_id) is not null
