-- One row per unpaid carer and person cared for. Key: event_key = 'caring:' and both ids. Staff record it from either
-- side (CARE: the person cares for the related one; CFBY: is cared for by the related one), so both sides make one row.
with side as (
  select btrim(person_id) as carer, btrim(related_person_id) as cared_for, 1 as preference,
         landing.moment_dmon(start_date)::date as valid_from, landing.moment_dmon(end_date)::date as valid_to,
         version_id
    from landing.carefirst__relationship
   where known_to is null and not is_removed and upper(btrim(relationship_type)) = 'CARE'
  union all
  select btrim(related_person_id), btrim(person_id), 2,
         landing.moment_dmon(start_date)::date, landing.moment_dmon(end_date)::date, version_id
    from landing.carefirst__relationship
   where known_to is null and not is_removed and upper(btrim(relationship_type)) = 'CFBY'
)
select distinct on (carer, cared_for)
  'caring:' || carer || ':' || cared_for as event_key,
  carer as source_person_key,
  cared_for as cared_for_person_key,
  valid_from,
  valid_to,
  'carefirst__relationship'::text as landed_dataset,
  version_id as landed_version_id
from side
where carer <> cared_for
order by carer, cared_for, (valid_to is null) desc, valid_from desc nulls last, preference
