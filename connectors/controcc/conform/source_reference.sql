-- One row per client with the case system's person id typed in. Key: reference_key = 'client:' and ClientID.
-- The id points from finance to Liquidlogic (QUIRKS 3).
select
  c.client_id as source_person_key,
  'client:' || c.client_id as reference_key,
  'liquidlogic_key' as reference_type,
  landing.id_or_null(c.liquidlogic_person_id) as reference_value,
  'controcc__client' as landed_dataset,
  c.version_id as landed_version_id
from landing.controcc__client c
where c.known_to is null and not c.is_removed and landing.id_or_null(c.liquidlogic_person_id) is not null
