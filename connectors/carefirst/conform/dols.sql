-- One row per CareFirst activity DOLS: an application to deprive somebody of their liberty. Key: event_key = 'dols:' and
-- ACTIVITY_ID. Received on the day it starts, decided on the day it ends; the days in force stand in the observations.
with activity as (
  select a.*, upper(btrim(a.outcome_code)) as outcome,
         nullif(landing.moment_slash(a.end_at)::date, date '1900-01-01') as ended
    from landing.carefirst__activity a
   where a.known_to is null and not a.is_removed and upper(btrim(a.activity_type)) = 'DOLS'
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
         max(value) filter (where question = 'DOLSDEC' and nth = 1) as decision,
         max(value) filter (where question = 'DOLSFROM' and nth = 1) as in_force_from,
         max(value) filter (where question = 'DOLSTO' and nth = 1) as in_force_to,
         max(value) filter (where question = 'DOLSPLC' and nth = 1) as place
    from answer group by activity_id
)
select
  'dols:' || btrim(a.activity_id) as event_key,
  btrim(a.person_id) as source_person_key,
  landing.moment_slash(a.start_at)::date as received_date,
  a.ended as decided_date,
  landing.moment_dmon(form.in_force_from)::date as start_date,
  landing.moment_dmon(form.in_force_to)::date as end_date,
  form.recorded_at at time zone 'Europe/London' as recorded_at,
  decision.clean as decision,
  form.decision as decision_raw,
  place.clean as place_kind,
  form.place as place_kind_raw,
  'carefirst__activity'::text as landed_dataset,
  a.version_id as landed_version_id
from activity a
left join form on form.activity_id = btrim(a.activity_id)
left join landing.code_map decision
       on decision.source = 'carefirst' and decision.code_set = 'dols_decision' and decision.raw = upper(form.decision)
left join landing.code_map place
       on place.source = 'carefirst' and place.code_set = 'dols_place' and place.raw = upper(form.place)
