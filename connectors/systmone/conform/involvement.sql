-- One row per team allocation of a referral, per worker within one, and per patient on a caseload.
-- Key: event_key = 'allocation:', 'allocation_staff:' or 'caseload:' and row_id. A date of deletion takes the row out
-- (sources 2.5): these tables show removal that way. A caseload tells no day of beginning: that of the referral stands in.
with patient as (
  select visible_to, row_id from landing.systmone__patient where known_to is null and not is_removed
), allocation as (
  select * from landing.systmone__referral_allocation
   where known_to is null and not is_removed and landing.text_or_null(deleted_at) is null
), told as (
  select 'allocation'::text as kind, a.visible_to, a.patient_id, a.row_id,
         landing.id_or_null(a.team_id) as team_code, null::text as worker_key, 'other'::text as role, 'Allocated team'::text as role_raw,
         landing.moment_dmon(a.start_at)::date as start_date, landing.moment_dmon(a.end_at)::date as end_date,
         landing.moment_dmon(a.created_at) as recorded, 'systmone__referral_allocation'::text as landed_dataset,
         a.version_id
    from allocation a
   union all
  select 'allocation_staff', s.visible_to, s.patient_id, s.row_id, landing.id_or_null(a.team_id),
         landing.id_or_null(s.staff_member_profile_id), 'allocated worker', 'Allocated worker',
         landing.moment_dmon(s.start_at)::date, landing.moment_dmon(s.end_at)::date,
         landing.moment_dmon(s.created_at), 'systmone__referral_allocation_staff', s.version_id
    from landing.systmone__referral_allocation_staff s
    left join allocation a on a.visible_to = s.visible_to and a.row_id = s.referral_allocation_id
   where s.known_to is null and not s.is_removed and landing.text_or_null(s.deleted_at) is null
   union all
  select 'caseload', h.visible_to, h.patient_id, h.row_id, landing.text_or_null(c.caseload_team),
         landing.id_or_null(c.caseload_owner_profile_id), 'other', 'Caseload',
         landing.moment_dmon(r.referral_at)::date, landing.moment_dmon(h.ended_at)::date, null,
         'systmone__caseload_history', h.version_id
    from landing.systmone__caseload_history h
    left join landing.systmone__caseload c
      on c.visible_to = h.visible_to and c.row_id = h.caseload_id and c.known_to is null and not c.is_removed
    left join landing.systmone__referral_in r
      on r.visible_to = h.visible_to and r.row_id = h.referral_id and r.known_to is null and not r.is_removed
   where h.known_to is null and not h.is_removed
), seen_once as (
  select distinct on (t.kind, t.row_id) t.*
    from told t join patient p on p.visible_to = t.visible_to and p.row_id = t.patient_id
   order by t.kind, t.row_id, t.visible_to
)
select
  s.visible_to || ':' || s.patient_id as source_person_key,
  s.kind || ':' || s.row_id as event_key,
  s.team_code,
  s.worker_key,
  s.role,
  s.role_raw,
  s.start_date,
  s.end_date,
  s.recorded at time zone 'Europe/London' as recorded_at,
  s.landed_dataset,
  s.version_id as landed_version_id
from seen_once s
