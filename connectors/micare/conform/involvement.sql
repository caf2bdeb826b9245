-- One row per allocation: who is responsible for a client. Key: event_key = 'involvement:' and ALLOC_NO. An end of
-- 01/01/1900 is no date (QUIRKS 6).
with event as (
  select e.*, nullif(landing.day_ddmmyyyy(e.date_to), date '1900-01-01') as end_day
    from landing.micare__allocation e
   where e.known_to is null and not e.is_removed
)
select
  'involvement:' || btrim(e.allocation_no) as event_key,
  btrim(e.client_no) as source_person_key,
  landing.id_or_null(e.team_code) as team_code,
  landing.id_or_null(e.worker_no) as worker_key,
  role.clean as role,
  landing.text_or_null(e.role_code) as role_raw,
  landing.day_ddmmyyyy(e.date_from) as start_date,
  e.end_day as end_date,
  landing.day_ddmmyyyy(e.keyed)::timestamp at time zone 'Europe/London' as recorded_at,
  'micare__allocation'::text as landed_dataset,
  e.version_id as landed_version_id
from event e
left join landing.code_map role
       on role.source = 'micare' and role.code_set = 'allocation_role'
      and role.raw = upper(btrim(e.role_code))
