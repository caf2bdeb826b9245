-- One row per care plan, from the newer layout (detail with its frequencies and reviews) and from the older one.
-- Key: event_key = 'care_plan:' or 'care_plan_old:' and row_id. Aim, outcome and instructions are words people typed and
-- are not read. The dates of a plan are those of its frequencies: the first begin, the last end when all have ended.
with list_item as (
  select row_id, landing.label_of(item_text) as label
    from landing.systmone__mapping where known_to is null and not is_removed
), patient as (
  select visible_to, row_id from landing.systmone__patient where known_to is null and not is_removed
), frequency as (
  select f.visible_to, f.care_plan_detail_id as plan_id,
         min(landing.moment_dmon(f.start_at))::date as begins_on,
         case when bool_and(landing.moment_dmon(f.end_at) is not null) then max(landing.moment_dmon(f.end_at))::date end
           as ends_on,
         max(landing.label_of(f.frequency_of_care_occurrence) || ' '
             || landing.label_of(f.frequency_type_of_care_occurrence)) as how_often
    from landing.systmone__care_plan_frequency f
   where f.known_to is null and not f.is_removed
   group by 1, 2
), review as (
  select r.visible_to, r.care_plan_id as plan_id,
         max(landing.moment_dmon(r.performed_at))::date as last_on,
         min(landing.moment_dmon(r.due_at)) filter (where landing.moment_dmon(r.performed_at) is null)::date as due_on
    from landing.systmone__care_plan_review r
   where r.known_to is null and not r.is_removed
   group by 1, 2
), told as (
  select 'care_plan'::text as kind, d.visible_to, d.patient_id, d.row_id, d.organisation_code, d.referral_id,
         d.event_at, d.recorded_at, null::text as ended_at, d.care_plan_category, d.name_of_care_plan_used,
         'systmone__care_plan_detail'::text as landed_dataset, d.version_id
    from landing.systmone__care_plan_detail d
   where d.known_to is null and not d.is_removed
   union all
  select 'care_plan_old', c.visible_to, c.patient_id, c.row_id, c.organisation_code, c.referral_id,
         c.start_at, c.recorded_at, c.end_at, c.care_plan_category, c.name_of_care_plan_used,
         'systmone__care_plan', c.version_id
    from landing.systmone__care_plan c
   where c.known_to is null and not c.is_removed
), seen_once as (
  select distinct on (t.kind, t.row_id) t.*
    from told t join patient p on p.visible_to = t.visible_to and p.row_id = t.patient_id
   order by t.kind, t.row_id, (t.organisation_code = t.visible_to) desc nulls last, t.visible_to
), dated as (
  select s.*, coalesce(f.begins_on, landing.moment_dmon(s.event_at)::date) as begins_on,
         coalesce(f.ends_on, landing.moment_dmon(s.ended_at)::date) as ends_on, f.how_often, r.due_on, r.last_on
    from seen_once s
    left join frequency f on s.kind = 'care_plan' and f.visible_to = s.visible_to and f.plan_id = s.row_id
    left join review r on s.kind = 'care_plan' and r.visible_to = s.visible_to and r.plan_id = s.row_id
)
select
  d.visible_to || ':' || d.patient_id as source_person_key,
  d.kind || ':' || d.row_id as event_key,
  nullif(btrim(d.organisation_code), '') as organisation_code,
  'referral:' || landing.id_or_null(d.referral_id) as referral_event_key,
  d.begins_on as start_date,
  d.ends_on as end_date,
  landing.moment_dmon(d.recorded_at) at time zone 'Europe/London' as recorded_at,
  case when d.care_plan_category ~ '^ *-?[0-9]+ *$' then category.label else landing.label_of(d.care_plan_category) end
    as category,
  landing.label_of(d.name_of_care_plan_used) as plan_name,
  d.how_often as frequency,
  d.due_on as review_due_date,
  d.last_on as last_review_date,
  case when d.ends_on is null then 'open' else 'completed' end as status,
  d.landed_dataset,
  d.version_id as landed_version_id
from dated d
left join list_item category on category.row_id = btrim(d.care_plan_category)
