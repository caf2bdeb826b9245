-- One row per referral received by the community unit. Key: event_key = 'referral:' and row_id.
-- A row that several organisations see is taken once, from the view of the organisation that entered it. Columns whose
-- type is not published hold a pick-list id when they are a whole number, else text (sources 2.9): an id that is in no
-- list, or is a list's own, means not set. Retired items keep their label with zz in front.
with list_item as (
  select row_id, landing.text_or_null(regexp_replace(item_text, '^zz[ -]*', '', 'i')) as label
    from landing.systmone__mapping where known_to is null and not is_removed
), seen_once as (
  select distinct on (r.row_id) r.*
    from landing.systmone__referral_in r
    join landing.systmone__patient p
      on p.visible_to = r.visible_to and p.row_id = r.patient_id and p.known_to is null and not p.is_removed
   where r.known_to is null and not r.is_removed
   order by r.row_id, (r.organisation_code = r.visible_to) desc nulls last, r.visible_to
)
select
  r.visible_to || ':' || r.patient_id as source_person_key,
  'referral:' || r.row_id as event_key,
  nullif(btrim(r.organisation_code), '') as organisation_code,
  landing.moment_dmon(r.referral_at)::date as referral_date,
  landing.moment_dmon(r.discharge_at)::date as discharge_date,
  landing.moment_dmon(r.recorded_at) at time zone 'Europe/London' as recorded_at,
  case when r.referral_source ~ '^ *-?[0-9]+ *$' then source.label else landing.text_or_null(r.referral_source) end
    as referral_source,
  coalesce(named.clean, case when r.service_offered ~ '^ *-?[0-9]+ *$' then service.label
                             else landing.text_or_null(r.service_offered) end) as service,
  case when r.urgency ~ '^ *-?[0-9]+ *$' then urgency.label else landing.text_or_null(r.urgency) end as urgency,
  case when r.primary_reason ~ '^ *-?[0-9]+ *$' then reason.label else landing.text_or_null(r.primary_reason) end
    as primary_reason,
  case when r.discharge_reason ~ '^ *-?[0-9]+ *$' then discharge.label
       else landing.text_or_null(r.discharge_reason) end as discharge_reason,
  'systmone__referral_in'::text as landed_dataset,
  r.version_id as landed_version_id
from seen_once r
left join list_item source on source.row_id = btrim(r.referral_source)
left join list_item service on service.row_id = btrim(r.service_offered)
left join list_item urgency on urgency.row_id = btrim(r.urgency)
left join list_item reason on reason.row_id = btrim(r.primary_reason)
left join list_item discharge on discharge.row_id = btrim(r.discharge_reason)
left join landing.code_map named
  on named.source = 'systmone' and named.code_set = 'referral_service'
     and named.raw = upper(coalesce(service.label, landing.text_or_null(r.service_offered)))
