-- One row per spell in which a worker or team is responsible for a person. Key: event_key = 'involvement:' and
-- FACT_INVOLVEMENTS_ID. Teams and workers go by their own codes, not by the mart's row numbers (a worker has a row for
-- each post, QUIRKS 19) and never by the names copied into the fact, which go stale.
select
  i.person_id as source_person_key,
  'involvement:' || i.involvement_id as event_key,
  coalesce(landing.id_or_null(department.department_code), landing.id_or_null(i.department_id)) as team_code,
  coalesce(landing.id_or_null(worker.worker_code), landing.id_or_null(i.worker_id)) as worker_key,
  role.clean as role,
  landing.text_or_null(i.involvement_type_code) as role_raw,
  nullif(landing.moment_iso(i.start_at)::date, date '1900-01-01') as start_date,
  nullif(landing.moment_iso(i.end_at)::date, date '1900-01-01') as end_date,
  landing.moment_iso(i.created_at) at time zone 'Europe/London' as recorded_at,
  'liquidlogic__involvement' as landed_dataset,
  i.version_id as landed_version_id
from landing.liquidlogic__involvement i
left join landing.liquidlogic__department as department
  on department.department_id = i.department_id and department.known_to is null and not department.is_removed
left join landing.liquidlogic__worker as worker
  on worker.worker_id = i.worker_id and worker.known_to is null and not worker.is_removed
left join landing.code_map as role
  on role.source = 'liquidlogic' and role.code_set = 'involvement_role' and role.raw = upper(btrim(i.involvement_type_code))
where i.known_to is null and not i.is_removed and landing.id_or_null(i.person_id) is not null
