-- One row per CareFirst contact or referral: a request for support. Key: event_key = 'request:' and ACTIVITY_ID.
-- Its answers stand in the observations; when a question was answered twice the later answer counts. 01/01/1900 is no
-- date (QUIRKS 6).
with activity as (
  select a.*, upper(btrim(a.outcome_code)) as outcome,
         nullif(landing.moment_slash(a.end_at)::date, date '1900-01-01') as ended
    from landing.carefirst__activity a
   where a.known_to is null and not a.is_removed and upper(btrim(a.activity_type)) in ('CONTACT', 'REFERRAL')
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
         max(value) filter (where question = 'CLIENTTYPE' and nth = 1) as client_type,
         max(value) filter (where question = 'PSR' and nth = 1) as support_reason,
         max(value) filter (where question = 'DESCRIPT' and nth = 1) as description,
         max(value) filter (where question = 'ROUTE' and nth = 1) as route
    from answer group by activity_id
), decided as (                                             -- the activity's outcome, then those on the form
  select btrim(activity_id) as activity_id, outcome as raw, 0 as place from activity where outcome <> ''
  union all
  select activity_id, upper(value), nth from answer where question = 'OUTCOME'
), outcome as (
  select d.activity_id, string_agg(d.raw, ', ' order by d.place, d.raw) as raw,
         array_agg(m.clean order by d.place, d.raw) filter (where m.clean <> '') as clean
    from decided d
    left join landing.code_map m on m.source = 'carefirst' and m.code_set = 'event_outcome' and m.raw = d.raw
   group by d.activity_id
)
select
  'request:' || btrim(a.activity_id) as event_key,
  btrim(a.person_id) as source_person_key,
  coalesce(client_type.clean, 'Service user') as client_type,
  landing.moment_slash(a.start_at)::date as start_date,
  a.ended as end_date,
  form.recorded_at at time zone 'Europe/London' as recorded_at,
  route.clean as route_of_access,
  form.route as route_of_access_raw,
  support_reason.clean as primary_support_reason,
  form.support_reason as primary_support_reason_raw,
  coalesce(outcome.clean, '{}') as outcomes,
  outcome.raw as outcomes_raw,
  form.description,
  case when a.outcome = 'CANC' then 'cancelled'
       when a.ended is not null or a.outcome <> '' then 'completed' else 'open' end as status,
  'carefirst__activity'::text as landed_dataset,
  a.version_id as landed_version_id
from activity a
left join form on form.activity_id = btrim(a.activity_id)
left join outcome on outcome.activity_id = btrim(a.activity_id)
left join landing.code_map client_type
       on client_type.source = 'carefirst' and client_type.code_set = 'client_type'
      and client_type.raw = upper(form.client_type)
left join landing.code_map support_reason
       on support_reason.source = 'carefirst' and support_reason.code_set = 'primary_support_reason'
      and support_reason.raw = upper(form.support_reason)
left join landing.code_map route
       on route.source = 'carefirst' and route.code_set = 'route_of_access'
      and route.raw = upper(form.route)
