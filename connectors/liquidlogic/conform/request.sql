-- One row per contact asking for support. Key: event_key = 'request:' and FACT_CONTACT_ID.
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
  select *, nullif(landing.moment_iso(contact_at)::date, date '1900-01-01') as start_date,
         nullif(landing.moment_iso(completed_at)::date, date '1900-01-01') as end_date
    from landing.liquidlogic__request where known_to is null and not is_removed
), flagged as (
  select e.version_id, array_agg(m.clean order by m.clean) as outcomes,
         string_agg(f.flag, ';' order by f.flag) as outcomes_raw
    from current_event e
   cross join lateral (
    values
      ('OUTCOME_REABLEMENT_FLAG', e.outcome_reablement),
      ('OUTCOME_ASSESSMENT_FLAG', e.outcome_assessment),
      ('OUTCOME_SUPPORT_PLAN_FLAG', e.outcome_support_plan),
      ('OUTCOME_CONTINUE_FLAG', e.outcome_continue),
      ('OUTCOME_HOSPITAL_FLAG', e.outcome_hospital),
      ('OUTCOME_MOVED_AWAY_FLAG', e.outcome_moved_away),
      ('OUTCOME_NHS_FUNDED_FLAG', e.outcome_nhs_funded),
      ('OUTCOME_SELF_FUNDED_FLAG', e.outcome_self_funded),
      ('OUTCOME_ADVICE_FLAG', e.outcome_advice),
      ('OUTCOME_OTHER_SERVICE_FLAG', e.outcome_other_service),
      ('OUTCOME_DECLINED_FLAG', e.outcome_declined),
      ('OUTCOME_DECEASED_FLAG', e.outcome_deceased),
      ('OUTCOME_ENDED_AS_PLANNED_FLAG', e.outcome_ended_as_planned),
      ('OUTCOME_ENDED_OTHER_FLAG', e.outcome_ended_other),
      ('OUTCOME_NO_SERVICE_FLAG', e.outcome_no_service),
      ('OUTCOME_NFA_FLAG', e.outcome_no_further_action)
   ) as f (flag, value)
    inner join landing.code_map as m
      on m.source = 'liquidlogic' and m.code_set = 'outcome_flag' and m.raw = f.flag
   where upper(btrim(f.value)) in ('Y', 'YES', 'TRUE', '1')
   group by e.version_id
)
select
  e.person_id as source_person_key,
  'request:' || e.request_id as event_key,
  coalesce(client_type.clean, 'Service user') as client_type,
  e.start_date,
  e.end_date,
  route.clean as route_of_access,
  landing.text_or_null(e.route_of_access_code) as route_of_access_raw,
  landing.text_or_null(e.contact_reason_description) as description,
  coalesce(linked.reason, latest.reason) as primary_support_reason,
  coalesce(linked.reason_raw, latest.reason_raw) as primary_support_reason_raw,
  coalesce(flagged.outcomes, '{}') as outcomes,
  flagged.outcomes_raw,
  coalesce(status.clean, case when e.end_date is null then 'open' else 'completed' end) as status,
  landing.moment_iso(e.created_at) at time zone 'Europe/London' as recorded_at,
  'liquidlogic__request' as landed_dataset,
  e.version_id as landed_version_id
from current_event e
left join flagged on flagged.version_id = e.version_id
left join referral as linked on linked.referral_id = e.referral_id and linked.person_id = e.person_id
left join latest_referral as latest on latest.person_id = e.person_id
left join landing.code_map as client_type
  on client_type.source = 'liquidlogic' and client_type.code_set = 'client_type'
     and client_type.raw = upper(btrim(e.client_type_code))
left join landing.code_map as status
  on status.source = 'liquidlogic' and status.code_set = 'event_status'
     and status.raw = upper(btrim(e.status_code))
left join landing.code_map as route
  on route.source = 'liquidlogic' and route.code_set = 'route_of_access'
     and route.raw = upper(btrim(e.route_of_access_code))
where landing.id_or_null(e.person_id) is not null
