-- One row per home visit, clinic appointment or other clinical contact. Key: event_key = 'visit:', 'appointment:' or
-- 'contact_event:' and row_id. A contact that a visit or an appointment tells already (SREventLink) is not told again.
-- Midnight means that only the day is known (sources 2.3). A row that several organisations see is taken once, from the
-- view of the organisation that entered it. A status id that is in no list, or is the list's own, means not set.
with list_item as (
  select row_id, landing.text_or_null(item_text) as label
    from landing.systmone__mapping where known_to is null and not is_removed
), patient as (
  select visible_to, row_id from landing.systmone__patient where known_to is null and not is_removed
), visit as (
  select distinct on (v.row_id) v.*
    from landing.systmone__visit v join patient p on p.visible_to = v.visible_to and p.row_id = v.patient_id
   where v.known_to is null and not v.is_removed
   order by v.row_id, (v.organisation_code = v.visible_to) desc nulls last, v.visible_to
), appointment as (
  select distinct on (a.row_id) a.*
    from landing.systmone__appointment a join patient p on p.visible_to = a.visible_to and p.row_id = a.patient_id
   where a.known_to is null and not a.is_removed
   order by a.row_id, (a.organisation_code = a.visible_to) desc nulls last, a.visible_to
), contact_event as (
  select distinct on (e.row_id) e.*
    from landing.systmone__referral_contact_event e
    join patient p on p.visible_to = e.visible_to and p.row_id = e.patient_id
   where e.known_to is null and not e.is_removed and not exists (
     select from landing.systmone__event_link l
      where l.known_to is null and not l.is_removed and l.visible_to = e.visible_to
        and l.container_event_id = landing.id_or_null(e.container_event_id)
        and coalesce(landing.id_or_null(l.visit_id), landing.id_or_null(l.appointment_id)) is not null)
   order by e.row_id, (e.organisation_code = e.visible_to) desc nulls last, e.visible_to
), told as (
  select v.visible_to, v.patient_id, v.row_id, 'visit'::text as contact_type, v.organisation_code, v.referral_id,
         landing.moment_dmon(v.booked_at) as begins, landing.number_or_null(v.duration_minutes) as minutes,
         v.status_id, landing.moment_dmon(v.recorded_at) as recorded,
         'systmone__visit'::text as landed_dataset, v.version_id
    from visit v
   union all
  select a.visible_to, a.patient_id, a.row_id, 'appointment', a.organisation_code, a.referral_id,
         landing.moment_dmon(a.start_at),
         extract(epoch from landing.moment_dmon(a.end_at) - landing.moment_dmon(a.start_at)) / 60,
         a.status_id, landing.moment_dmon(a.booked_at), 'systmone__appointment', a.version_id
    from appointment a
   union all
  select e.visible_to, e.patient_id, e.row_id, 'contact_event', e.organisation_code, e.referral_id,
         landing.moment_dmon(e.event_at), landing.number_or_null(e.duration_minutes), null,
         landing.moment_dmon(e.recorded_at), 'systmone__referral_contact_event', e.version_id
    from contact_event e
)
select
  t.visible_to || ':' || t.patient_id as source_person_key,
  t.contact_type || ':' || t.row_id as event_key,
  nullif(btrim(t.organisation_code), '') as organisation_code,
  t.contact_type,
  'referral:' || landing.id_or_null(t.referral_id) as referral_event_key,
  t.begins at time zone 'Europe/London' as start_at,
  coalesce(t.begins::time = time '00:00', false) as is_date_only,
  case when t.minutes between 0 and 100000 then round(t.minutes)::integer end as duration_minutes,
  status.label as status,
  t.recorded at time zone 'Europe/London' as recorded_at,
  t.landed_dataset,
  t.version_id as landed_version_id
from told t
left join list_item status on status.row_id = btrim(t.status_id)
