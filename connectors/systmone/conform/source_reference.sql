-- One row per reference to the council's system that staff typed into a patient record (SSRef, sources 2.7).
-- Key: reference_key = source_person_key. It does not say which care system it is from; stale ids, lost leading zeros and
-- other people's ids occur, so it supports a link and never makes one alone.
select
  p.visible_to || ':' || p.row_id as source_person_key,
  p.visible_to || ':' || p.row_id || '|care' as reference_key,
  'care_key'::text as reference_type,
  landing.id_or_null(p.social_services_reference) as reference_value,
  null::date as valid_from,
  null::date as valid_to,
  'systmone__patient'::text as landed_dataset,
  p.version_id as landed_version_id
from landing.systmone__patient p
where p.known_to is null and not p.is_removed and landing.id_or_null(p.social_services_reference) is not null
