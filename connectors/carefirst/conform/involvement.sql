-- One row per spell in which a worker or a team is responsible for a person. Key: event_key = 'involvement:' and
-- INVOLVEMENT_ID. 01/01/1900 is no date (QUIRKS 6).
select
  'involvement:' || btrim(i.involvement_id) as event_key,
  btrim(i.person_id) as source_person_key,
  landing.id_or_null(i.team_code) as team_code,
  landing.id_or_null(i.worker_id) as worker_key,
  role.clean as role,
  landing.text_or_null(i.role) as role_raw,
  nullif(landing.moment_dmon(i.start_date)::date, date '1900-01-01') as start_date,
  nullif(landing.moment_dmon(i.end_date)::date, date '1900-01-01') as end_date,
  null::timestamptz as recorded_at,  -- not said
  'carefirst__involvement'::text as landed_dataset,
  i.version_id as landed_version_id
from landing.carefirst__involvement i
left join landing.code_map role
       on role.source = 'carefirst' and role.code_set = 'involvement_role' and role.raw = upper(btrim(i.role))
where i.known_to is null and not i.is_removed and landing.id_or_null(i.person_id) is not null
