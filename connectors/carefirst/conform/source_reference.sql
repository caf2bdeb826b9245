-- One row per id of another system, or former name, that staff typed in. Key: reference_key = person, type, number.
-- NHS_TRACED and GP_PRACTICE rows are facts about the person and stand in source_person.
select distinct on (reference_key)
  source_person_key, reference_key, reference_type, reference_value, valid_from, valid_to, landed_dataset,
  landed_version_id
from (
  select
    btrim(r.person_id) as source_person_key,
    btrim(r.person_id) || '|' || upper(btrim(r.reference_type)) || '|' || upper(btrim(r.reference_number))
      as reference_key,
    case upper(btrim(r.reference_type)) when 'SYSTMONE' then 'systmone_key' when 'LIQUIDLOGIC' then 'liquidlogic_key'
      when 'FORMER_NAME' then 'former_surname' when 'ALIAS' then 'alias' end as reference_type,
    landing.id_or_null(r.reference_number) as reference_value,
    landing.moment_dmon(r.start_date)::date as valid_from,
    landing.moment_dmon(r.end_date)::date as valid_to,
    'carefirst__reference'::text as landed_dataset,
    r.version_id as landed_version_id
  from landing.carefirst__reference r
  where r.known_to is null and not r.is_removed
    and upper(btrim(r.reference_type)) in ('SYSTMONE', 'LIQUIDLOGIC', 'FORMER_NAME', 'ALIAS')
) as named
where reference_value is not null
order by reference_key, landed_version_id
