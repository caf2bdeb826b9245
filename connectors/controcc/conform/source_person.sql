-- One row per finance client. Key: source_person_key = ClientID. Finance keeps no status of an NHS number, so none counts
-- as verified here; it has no addresses and no ethnicity. 1900-01-01 is "no date".
select
  c.client_id as source_person_key,
  split_part(landing.text_or_null(c.forenames), ' ', 1) as forename,
  nullif(substr(landing.text_or_null(c.forenames), 2 + length(split_part(landing.text_or_null(c.forenames), ' ', 1))), '')
    as middle_names,
  landing.text_or_null(c.surname) as surname,
  case when landing.text_or_null(c.nhs_number) is not null then c.nhs_number end as nhs_number_supplied,
  case when landing.text_or_null(c.nhs_number) is not null then false end as nhs_number_verified,
  nullif(landing.moment_iso(c.birth_at)::date, date '1900-01-01') as birth_date,
  nullif(landing.moment_iso(c.death_at)::date, date '1900-01-01') as death_date,
  true as is_client,
  false as is_carer,
  false as is_restricted,
  false as is_marked_duplicate,
  'controcc__client' as landed_dataset,
  c.version_id as landed_version_id
from landing.controcc__client c
where c.known_to is null and not c.is_removed
