-- One row per caring relation: an unpaid carer cares for an adult. Key: event_key = 'relation:' and
-- FACT_PERSON_RELATION_ID. The relation points from the carer to the adult cared for (QUIRKS 7).
select
  r.person_id as source_person_key,
  r.related_person_id as cared_for_person_key,
  'relation:' || r.relation_id as event_key,
  nullif(landing.moment_iso(r.start_at)::date, date '1900-01-01') as valid_from,
  nullif(landing.moment_iso(r.end_at)::date, date '1900-01-01') as valid_to,
  'liquidlogic__person_relation' as landed_dataset,
  r.version_id as landed_version_id
from landing.liquidlogic__person_relation r
where r.known_to is null and not r.is_removed and upper(btrim(r.relation_type_code)) = 'CARER'
  and landing.id_or_null(r.person_id) is not null and landing.id_or_null(r.related_person_id) is not null
