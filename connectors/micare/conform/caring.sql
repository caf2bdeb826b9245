-- One row per unpaid carer and person cared for. Key: event_key = 'caring:' and both numbers.
select distinct on (event_key) *
from (
  select
    'caring:' || btrim(c.carer_client_no) || ':' || btrim(c.client_no) as event_key,
    btrim(c.carer_client_no) as source_person_key,
    btrim(c.client_no) as cared_for_person_key,
    landing.day_ddmmyyyy(c.date_from) as valid_from,
    nullif(landing.day_ddmmyyyy(c.date_to), date '1900-01-01') as valid_to,
    'micare__carer'::text as landed_dataset,
    c.version_id as landed_version_id
  from landing.micare__carer c
  where c.known_to is null and not c.is_removed and btrim(c.carer_client_no) <> btrim(c.client_no)
) as side
order by event_key, (valid_to is null) desc, valid_from desc nulls last, landed_version_id
