-- One row per application to deprive somebody of their liberty. Key: event_key = 'dols:' and FACT_DOLS_ID.
-- Decided on the day it was signed off; 1900-01-01 is "no date".
select
  d.person_id as source_person_key,
  'dols:' || d.dols_id as event_key,
  nullif(landing.moment_iso(d.received_at)::date, date '1900-01-01') as received_date,
  nullif(landing.moment_iso(d.signed_off_at)::date, date '1900-01-01') as decided_date,
  nullif(landing.moment_iso(d.start_at)::date, date '1900-01-01') as start_date,
  nullif(landing.moment_iso(d.end_at)::date, date '1900-01-01') as end_date,
  decision.clean as decision,
  landing.text_or_null(d.decision_code) as decision_raw,
  place.clean as place_kind,
  landing.text_or_null(d.place_type_code) as place_kind_raw,
  landing.moment_iso(d.created_at) at time zone 'Europe/London' as recorded_at,
  'liquidlogic__dols' as landed_dataset,
  d.version_id as landed_version_id
from landing.liquidlogic__dols d
left join landing.code_map as decision
  on decision.source = 'liquidlogic' and decision.code_set = 'dols_decision' and decision.raw = upper(btrim(d.decision_code))
left join landing.code_map as place
  on place.source = 'liquidlogic' and place.code_set = 'dols_place' and place.raw = upper(btrim(d.place_type_code))
where d.known_to is null and not d.is_removed and landing.id_or_null(d.person_id) is not null
