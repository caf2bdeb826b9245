-- One row per questionnaire that was filled in: which, which version, when. Key: event_key = 'questionnaire:' and row_id.
-- What was answered is not in the extract; the separate free-text file is not taken (sources 2.10, 15).
with seen_once as (
  select distinct on (a.row_id) a.*
    from landing.systmone__answered_questionnaire a
    join landing.systmone__patient p
      on p.visible_to = a.visible_to and p.row_id = a.patient_id and p.known_to is null and not p.is_removed
   where a.known_to is null and not a.is_removed
   order by a.row_id, (a.done_at_organisation_code = a.visible_to) desc nulls last, a.visible_to
)
select
  a.visible_to || ':' || a.patient_id as source_person_key,
  'questionnaire:' || a.row_id as event_key,
  nullif(btrim(a.done_at_organisation_code), '') as organisation_code,
  landing.moment_dmon(a.event_at) at time zone 'Europe/London' as answered_at,
  coalesce(landing.moment_dmon(a.event_at)::time = time '00:00', false) as is_date_only,
  landing.moment_dmon(a.recorded_at) at time zone 'Europe/London' as recorded_at,
  landing.label_of(q.questionnaire_name) as questionnaire_name,
  landing.text_or_null(q.questionnaire_version) as questionnaire_version,
  'systmone__answered_questionnaire'::text as landed_dataset,
  a.version_id as landed_version_id
from seen_once a
left join landing.systmone__questionnaire q
  on q.row_id = landing.id_or_null(a.questionnaire_id) and q.known_to is null and not q.is_removed
